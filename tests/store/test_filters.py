import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.store import filters


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
    assert str(filters.order(text)).endswith(ends)
    compiled = filters.order(text).compile().params
    assert not any("DESC" in str(value).upper() for value in compiled.values())


def test_an_order_by_something_that_runs_do_not_have_is_refused() -> None:
    with pytest.raises(Invalid, match="not an attribute"):
        filters.order("attributes.colour DESC")
