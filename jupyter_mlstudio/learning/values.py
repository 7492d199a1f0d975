"""Brings the values of a column to one type: numbers, times or text, the same way for the table and for new rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

DATE_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "ISO8601",
    "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M %p", "%d-%m-%Y", "%m-%d-%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%d-%b-%Y",
    "%d-%b-%y", "%m/%d/%y", "%d/%m/%y", "%a, %d %b %Y %H:%M:%S", "%Y-%m", "%b %Y", "%B %Y", "%Y%m%d",
)  # fmt: skip
"""How dates are written, the plainer first; ``ISO8601`` takes fractions of seconds and time zones."""

TWINS = {one: one.replace("%m/%d", "%d/%m") for one in DATE_FORMATS if "%m/%d/" in one} | {"%m-%d-%Y": "%d-%m-%Y"}
"""Formats with the month first, and the same with the day first."""

LARGEST = 1e38
"""A number beyond it is taken for infinite: trees compute in float32, which ends there."""

_NOT_A_DATE = re.compile(r"\s*[-+]?\d*[.,]?\d*\s*")
_LIKE_A_DATE = re.compile(
    r"\d+\D+\d+\D+\d+|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d|\d{8}|\d{4}-\d\d?", re.IGNORECASE
)
_DAY_NUMBER = re.compile(r"(19|20)\d\d[01]\d[0-3]\d")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_LEADING_ZERO = re.compile(r"[-+]?0\d")
_MONEY = str.maketrans("", "", "$€£¥%\u00a0\u202f ")


def as_text(value: Any) -> str | None:
    """A category's text: whole numbers without a point, so that 1 and 1.0 are one; None for what is missing."""
    if isinstance(value, str):
        return (value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")) or None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace") or None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if number != number:
            return None
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return str(value) or None


