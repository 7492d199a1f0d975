"""Search spaces as text and JSON: what is read, what is told back, what is refused before any trial."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlstudio.entities import points, space_text, spaces
from jupyter_mlstudio.errors import Invalid

NAN, INFINITY = float("nan"), float("inf")

TEXTS = [
    "loguniform(-6,-1)",
    "int(2,12)",
    "int(1,1000,log)",
    "int(0,100,step=5)",
    "choice(relu,tanh)",
    "choice(-1,2.5,1e-05,true,none)",
    'choice("a b","true","3",plain,"log(x)",[1,2,three])',
    "choice({name: svm, C: loguniform(-3,3), k: choice(rbf,linear)},{name: rf, depth: int(2,12)},none)",
    "float(1e-05,0.1,log)",
    "float(0,1,step=0.1)",
    "uniform(0,1)",
    "quniform(0,1,0.1)",
    "qloguniform(0,3,2)",
    "normal(0,1)",
    "lognormal(0,0.5)",
    "qnormal(0,1,0.5)",
    "qlognormal(0,1,0.5)",
    "randint(5)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_distribution_is_told_as_it_was_read(text: str) -> None:
    found = spaces.parse(text)
    assert spaces.describe(found) == text
    assert spaces.parse(spaces.describe(found)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("  uniform( 0 , 1 ) ", {"type": "uniform", "min_value": 0, "max_value": 1}),
        ("uniform(max_value=1, min_value=0)", {"type": "uniform", "min_value": 0, "max_value": 1}),
        ("int(1,9,2)", {"type": "int", "low": 1, "high": 9, "step": 2}),
        ("float(0.1,1,log=true)", {"type": "float", "low": 0.1, "high": 1, "log": True}),
        ("choice(values=[1,2])", {"type": "choice", "values": [1, 2]}),
        ("choice('it''s')", None),
        ("choice('a', \"b\", True, None)", {"type": "choice", "values": ["a", "b", True, None]}),
        ('{"type": "randint", "upper": 3}', {"type": "randint", "upper": 3}),
    ],
)
def test_the_text_form_is_lenient_where_nothing_is_unclear(text: str, found: dict[str, Any] | None) -> None:
    if found is None:
        with pytest.raises(Invalid):
            spaces.parse(text)
    else:
        assert spaces.parse(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "3", "relu", "log(1,2)", "int(1", "int)1,2(", "int(1,2)3", "int(1,2,3,4,5)", "int(1,2,low=3)", "choice('a)",
     "{", '{"type": "choice"', "{name: x}", "choice(" * 50 + ")" * 50, "choice(a,,b)", "uniform(0,1,log)"],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        spaces.parse(text)


def numbers(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


N11: list[tuple[Any, str]] = [
    (numbers("uniform", min_value=2, max_value=1), "min_value 2 above max_value 1: swap them"),
    (numbers("int", low=5, high=1), "low 5 above high 1: swap them"),
    (numbers("float", low=0, high=1, log=True), "logarithmic and has low 0: a logarithmic scale begins above 0"),
    (numbers("int", low=-3, high=9, log=True), "low -3: a logarithmic scale begins above 0"),
    (numbers("float", low=0, high=1, step=0), "step 0: a step is above 0"),
    (numbers("int", low=0, high=9, step=-1), "step -1: a step is above 0"),
    (numbers("float", low=1, high=2, log=True, step=0.1), "leave out one of the two"),
    (numbers("float", low=0, high=1e300, step=1e-300), "make the step larger"),
    (numbers("quniform", min_value=0, max_value=1, q=0), "q 0: q is the distance of two values"),
    (numbers("uniform", min_value=NAN, max_value=1), "min_value nan: write a finite number"),
    (numbers("uniform", min_value=0, max_value=INFINITY), "max_value inf: write a finite number"),
    (numbers("uniform", min_value=-1.7e308, max_value=1.7e308), "closer to each other"),
    (numbers("uniform", min_value=0, max_value=10**400), "401 digits"),
    (numbers("uniform", min_value="0", max_value=1), "min_value '0': write a number"),
    (numbers("uniform", min_value=True, max_value=1), "min_value True: write a number"),
    (numbers("uniform", min_value=None, max_value=1), "min_value None: write a number"),
    (numbers("loguniform", min_value=1e-6, max_value=1000), "write float(1e-6,0.1,log)"),
    (numbers("loguniform", min_value=-1000, max_value=0), "exp of it is not a number"),
    (numbers("normal", mu=0, sigma=0), "sigma 0: a standard deviation is above 0"),
    (numbers("normal", mu=0, sigma=-1), "sigma -1"),
    (numbers("lognormal", mu=0, sigma=100), "exp of it is not a number"),
    (numbers("randint", upper=0), "upper 0: at least 1"),
    (numbers("randint", upper=2.5), "upper 2.5: write a whole number"),
    (numbers("int", low=0, high=2**60), "up to 2^53 are exact"),
    (numbers("int", low=0.5, high=2), "low 0.5: write a whole number, or use float"),
    (numbers("choice", values=[]), "no choices ([]): give at least one value"),
    (numbers("choice", values="abc"), "no choices ('abc')"),
    (numbers("choice", values=list(range(1_000_000))), "1000000 choices: at most 1000"),
    (numbers("choice", values=[1, NAN]), "the value nan"),
    (numbers("choice", values=["a", "a"]), "the choices 'a' and 'a', which are equal: leave one out"),
    (numbers("choice", values=[1, True]), "the choices 1 and True, which are equal"),
    (numbers("choice", values=[{"name": "a"}, {"name": "a"}]), "of its own"),
    (numbers("choice", values=[numbers("uniform", min_value=0, max_value=1)]), "put it into a branch"),
    (numbers("choice", values=[{"name": "a", "y": {"low": 1}}]), "'y' has no type"),
    (numbers("choice", values=[{"x": 1}]), "twice for the same trial"),
    (numbers("gauss", mu=0, sigma=1), "the type 'gauss': choose from choice, uniform"),
    (numbers("uniform", min_value=0), "no max_value: uniform needs min_value, max_value"),
    (numbers("uniform", low=0, high=1), "a field 'low': uniform has min_value, max_value"),
    (numbers("float", low=0, high=1, log="yes"), "log 'yes': write true or false"),
    ({"type": ["choice"]}, "the type ['choice']"),
    ({}, "no type"),
    (3, "is 3: write a distribution"),
    ("uniform(0,1)", "is 'uniform(0,1)': write a distribution"),
]


@pytest.mark.parametrize(("distribution", "told"), N11, ids=[told[:40] for _, told in N11])
def test_a_space_that_cannot_be_drawn_from_is_refused_with_parameter_value_and_remedy(
    distribution: Any, told: str
) -> None:
    with pytest.raises(Invalid) as refused:
        spaces.check({"x": distribution})
    assert told in refused.value.message
    assert refused.value.message.startswith("parameter '")
    assert len(refused.value.message) < 400


@pytest.mark.parametrize("name", ["", " ", " x", "x\n", 3, "x" * 251])
def test_a_parameter_has_a_name(name: Any) -> None:
    with pytest.raises(Invalid, match="name"):
        spaces.check({name: spaces.parse("uniform(0,1)")})


def test_a_space_has_bounds_itself() -> None:
    one = spaces.parse("uniform(0,1)")
    with pytest.raises(Invalid, match="501 parameters: at most 500"):
        spaces.check({f"x{number}": one for number in range(501)})
    deep: dict[str, Any] = {"type": "choice", "values": [1]}
    for depth in range(20):
        deep = {"type": "choice", "values": [{f"x{depth}": deep}]}
    with pytest.raises(Invalid, match="choices deep: at most"):
        spaces.check({"x": deep})
    with pytest.raises(Invalid, match="write an object"):
        spaces.check([1])


def test_branches_of_one_choice_may_share_a_name_with_one_meaning() -> None:
    both = "choice({{name: a, lr: uniform(0,1)}}, {{name: b, lr: uniform(0,{})}})"
    spaces.parse(both.format(1))
    with pytest.raises(Invalid, match=r"'lr' is uniform\(0,1\) in one branch and uniform\(0,2\) in another"):
        spaces.parse(both.format(2))
    one, other = spaces.parse("choice({lr: uniform(0,1)})"), spaces.parse("choice({lr: uniform(0,1)})")
    with pytest.raises(Invalid, match="'lr' is there twice"):
        spaces.check({"a": one, "b": other})


def test_bounds_may_change_in_a_sweep_that_runs_also_in_branches() -> None:
    space = {"lr": spaces.parse("loguniform(-6,-1)"), "m": spaces.parse("choice({name: a, depth: int(2,5)}, none)")}
    changed = spaces.replace(space, {"lr": spaces.parse("loguniform(-8,0)"), "depth": spaces.parse("int(1,9)")})
    assert spaces.describe(changed["lr"]) == "loguniform(-8,0)"
    assert spaces.describe(changed["m"]) == "choice({name: a, depth: int(1,9)},none)"
    assert spaces.describe(space["m"]) == "choice({name: a, depth: int(2,5)},none)"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("lr", "uniform(0,1)", "is of type loguniform, not uniform: start another sweep"),
        ("act", "choice(relu)", "has values ['relu', 'tanh']"),
        ("w", "normal(0,2)", "has sigma 1"),
        ("f", "float(1,2)", "has log True"),
        ("x", "uniform(0,1)", "no parameter 'x': it has act, f, lr, w"),
    ],
)
def test_what_would_change_the_meaning_of_past_trials_is_refused(name: str, text: str, told: str) -> None:
    texts = {"lr": "loguniform(-6,-1)", "act": "choice(relu,tanh)", "w": "normal(0,1)", "f": "float(1,2,log)"}
    with pytest.raises(Invalid) as refused:
        spaces.replace({key: spaces.parse(one) for key, one in texts.items()}, {name: spaces.parse(text)})
    assert told in refused.value.message


def test_a_point_may_name_a_branch_or_say_it_whole() -> None:
    space = {"m": spaces.parse("choice({name: a, depth: int(2,5), n: 3}, none)")}
    points.check_point(space, {"m": "a", "depth": 3, "n": 3})
    points.check_point(space, {"m": None})
    points.check_point(space, {"depth": 4})
    for wrong in ({"m": "b"}, {"m": None, "depth": 3}, {"n": 4}, {"depth": 6}, {"depth": "3"}, {"depth": True}, [1]):
        with pytest.raises(Invalid):
            points.check_point(space, wrong)


_CONSTANTS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(max_examples=60)
@given(st.lists(_CONSTANTS, min_size=1, max_size=8))
def test_any_choices_are_read_back_from_their_text(values: list[Any]) -> None:
    distribution = {"type": "choice", "values": values}
    try:
        spaces.check({"x": distribution})
    except Invalid:
        return
    assert repr(spaces.parse(spaces.describe(distribution))["values"]) == repr(values)


_VALUES = _CONSTANTS | st.floats() | st.lists(st.floats(), max_size=3)
_FIELDS = {
    "values": st.lists(_VALUES, max_size=4),
    **dict.fromkeys(("min_value", "max_value", "q", "mu", "sigma", "upper", "low", "high", "step", "log"), _VALUES),
}


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text(), st.fixed_dictionaries({"type": st.sampled_from([*space_text.SHAPES])}, optional=_FIELDS), max_size=3
    )
)
def test_any_json_is_a_space_or_refused(space: dict[str, Any]) -> None:
    try:
        spaces.check(space)
    except Invalid:
        return
    told = [spaces.describe(one) for one in space.values()]
    assert [spaces.describe(spaces.parse(text)) for text in told] == told
