"""Rows of a table become a model's tensors: lists, objects, or columns of values, however they were sent.

Columns are found by name where the model knows names, and all of them must be there and no others; a model that was
fitted without names takes them in their order. ``missing`` says whether a value may be missing, which is the case where
rows are a data frame: then a missing number is NaN and a missing text is the empty text, as they were for the sample
that the model was compared with; integers and booleans cannot be missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.tensors import (
    ROWS_LIMIT,
    Inference,
    Tensor,
    check_rows,
    check_shape,
    from_values,
    names,
    shaped,
    shown,
)

_KEYS = re.compile(rb'"\s*:')


@dataclass(slots=True)
class RowsInference(Inference):
    """A request of rows; ``form`` is what its dialect needs to know to write the answer."""

    form: str = ""


class RowReader:
    """Reads rows for one model.

    Attributes:
        columns: names of the columns of a table that the model takes; empty when its tensors are no table.
        named: whether the names are the model's own, and not just numbers.
        limit: most rows of one request.
    """

    def __init__(self, signature: Signature, rows_limit: int = ROWS_LIMIT) -> None:
        self.signature = signature
        self.limit = rows_limit
        self._specs = signature.inputs
        self._inputs = {spec.name: spec for spec in signature.inputs}
        self._widths = [_width(spec) for spec in signature.inputs]
        self.columns: list[str] = []
        if all(self._widths):
            for spec, width in zip(self._specs, self._widths, strict=True):
                self.columns += spec.columns or ([spec.name] if width == 1 else [str(n) for n in range(width)])
        if len(set(self.columns)) != len(self.columns):
            self.columns = []
        self.named = len(self._specs) > 1 or any(spec.columns for spec in self._specs)
        self._known = frozenset(self.columns)
        pairs = zip(self._specs, self._widths, strict=True)
        self._types = [spec.datatype for spec, width in pairs for _ in range(width)]

    def datatype(self, name: str, position: int) -> str:
        """The type of a column of a table; empty when the model has no such column."""
        where = self.columns.index(name) if self.named and name in self._known else position
        return self._types[where] if where < len(self._types) else ""

    def of_lists(self, rows: Any, missing: bool, what: str = "the rows") -> RowsInference:
        """Reads rows in the order of the model's columns; a row of a model with one column may be the value itself."""
        self._check(rows, what)
        if not self.columns:
            return self._of_tensor(self._only(what), rows, missing)
        if len(self.columns) == 1 and not isinstance(rows[0], list):
            rows = [[value] for value in rows]
        width = len(self.columns)
        for number, row in enumerate(rows):
            if type(row) is not list:
                raise Invalid(f"row {number} of {what} is not a list of values")
            if len(row) != width:
                raise Invalid(f"row {number} of {what} has {len(row)} values, the model takes {width}")
        return self._of_table(rows, missing)

    def of_objects(self, rows: Any, missing: bool, what: str = "the rows") -> RowsInference:
        """Reads rows that name their columns."""
        self._check(rows, what)
        self._check_table(what)
        for number, row in enumerate(rows):
            if type(row) is not dict:
                raise Invalid(f"row {number} of {what} is not an object of values by column")
            if row.keys() != self._known:
                raise Invalid(f"row {number} of {what}: {self._difference(row)}")
        wanted = self.columns
        return self._of_table([[row[name] for name in wanted] for row in rows], missing)

    def of_split(self, columns: Any, rows: Any, missing: bool, what: str = "data") -> RowsInference:
        """Reads rows whose columns are named once, before them."""
        self._check(rows, what)
        self._check_table(what)
        if type(columns) is not list or not all(type(name) in (str, int) for name in columns):
            raise Invalid("columns is not a list of names")
        given = [str(name) for name in columns]
        if len(set(given)) != len(given):
            double = next(name for name in given if given.count(name) > 1)
            raise Invalid(f"column {shown(double)} is there twice")
        if self.named and set(given) != self._known:
            raise Invalid(self._difference(given))
        if len(given) != len(self.columns):
            raise Invalid(f"there are {len(given)} columns, the model takes {len(self.columns)}")
        for number, row in enumerate(rows):
            if type(row) is not list or len(row) != len(given):
                count = f"{len(row)} values" if type(row) is list else "no list of values"
                raise Invalid(f"row {number} of {what} has {count}, there are {len(given)} columns")
        if self.named and given != self.columns:
            order = [given.index(name) for name in self.columns]
            rows = [[row[position] for position in order] for row in rows]
        return self._of_table(rows, missing)

    def of_columns(self, columns: Any, missing: bool, what: str) -> RowsInference:
        """Reads lists of values by column, or tensors by input."""
        if type(columns) is not dict or not columns:
            raise Invalid(f"{what} is not an object of values by name")
        if columns.keys() == self._inputs.keys() and not any(spec.columns for spec in self._specs):
            feeds: dict[str, Tensor] = {}
            rows = -1
            for spec in self._specs:
                array, rows = self._tensor(spec, columns[spec.name], missing, rows)
                feeds[spec.onnx_name or spec.name] = array
            return RowsInference(feeds, rows, self.signature.outputs)
        self._check_table(what)
        if columns.keys() != self._known:
            raise Invalid(f"{what}: {self._difference(columns)}")
        for name, values in columns.items():
            if type(values) is not list:
                raise Invalid(f"column {shown(name)} of {what} is not a list of values")
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise Invalid(f"the columns of {what} have different lengths: {min(lengths)} and {max(lengths)}")
        rows_of = [list(row) for row in zip(*(columns[name] for name in self.columns), strict=True)]
        return self.of_lists(rows_of, missing, what)

    def _of_table(self, rows: list[list[Any]], missing: bool) -> RowsInference:
        """Makes the tensors of rows that are in the model's order and of its width."""
        count = len(rows)
        feeds: dict[str, Tensor] = {}
        start = 0
        for spec, width in zip(self._specs, self._widths, strict=True):
            shape = [count, *spec.shape[1:]]
            if width == len(self.columns):
                flat = list(chain.from_iterable(rows))
            elif width == 1:
                flat = [row[start] for row in rows]
            else:
                flat = list(chain.from_iterable(row[start : start + width] for row in rows))
            feeds[spec.onnx_name or spec.name] = from_values(spec, shape, flat, missing)
            start += width
        return RowsInference(feeds, count, self.signature.outputs)

    def _of_tensor(self, spec: TensorSpec, value: Any, missing: bool) -> RowsInference:
        array, rows = self._tensor(spec, value, missing, -1)
        return RowsInference({spec.onnx_name or spec.name: array}, rows, self.signature.outputs)

    def _tensor(self, spec: TensorSpec, value: Any, missing: bool, rows: int) -> tuple[Tensor, int]:
        """Reads one nested tensor; a column may be a flat list."""
        shape = _shape_of(spec, value)
        if len(shape) == 1 and spec.shape[1:] == [1]:
            value, shape = [[one] for one in value], [*shape, 1]
        rows = check_shape(spec, shape, rows, self.limit)
        flat = value
        for depth in range(1, len(shape)):
            for part in flat:
                if type(part) is not list or len(part) != shape[depth]:
                    raise Invalid(f"input {shown(spec.name)} has rows of different lengths or depths")
            flat = list(chain.from_iterable(flat))
        if any(type(one) is list for one in flat):
            raise Invalid(f"input {shown(spec.name)} is nested deeper than its shape {shaped(spec.shape)}")
        return from_values(spec, shape, flat, missing), rows

    def _check(self, rows: Any, what: str) -> None:
        if type(rows) is not list:
            raise Invalid(f"{what} is not a list of rows")
        if not rows:
            raise Invalid(f"{what} has no rows: there is nothing to score")
        check_rows(len(rows), self.limit)

    def _check_table(self, what: str) -> None:
        if not self.columns:
            shapes = ", ".join(f"{shown(spec.name)} {shaped(spec.shape)}" for spec in self._specs[:4])
            raise Invalid(f"{what} cannot be a table: the model takes {shapes}; send the tensors")

    def _only(self, what: str) -> TensorSpec:
        if len(self._specs) != 1:
            raise Invalid(f"{what} does not say which of the model's inputs it is: {names(self._inputs)}")
        return self._specs[0]

    def _difference(self, given: Sequence[str] | Mapping[str, Any]) -> str:
        """Says which columns are missing, or which are not the model's."""
        absent = [name for name in self.columns if name not in given]
        strange = [name for name in given if name not in self._known]
        if not self.named:
            return "the model's columns have no names; send rows as lists of values"
        if absent:
            return f"column {names(absent)} is missing"
        return f"column {names(strange)} is not one of the model's: {names(self.columns)}"


