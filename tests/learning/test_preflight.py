from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from jupyter_mlstudio.entities.automl import AutoMLSpec, Featurization, FeaturizationMode, Task
from jupyter_mlstudio.entities.automl_tables import Finding, Role
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.preflight import Refused
from jupyter_mlstudio.learning.reading import read

RANDOM = np.random.default_rng(5)
ROWS = 240
HARMLESS = {"task", "duplicate_rows", "constant_columns", "imbalance"}
"""What may be said of a table that is well."""


def base() -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
    return frame.assign(y=(frame["a"] + random.normal(0, 1, ROWS) > 0).map({True: "yes", False: "no"}))


def plan_of(frame: pd.DataFrame, test: pd.DataFrame | None = None, **spec: Any) -> Plan:
    return make_plan(frame, AutoMLSpec(data="x", **({"target": "y"} | spec)), test=test)


def found(plan: Plan, code: str) -> Finding:
    return next(one for one in plan.findings if one.code == code)


def texts(rows: int) -> Any:
    return np.array([f"u-{number:05d}" for number in RANDOM.permutation(rows)], dtype=object)


DROPPED: dict[str, tuple[str, Any]] = {
    "a number for each row": ("id_columns", np.arange(ROWS) + 17),
    "a code for each row": ("id_columns", texts(ROWS)),
    "codes of which some come twice": ("id_columns", np.array([f"A-{n % 200}" for n in range(ROWS)], dtype=object)),
    "the same in every row": ("constant_columns", np.full(ROWS, 3)),
    "nothing in any row": ("empty_columns", np.full(ROWS, np.nan)),
    "only blanks": ("empty_columns", np.array([""] * ROWS, dtype=object)),
    "a copy": ("duplicate_columns", base()["b"]),
    "the target as a number": ("target_leak", (base()["y"] == "yes") * 2.0),
    "the target with other words": ("target_leak", base()["y"].map({"yes": "won", "no": "lost"})),
    "the target plus noise": ("target_leak", (base()["y"] == "yes") + RANDOM.normal(0, 0.05, ROWS)),
    "only there when it happened": ("target_leak", base()["y"].map({"yes": "2024-05-01", "no": None})),
}


@pytest.mark.parametrize("what", DROPPED)
def test_a_column_that_would_do_harm_is_left_out_and_told_of(what: str) -> None:
    code, values = DROPPED[what]
    plan = plan_of(base().assign(x=values))
    finding = found(plan, code)
    assert finding.columns == ["x"]
    assert finding.done
    assert finding.remedy
    assert "x" not in plan.X
    column = next(one for one in plan.columns if one.name == "x")
    assert column.role is Role.DROPPED
    assert column.reason


@pytest.mark.parametrize(
    ("name", "left_out"), [("customerId", True), ("row_id", True), ("paid", False), ("people", False)]
)
def test_whole_numbers_that_never_come_twice_are_ids_by_their_names_only(name: str, left_out: bool) -> None:
    plan = plan_of(base().assign(**{name: RANDOM.permutation(10 * ROWS)[:ROWS]}))
    assert (name not in plan.X) is left_out


def test_a_leak_that_the_user_gives_a_type_is_kept() -> None:
    own = Featurization(mode=FeaturizationMode.CUSTOM, column_name_and_types={"x": "Numeric"})
    plan = plan_of(base().assign(x=(base()["y"] == "yes") * 1.0), featurization=own)
    assert "x" in plan.X


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits", "diabetes"])
def test_nothing_alarming_is_said_of_a_clean_table(name: str) -> None:
    bunch = getattr(datasets, f"load_{name}")()
    frame = pd.DataFrame(bunch.data, columns=bunch.feature_names).assign(y=bunch.target)
    plan = plan_of(frame)
    assert {one.code for one in plan.findings} <= HARMLESS
    assert plan.task is (Task.REGRESSION if name == "diabetes" else Task.CLASSIFICATION)


@pytest.mark.parametrize(("noise", "told"), [(0.001, True), (0.5, False)])
def test_a_column_that_is_the_value_with_little_noise_is_a_leak(noise: float, told: bool) -> None:
    frame = base()
    value = np.exp(frame["a"] + frame["b"] * 0.4 + RANDOM.normal(0, 0.5, ROWS))
    plan = plan_of(frame.assign(y=value, x=1000 - 3 * np.log(value) + RANDOM.normal(0, noise, ROWS)))
    assert ("x" not in plan.X) is told


def test_a_measured_column_that_tells_almost_the_whole_value_is_told_of_and_kept() -> None:
    speed, hull = np.tile(np.arange(0.125, 0.451, 0.025), 22), np.repeat(RANDOM.normal(size=22), 14)
    resistance = 0.02 * np.exp(20 * speed + 0.08 * hull) + RANDOM.normal(0, 0.05, len(speed))
    plan = plan_of(pd.DataFrame({"speed": speed, "hull": hull, "y": resistance}))
    assert "speed" in plan.X
    assert found(plan, "target_leak_suspected").columns == ["speed"]