def columns_of(table: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """Names and columns; arrays instead of series where all are numbers, which is quicker by far for thousands."""
    if len(table.columns) and (table.dtypes == np.float64).all():
        block = table.to_numpy()
        yield from ((str(name), block[:, place]) for place, name in enumerate(table.columns))
    else:
        yield from ((str(name), column) for name, column in table.items())


def distinct(column: pd.Series[Any]) -> tuple[Any, list[Any]]:
    """Numbers of each row's value and the values, by their text and type; -1 is missing.

    Returns:
        Codes ``(n_rows,) int64`` and the values that they stand for.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes, dtype=np.int64), list(column.cat.categories)
    try:
        codes, found = pd.factorize(column)
    except TypeError:
        codes, found = pd.factorize(column.map(as_text))
    return np.asarray(codes, dtype=np.int64), list(found)


def named_codes(column: pd.Series[Any]) -> tuple[Any, list[str | None]]:
    """As :func:`distinct`, with texts for values; True and 1, which Python holds for the same, are two."""
    codes, found = distinct(column)
    if column.dtype == object and any(not isinstance(value, str) and value in (0, 1) for value in found):
        codes, found = distinct(column.map(as_text))
    return codes, [as_text(value) for value in found]


def texts(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column as categories of text, empty text being missing; one byte or a few for each row."""
    codes, named = named_codes(column)
    categories = sorted({one for one in named if one is not None})
    places = {one: place for place, one in enumerate(categories)}
    lookup = np.array([-1 if one is None else places[one] for one in named] + [-1], dtype=np.int64)
    made = pd.Categorical.from_codes(lookup[codes], categories=pd.Index(categories, dtype=object))
    return pd.Series(made, index=column.index, name=column.name)


def words(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column as text to be read word by word; missing is the empty text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    made = [as_text(value) or "" for value in column.tolist()]
    return pd.Series(np.array(made, dtype=object), index=column.index, name=column.name, dtype=object)


def number_of(text: str) -> float:
    """The number that a text writes, with thousands, decimal commas, currencies and percent; NaN when it is none."""
    bare = text.strip().translate(_MONEY)
    if "," in bare:
        if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", bare):
            bare = bare.replace(",", "")
        elif bare.count(",") == 1 and "." not in bare.partition(",")[2]:
            bare = bare.replace(".", "").replace(",", ".")
    if not _NUMBER.fullmatch(bare) or _LEADING_ZERO.match(bare.partition(".")[0]):
        return float("nan")
    return float(bare)


def numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column as float64; what is no number, or infinite, is NaN."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _seconds(times(column))
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return _seconds(column)
    if column.dtype.kind in "biuf":
        made = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=not _is_double(column))
    else:
        codes, found = distinct(column)
        table = np.array([_number(value) for value in found] + [np.nan], dtype=np.float64)
        made = table[codes]
    huge = np.abs(made) > LARGEST
    if huge.any():
        made = np.where(huge, np.nan, made)
    return pd.Series(made, index=column.index, name=column.name, copy=False)


def _seconds(column: Any) -> pd.Series[Any]:
    given = column.to_numpy()
    made = np.where(
        np.isnat(given), np.nan, given.astype(f"{given.dtype.kind}8[s]").astype(np.int64).astype(np.float64)
    )
    return pd.Series(made, index=column.index, name=column.name)


def _is_double(column: pd.Series[Any]) -> bool:
    return column.dtype == np.float64


def _number(value: Any) -> float:
    if isinstance(value, str):
        return TRUTHS.get(value.strip().lower(), number_of(value))
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def truths(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column as 1.0 and 0.0, and NaN for what is neither yes nor no."""
    if column.dtype.kind == "b":
        return numbers(column)
    codes, found = distinct(column)
    read = [YES_NO.get(str(value).strip().lower(), np.nan) for value in found]
    table = np.array([*read, np.nan], dtype=np.float64)
    return pd.Series(table[codes], index=column.index, name=column.name)


TRUTHS = {"true": 1.0, "false": 0.0}
YES_NO = TRUTHS | {
    "yes": 1.0, "y": 1.0, "t": 1.0, "on": 1.0, "1": 1.0, "1.0": 1.0,
    "no": 0.0, "n": 0.0, "f": 0.0, "off": 0.0, "0": 0.0, "0.0": 0.0,
}  # fmt: skip


def times(column: pd.Series[Any], formats: tuple[str, ...] = ()) -> pd.Series[Any]:
    """The column as datetime64[s] without a zone, in UTC where it had one; what is no date is missing.

    Args:
        formats: how dates are written, in the order in which they are tried; none tries all.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        bare: Any = (
            column.dt.tz_convert("UTC").dt.tz_localize(None) if isinstance(column.dtype, pd.DatetimeTZDtype) else column
        )
        made: pd.Series[Any] = bare.dt.floor("s").astype("datetime64[s]")
        return made
    codes, found = distinct(column)
    read = dates([as_text(value) or "" for value in found], formats or DATE_FORMATS)
    table = np.append(read, np.datetime64("NaT", "s"))
    return pd.Series(table[codes], index=column.index, name=column.name)


def dates(values: list[str], formats: tuple[str, ...]) -> Any:
    """Reads dates, each by the first format that it has; ``(n_values,) datetime64[s]``."""
    made = np.full(len(values), np.datetime64("NaT", "s"))
    given = np.array([value.strip() for value in values], dtype=object)
    for one in formats:
        rest = np.flatnonzero(np.isnat(made))
        if not len(rest):
            break
        made[rest] = _read(given[rest], one)
    return made


def _read(values: Any, one: str) -> Any:
    found = pd.to_datetime(pd.Series(values, dtype=object), format=one, errors="coerce", utc=True)
    return found.dt.tz_localize(None).dt.floor("s").to_numpy().astype("datetime64[s]")


def day_numbers(values: list[str]) -> bool:
    """Whether all values are dates as eight digits."""
    return bool(values) and all(_DAY_NUMBER.fullmatch(value) for value in values)


def formats_of(values: list[str]) -> tuple[tuple[str, ...], float, bool]:
    """How a column's dates are written.

    Returns:
        The formats that read something, which of the values they read (0 to 1), and whether day and month could be
        the other way round in all of them.
    """
    given = [value.strip() for value in values]
    if sum(_LIKE_A_DATE.search(value) is not None for value in given) < max(len(given) * 0.5, 1):
        return (), 0.0, False
    plain = sum(bool(_NOT_A_DATE.fullmatch(value)) for value in given)
    if plain > len(given) * 0.05 and not day_numbers(given):
        return (), 0.0, False
    rest, found, unsure = np.array(given, dtype=object), [], False
    for one in DATE_FORMATS:
        if not len(rest):
            break
        if one in found:
            continue
        read = ~np.isnat(_read(rest, one))
        if one in TWINS and read.any():
            other = ~np.isnat(_read(rest, TWINS[one]))
            unsure = unsure or bool(read.all() and other.all() and (read & other).any())
            if other.sum() > read.sum():
                one, read = TWINS[one], other
        if read.any():
            found.append(one)
            rest = rest[~read]
    return tuple(found), 1 - len(rest) / len(given), unsure
