"""Columns that would harm a model: which are left out, and what is said of the others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import AutoMLSpec, FeaturizationMode
from jupyter_mlstudio.entities.automl_tables import Column, Role
from jupyter_mlstudio.learning.columns import Look
from jupyter_mlstudio.learning.leaks import leaks
from jupyter_mlstudio.learning.preflight import NAMED, Findings, listed, rows_of
from jupyter_mlstudio.learning.target import Target
from jupyter_mlstudio.learning.values import columns_of

ID_NAME = re.compile(
    r"(^|[_\W])(id|ID|Id|uuid|UUID|guid|GUID|key|index|idx|rownum|row_number)$|(?<=[a-z])(Id|ID)$|^Unnamed: \d+$"
)
COUNTS = re.compile(r"year|month|week|day|date|time|hour|step|age|period|quarter", re.IGNORECASE)
"""Names of numbers that count up and yet mean something."""

ID_SHARE = 0.95
ID_ROWS, FEW_ROWS = 20, 8
"""Rows from which numbers and texts are taken for ids; in a short table no text may come twice."""

NUMBERED = re.compile(r"[^\W\d_]{0,6}[-_ #./]?\d+")
NUMBERED_SHARE = 0.8
"""Texts such as ``A-17`` are ids though some come twice."""

MANY_VALUES = 100
EASY = 0.4
"""Where this share of the columns tells the target, or more, the table is an easy one, not one with leaks."""

SERVED_COLUMNS = 2000
"""More inputs than a served model may have, as ``onnx/check.py`` has it."""


def as_said(spec: AutoMLSpec) -> Mapping[str, str]:
    """The types that the user gave; what was given one stays in."""
    own = spec.featurization
    return own.column_name_and_types if own.mode is FeaturizationMode.CUSTOM else {}


def by_looks(looks: list[tuple[int, Look]], rows: int, spec: AutoMLSpec, found: Findings) -> list[tuple[int, Look]]:
    """The columns to learn from, as far as counts tell."""
    kept, empty, constant = [], [], []
    for place, look in looks:
        name = look.rule.name
        if look.rule.role is Role.DROPPED:
            continue
        if look.missing + look.junk_rows + look.infinite >= rows:
            empty.append(name)
        elif look.distinct <= 1 and not look.missing:
            constant.append(name)
        else:
            kept.append((place, look))
            _strange_values(look, rows, found)
    if empty:
        found.warning(
            "empty_columns", f"no row has a value in {listed(empty)}", "they are left out",
            "take them out, or look at how the table was made", *empty,
        )  # fmt: skip
    if constant:
        found.info(
            "constant_columns", f"every row has the same value in {listed(constant)}", "they are left out",
            "take them out", *constant,
        )  # fmt: skip
    if spec.featurization.mode is FeaturizationMode.OFF:
        _only_numbers(kept, found)
    return kept


def _strange_values(look: Look, rows: int, found: Findings) -> None:
    name, role = look.rule.name, look.rule.role
    what = {Role.NUMERIC: "numbers", Role.DATETIME: "dates", Role.BOOLEAN: "truth values"}.get(role, "texts")
    if look.junk_rows:
        found.warning(
            "wrong_type",
            f"column {name!r} holds {what}, and something else in {rows_of(look.junk_rows)}: {listed(look.junk, 3)}",
            "these count as missing", f"mend them, or say that {name!r} is Categorical", name,
        )  # fmt: skip
    elif role in (Role.NUMERIC, Role.DATETIME) and look.rule.reason.startswith(("numbers written", "dates")):
        found.info(
            "written_as_text", f"column {name!r} holds {what} written as text", f"they are read as {what}",
            f"say that {name!r} is Categorical or Text if they are none", name,
        )  # fmt: skip
    if look.infinite:
        found.warning(
            "infinite_numbers", f"column {name!r} has infinite or huge numbers in {rows_of(look.infinite)}",
            "they count as missing", "mend them: a model cannot be sent infinite numbers", name,
        )  # fmt: skip
    if look.unsure:
        form = "day first" if any("%d/%m" in one or one == "%d-%m-%Y" for one in look.rule.formats) else "month first"
        found.warning(
            "ambiguous_dates", f"the dates in column {name!r} could have day and month the other way round",
            f"they are read {form}", "write them as 2024-05-31", name,
        )  # fmt: skip
    if len(look.rule.formats) > 1:
        found.info(
            "date_formats", f"the dates in column {name!r} are written in several ways",
            "each is read by its own", "write them in one way", name,
        )  # fmt: skip
    if look.missing > rows * 0.5:
        found.info(
            "many_missing", f"column {name!r} is missing in {look.missing / rows:.0%} of the rows",
            "that a value is missing is a feature of its own", "", name,
        )  # fmt: skip


def _only_numbers(kept: list[tuple[int, Look]], found: Findings) -> None:
    texts = [look.rule.name for _, look in kept if look.rule.role not in (Role.NUMERIC, Role.BOOLEAN)]
    if texts:
        found.error(
            "not_numbers", f"featurisation is off, and there are no numbers in {listed(texts)}",
            "turn them into numbers, leave them out, or use the mode auto", *texts,
        )  # fmt: skip
    found.settle()


def by_values(
    table: pd.DataFrame, looks: Mapping[str, Look], target: Target, spec: AutoMLSpec, found: Findings
) -> dict[str, str]:
    """Columns to leave out after a look at their values, each with the reason."""
    said = as_said(spec)
    dropped = _twins(table, found)
    ids = [
        name
        for name, column in columns_of(table)
        if name not in dropped and name not in said and is_id(column, looks[name], len(table))
    ]
    if ids and len(ids) < table.shape[1]:
        found.warning(
            "id_columns", f"values tell rows apart and nothing else in {listed(ids)}", "they are left out",
            "give their type if they mean something: column_name_and_types", *ids,
        )  # fmt: skip
        dropped |= dict.fromkeys(ids, "tells rows apart and nothing else")
    rest = [name for name in table.columns if name not in dropped]
    dropped |= _leaking(table[rest], target, said, spec, found)
    again = [
        name
        for name in rest
        if name not in dropped and name not in said and ID_NAME.search(name)
        and looks[name].rule.role is Role.CATEGORICAL and looks[name].distinct > MANY_VALUES
    ]  # fmt: skip
    if again:
        found.warning(
            "ids_that_repeat", f"named like an id, with values that come again: {listed(again)}",
            "the mean of the target among its rows is learnt from; new values get the overall mean",
            "leave it out (type Ignore) if rows to be predicted have other values", *again,
        )  # fmt: skip
    many = [
        name
        for name in rest
        if name not in dropped
        and name not in again
        and looks[name].rule.role is Role.CATEGORICAL
        and looks[name].distinct > MANY_VALUES
    ]
    if many:
        counts = [f"{name} ({looks[name].distinct:,})" for name in many]
        found.info(
            "many_categories", f"there are many different values in {listed(counts)}",
            "each becomes the mean of the target among its rows", "group them, if they have an order above", *many,
        )  # fmt: skip
    if len(rest) > SERVED_COLUMNS and any(looks[name].rule.role not in (Role.NUMERIC, Role.BOOLEAN) for name in rest):
        found.warning(
            "too_wide_to_serve", f"the table has {len(rest):,} columns that are not all numbers",
            "models are made, and none can be served", f"choose {SERVED_COLUMNS:,} columns or fewer",
        )  # fmt: skip
    return dropped


def is_id(column: Any, look: Look, rows: int) -> bool:
    """Whether a column only tells rows apart: texts that hardly come twice, numbers that count rows or are named so."""
    present, name = rows - look.missing, look.rule.name
    named = ID_NAME.search(name) is not None
    if look.rule.role is Role.CATEGORICAL:
        numbered = all(NUMBERED.fullmatch(text) for text in look.examples)
        share = NUMBERED_SHARE if numbered else ID_SHARE
        return present >= FEW_ROWS and look.distinct >= (present * share if present >= ID_ROWS else present)
    if present < ID_ROWS or look.distinct < present * ID_SHARE:
        return False
    if look.rule.role is not Role.NUMERIC:
        return False
    values = np.asarray(column)
    if np.mod(values[0], 1) != 0:
        return False
    if look.distinct < present or look.missing or not bool(np.all(np.mod(values, 1) == 0)):
        return False
    steps = np.diff(values)
    return named or (COUNTS.search(name) is None and bool((steps == steps[0]).all()) and abs(steps[0]) == 1)


def _twins(table: pd.DataFrame, found: Findings) -> dict[str, str]:
    """Columns whose values another one before them has too."""
    seen: dict[bytes, str] = {}
    twins: dict[str, str] = {}
    for name, column in columns_of(table):
        first = seen.setdefault(_digest(column), name)
        if first != name:
            twins[name] = first
    if twins:
        pairs = [f"{name} (as {first})" for name, first in twins.items()]
        found.info(
            "duplicate_columns", f"columns have the same values: {', '.join(pairs[:NAMED])}",
            "only the first of each is kept", "take the others out", *twins,
        )  # fmt: skip
    return {name: f"the same values as in {first!r}" for name, first in twins.items()}


def _digest(column: Any) -> bytes:
    if column.dtype == np.float64:
        return hashlib.blake2b((np.asarray(column) + 0.0).tobytes(), digest_size=16).digest()
    if column.dtype.kind == "M":
        return hashlib.blake2b(b"times" + column.to_numpy().astype(np.int64).tobytes(), digest_size=16).digest()
    codes, found = pd.factorize(column)
    told = hashlib.blake2b(codes.astype(np.int64).tobytes(), digest_size=16)
    told.update("\0".join(str(one) for one in found).encode("utf-8", "surrogatepass"))
    return told.digest()


def _leaking(
    table: pd.DataFrame, target: Target, said: Mapping[str, str], spec: AutoMLSpec, found: Findings
) -> dict[str, str]:
    tells = [one for one in leaks(table, target, spec.seed) if one.column not in said]
    sure = [one for one in tells if one.sure]
    easy = len(sure) >= table.shape[1] or (len(sure) > 1 and len(sure) >= EASY * table.shape[1])
    dropped = {}
    for one in tells:
        leave = one.sure and not easy
        found.warning(
            "target_leak" if leave else "target_leak_suspected",
            f"column {one.column!r} alone tells the target {spec.target!r} ({one.score:.1%} on rows not seen)",
            "it is left out" if leave else "it is kept",
            f"if {one.column!r} is known when predictions are wanted, keep it: give its type in column_name_and_types"
            if leave else f"leave {one.column!r} out (type Ignore) if it is only known afterwards", one.column,
        )  # fmt: skip
        if leave:
            dropped[one.column] = "tells the target by itself"
    return dropped


def anything_left(table: pd.DataFrame, found: Findings) -> None:
    """Ends here when there is nothing to learn from.

    Raises:
        Refused: no column is left.
    """
    if not table.shape[1]:
        found.error("no_columns", "no column is left to learn from", "give a table with columns that vary")
    found.settle()


def left_out(look: Look, reason: str) -> Column:
    """A column that nothing is learnt from."""
    return replace(look.column(), role=Role.DROPPED, reason=reason)


__all__ = ["anything_left", "as_said", "by_looks", "by_values", "is_id", "left_out"]
