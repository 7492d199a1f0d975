"""Decides what each column is taken for, and settles its values in that type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl_tables import Column, Role
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import values

TYPES = {
    "numeric": Role.NUMERIC, "categorical": Role.CATEGORICAL, "categoricalhash": Role.CATEGORICAL,
    "datetime": Role.DATETIME, "text": Role.TEXT, "boolean": Role.BOOLEAN, "ignore": Role.DROPPED,
}  # fmt: skip
"""Azure's names of types, in lower case."""

NOTHING = {"", "?", "-", "--", ".", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "unknown"}
"""Words in a column of numbers that say that there is none."""

NUMBERS_SHARE = 0.9
"""Of a column's values that have to be numbers for it to be one of numbers, junk being missing then."""

DATES_SHARE = 0.95
LOOKED_AT = 2000
"""Distinct texts that are looked at to tell dates and prose."""
EXAMPLES = 3
HEAD_ROWS = 20
EXAMPLE_CHARACTERS = 60
TRAINED = (Role.NUMERIC, Role.BOOLEAN, Role.CATEGORICAL, Role.DATETIME, Role.TEXT)
"""Roles of the columns that models learn from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How one column is read: ``formats`` are those of its dates; ``dtype`` is the type in which it came."""

    name: str
    role: Role
    dtype: str
    formats: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A column that was looked at: its rule, counts, and what was strange in it.

    ``junk`` are texts in a column of numbers or dates, which become missing, ``junk_rows`` how many rows have them;
    ``infinite`` counts infinite numbers; ``unsure`` says that day and month may be the other way round.
    """

    rule: Rule
    missing: int
    distinct: int
    examples: list[str]
    junk: list[str]
    junk_rows: int = 0
    infinite: int = 0
    unsure: bool = False

    def column(self, steps: Sequence[str] = ()) -> Column:
        return Column(
            name=self.rule.name, type=self.rule.dtype, role=self.rule.role, missing=self.missing,
            distinct=self.distinct, examples=self.examples, steps=list(steps), reason=self.rule.reason,
        )  # fmt: skip


def unique_names(names: Iterable[Any]) -> list[str]:
    """Names as text, the second of the same name with ``.1`` behind it, the third with ``.2``."""
    made: list[str] = []
    taken: set[str] = set()
    following: dict[str, int] = {}
    for given in names:
        name = wanted = values.as_text(str(given)) or "unnamed"
        while name in taken:
            following[wanted] = following.get(wanted, 0) + 1
            name = f"{wanted}.{following[wanted]}"
        taken.add(name)
        made.append(name)
    return made


def role_of(word: str, name: str) -> Role:
    """The role of a type by Azure's name.

    Raises:
        Invalid: it is none of them.
    """
    role = TYPES.get(word.lower().replace("_", ""))
    if role is None:
        raise Invalid(
            f"column {name!r} is said to be {word!r}: it can be Numeric, Categorical, CategoricalHash, DateTime, Text,"
            " Boolean or Ignore"
        )
    return role


def settle(column: pd.Series[Any], rule: Rule) -> pd.Series[Any]:
    """The column's values in the type of its rule: float64, categories of text, object text, or datetime64[s]."""
    if rule.role is Role.NUMERIC:
        return values.numbers(column)
    if rule.role is Role.BOOLEAN:
        return values.truths(column)
    if rule.role is Role.DATETIME:
        return values.times(column, rule.formats)
    if rule.role is Role.TEXT:
        return values.words(column)
    return values.texts(column)


