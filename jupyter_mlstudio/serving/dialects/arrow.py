"""Rows as an Arrow stream, and the answer as one.

Specification: Apache Arrow, "IPC Streaming Format". Columns are the model's by name and type; integers are widened only
where that changes no value (int32 to INT64), numbers are rounded to the model's precision as in JSON. A null, or NaN,
is a missing value as in a data frame. Compressed buffers are refused, since a small body could hold gigabytes of them:
what a message says of itself is looked at before anything of it is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.errors import Invalid, WrongType
from jupyter_mlstudio.onnx.tensors import DTYPES, Inference, Tensor, check_finite, check_rows, names, shown
from jupyter_mlstudio.serving.dialects.base import Dialect, Written
from jupyter_mlstudio.serving.dialects.rows import RowReader, RowsInference

ARROW_TYPE = b"application/vnd.apache.arrow.stream"
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_COMPRESSION = 3
"""The field of a record batch that names its compression."""


class Arrow(Dialect):
    """Reads and writes for one model."""

    media = frozenset({ARROW_TYPE})

    def __init__(self, signature: Signature, rows: RowReader) -> None:
        self._signature = signature
        self._rows = rows

    @property
    def loaded(self) -> bool:  # type: ignore[override]
        """Whether pyarrow was imported, which takes a fifth of a second."""
        return "pyarrow" in sys.modules

    def load(self) -> None:
        try:
            import pyarrow.ipc  # noqa: F401
        except ImportError as error:
            raise WrongType('Arrow is not read here: pip install "jupyter-mlstudio[arrow]"') from error

    def read(self, body: bytes | bytearray, headers: Mapping[bytes, bytes]) -> Inference:
        table = self._table(bytes(body))
        check_rows(table.num_rows, self._rows.limit)
        if not table.num_rows:
            raise Invalid("the stream has no rows: there is nothing to score")
        given = table.column_names
        if not self._rows.columns:
            raise Invalid("the model takes tensors that are no table; they cannot be sent as Arrow")
        if len(set(given)) != len(given):
            raise Invalid("the stream has two columns of one name")
        if self._rows.named and set(given) != set(self._rows.columns):
            absent = [name for name in self._rows.columns if name not in given]
            if absent:
                raise Invalid(f"column {names(absent)} is missing")
            strange = [name for name in given if name not in self._rows.columns]
            raise Invalid(f"column {names(strange)} is not one of the model's: {names(self._rows.columns)}")
        if len(given) != len(self._rows.columns):
            raise Invalid(f"there are {len(given)} columns, the model takes {len(self._rows.columns)}")
        feeds: dict[str, Tensor] = {}
        order = self._rows.columns if self._rows.named else given
        start = 0
        for spec in self._signature.inputs:
            width = 1 if len(spec.shape) == 1 else spec.shape[1]
            columns = [_values(table, name, spec.datatype) for name in order[start : start + width]]
            array = np.stack(columns, axis=1).reshape(table.num_rows, *spec.shape[1:])
            check_finite(spec, array, nullable=True)
            feeds[spec.onnx_name or spec.name] = array
            start += width
        return RowsInference(feeds, table.num_rows, self._signature.outputs)

    def write(self, inference: Inference, tensors: Sequence[Any]) -> Written:
        import pyarrow as pa

        arrays = []
        for spec, tensor in zip(inference.outputs, tensors, strict=True):
            flat = pa.array(np.asarray(tensor).ravel(), pa.string() if spec.datatype == "BYTES" else None)
            width = int(np.prod(tensor.shape[1:])) if tensor.ndim > 1 else 1
            arrays.append(flat if width == 1 else pa.FixedSizeListArray.from_arrays(flat, width))
        batch = pa.record_batch(arrays, names=[spec.name for spec in inference.outputs])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return Written(sink.getvalue().to_pybytes(), ARROW_TYPE)

    def _table(self, body: bytes) -> Any:
        """Reads the whole stream, once every message of it has been looked at."""
        import pyarrow as pa

        try:
            rows = 0
            for message in _messages(pa.ipc.MessageReader.open_stream(body)):
                rows += _checked_rows(memoryview(message.metadata), message.type == "dictionary")
                check_rows(rows, self._rows.limit)
            table = pa.ipc.open_stream(body).read_all()
            table.validate(full=True)
        except (pa.ArrowException, ValueError, OSError, IndexError) as error:
            raise Invalid("the body is not a whole Arrow stream") from error
        return table


def _messages(reader: Any) -> Iterator[Any]:
    while True:
        try:
            yield reader.read_next_message()
        except StopIteration:
            return


def _checked_rows(metadata: memoryview, is_dictionary: bool) -> int:
    """Looks at a message's own description (Arrow's ``Message.fbs``); answers its rows, for a batch of records.

    Raises:
        Invalid: its buffers are compressed.
    """
    message = _Table(metadata, int.from_bytes(metadata[:4], "little"))
    kind = message.byte(1)
    if kind not in (_RECORD_BATCH, _DICTIONARY_BATCH):
        return 0
    batch = message.table(2)
    if kind == _DICTIONARY_BATCH:
        batch = batch.table(1)
    if batch.has(_COMPRESSION):
        raise Invalid("compressed Arrow buffers are not read here: write the stream without compression")
    return 0 if is_dictionary else batch.long(0)


class _Table:
    """A table of a FlatBuffer: just enough to find a field by its number."""

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position
        self._fields = position - int.from_bytes(data[position : position + 4], "little", signed=True)
        self._size = self._number(self._fields, 2)

    def has(self, field: int) -> bool:
        return self._offset(field) != 0

    def byte(self, field: int) -> int:
        return self._data[self._position + self._offset(field)] if self.has(field) else 0

    def long(self, field: int) -> int:
        start = self._position + self._offset(field)
        return int.from_bytes(self._data[start : start + 8], "little", signed=True) if self.has(field) else 0

    def table(self, field: int) -> _Table:
        if not self.has(field):
            raise ValueError("a part of the message is missing")
        start = self._position + self._offset(field)
        return _Table(self._data, start + self._number(start, 4))

    def _offset(self, field: int) -> int:
        where = 4 + 2 * field
        return self._number(self._fields + where, 2) if where + 2 <= self._size else 0

    def _number(self, start: int, size: int) -> int:
        if start < 0 or start + size > len(self._data):
            raise ValueError("a part of the message is missing")
        return int.from_bytes(self._data[start : start + size], "little")


def _values(table: Any, name: str, datatype: str) -> Tensor:
    """One column in the model's type."""
    import pyarrow as pa

    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if not _fits(kind, datatype):
        raise Invalid(f"column {shown(name)} has the type {shown(str(kind))}, the model takes {datatype}")
    if column.null_count and not datatype.startswith("FP") and datatype != "BYTES":
        row = next(number for number, value in enumerate(column) if not value.is_valid)
        raise Invalid(f"column {shown(name)}, row {row}: a value is missing, and {datatype} has no way to say so")
    if datatype == "BYTES":
        return np.array(["" if text is None else text for text in column.to_pylist()], dtype=object)
    values = column.to_numpy(zero_copy_only=False) if hasattr(column, "chunks") else column.to_numpy()
    return np.asarray(values).astype(DTYPES[datatype])


def _fits(kind: Any, datatype: str) -> bool:
    """Tells whether every value of an Arrow type is a value of the model's."""
    import pyarrow as pa

    if datatype == "BYTES":
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    if datatype == "BOOL":
        return bool(pa.types.is_boolean(kind))
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return False
    if datatype in ("FP32", "FP64"):
        return True  # as in JSON, a number is rounded to the model's precision
    return bool(np.can_cast(kind.to_pandas_dtype(), DTYPES[datatype], casting="safe"))
