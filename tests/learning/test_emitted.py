"""The winner as a notebook that makes it again."""

from __future__ import annotations

import asyncio
import pickle
import time
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from threadpoolctl import threadpool_limits

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, ForecastingSettings, Task, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning import families, refit, stack, temperature
from jupyter_mlstudio.learning.emitted import notebook
from jupyter_mlstudio.learning.ensemble import vote
from jupyter_mlstudio.learning.explain import explain
from jupyter_mlstudio.learning.family import Making, answers
from jupyter_mlstudio.learning.forecast_families import Config
from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan
from jupyter_mlstudio.learning.forecast_work import fitted as fitted_forecast
from jupyter_mlstudio.learning.matrices import Matrices, codes_of
from jupyter_mlstudio.learning.plan import make_plan
from jupyter_mlstudio.learning.reading import read
from jupyter_mlstudio.learning.rungs import shape_of
from jupyter_mlstudio.learning.search import Asked, Search
from tests.learning.looking import Looking

# Models of a few rounds do not converge; LightGBM warns of a parameter that it takes.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:categorical_feature:UserWarning"),
]
ALL = [family for family in families.FAMILIES if family.installed()]


def write_table(folder: Path, rows: int = 160) -> str:
    random = np.random.default_rng(0)
    days = pd.Timestamp("2024-03-01") + pd.to_timedelta(random.integers(0, 90, rows), "D")
    frame = pd.DataFrame(
        {
            "id": range(rows), "money in €": random.normal(size=rows).round(4),
            "it's": random.choice(["a", "b", "ü"], rows), "when": days.strftime("%d.%m.%Y"),
            "flag": random.choice([True, False], rows), "row weight": random.integers(0, 3, rows),
        }
    )  # fmt: skip
    value = frame["money in €"] * 2 + (frame["it's"] == "a") + random.normal(scale=0.2, size=rows)
    frame["bought"] = np.where(value > 0.5, "yes", "no")
    frame["price"] = np.exp(value).round(4)
    frame.loc[::11, "money in €"] = np.nan
    frame.loc[::23, "bought"] = None
    frame.to_csv(folder / "table.csv", index=False)
    return "table.csv"


def spec_of(data: str, target: str = "bought", **values: Any) -> AutoMLSpec:
    return AutoMLSpec(data=data, target=target, n_cross_validations=3, **values)


def small(family: Any, shape: Any) -> dict[str, Any]:
    """Parameters of a family that is fitted in no time."""
    params = dict(family.known(shape)[0])
    for name in {family.rounds, "n_estimators"} & {family.rounds, *params} - {""}:
        params[name] = 8
    return params | ({"hidden": 8} if "hidden" in params else {})


def fitted(plan: Any, family: Any, labels: bool = True, seed: int = 3) -> Any:
    shape = shape_of(plan, "log_loss" if plan.classes is not None else "r2_score")
    making = Making(shape, seed, 1, codes_of(plan, family.form))
    with threadpool_limits(1):
        return refit.fitted(plan, family, small(family, shape), making, np.arange(len(plan.X)), labels)


def candidate(name: str) -> Candidate:
    return Candidate(number=0, run_id="", family=name, stage="portfolio", score=0.9)