def settled(frame: pd.DataFrame, wanted: list[tuple[int, Rule]], rows: Any) -> pd.DataFrame:
    """Columns of a table in the types of their rules; ``rows`` are the numbers of those to keep, None is all."""
    count = len(frame) if rows is None else len(rows)
    rows = None if rows is not None and count == len(frame) else rows
    numbers = [place for place, (_, rule) in enumerate(wanted) if rule.role in (Role.NUMERIC, Role.BOOLEAN)]
    block = np.empty((count, len(numbers)), order="F")
    others: dict[int, pd.Series[Any]] = {}
    at = {place: number for number, place in enumerate(numbers)}
    for place, (source, rule) in enumerate(wanted):
        column = frame.iloc[:, source]
        if rule.role is Role.NUMERIC and column.dtype == np.float64:
            given = column.to_numpy()
            block[:, at[place]] = given if rows is None else given[rows]
            continue
        made = settle(column if rows is None else column.iloc[rows], rule)
        if place in at:
            block[:, at[place]] = made.to_numpy()
        else:
            others[place] = made.reset_index(drop=True)
    for place in range(block.shape[1]):
        huge = np.abs(block[:, place]) > values.LARGEST
        if huge.any():
            block[huge, place] = np.nan
    table = pd.DataFrame(block, columns=[wanted[place][1].name for place in numbers], copy=False)
    if not others:
        return table
    rest = pd.DataFrame({wanted[place][1].name: made for place, made in others.items()}, copy=False)
    whole = pd.concat([table, rest], axis=1)
    return whole[[rule.name for _, rule in wanted]]


def look(column: pd.Series[Any], forced: str | None = None) -> Look:
    """Looks at one column and decides what it is; ``forced`` is what the user says that it is."""
    name, dtype = str(column.name), str(column.dtype)
    if forced is not None:
        role = role_of(forced, name)
        formats: tuple[str, ...] = ()
        if role is Role.DATETIME and not pd.api.types.is_datetime64_any_dtype(column.dtype):
            formats = values.formats_of(_texts(column)[:LOOKED_AT])[0]
        rule = Rule(name=name, role=role, dtype=dtype, formats=formats, reason="as you said")
        return _counted(column, rule)
    if column.dtype.kind in "biufcmM" or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _counted(column, _of_numbers(column, name, dtype))
    if isinstance(column.dtype, pd.CategoricalDtype):
        rule = Rule(name=name, role=Role.CATEGORICAL, dtype=dtype, reason="a categorical column")
        return _counted(column, rule)
    return _of_text(column, name, dtype)


def _of_numbers(column: pd.Series[Any], name: str, dtype: str) -> Rule:
    kind = column.dtype.kind
    if kind == "b":
        return Rule(name=name, role=Role.BOOLEAN, dtype=dtype, reason="true or false")
    if kind == "M" or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return Rule(name=name, role=Role.DATETIME, dtype=dtype, reason="times")
    if kind == "c":
        raise Invalid(f"column {name!r} holds complex numbers: give their parts as columns")
    if kind in "iu" and re.search(r"date|day|datum", name, re.IGNORECASE) and len(column):
        found = [str(value) for value in column.dropna().unique()[:LOOKED_AT].tolist()]
        if values.formats_of(found)[:2] == (("%Y%m%d",), 1.0):
            return Rule(name=name, role=Role.DATETIME, dtype=dtype, formats=("%Y%m%d",), reason="dates as numbers")
    return Rule(name=name, role=Role.NUMERIC, dtype=dtype, reason="numbers")


def _counted(column: pd.Series[Any], rule: Rule) -> Look:
    infinite = 0
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufM":
        given = column.to_numpy()
        if given.dtype.kind == "f":
            infinite = int((np.abs(given) > values.LARGEST).sum())
        ordered = np.sort(given)
        gaps = np.isnat(ordered) if given.dtype.kind == "M" else ordered != ordered
        missing = int(gaps.sum())
        ordered = ordered[: len(ordered) - missing]
        count = int(len(ordered) > 0) + int((ordered[1:] != ordered[:-1]).sum())
        shown = [one for one in column.iloc[:HEAD_ROWS].unique().tolist() if one == one]
    else:
        codes, named = values.distinct(column)
        missing, count = int((codes < 0).sum()), len(np.unique(codes[codes >= 0]))
        shown = [one for one in named[: EXAMPLES + 1] if one == one]
    return Look(rule=rule, missing=missing, distinct=count, examples=_examples(shown), junk=[], infinite=infinite)


def _examples(found: Iterable[Any]) -> list[str]:
    return [(values.as_text(one) or "")[:EXAMPLE_CHARACTERS] for one in list(found)[:EXAMPLES]]


