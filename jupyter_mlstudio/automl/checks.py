"""Columns and rows that would harm a model: which are left out, which rows lie in one fold, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from jupyter_mlstudio.automl import folds
from jupyter_mlstudio.automl.columns import Look
from jupyter_mlstudio.automl.preflight import Findings, listed
from jupyter_mlstudio.automl.target import Target
from jupyter_mlstudio.entities.automl import AutoMLSpec, Column, Role


def by_looks(looks: list[tuple[int, Look]], rows: int, spec: AutoMLSpec, found: Findings) -> list[tuple[int, Look]]:
    """The columns to learn from, as far as counts tell."""
    kept = []
    for place, look in looks:
        if look.rule.role is Role.DROPPED:
            continue
        if look.missing >= rows:
            found.warning(
                "empty_column", f"column {look.rule.name!r} is missing in every row", "it is left out",
                "take it out, or look at how the table was made", look.rule.name,
            )  # fmt: skip
        elif look.distinct <= 1 and not look.missing:
            found.info("constant_column", f"column {look.rule.name!r} is the same in every row", "it is left out",
                       "take it out", look.rule.name)  # fmt: skip
        else:
            kept.append((place, look))
    return kept


def by_values(table: pd.DataFrame, target: Target, spec: AutoMLSpec, found: Findings) -> dict[str, str]:
    """Columns to leave out after a look at their values, each with the reason."""
    return {}


def anything_left(table: pd.DataFrame, found: Findings) -> None:
    """Ends here when there is nothing to learn from.

    Raises:
        Refused: no column is left.
    """
    if not table.shape[1]:
        found.error("no_columns", "no column is left to learn from", "give a table with columns that vary")
    found.settle()


def row_groups(table: pd.DataFrame, target: Target, part: Any, spec: AutoMLSpec, found: Findings) -> Any:
    """A number for each row, the same for rows that are alike; None where none are."""
    return None


def cut(
    table: pd.DataFrame, target: Target, rows: Any, groups: Any, share: float, spec: AutoMLSpec, found: Findings
) -> folds.Split:
    """One split of some rows, by their places among these."""
    classes = None if target.classes is None else len(target.classes)
    return folds.single(target.y[rows], classes, groups, share, spec.seed)


def left_out(look: Look, reason: str) -> Column:
    """A column that nothing is learnt from."""
    return replace(look.column(), role=Role.DROPPED, reason=reason)


__all__ = ["anything_left", "by_looks", "by_values", "cut", "left_out", "listed", "row_groups"]
