"""What a sweep says of an answer that is no result."""

from __future__ import annotations

import math
from typing import Any

import pytest

from jupyter_mlstudio.programs.sweep_events import NotFinite, metrics_of


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("objective", math.nan, "the objective is not a finite number: nan"),
        ("objective", None, "the objective is not a finite number: there is none"),
        ("loss", math.inf, "the objective loss is not a finite number: inf"),
        ("loss", {"auc": 0.5}, "the objective loss is not a finite number: there is none"),
        ("loss", (0.5, 0.6), "one value is needed, for loss; it gave 2"),
    ],
)
def test_an_answer_that_is_no_number_is_said_in_words(name: str, answer: Any, message: str) -> None:
    with pytest.raises(NotFinite) as caught:
        metrics_of([name], answer)
    assert str(caught.value) == message
