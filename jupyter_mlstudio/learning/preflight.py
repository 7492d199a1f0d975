"""What is told of a table before any fit: each finding with its columns, what was done, and what people can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl_tables import Finding, Severity
from jupyter_mlstudio.errors import Invalid

NAMED = 10
"""How many columns or values a message names."""


class Refused(Invalid):
    """A table that no model can be made of; ``findings`` has everything that was seen, the errors in the message."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        errors = [one for one in findings if one.severity is Severity.ERROR]
        super().__init__("; ".join(f"{one.what}: {one.remedy}" for one in errors))


class Findings(list[Finding]):
    """What was found so far."""

    def error(self, code: str, what: str, remedy: str, *columns: str) -> None:
        self.append(Finding(code=code, severity=Severity.ERROR, what=what, remedy=remedy, columns=list(columns)))

    def warning(self, code: str, what: str, done: str, remedy: str, *columns: str) -> None:
        self.append(
            Finding(code=code, severity=Severity.WARNING, what=what, done=done, remedy=remedy, columns=list(columns))
        )

    def info(self, code: str, what: str, done: str, remedy: str = "", *columns: str) -> None:
        self.append(
            Finding(code=code, severity=Severity.INFO, what=what, done=done, remedy=remedy, columns=list(columns))
        )

    def settle(self) -> None:
        """Ends here when something is an error.

        Raises:
            Refused: with all that was found.
        """
        if any(one.severity is Severity.ERROR for one in self):
            raise Refused(self)


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """Names for a message, at most ten."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def rows_of(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def name_findings(given: Sequence[Any], names: Sequence[str], written: Sequence[str], found: Findings) -> None:
    """Tells of columns that share a name; ``written`` are those that a file had twice."""
    renamed = [new for old, new in zip(given, names, strict=True) if str(old) != new]
    shared = sorted({str(old) for old, new in zip(given, names, strict=True) if str(old) != new} | set(written))
    renamed += [name for name in names if name.rpartition(".")[0] in written and name.rpartition(".")[2].isdigit()]
    if renamed:
        found.warning(
            "duplicate_names", f"columns share a name: {listed(shared)}",
            f"they are called {listed(renamed)}", "name each column differently", *renamed,
        )  # fmt: skip


def encoding_finding(found: Findings) -> None:
    """Tells of a file of text that does not say in which encoding it is written."""
    found.warning(
        "encoding", "the table is not written in UTF-8", "it is read as Windows-1252, Western Europe's",
        "look at letters such as \u00e9 in the examples; if they are wrong, save it as UTF-8",
    )  # fmt: skip


def target_findings(table: pd.DataFrame, target: str, weight: str | None, found: Findings) -> None:
    """Tells of a target that is not there or empty, and of a weight column that is not there.

    Raises:
        Refused: one of these.
    """
    names = [str(name) for name in table.columns]
    if not len(table):
        found.error("no_rows", "the table has no rows", "give a table with rows")
    if target not in names:
        alike = [name for name in names if name.strip().lower() == target.strip().lower()]
        remedy = f"did you mean {alike[0]!r}?" if alike else f"the table has {listed(names)}"
        found.error("target_missing", f"there is no column {target!r}, the target", remedy, target)
    elif len(table) and bool(table[target].isna().all()):
        found.error(
            "target_empty", f"the target {target!r} is missing in every row",
            "choose another target, or look at how the table was made", target,
        )  # fmt: skip
    if weight is not None and weight not in names:
        found.error(
            "weight_missing", f"there is no column {weight!r}, the weights", f"the table has {listed(names)}", weight
        )
    if weight is not None and weight == target:
        found.error(
            "weight_is_target", f"the weights are the target {target!r}", "choose another column of weights", target
        )
    found.settle()


def class_findings(counts: dict[str, int], target: str, folds: int, found: Findings) -> None:
    """Tells of classes that are few, alone or rare. ``counts`` are rows by label."""
    if len(counts) < 2:
        only = next(iter(counts), "")
        found.error(
            "one_class", f"the target {target!r} has one value only, {only!r}",
            "give rows of at least two classes, or choose another target", target,
        )  # fmt: skip
        return
    few = {label: count for label, count in counts.items() if count < folds}
    if few:
        found.warning(
            "rare_classes",
            f"{len(few)} of {len(counts)} classes of {target!r} have fewer rows than there are folds ({folds}): "
            + listed([f"{label} ({count})" for label, count in few.items()]),
            "they are spread over the folds as far as they go, so their scores say little",
            "give more rows of these classes, merge them, or ask for fewer folds", target,
        )  # fmt: skip
    least, most = min(counts.values()), max(counts.values())
    if most >= 20 * least and not (few and len(few) == len(counts)):
        rare = min(counts, key=lambda label: counts[label])
        found.info(
            "imbalance",
            f"the classes of {target!r} are uneven: {rare!r} is in {least:,} of {sum(counts.values()):,} rows",
            "folds have equal shares of every class",
            "choose a metric that minds rare classes, such as AUCWeighted or NormMacroRecall", target,
        )  # fmt: skip


def weight_of(column: pd.Series[Any], name: str, found: Findings) -> Any:
    """The rows' weights ``(n_rows,)``; 0 for a row that has none.

    Raises:
        Refused: they are no numbers, negative, infinite, or all 0.
    """
    given = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = int((np.isnan(given) & column.notna().to_numpy()).sum())
    if bad:
        found.error(
            "weights_not_numbers", f"{rows_of(bad)} of the weights {name!r} are no numbers", "give numbers", name
        )
    if bool((given < 0).any()) or bool(np.isinf(given).any()):
        found.error(
            "weights_negative", f"the weights {name!r} have negative or infinite values",
            "a weight is how much a row counts: 0 leaves it out", name,
        )  # fmt: skip
    made = np.where(np.isnan(given), 0.0, given)
    if not bad and not (made > 0).any():
        found.error("weights_empty", f"all weights in {name!r} are 0 or missing", "choose another column", name)
    found.settle()
    left_out = int((made == 0).sum())
    if left_out:
        found.info(
            "weightless_rows", f"{rows_of(left_out)} weigh 0 or nothing in {name!r}", "they are left out", "", name
        )
    return made
