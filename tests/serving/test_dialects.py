"""What each dialect reads and writes, in one process and over the wire."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid, TooLarge
from jupyter_mlstudio.serving.dialects.answers import WARNING
from jupyter_mlstudio.serving.dialects.arrow import Arrow
from jupyter_mlstudio.serving.dialects.azure import Azure
from jupyter_mlstudio.serving.dialects.base import Dialect
from jupyter_mlstudio.serving.dialects.mlflow import Mlflow
from jupyter_mlstudio.serving.dialects.rows import RowReader

OUTPUTS = [
    TensorSpec(name="label", datatype="BYTES", shape=[-1]),
    TensorSpec(name="probabilities", datatype="FP32", shape=[-1, 2]),
]
PASSENGERS = Signature(
    inputs=[
        TensorSpec(name="age", datatype="FP64", shape=[-1, 1], onnx_name="age_0"),
        TensorSpec(name="sex", datatype="BYTES", shape=[-1, 1]),
        TensorSpec(name="siblings", datatype="INT64", shape=[-1, 1]),
    ],
    outputs=OUTPUTS,
    task="classification",
    labels=["no", "yes"],
)
MATRIX = Signature(
    inputs=[TensorSpec(name="X", datatype="FP32", shape=[-1, 2], columns=["width", "height"])],
    outputs=OUTPUTS,
    task="classification",
    labels=["no", "yes"],
)
PICTURE = Signature(
    inputs=[TensorSpec(name="image", datatype="FP32", shape=[-1, 1, 2, 2])], outputs=OUTPUTS, task="other"
)
ROWS = [[22.5, "male", 1], [38, "female", 0]]
NAMES = ["age", "sex", "siblings"]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
FRAME = pd.DataFrame(RECORDS)
ANSWER = [np.array(["no", "yes"], object), np.array([[0.75, 0.25], [0.5, 0.5]], np.float32)]
CSV = {b"content-type": b"text/csv; charset=utf-8"}


def dialect(kind: type[Azure | Mlflow | Arrow], signature: Signature = PASSENGERS, rows: int = 100) -> Dialect:
    return kind(signature, RowReader(signature, rows))


def as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


SAME = {
    "plain objects": (Azure, RECORDS),
    "plain lists": (Azure, ROWS),
    "data of lists": (Azure, {"data": ROWS}),
    "data of objects": (Azure, {"data": RECORDS, "method": "predict"}),
    "input_data": (Azure, {"input_data": json.loads(FRAME.to_json(orient="split"))}),
    "input_data in another order": (Azure, {"input_data": {"columns": NAMES[::-1], "data": [r[::-1] for r in ROWS]}}),
    "input_data of lists": (Azure, {"input_data": ROWS}),
    "Inputs": (Azure, {"Inputs": {"data": RECORDS}, "GlobalParameters": {"method": "predict"}}),
    "Inputs of the designer": (Azure, {"Inputs": {"WebServiceInput0": RECORDS}, "GlobalParameters": 1.0}),
    "dataframe_split": (Mlflow, {"dataframe_split": FRAME.to_dict(orient="split")}),
    "dataframe_records": (Mlflow, {"dataframe_records": FRAME.to_dict(orient="records")}),
    "instances": (Mlflow, {"instances": RECORDS}),
    "inputs by column": (Mlflow, {"inputs": FRAME.to_dict(orient="list")}),
    "inputs nested": (Mlflow, {"inputs": {name: [[row[n]] for row in ROWS] for n, name in enumerate(NAMES)}}),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_rows_are_the_same_tensors_in_every_form(name: str) -> None:
    kind, body = SAME[name]
    read = dialect(kind).read(as_bytes(body), {})
    assert read.rows == 2
    assert {feed: array.tolist() for feed, array in read.feeds.items()} == {
        "age_0": [[22.5], [38.0]],
        "sex": [["male"], ["female"]],
        "siblings": [[1], [0]],
    }
    assert [array.dtype for array in read.feeds.values()] == [np.float64, object, np.int64]


def test_csv_is_read_by_the_types_of_the_columns() -> None:
    read = dialect(Mlflow).read(FRAME.to_csv(index=False).encode(), CSV)
    assert read.feeds["age_0"].tolist() == [[22.5], [38.0]]
    assert read.feeds["siblings"].tolist() == [[1], [0]]
    assert dialect(Mlflow).read(b'sex,age,siblings\r\n"a,\nb",,1\r\n', CSV).feeds["sex"].tolist() == [["a,\nb"]]


def test_arrow_is_read_by_the_types_of_the_columns() -> None:
    frame = FRAME.astype({"siblings": "int8", "sex": "category", "age": "float32"})
    read = dialect(Arrow).read(stream(pa.Table.from_pandas(frame, preserve_index=False)), {})
    assert read.feeds["sex"].tolist() == [["male"], ["female"]]
    assert [array.dtype for array in read.feeds.values()] == [np.float64, object, np.int64]


def stream(table: pa.Table, compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue()


MISSING = [{"age": None, "sex": "male", "siblings": 1}]


@pytest.mark.parametrize(
    ("kind", "body", "headers"),
    [
        (Azure, MISSING, {}),
        (Azure, {"data": MISSING}, {}),
        (Mlflow, {"dataframe_records": MISSING}, {}),
        (Azure, {"input_data": {"columns": NAMES, "data": [[None, "male", 1]]}}, {}),
        (Mlflow, {"dataframe_split": {"columns": NAMES, "data": [[None, "male", 1]]}}, {}),
        (Mlflow, b"age,sex,siblings\n,male,1\n", CSV),
    ],
)
def test_in_a_data_frame_a_missing_number_is_nan(kind: Any, body: Any, headers: dict[bytes, bytes]) -> None:
    assert math.isnan(dialect(kind).read(as_bytes(body), headers).feeds["age_0"][0, 0])


def test_in_arrow_a_null_is_a_missing_number() -> None:
    table = pa.table({"age": pa.array([None], pa.float64()), "sex": ["a"], "siblings": [1]})
    assert math.isnan(dialect(Arrow).read(stream(table), {}).feeds["age_0"][0, 0])


@pytest.mark.parametrize("body", [[[None, "male", 1]], {"data": [[None, "male", 1]]}, {"input_data": [[None, "m", 1]]}])
def test_in_a_list_of_values_null_is_refused(body: Any) -> None:
    with pytest.raises(Invalid, match="input age, row 0: null is not a number"):
        dialect(Azure).read(as_bytes(body), {})


@pytest.mark.parametrize("name", ["instances", "inputs"])
def test_in_mlflows_tensors_null_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="column height, row 1: null is not a number"):
        dialect(Mlflow, MATRIX).read(as_bytes({name: [[1, 2], [3, None]]}), {})


def test_an_integer_cannot_be_missing() -> None:
    with pytest.raises(Invalid, match="input siblings, row 0: null is not an integer"):
        dialect(Azure).read(as_bytes([{"age": 1, "sex": "", "siblings": None}]), {})
    with pytest.raises(Invalid, match="column siblings, row 1: a value is missing"):
        dialect(Arrow).read(stream(pa.table({"age": [1.0, 2], "sex": ["a", "b"], "siblings": [1, None]})), {})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"age": "22"}, 'input age, row 1: "22" is not a number'),
        ({"age": True}, "input age, row 1: true is not a number"),
        ({"age": [1]}, r"input age, row 1: \[1\] is not a number"),
        ({"sex": 1}, "input sex, row 1: 1 is not a string"),
        ({"siblings": 1.0}, "input siblings, row 1: 1.0 is not an integer"),
        ({"siblings": False}, "input siblings, row 1: false is not an integer"),
        ({"siblings": 2**63}, "input siblings, row 1: 9223372036854775808 is out of range"),
        ({"cabin": "C85"}, "row 1 of .*column cabin is not one of the model's: age, sex, siblings"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "wrap"), [(Azure, None), (Azure, "data"), (Mlflow, "dataframe_records"), (Mlflow, "instances")]
)
def test_E12_a_wrong_value_is_named_with_its_row_and_column(
    kind: Any, wrap: str | None, row: dict[str, Any], said: str
) -> None:
    rows = [RECORDS[0], {**RECORDS[1], **row}]
    with pytest.raises(Invalid, match=said):
        dialect(kind).read(as_bytes({wrap: rows} if wrap else rows), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,male,1", 'column age, row 0: "x" is not a number'),
        ("1_0,m,1", '"1_0" is not a number'),
        ("inf,m,1", '"inf" is not a number'),
        ("nan,m,1", '"nan" is not a number'),
        ("1e999,m,1", "out of range for FP64"),
        ("1,m,1.0", 'column siblings, row 0: "1.0" is not an integer'),
        ("1,m,", "null is not an integer"),
        ("1,m", "row 0 of the file has 2 values, there are 3 columns"),
        ('1,"m,1', "quotes do not match"),
        (" 1,m,1", '" 1" is not a number'),
        ("1,m,99999999999999999999", "out of range for INT64"),
    ],
)
def test_E12_a_wrong_field_of_csv_is_named(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        dialect(Mlflow).read(f"age,sex,siblings\n{text}\n".encode(), CSV)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            pa.table({"age": ["1"], "sex": ["m"], "siblings": [1]}),
            "column age has the type string, the model takes FP64",
        ),
        (pa.table({"age": [1.0], "sex": ["m"], "siblings": [1.0]}), "column siblings has the type double"),
        (pa.table({"age": [1.0], "sex": ["m"], "siblings": pa.array([1], pa.uint64())}), "the type uint64"),
        (pa.table({"age": [True], "sex": ["m"], "siblings": [1]}), "column age has the type bool"),
        (pa.table({"age": [math.inf], "sex": ["m"], "siblings": [1]}), "input age, row 0: the value is out of range"),
        (pa.table({"age": [1.0], "sex": ["m"]}), "column siblings is missing"),
        (pa.table({"age": [1.0], "sex": ["m"], "siblings": [1], "x": [1]}), "column x is not one of"),
        (
            pa.table(
                {
                    "age": pa.array([], pa.float64()),
                    "sex": pa.array([], pa.string()),
                    "siblings": pa.array([], pa.int64()),
                }
            ),
            "has no rows",
        ),
    ],
)
def test_E12_a_wrong_column_of_arrow_is_named(table: pa.Table, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        dialect(Arrow).read(stream(table), {})


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_E18_compressed_arrow_is_refused_before_it_is_unpacked(compression: str) -> None:
    bomb = pa.table({"age": np.zeros(10**6), "sex": pa.array(["a"] * 10**6), "siblings": np.zeros(10**6, int)})
    for table in (bomb, bomb.slice(0, 1), bomb.set_column(1, "sex", bomb.column("sex").dictionary_encode())):
        with pytest.raises(Invalid, match=r"compressed|rows are more"):
            dialect(Arrow).read(stream(table, compression), {})


def test_E18_too_many_rows_are_refused_in_every_form() -> None:
    for name, (kind, body) in SAME.items():
        with pytest.raises(TooLarge, match="2 rows are more than the 1"):
            dialect(kind, rows=1).read(as_bytes(body), {})
        assert name
    with pytest.raises(TooLarge):
        dialect(Mlflow, rows=1).read(FRAME.to_csv(index=False).encode(), CSV)
    with pytest.raises(TooLarge):
        dialect(Arrow, rows=1).read(stream(pa.Table.from_pandas(FRAME, preserve_index=False)), {})


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (Azure, b"", "not JSON"),
        (Azure, b"\xff", "not JSON"),
        (Azure, b"[NaN]", "not JSON"),
        (Azure, b"3", "the body is not"),
        (Azure, b"[" * 100_000, "nested too deeply"),
        (Azure, b'{"data":' * 5000 + b"1" + b"}" * 5000, "nested too deeply"),
        (Azure, b'[{"age":1,"age":2,"sex":"m","siblings":1}]', "age is there twice"),
        (Azure, [], "no rows"),
        (Azure, {"data": []}, "no rows"),
        (Azure, {"data": 1}, "not a list of rows"),
        (Azure, {}, "nothing; it takes"),
        (Azure, {"data": ROWS, "input_data": ROWS}, "it takes input_data, data or Inputs"),
        (Azure, {"data": ROWS, "method": "explain"}, "the method is predict or predict_proba, not explain"),
        (Azure, [ROWS[0], RECORDS[1]], "row 1 of the body is not a list"),
        (Azure, [[1, "m"]], "has 2 values, the model takes 3"),
        (Azure, {"input_data": {"columns": ["age", "age", "sex"], "data": ROWS}}, "column age is there twice"),
        (Azure, {"input_data": {"columns": NAMES, "index": [0], "data": ROWS}}, "index is not a list with one label"),
        (Azure, {"input_data": {"columns": NAMES, "data": [[1]]}}, "row 0 of input_data has 1 values, there are 3"),
        (Azure, {"Inputs": ROWS}, "Inputs is not an object"),
        (Azure, {"Inputs": {"data": ROWS}, "GlobalParameters": 2}, "method"),
        (Mlflow, ROWS, "exactly one of"),
        (Mlflow, {}, "exactly one of"),
        (Mlflow, {"instances": 1}, "not a list of rows"),
        (Mlflow, {"instances": ROWS, "inputs": ROWS}, "exactly one of"),
        (Mlflow, {"dataframe_split": ROWS}, "is not an object"),
        (Mlflow, {"inputs": ROWS, "x": 1}, "the body has x"),
        (Mlflow, {"inputs": {"age": [1]}}, "column sex, siblings is missing"),
        (Mlflow, {"inputs": ROWS, "params": {"beam": 2}}, "params takes outputs"),
        (Mlflow, {"inputs": ROWS, "params": {"outputs": ["score"]}}, "output score is not one of the model's"),
        (Mlflow, {"inputs": {"age": [1, 2], "sex": ["m"], "siblings": [1]}}, "rows, the others have|different lengths"),
        (Arrow, b"", "not a whole Arrow stream"),
        (Arrow, b"ARROW1" * 9, "not a whole Arrow stream"),
    ],
)
def test_E09_what_is_no_request_of_the_dialect_is_refused(kind: Any, body: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        dialect(kind).read(as_bytes(body), {})


def test_a_text_that_looks_like_a_key_is_no_double_key() -> None:
    read = dialect(Azure).read(as_bytes([{"age": 1, "sex": 'a":', "siblings": 1}]), {})
    assert read.feeds["sex"].tolist() == [['a":']]


def test_a_model_without_names_takes_columns_in_their_order() -> None:
    unnamed = Signature(inputs=[TensorSpec(name="X", datatype="FP32", shape=[-1, 2])], outputs=OUTPUTS, task="other")
    for body in ({"dataframe_split": {"columns": ["b", "a"], "data": [[1, 2]]}}, {"instances": [[1, 2]]}):
        assert dialect(Mlflow, unnamed).read(as_bytes(body), {}).feeds["X"].tolist() == [[1, 2]]
    with pytest.raises(Invalid, match="have no names; send rows as lists"):
        dialect(Azure, unnamed).read(as_bytes([{"a": 1, "b": 2}]), {})


@pytest.mark.parametrize("body", [["good", "bad"], {"data": ["good", "bad"]}, {"input_data": [["good"], ["bad"]]}])
def test_a_model_of_one_text_takes_texts_as_rows(body: Any) -> None:
    texts = Signature(inputs=[TensorSpec(name="X", datatype="BYTES", shape=[-1])], outputs=OUTPUTS, task="other")
    assert dialect(Azure, texts).read(as_bytes(body), {}).feeds["X"].tolist() == ["good", "bad"]


def test_tensors_of_more_dimensions_are_sent_nested() -> None:
    picture = [[[1, 2], [3, 4]]]
    for kind, body in (
        (Mlflow, {"instances": [picture]}),
        (Mlflow, {"inputs": {"image": [picture]}}),
        (Mlflow, {"instances": [{"image": picture}]}),
        (Azure, {"input_data": {"image": [picture]}}),
    ):
        assert dialect(kind, PICTURE).read(as_bytes(body), {}).feeds["image"].shape == (1, 1, 2, 2)
    for wrong in ([[[1, 2], [3]]], [[[1, 2]]], [[1, 2]], [[[[1], [2]], [3, 4]]], [[[1, 2], 3]]):
        with pytest.raises(Invalid, match=r"shape|lengths|nested deeper"):
            dialect(Mlflow, PICTURE).read(as_bytes({"instances": [wrong]}), {})
    with pytest.raises(Invalid, match="cannot be a table"):
        dialect(Mlflow, PICTURE).read(as_bytes({"dataframe_records": [{"image": 1}]}), {})


@pytest.mark.parametrize(
    ("kind", "body", "tensors", "answer"),
    [
        (
            Azure,
            RECORDS,
            ANSWER,
            [
                {"label": "no", "probabilities": {"no": 0.75, "yes": 0.25}},
                {"label": "yes", "probabilities": {"no": 0.5, "yes": 0.5}},
            ],
        ),
        (Azure, {"data": ROWS}, ANSWER[:1], ["no", "yes"]),
        (Azure, {"data": ROWS, "method": "predict_proba"}, ANSWER[1:], [[0.75, 0.25], [0.5, 0.5]]),
        (Azure, {"Inputs": {"data": ROWS}}, ANSWER[:1], {"Results": ["no", "yes"]}),
        (Mlflow, {"inputs": ROWS}, ANSWER[:1], {"predictions": ["no", "yes"]}),
        (
            Mlflow,
            {"inputs": ROWS, "params": {"outputs": ["probabilities", "label"]}},
            ANSWER[::-1],
            {
                "predictions": [
                    {"probabilities": [0.75, 0.25], "label": "no"},
                    {"probabilities": [0.5, 0.5], "label": "yes"},
                ]
            },
        ),
    ],
)
def test_each_answers_in_its_own_form(kind: Any, body: Any, tensors: list[Any], answer: Any) -> None:
    spoken = dialect(kind)
    assert json.loads(spoken.write(spoken.read(as_bytes(body), {}), tensors).body) == answer


def test_arrow_answers_as_arrow() -> None:
    spoken = dialect(Arrow)
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    answer = pa.ipc.open_stream(spoken.write(spoken.read(stream(table), {}), ANSWER).body).read_all()
    assert answer.to_pydict() == {"label": ["no", "yes"], "probabilities": [[0.75, 0.25], [0.5, 0.5]]}


def test_E15_an_answer_that_is_not_finite_is_null_and_says_so() -> None:
    nan = [ANSWER[0], np.array([[np.nan, 1], [np.inf, 0]], np.float32)]
    for kind, body in (
        (Azure, {"data": ROWS, "method": "predict_proba"}),
        (Mlflow, {"inputs": ROWS, "params": {"outputs": ["probabilities"]}}),
    ):
        spoken = dialect(kind)
        written = spoken.write(spoken.read(as_bytes(body), {}), nan[1:])
        assert b"NaN" not in written.body
        assert b"[[null,1.0],[null,0.0]]" in written.body
        assert written.lines == WARNING


def test_azures_headers_name_the_request_and_its_time() -> None:
    sent = {b"x-request-id": b"abc-1", b"x-ms-client-request-id": b"mine"}
    lines = dialect(Azure).lines(sent, 0.0125, failed=False).decode().split("\r\n")[1:]
    assert lines == [
        "x-ms-client-request-id: mine",
        "x-ms-run-fn-exec-ms: 12.500",
        "x-ms-run-function-failed: False",
    ]
    evil = dialect(Azure).lines({b"x-request-id": b"a\x01b", b"x-ms-client-request-id": b"\xff"}, 0, failed=True)
    assert b"\x01" not in evil
    assert b"\xff" not in evil
    assert evil.endswith(b"x-ms-run-function-failed: True")


@pytest.fixture
def reader() -> Callable[[Signature], RowReader]:
    return RowReader


def test_inputs_whose_columns_would_have_the_same_names_are_no_table(reader: Callable[[Signature], RowReader]) -> None:
    two = [TensorSpec(name=name, datatype="FP32", shape=[-1, 2]) for name in ("a", "b")]
    assert reader(Signature(inputs=two, outputs=OUTPUTS, task="other")).columns == []
