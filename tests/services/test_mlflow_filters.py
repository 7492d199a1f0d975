"""MLflow's search grammar for things that are few."""

from __future__ import annotations

import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.mlflow_filters import matcher

THING = {"name": "Iris 1", "run_id": "abc", "tags.team": "blue", "tags.a b": "c"}
KNOWN = ("name", "run_id", "tags")


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "name = 'Iris 1'", 'name = "Iris 1"', "attribute.name='Iris 1'", "name LIKE 'Iris%'",
        "name like 'Iris _'",
        "name ILIKE 'iris%'", "name != 'x' AND run_id = 'abc'", "tags.team = 'blue'", "tag.team = 'blue'",
        "tags.`a b` = 'c'", "tags.none != 'x'", "run_id IN ('x', 'abc')", "run_id NOT IN ('x')", "`name` = 'Iris 1'",
    ],
)  # fmt: skip
def test_what_fits_passes(text: str) -> None:
    assert matcher(text, KNOWN)(THING)


@pytest.mark.parametrize(
    "text",
    ["name = 'iris 1'", "name LIKE 'iris%'", "name LIKE 'Iris'", "name = 'Iris 1' AND run_id = 'x'", "tags.none = 'x'",
     "tags.none LIKE '%'", "name LIKE '.*'"],
)  # fmt: skip
def test_what_does_not_fit_does_not(text: str) -> None:
    assert not matcher(text, KNOWN)(THING)


@pytest.mark.parametrize(
    "text",
    ["name", "name =", "name = Iris", "name > 'a'", "name = 'a' OR name = 'b'", "name = 'a' name = 'b'", "AND",
     "color = 'a'", "name = 'a' AND", "namely = 'a'", "' OR 1=1 --", "x" * 20_000],
)  # fmt: skip
def test_what_is_not_of_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        matcher(text, KNOWN)
