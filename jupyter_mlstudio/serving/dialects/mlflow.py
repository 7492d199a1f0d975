"""MLflow's ``/invocations`` in its five formats.

Specification: MLflow, "Deploy MLflow Model as a Local Inference Server", "Accepted input formats"; TensorFlow Serving,
"RESTful API", for ``instances`` and ``inputs``. A data frame's null (``dataframe_split``, ``dataframe_records``, and an
empty field of CSV) is a missing value; in ``instances`` and ``inputs``, which are tensors, it is refused.
``"params": {"outputs": [names]}`` asks for other outputs than what ``predict`` answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.onnx.tensors import Inference, names
from jupyter_mlstudio.serving.dialects.answers import WARNING, asked_outputs, main_output, predictions
from jupyter_mlstudio.serving.dialects.azure import check_index
from jupyter_mlstudio.serving.dialects.base import JSON_TYPE, Dialect, Written
from jupyter_mlstudio.serving.dialects.csv import read_csv
from jupyter_mlstudio.serving.dialects.rows import RowReader, RowsInference, decode

CSV_TYPE = b"text/csv"
FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")

_CODES = {
    400: "INVALID_PARAMETER_VALUE", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "ENDPOINT_NOT_FOUND",
    413: "INVALID_PARAMETER_VALUE", 415: "BAD_REQUEST", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip


class Mlflow(Dialect):
    """Reads and writes for one model."""

    media = frozenset({JSON_TYPE, CSV_TYPE})

    def __init__(self, signature: Signature, rows: RowReader) -> None:
        self._signature = signature
        self._rows = rows

    def read(self, body: bytes | bytearray, headers: Mapping[bytes, bytes]) -> Inference:
        kind = headers.get(b"content-type", JSON_TYPE).lower()
        if kind.startswith(CSV_TYPE):
            inference = self._rows.of_split(*read_csv(body, self._rows), missing=True, what="the file")
            inference.outputs = main_output(self._signature)
            return inference
        value = decode(body)
        given = [name for name in FORMATS if type(value) is dict and name in value]
        if len(given) != 1:
            raise Invalid(f"the body is not an object with exactly one of {', '.join(FORMATS)}")
        name = given[0]
        rest = [key for key in value if key not in (name, "params", "signature_name")]
        if rest:
            raise Invalid(f"the body has {names(rest)}, which is not known beside {name}")
        inference = self._of(name, value[name])
        inference.outputs = self._outputs(value.get("params"))
        return inference

    def write(self, inference: Inference, tensors: Sequence[Any]) -> Written:
        answer, finite = predictions(inference.outputs, tensors)
        return Written(msgspec.json.encode({"predictions": answer}), lines=b"" if finite else WARNING)

    def refusal(self, error: StudioError) -> bytes:
        code = _CODES.get(error.status, "INTERNAL_ERROR")
        return msgspec.json.encode({"error_code": code, "message": error.message})

    def _of(self, name: str, value: Any) -> RowsInference:
        match name:
            case "dataframe_split":
                if type(value) is not dict or not {"columns", "data"} <= value.keys() <= {"columns", "data", "index"}:
                    raise Invalid("dataframe_split is not an object with columns, data and, where wanted, index")
                check_index(value)
                return self._rows.of_split(value["columns"], value["data"], missing=True, what=name)
            case "dataframe_records":
                return self._rows.of_objects(value, missing=True, what=name)
            case "instances":
                if type(value) is list and value and type(value[0]) is dict:
                    return self._of_instances(value)
                return self._rows.of_lists(value, missing=False, what=name)
            case _:
                if type(value) is dict:
                    return self._rows.of_columns(value, missing=False, what=name)
                return self._rows.of_lists(value, missing=False, what=name)

    def _of_instances(self, rows: list[Any]) -> RowsInference:
        """Instances by name: of columns of a table, or of the tensors of one row each."""
        if self._rows.columns:
            return self._rows.of_objects(rows, missing=False, what="instances")
        first = rows[0].keys()
        for number, row in enumerate(rows):
            if type(row) is not dict or row.keys() != first:
                raise Invalid(f"row {number} of instances has not the same names as the first one")
        return self._rows.of_columns({key: [row[key] for row in rows] for key in first}, False, "instances")

    def _outputs(self, params: Any) -> Sequence[Any]:
        if params is None or params == {}:
            return main_output(self._signature)
        if type(params) is not dict or params.keys() != {"outputs"}:
            raise Invalid("params takes outputs, a list of names of the model's outputs, and nothing else")
        return asked_outputs(self._signature, params["outputs"])
