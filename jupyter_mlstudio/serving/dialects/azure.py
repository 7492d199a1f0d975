"""Azure's ``/score``: what is sent there to a deployment without code, and to a scoring script; and plain rows.

Sources: Azure Machine Learning, "Deploy MLflow models to online endpoints" (``input_data``), "Consume a web service"
(``data``, ``Inputs``), and azureml-inference-server-http's headers. Forms of the body:

- ``{"input_data": {"columns": [...], "index": [...], "data": [[...]]}}``, ``{"input_data": [[...]]}``, tensors by name;
- ``{"data": [[...]]}`` or ``{"data": [{...}]}``, with ``"method": "predict" | "predict_proba"`` where wanted;
- ``{"Inputs": {"data": [...]}, "GlobalParameters": {"method": ...}}``, answered as ``{"Results": [...]}``;
- ``[{...}, ...]`` or ``[[...], ...]``, plain rows, answered with an object of all outputs for each.

The first two are answered with a list of predictions. Where columns have names, rows are a data frame and null is a
missing value; in lists of lists it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.tensors import Inference, names
from jupyter_mlstudio.serving.dialects.answers import WARNING, main_output, method_outputs, objects, predictions
from jupyter_mlstudio.serving.dialects.base import Dialect, Written, is_identity
from jupyter_mlstudio.serving.dialects.rows import RowReader, RowsInference, decode

_FORMS = "input_data, data or Inputs, or a list of rows"


class Azure(Dialect):
    """Reads and writes for one model."""

    named = True

    def __init__(self, signature: Signature, rows: RowReader) -> None:
        self._signature = signature
        self._rows = rows

    def read(self, body: bytes | bytearray, headers: Mapping[bytes, bytes]) -> Inference:
        value = decode(body)
        if type(value) is list:
            inference = self._of_rows(value, "the body")
            inference.form = "rows"
            return inference
        if type(value) is not dict:
            raise Invalid(f"the body is not {_FORMS}")
        match sorted(value):
            case ["input_data"] | ["input_data", "params"]:
                inference = self._of_input_data(value["input_data"])
                if value.get("params"):
                    raise Invalid("params are not known to this model")
                inference.outputs = main_output(self._signature)
            case ["data"] | ["data", "method"]:
                inference = self._of_rows(value["data"], "data")
                inference.outputs = method_outputs(self._signature, value.get("method", "predict"))
            case ["Inputs"] | ["GlobalParameters", "Inputs"]:
                inference = self._of_inputs(value["Inputs"])
                inference.outputs = self._of_parameters(value.get("GlobalParameters"))
                inference.form = "Results"
            case keys:
                raise Invalid(f"the body has {names(keys) or 'nothing'}; it takes {_FORMS}")
        return inference

    def write(self, inference: Inference, tensors: Sequence[Any]) -> Written:
        assert isinstance(inference, RowsInference)
        answer: Any
        if inference.form == "rows":
            answer, finite = objects(inference.outputs, tensors, self._signature.labels)
        else:
            answer, finite = predictions(inference.outputs, tensors)
        if inference.form == "Results":
            answer = {"Results": answer}
        return Written(msgspec.json.encode(answer), lines=b"" if finite else WARNING)

    def lines(self, headers: Mapping[bytes, bytes], run_s: float, failed: bool) -> bytes:
        client = headers.get(b"x-ms-client-request-id", b"")
        echo = b"\r\nx-ms-client-request-id: " + client if is_identity(client) else b""
        return b"%b\r\nx-ms-run-fn-exec-ms: %.3f\r\nx-ms-run-function-failed: %b" % (
            echo, run_s * 1000, b"True" if failed else b"False",
        )  # fmt: skip

    def _of_rows(self, rows: Any, what: str) -> RowsInference:
        if type(rows) is list and rows and type(rows[0]) is dict:
            return self._rows.of_objects(rows, missing=True, what=what)
        return self._rows.of_lists(rows, missing=False, what=what)

    def _of_input_data(self, value: Any) -> RowsInference:
        if type(value) is not dict:
            return self._of_rows(value, "input_data")
        if value.keys() == {"columns", "data"} or value.keys() == {"columns", "index", "data"}:
            check_index(value)
            return self._rows.of_split(value["columns"], value["data"], missing=True, what="input_data")
        return self._rows.of_columns(value, missing=False, what="input_data")

    def _of_inputs(self, value: Any) -> RowsInference:
        """The designer's and automated learning's form: rows below a name of their own, usually ``data``."""
        if type(value) is not dict or len(value) != 1:
            raise Invalid("Inputs is not an object with one list of rows, such as data")
        ((name, rows),) = value.items()
        return self._of_rows(rows, f"Inputs, {names([name])}")

    def _of_parameters(self, value: Any) -> Sequence[Any]:
        if value is None or value == {} or value == 1.0:  # designers send 1.0 for "no parameters"
            return main_output(self._signature)
        if type(value) is not dict or value.keys() != {"method"}:
            raise Invalid("GlobalParameters is not an object with a method")
        return method_outputs(self._signature, value["method"])


def check_index(value: Mapping[str, Any]) -> None:
    """Checks that a data frame's index, where it is there, has a label for each row."""
    index, data = value.get("index"), value["data"]
    if index is not None and (type(index) is not list or type(data) is not list or len(index) != len(data)):
        raise Invalid("index is not a list with one label for each row of data")
