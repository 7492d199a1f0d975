"""How the same rows of two numbers are sent in every dialect."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tests.serving.conftest import Answer, Scoring

JSON_TYPE = "application/json"
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Raw:
    """A value that stands in JSON as it is written here, wrong as it may be."""

    text: str


@dataclass(frozen=True)
class Speaker:
    """One dialect, and one form of it.

    ``write`` makes a body of rows; ``read`` finds the rows in an answer. ``is_json`` says whether values are JSON's.
    """

    name: str
    path: str
    write: Callable[[Rows], bytes]
    read: Callable[[Answer], Any]
    content_type: str = JSON_TYPE
    is_json: bool = True

    def ask(self, scoring: Scoring, rows: Rows, **options: Any) -> Answer:
        return self.send(scoring, self.write(rows), **options)

    def send(self, scoring: Scoring, body: bytes, **options: Any) -> Answer:
        headers = {"content_type": self.content_type} | self.headers(body) | options
        return scoring.ask(self.path, body, **headers)

    def headers(self, body: bytes) -> dict[str, str]:
        if self.name != "binary tensors":
            return {}
        return {"inference_header_content_length": str(body.index(b"}]}") + 3 if b"}]}" in body else 0)}


def text(value: Any) -> str:
    """JSON with raw values in it."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(one) for one in value) + "]"
    return json.dumps(value)


def wrapped(wrap: Callable[[Rows], Any]) -> Callable[[Rows], bytes]:
    return lambda rows: text(wrap(rows)).encode()


def tensor(rows: Rows) -> dict[str, Any]:
    shape = [len(rows), len(rows[0]) if rows else 0]
    return {"name": "X", "datatype": "FP32", "shape": shape, "data": [value for row in rows for value in row]}


def binary(rows: Rows) -> bytes:
    data = np.array(rows, "<f4").tobytes()
    head = {"name": "X", "datatype": "FP32", "shape": [len(rows), 2], "parameters": {"binary_data_size": len(data)}}
    return json.dumps({"inputs": [head]}).encode() + data


def csv(rows: Rows) -> bytes:
    lines = ["a,b", *(",".join(one.text if isinstance(one, Raw) else str(one) for one in row) for row in rows)]
    return "\n".join(lines).encode()


def arrow(rows: Rows) -> bytes:
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate("ab")})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def inference(rows: Rows) -> Any:
    return {"inputs": [tensor(rows)]}


def of_v2(answer: Answer) -> Any:
    output = answer.json["outputs"][0]
    return np.reshape(output["data"], output["shape"]).tolist()


SPEAKERS = [
    Speaker("V2", "/v2/models/m/infer", wrapped(inference), of_v2),
    Speaker("V2 of a version", "/v2/models/m/versions/3/infer", wrapped(inference), of_v2),
    Speaker("binary tensors", "/v2/models/m/infer", binary, of_v2, "application/octet-stream", is_json=False),
    Speaker("rows", "/score", wrapped(lambda rows: rows), lambda answer: [row["Y"] for row in answer.json]),
    Speaker("data", "/score", wrapped(lambda rows: {"data": rows}), lambda answer: answer.json),
    Speaker("input_data", "/score", wrapped(lambda rows: {"input_data": {"columns": [0, 1], "data": rows}}),
            lambda answer: answer.json),
    Speaker("Inputs", "/score", wrapped(lambda rows: {"Inputs": {"data": rows}}),
            lambda answer: answer.json["Results"]),
    Speaker("dataframe_split", "/invocations",
            wrapped(lambda rows: {"dataframe_split": {"columns": ["a", "b"], "data": rows}}),
            lambda answer: answer.json["predictions"]),
    Speaker("instances", "/invocations", wrapped(lambda rows: {"instances": rows}),
            lambda answer: answer.json["predictions"]),
    Speaker("inputs", "/invocations", wrapped(lambda rows: {"inputs": {"X": rows}}),
            lambda answer: answer.json["predictions"]),
    Speaker("CSV", "/invocations", csv, lambda answer: answer.json["predictions"], "text/csv", is_json=False),
    Speaker("Arrow", "/score", arrow, lambda answer: pa.ipc.open_stream(answer.body).read_all().column("Y").to_pylist(),
            "application/vnd.apache.arrow.stream", is_json=False),
]  # fmt: skip
IN_JSON = [one for one in SPEAKERS if one.is_json]