def executed(content: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the cells leave behind, run here one after the other."""
    monkeypatch.setenv("MLSTUDIO_WORKSPACE", str(folder))
    nbformat.validate(nbformat.from_dict(content))
    names: dict[str, Any] = {}
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], "cell", "exec"), names)
    return names


def assert_same(names: dict[str, Any], model: Any, plan: Any) -> None:
    """The same answers to the bit."""
    kept = pickle.loads(pickle.dumps(model))
    assert np.array_equal(names["predictions"], kept.predict(plan.X))
    if plan.classes is not None:
        assert set(names["predictions"]) <= set(plan.classes)
        assert names["probabilities"].tobytes() == np.asarray(kept.predict_proba(plan.X)).tobytes()


@pytest.mark.parametrize("target", ["bought", "price"])
@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
def test_every_family_is_made_again_to_the_bit(
    family: Any, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(write_table(tmp_path), target)
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    if family.refuses(shape_of(plan, "log_loss")):
        return  # a family for the other task
    model = refit.single(plan, family, fitted(plan, family))
    content = notebook(spec, plan, candidate(family.name), model)
    assert_same(executed(content, tmp_path, monkeypatch), model, plan)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_forecast_is_made_again_to_the_bit_and_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=120)
    ads = random.normal(size=120)
    units = 50 + 10 * np.sin(np.arange(120) * 2 * np.pi / 7) + random.normal(size=120) + 5 * np.roll(ads, 1)
    table = pd.DataFrame({"day": days, "units": units / 2, "ads": ads})
    halves = pd.concat([table, table.assign(day=days + pd.Timedelta(hours=12))])
    halves.to_csv(tmp_path / "units.csv", index=False)
    settings = ForecastingSettings(
        time_column_name="day", forecast_horizon=5, frequency="D", target_aggregate_function="sum",
        feature_lags="auto", features_unknown_at_forecast_time=["ads"],
    )  # fmt: skip
    spec = AutoMLSpec(
        data="units.csv", target="units", task=Task.FORECASTING, forecasting=settings, primary_metric="mase"
    )
    plan = make_forecast_plan(read(tmp_path / "units.csv"), spec)
    assert plan.maker.lags == {"ads": [1]}
    usual: dict[str, JSON] = {"base": "season", "log": False}
    configs = [Config("SeasonalNaive"), Config("ExponentialSmoothing"), Config("Ridge", {"alpha": 0.3, **usual}),
               Config("MLP", usual), Config("KNN", usual)]  # fmt: skip
    models = [fitted_forecast(plan, one, None, seed=0, threads=1) for one in configs]
    names = [f"{one.family.lower()}_{number}" for number, one in enumerate(configs)]
    model = vote(list(zip(names, models, strict=True)), [0.1, 0.2, 0.3, 0.2, 0.2], None)
    content = notebook(spec, plan, candidate("VotingEnsemble"), model)
    assert_same(executed(content, tmp_path, monkeypatch), model, plan)
    assert explain(model, plan, "mase", deadline=time.monotonic() + 10).importances[0].mean > 0


@pytest.mark.parametrize("name", ["Linear", "XGBoost"])
def test_a_model_of_a_part_of_the_rows_is_made_again_of_that_part(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(write_table(tmp_path), seed=3)
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    family, shape, file = families.find(name), shape_of(plan, "log_loss"), tmp_path / "model.pkl"
    rows = Matrices(plan, None, 3).training_rows(1, 50)
    making = Making(shape, 3, 1, codes_of(plan, family.form))
    refit.refit(lambda _: None, plan, family, small(family, shape), making, rows, file, labels=True)
    model = refit.single(plan, family, pickle.loads(file.read_bytes()))
    content = notebook(spec, plan, candidate(name), model)
    assert_same(executed(content, tmp_path, monkeypatch), model, plan)
    assert any("50 of the rows" in cell["source"] for cell in content["cells"])  # type: ignore[index,union-attr]


@pytest.mark.parametrize("target", ["bought", "price"])
@pytest.mark.parametrize("weights", [None, "row weight"])
def test_a_vote_is_made_again_to_the_bit_with_weights_of_rows_too(
    weights: str | None, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(write_table(tmp_path), target, weight_column=weights, test_data_size=0.2)
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    chosen = [families.find(name) for name in ("LightGBM", "Linear", "RandomForest", "KNN", "MLP")]
    members = [(f"{one.name.lower()}_{number}", fitted(plan, one, labels=False)) for number, one in enumerate(chosen)]
    model = vote(members, [0.1, 0.2, 0.3, 0.25, 0.15], plan.classes)
    content = notebook(spec, plan, candidate("VotingEnsemble"), model)
    names = executed(content, tmp_path, monkeypatch)
    assert_same(names, model, plan)
    code = "\n".join(cell["source"] for cell in content["cells"] if cell["cell_type"] == "code")
    assert code.count("ColumnTransformer(") == len({one.form for one in chosen})
    assert len(names["plan"].X_test) == len(plan.X_test) > 20


@pytest.mark.parametrize("weights", [None, "row weight"])
def test_a_vote_at_a_temperature_is_made_again_to_the_bit(
    weights: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(write_table(tmp_path), weight_column=weights, primary_metric="log_loss")
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    chosen = [families.find(name) for name in ("LightGBM", "Linear")]
    members = [(f"{one.name.lower()}_{number}", fitted(plan, one, labels=False)) for number, one in enumerate(chosen)]
    model = temperature.at(vote(members, [0.3, 0.7], plan.classes), 1 / 1.2653418340928135)
    content: Any = notebook(spec, plan, candidate("VotingEnsemble"), model)
    names = executed(content, tmp_path, monkeypatch)
    assert_same(names, model, plan)
    assert any(cell["source"].startswith("## The temperature") for cell in content["cells"])
    assert ("scores" in names) is (weights is None), "a copy is judged where members are fitted with the vote"


@pytest.mark.parametrize("target", ["bought", "price"])
def test_a_stack_is_made_again_to_the_bit(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(write_table(tmp_path), target, weight_column="row weight")
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    chosen = [families.find(name) for name in ("LightGBM", "Linear", "ExtraTrees")]
    members = [(f"{one.name.lower()}_{number}", fitted(plan, one, labels=False)) for number, one in enumerate(chosen)]
    seen = stack.handed_on([answers(one, plan.X, plan.classes is not None) for _, one in members])
    classes = 0 if plan.classes is None else len(plan.classes)
    top = stack.learnt(stack.top_of(spec.training.stack_ensemble_settings, classes), seen, plan.y, None, classes)
    model = stack.stack(members, top, plan.classes)
    names = executed(notebook(spec, plan, candidate("StackEnsemble"), model), tmp_path, monkeypatch)
    assert_same(names, model, plan)
    assert type(names["model"]).__name__.startswith("Stacking")


def test_settings_that_were_left_alone_are_not_written(tmp_path: Path) -> None:
    spec = spec_of(write_table(tmp_path), task=Task.AUTO)
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    content: Any = notebook(spec, plan, candidate("Linear"), fitted(plan, families.find("Linear")))
    settings = next(cell["source"] for cell in content["cells"] if cell["source"].startswith("settings"))
    assert "AutoMLLimits" not in settings
    assert "Featurization" not in settings
    assert "task=Task.CLASSIFICATION" in settings


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_winner_of_a_search_is_made_again_in_a_plain_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = AutoMLLimits(timeout_s=60, max_trials=4)
    spec = spec_of(
        write_table(tmp_path, 400),
        limits=limits,
        training=Training(allowed_training_algorithms=["Linear", "ExtraTrees"]),
    )
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    agrees = Looking(lambda *_: OnnxCheck(ready=True))
    outcome = Search(plan, spec, tmp_path / "kept", check=agrees).run(lambda _: None, Asked)
    content = nbformat.from_dict(notebook(spec, plan, outcome.winner, outcome.model))
    content.cells.append(
        nbformat.v4.new_code_cell(
            "import numpy as np\nnp.savez('found.npz', predictions=predictions.astype(str), p=probabilities)"
        )
    )
    monkeypatch.chdir(tmp_path)
    for name in ("MLSTUDIO_WORKSPACE",):
        monkeypatch.delenv(name, raising=False)
    client = NotebookClient(content, timeout=100, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    began = time.monotonic()
    asyncio.run(client.async_execute())
    assert time.monotonic() - began < 100
    found = np.load(tmp_path / "found.npz")
    assert found["p"].tobytes() == np.asarray(outcome.model.predict_proba(plan.X)).tobytes()
    assert found["predictions"].tolist() == outcome.model.predict(plan.X).astype(str).tolist()