def decode(body: bytes | bytearray) -> Any:
    """Reads JSON strictly: UTF-8, no NaN, no key twice, no deep nests.

    Raises:
        Invalid: it is not such JSON.
    """
    try:
        value = msgspec.json.decode(body)
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("the body is not JSON") from error
    if len(_KEYS.findall(body)) != _count_keys(value):
        _refuse_double_keys(body)
    return value


def _count_keys(value: Any) -> int:
    """How many keys there are where keys may be: in objects, and in lists of objects."""
    if type(value) is dict:
        return len(value) + sum(_count_keys(one) for one in value.values())
    if type(value) is list and value and type(value[0]) is dict:
        return sum(_count_keys(one) for one in value)
    return 0


def _refuse_double_keys(body: bytes | bytearray) -> None:
    """Reads again, slowly: a text may look as if it held a key."""
    import json

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen = [key for key, _ in pairs]
            raise Invalid(f"{shown(next(key for key in seen if seen.count(key) > 1))} is there twice in one object")
        return found

    try:
        json.loads(body, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is not JSON that can be read here") from error


def _width(spec: TensorSpec) -> int:
    """How many values of a row go into this tensor; 0 when it is no part of a table."""
    if spec.shape[:1] != [-1] or len(spec.shape) > 2:
        return 0
    return max(math.prod(spec.shape[1:]), 0)


def _shape_of(spec: TensorSpec, value: Any) -> list[int]:
    """The shape that a nest seems to have, judged by its first parts."""
    shape: list[int] = []
    while type(value) is list:
        if not value:
            raise Invalid(f"input {shown(spec.name)} has an empty list")
        shape.append(len(value))
        value = value[0]
    if not shape:
        raise Invalid(f"input {shown(spec.name)} is not a list of values")
    return shape