def test_a_value_that_grows_with_time_does_not_make_the_time_a_leak() -> None:
    days = pd.date_range("2020-01-01", periods=ROWS)
    plan = plan_of(base().assign(day=days, y=np.arange(ROWS) * 3.0 + RANDOM.normal(0, 1, ROWS)))
    assert "day" in plan.X


def test_an_easy_table_is_not_cut_down() -> None:
    bunch = datasets.load_iris()
    frame = pd.DataFrame(bunch.data, columns=list("abcd")).assign(y=bunch.target).query("y < 2")
    plan = plan_of(frame)
    assert plan.X.shape[1] == 4
    assert found(plan, "target_leak_suspected").done == "it is kept"


def test_numbers_in_text_with_some_junk_are_numbers_and_the_junk_is_missing() -> None:
    values = [f"{number:,.2f}" for number in RANDOM.uniform(900, 5000, ROWS)]
    values[::40] = ["call us"] * len(values[::40])
    values[7] = "?"
    plan = plan_of(base().assign(x=values))
    assert plan.X["x"].dtype == np.float64
    assert plan.X["x"].isna().sum() == len(values[::40]) + 1
    assert "'call us'" in found(plan, "wrong_type").what
    assert plan.prepare(base().assign(x="1,234.50"))["x"].iloc[0] == 1234.5


