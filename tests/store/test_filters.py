import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.store import filters
from jupyter_mlstudio.studio import Studio
from tests.world import insert_run, log


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("attributes.name", "runs.name ASC NULLS LAST"),
        ("attributes.name ASC", "runs.name ASC NULLS LAST"),
        ("attributes.name desc", "runs.name DESC NULLS LAST"),
        ("name DESC", "runs.name DESC NULLS LAST"),
        ("params.max_depth DESC", "DESC NULLS LAST"),
        ("params.`a b` ASC", "ASC NULLS LAST"),
        ("metrics.validation loss DESC", "DESC NULLS LAST"),
    ],
)
def test_the_direction_of_an_order_is_not_part_of_the_name(text: str, ends: str) -> None:
    (ordered,) = filters.order(text)
    assert str(ordered).endswith(ends)
    compiled = ordered.compile().params
    assert not any("DESC" in str(value).upper() for value in compiled.values())


def test_an_order_by_something_that_runs_do_not_have_is_refused() -> None:
    with pytest.raises(Invalid, match="not an attribute"):
        filters.order("attributes.colour DESC")


RATES = {"a": "0.1", "b": "1e-3", "c": "10", "d": "9", "e": "-2", "f": "auto", "g": "1e999", "h": "0x1", "i": "1e5000"}


@pytest.fixture
def rates(studio: Studio) -> Studio:
    """A studio with runs that have a parameter, as a number or as text, and one that has none."""
    for name, rate in RATES.items():
        log(studio, insert_run(studio, name=name), {}, params={"lr": rate})
    insert_run(studio, name="without")
    return studio


def _sorted(studio: Studio, order: str) -> list[str]:
    return [run.name for run in studio.runs.search(order_by=[order]).items]


def test_runs_sort_by_a_parameter_with_numbers_by_size_then_text_then_those_without(rates: Studio) -> None:
    assert _sorted(rates, "params.lr ASC") == ["e", "b", "a", "d", "c", "g", "h", "i", "f", "without"]
    assert _sorted(rates, "params.lr DESC") == ["g", "c", "d", "a", "b", "e", "f", "i", "h", "without"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("params.lr < 0.1", "be"),
        ("params.lr <= 0.1", "abe"),
        ("params.lr = 0.001", "b"),
        ("params.lr > 9", "cg"),
        ("params.lr != 10", "abdeg"),
        ("params.lr = '10'", "c"),
        ("params.lr > -1e300 AND params.lr < 1e300", "abcde"),
    ],
)
def test_a_parameter_is_compared_as_a_number_with_a_number(rates: Studio, text: str, found: str) -> None:
    assert "".join(sorted(run.name for run in rates.runs.search(filter=text).items)) == found


def test_a_number_is_not_compared_as_a_pattern() -> None:
    with pytest.raises(Invalid, match="LIKE"):
        filters.condition("params.lr LIKE 1", numeric_params=True)


def test_mlflow_compares_parameters_with_text_alone() -> None:
    with pytest.raises(Invalid, match="params are text"):
        filters.condition("params.lr < 0.1")