def _texts(column: pd.Series[Any]) -> list[str]:
    return [text for text in (values.as_text(one) for one in values.distinct(column)[1]) if text is not None]


def _of_text(column: pd.Series[Any], name: str, dtype: str) -> Look:
    codes, found = values.distinct(column)
    named = [values.as_text(value) for value in found]
    counts = np.bincount(codes + 1, minlength=len(found) + 1)
    counts, missing = counts[1:].copy(), int(counts[0])
    for place, text in enumerate(named):
        if text is None:
            missing, counts[place] = missing + int(counts[place]), 0
    present = [place for place, text in enumerate(named) if text is not None]
    kept = [str(named[place]) for place in present]
    kinds = {type(found[place]) for place in present}
    rule, junk, unsure = _guess(name, dtype, kept, [found[place] for place in present], counts[present], kinds)
    junk_rows = int(sum(counts[present[place]] for place in junk))
    return Look(
        rule=rule, missing=missing, distinct=len(set(kept)), examples=_examples(kept), unsure=unsure,
        junk=[kept[place] for place in junk], junk_rows=junk_rows,
    )  # fmt: skip


def _guess(
    name: str, dtype: str, kept: list[str], found: list[Any], counts: Any, kinds: set[type]
) -> tuple[Rule, list[int], bool]:
    """The rule of a column of objects, which of its values are junk, and whether its dates are unsure."""
    rows = max(int(counts.sum()), 1)

    def rule(role: Role, reason: str, formats: tuple[str, ...] = ()) -> Rule:
        return Rule(name=name, role=role, dtype=dtype, formats=formats, reason=reason)

    if kept and (kinds <= {bool, np.bool_} or {text.strip().lower() for text in kept} <= set(values.TRUTHS)):
        return rule(Role.BOOLEAN, "true or false"), [], False
    absent = np.array([text.strip().lower() in NOTHING for text in kept], dtype=bool)
    if not kept or absent.all():
        return rule(Role.CATEGORICAL, "empty"), [], False
    if values.day_numbers([text.strip() for text in kept]) and values.formats_of(kept[:LOOKED_AT])[1] == 1:
        return rule(Role.DATETIME, "dates as eight digits", ("%Y%m%d",)), [], False
    if any(issubclass(kind, int | float | np.number) for kind in kinds) or _like_numbers(kept):
        plain = all(issubclass(kind, int | float | np.number) for kind in kinds)
        read = np.zeros(len(kept)) if plain else np.array([values.number_of(text) for text in kept])
        junk = np.isnan(read) & ~absent
        share = 1 - counts[junk].sum() / max(counts[~absent].sum(), 1)
        if share >= NUMBERS_SHARE:
            bad = np.flatnonzero(np.isnan(read)).tolist()
            return rule(Role.NUMERIC, "numbers" if plain else "numbers written as text"), bad, False
    formats, share, unsure = values.formats_of(kept[:LOOKED_AT])
    if share >= DATES_SHARE:
        bad = np.flatnonzero(np.isnat(values.dates(kept, formats))).tolist()
        return rule(Role.DATETIME, f"dates such as {kept[0][:30]}", formats), bad, unsure
    if is_prose(kept, rows):
        return rule(Role.TEXT, "sentences, hardly any of them twice"), [], False
    return rule(Role.CATEGORICAL, "texts that occur again and again"), [], False


def _like_numbers(kept: list[str]) -> bool:
    """A quick look at some of the values, since reading all of them as numbers takes its time."""
    some = kept[:: max(len(kept) // 200, 1)]
    return sum(any(char.isdigit() for char in text) for text in some) >= len(some) * 0.5


def is_prose(kept: list[str], rows: int) -> bool:
    """Whether texts are to be read word by word: mostly distinct, with several words each."""
    some = kept[:LOOKED_AT]
    mean_words = sum(len(text.split()) for text in some) / max(len(some), 1)
    return len(kept) >= rows * 0.5 and len(kept) > 10 and mean_words >= 2.5