@pytest.mark.parametrize(
    "given",
    [["1,5", "2,25", "10,0"], ["$1,200", "$3", "$4.5"], ["5 %", "7 %", "12.5 %"], ["1e3", "-2E-1", "+4"]],
    ids=["decimal commas", "money", "percent", "powers"],
)
def test_numbers_are_read_as_people_write_them(given: list[str]) -> None:
    expected = {"1,5": [1.5, 2.25, 10], "$1,200": [1200, 3, 4.5], "5 %": [5, 7, 12.5], "1e3": [1000, -0.2, 4]}
    plan = plan_of(base().assign(x=given * (ROWS // 3)))
    assert plan.X["x"].iloc[:3].tolist() == expected[given[0]]


def test_codes_with_leading_zeros_are_no_numbers() -> None:
    plan = plan_of(base().assign(x=["01234", "00999", "12345"] * (ROWS // 3)))
    assert plan.X["x"].iloc[0] == "01234"


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d.%m.%Y %H:%M", "%m/%d/%Y", "%d %B %Y", "%Y-%m-%dT%H:%M:%S+02:00", "%Y%m%d", "%b %d, %Y"]
)
def test_dates_are_read_in_every_usual_format(form: str) -> None:
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(RANDOM.integers(0, 1400, ROWS), unit="D")
    plan = plan_of(base().assign(day=days.strftime(form)))
    assert plan.X["day"].dtype.kind == "M"
    shift = pd.Timedelta(hours=2) if "+02" in form else pd.Timedelta(0)
    assert (plan.X["day"] == pd.Series(days) - shift).all()


def test_dates_in_five_formats_in_one_column_are_all_read() -> None:
    days = pd.Timestamp("2021-01-13") + pd.to_timedelta(np.arange(ROWS) * 7, unit="D")
    forms = ["%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%Y/%m/%d", "%B %d, %Y"]
    plan = plan_of(base().assign(x=[day.strftime(forms[at % 5]) for at, day in enumerate(days)]).sample(frac=1))
    assert plan.X["x"].notna().all()
    assert "several ways" in found(plan, "date_formats").what


def test_dates_that_may_be_the_other_way_round_are_told_of() -> None:
    unsure = plan_of(base().assign(x=[f"0{1 + at % 9}/0{1 + at % 7}/2024" for at in range(ROWS)]))
    assert "month first" in found(unsure, "ambiguous_dates").done
    sure = plan_of(base().assign(x=[f"{1 + at % 28:02d}/0{1 + at % 7}/2024" for at in range(ROWS)]))
    assert sure.X["x"].iloc[14] == pd.Timestamp("2024-01-15")
    assert "ambiguous_dates" not in {one.code for one in sure.findings}


def test_infinite_numbers_count_as_missing() -> None:
    frame = base()
    frame.loc[3, "a"], frame.loc[5, "a"] = np.inf, -np.inf
    plan = plan_of(frame)
    assert plan.X["a"].isna().tolist()[:6] == [False, False, False, True, False, True]
    assert found(plan, "infinite_numbers").columns == ["a"]


def test_names_that_come_twice_are_kept_apart_in_new_rows_too() -> None:
    frame = base()[["a", "b", "c", "y"]].set_axis(["größe", "größe", "b.1", "y"], axis=1)
    plan = plan_of(frame)
    assert list(plan.X) == ["größe", "größe.1", "b.1"]
    assert "größe" in found(plan, "duplicate_names").what
    pd.testing.assert_frame_equal(plan.prepare(frame), plan.X)


def test_mixed_types_become_text_and_one_is_one() -> None:
    values = np.array([1, 1.0, "1", True, None, b"x", (1, 2), "zwei"] * (ROWS // 8), dtype=object)
    plan = plan_of(base().assign(x=values))
    assert plan.X["x"].iloc[:8].astype(object).tolist()[:4] == ["1", "1", "1", "True"]
    assert pd.isna(plan.X["x"].iloc[4])


def test_lists_in_cells_do_not_break_it() -> None:
    values = pd.Series([[1], {"a": 2}, None, [1]] * (ROWS // 4), dtype=object)
    assert plan_of(base().assign(x=values)).X["x"].notna().sum() == ROWS * 3 // 4


def test_rows_that_are_alike_lie_in_one_fold() -> None:
    frame = pd.concat([base(), base().head(60)], ignore_index=True)
    plan = plan_of(frame)
    assert found(plan, "duplicate_rows")
    for learn, judged in plan.folds:
        seen = set(plan.X["a"].iloc[learn])
        assert not seen & set(plan.X["a"].iloc[judged])


def test_rows_of_the_test_data_are_not_learnt_from() -> None:
    frame = base()
    plan = plan_of(frame, test=frame.head(30))
    assert found(plan, "rows_in_both")
    assert plan.X_test is not None
    assert not set(plan.X["a"]) & set(plan.X_test["a"])
    assert len(plan.X) == ROWS - 30


def test_every_class_is_learnt_in_every_fold_however_rare() -> None:
    frame = base()
    frame["y"] = ["rare"] * 2 + ["few"] * 3 + ["many"] * (ROWS - 5)
    plan = plan_of(frame)
    assert "rare (2)" in found(plan, "rare_classes").what
    assert all(len(np.unique(plan.y[learn])) == 3 for learn, _ in plan.folds)


def test_rows_in_the_order_of_time_are_judged_by_stretches_and_tested_on_the_latest() -> None:
    days = pd.date_range("2022-01-01", periods=ROWS)
    plan = plan_of(base().assign(day=days), test_data_size=0.25)
    assert found(plan, "time_order").columns == ["day"]
    assert plan.X_test is not None
    assert plan.X_test["day"].min() > plan.X["day"].max()
    assert all((np.diff(judged) == 1).all() for _, judged in plan.folds)
    later = plan_of(base().assign(day=days), test=base().assign(day=days - pd.Timedelta(days=100)))
    assert "later than some" in found(later, "time_order_violated").what


def test_a_split_keeps_its_share_and_the_rest_is_learnt_from() -> None:
    plan = plan_of(base(), validation_data_size=0.25, test_data_size=0.2)
    assert plan.X_test is not None
    assert len(plan.X_test) == pytest.approx(ROWS * 0.2, abs=3)
    ((learn, judged),) = plan.folds
    assert len(judged) == pytest.approx(ROWS * 0.8 * 0.25, abs=3)
    assert len(learn) + len(judged) == len(plan.X)


def test_weights_leave_rows_out_and_bad_ones_are_refused() -> None:
    weights = np.ones(ROWS)
    weights[:10], weights[10] = 0, np.nan
    plan = plan_of(base().assign(w=weights), weight_column="w")
    assert len(plan.X) == len(plan.weights) == ROWS - 11
    assert "w" not in plan.X
    with pytest.raises(Refused, match="negative"):
        plan_of(base().assign(w=-weights), weight_column="w")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Refused, match=r"no column 'gone'.*no column 'w'"):
        plan_of(base(), target="gone", weight_column="w")
    with pytest.raises(Refused, match="no numbers in 'x'"):
        plan_of(base().assign(x=["t", "u"] * (ROWS // 2)), featurization=Featurization(mode=FeaturizationMode.OFF))
    own = Featurization(mode=FeaturizationMode.CUSTOM, column_name_and_types={"q": "Text"})
    with pytest.raises(Invalid, match="no column 'q' to give a type"):
        plan_of(base(), featurization=own)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1], Task.CLASSIFICATION), ([0.0, 1.0], Task.CLASSIFICATION), (["a", "b", "c"], Task.CLASSIFICATION),
        ([True, False], Task.CLASSIFICATION), (list(range(10)), Task.CLASSIFICATION),
        (["1.5", "2.5", "3.5"], Task.REGRESSION),
        (list(range(60)), Task.REGRESSION), ([0.5, 1.5, 2.5], Task.REGRESSION),
    ],
)  # fmt: skip
def test_the_task_is_told_from_the_target(values: list[Any], task: Task) -> None:
    target = (values * ROWS)[:ROWS]
    plan = plan_of(base().assign(y=pd.Series(target).sample(frac=1, random_state=0).to_numpy()))
    assert plan.task is task


def test_the_positive_label_is_the_rarer_one_or_the_one_that_was_asked_for() -> None:
    frame = base().assign(y=[1, 0, 0] * (ROWS // 3))
    assert plan_of(frame).positive == 1
    assert plan_of(frame, positive_label="0").positive == 0
    with pytest.raises(Refused, match="no class 'maybe'"):
        plan_of(frame, positive_label="maybe")


def test_blocked_steps_and_own_parameters_are_followed() -> None:
    frame = base().assign(city=RANDOM.choice(list("pqrs"), ROWS))
    frame.loc[::5, "b"] = np.nan
    own = Featurization(
        mode=FeaturizationMode.CUSTOM, blocked_transformers=["OneHotEncoder", "MissingIndicator"],
        column_name_and_types={"c": "Ignore"},
        transformer_params={"imputer": [{"fields": ["b"], "parameters": {"strategy": "constant", "fill_value": 7}}]},
    )  # fmt: skip
    plan = plan_of(frame, featurization=own)
    assert list(plan.X) == ["a", "b", "city"]
    made = plan.featuriser("trees").fit_transform(plan.X, plan.y)
    assert made.shape[1] == 3
    assert (made == 7).any(axis=1).tolist() == plan.X["b"].isna().tolist()
    with pytest.raises(Invalid, match="no step 'Nonsense'"):
        plan_of(frame, featurization=Featurization(blocked_transformers=["Nonsense"]))
    text = pd.DataFrame({"t": [f"a word or two {at}" for at in range(ROWS)], "y": frame["y"]})
    with pytest.raises(Invalid, match="is blocked"):
        plan_of(text, featurization=Featurization(blocked_transformers=["TfIdf"]))


@pytest.mark.parametrize(
    ("values", "asked", "place"),
    [
        ([0, 1], "1", 1), ([0, 1], "0", 0), ([0, 1], 1.0, 1), ([0, 1], True, 1), ([0, 1], "true", 1),
        ([False, True], "True", 1), ([False, True], "1", 1), ([False, True], False, 0), ([False, True], 0, 0),
        ([0.0, 1.0], "1", 1), ([0.0, 1.0], "1.0", 1), ([1, 2], "2.0", 1), ([-1, 1], "-1", 0),
        (["no", "yes"], "YES ", 1), (["no", "yes"], True, 1), (["yes", "no"], False, 0),
        (["0", "1"], 1, 1), (["1.0", "2.0"], "2", 1),
    ],
    ids=str,
)  # fmt: skip
def test_a_positive_label_is_found_as_it_is_typed(values: list[Any], asked: Any, place: int) -> None:
    target = np.array(values, dtype=object if isinstance(values[0], str) else None)[np.arange(ROWS) % 2]
    plan = plan_of(base().assign(y=target), positive_label=asked)
    assert plan.positive == place


@pytest.mark.parametrize("asked", ["maybe", 2, None])
def test_a_positive_label_that_there_is_not_names_those_that_there_are(asked: Any) -> None:
    frame = base().assign(y=np.arange(ROWS) % 2)
    if asked is None:
        assert plan_of(frame).positive == 1
        return
    with pytest.raises(Refused, match="its classes are '0', '1'"):
        plan_of(frame, positive_label=asked)


def test_texts_that_never_come_twice_in_a_short_table_are_ids() -> None:
    frame = pd.DataFrame({"code": [f"A-{n}" for n in range(15)], "x": RANDOM.normal(size=15), "y": list("aba") * 5})
    assert found(plan_of(frame), "id_columns").columns == ["code"]


def test_a_column_named_like_an_id_whose_values_come_again_is_told_of_and_kept() -> None:
    random = np.random.default_rng(2)
    owner = np.array([f"C{n}" for n in random.integers(0, 150, ROWS)], dtype=object)
    plan = plan_of(base().assign(customer_id=owner, town=owner[::-1]))
    told = found(plan, "ids_that_repeat")
    assert (told.columns, told.severity.value) == (["customer_id"], "warning")
    assert "Ignore" in told.remedy
    assert found(plan, "many_categories").columns == ["town"]
    assert "customer_id" in plan.X.columns


def test_a_file_that_is_not_utf8_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    base().assign(größe=1.5 * np.arange(ROWS)).to_csv(path, index=False, encoding="cp1252")
    plan = make_plan(read(path), AutoMLSpec(data="x", target="y"))
    assert found(plan, "encoding").severity.value == "warning"
    assert "größe" in plan.X.columns
    base().to_csv(path, index=False)
    assert "encoding" not in {one.code for one in make_plan(read(path), AutoMLSpec(data="x", target="y")).findings}
