from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import tables
from jupyter_mlstudio.programs.batch_rows import Reader, answers


def read_all(root: Path, pieces: list[tables.Piece]) -> list[list[str]]:
    return [row for piece in pieces for row in tables.read_rows(root, piece)[1]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_pieces_of_a_csv_file_hold_each_row_once_whatever_their_size(tmp_path: Path, size: int) -> None:
    rows = [[str(n), 'a "quoted", value', "two\nlines", "ü"] for n in range(10)]
    body = "".join(f'{n},"a ""quoted"", value","two\nlines",ü\r\n' for n in range(10))
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfid,b,c,d\r\n\r\n" + body.encode() + b"\r\n")

    pieces = tables.of_rows(tmp_path, ["t.csv"], size)

    assert read_all(tmp_path, pieces) == rows
    assert [piece.first_row for piece in pieces] == list(range(0, 10, size))
    assert tables.columns_of(tmp_path / "t.csv") == ["id", "b", "c", "d"]


def test_a_last_line_without_its_end_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tb\n1\t2\n3\t4")

    assert read_all(tmp_path, tables.of_rows(tmp_path, ["t.tsv"], 10)) == [["1", "2"], ["3", "4"]]


def test_a_row_that_is_too_short_is_an_error_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n5,6\n")

    rows = read_all(tmp_path, tables.of_rows(tmp_path, ["t.csv"], 2))

    assert rows[0] == ["1", "2"]
    assert isinstance(rows[1], Invalid)
    assert "1 values, the header 2" in rows[1].message
    assert rows[2] == ["5", "6"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a,b\n1,\x00\n", "line 2: a NUL byte"),
        (b"a,b\n1,\xff\n", "line 2: not UTF-8"),
        (b"a,a\n1,2\n", "two columns 'a'"),
        (b"", "is empty"),
        (b'a,b\n1,"2\n', "line 2: unexpected end of data"),
        (b"a\n" + b"x" * 2_000_000 + b"\n", "line 2: field larger than field limit"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_line(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)

    with pytest.raises(Invalid, match=what):
        tables.of_rows(tmp_path, ["t.csv"], 10)


def test_json_lines_are_read_as_objects_and_what_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n\nno\n[1]\n{"a": 2}')

    rows = [row for piece in tables.of_rows(tmp_path, ["t.jsonl"], 2) for row in tables.read_rows(tmp_path, piece)[1]]

    assert rows[0] == {"a": 1}
    assert [isinstance(row, Invalid) for row in rows] == [False, True, True, False]


def test_a_parquet_file_is_read_in_pieces_across_its_row_groups(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"n": list(range(25))}), tmp_path / "t.parquet", row_group_size=10)

    pieces = tables.of_rows(tmp_path, ["t.parquet"], 7)

    assert [len(tables.read_rows(tmp_path, piece)[1]) for piece in pieces] == [7, 7, 7, 4]
    assert [row[0] for row in read_all(tmp_path, pieces)] == list(range(25))


def spec(datatype: str, name: str = "a") -> Signature:
    return Signature(inputs=[TensorSpec(name=name, datatype=datatype, shape=[-1, 1])], outputs=[], task="")


@pytest.mark.parametrize(
    ("datatype", "text", "value"),
    [
        ("FP64", "0.1", 0.1), ("FP64", "-1e-3", -0.001), ("INT64", "7", 7), ("INT64", "7.0", 7),
        ("BOOL", "True", True), ("BYTES", "ü", "ü"), ("BYTES", "", ""),
    ],
)  # fmt: skip
def test_text_becomes_the_type_that_the_model_takes(datatype: str, text: str, value: object) -> None:
    good, feeds, failed = Reader(spec(datatype), ["a"], text=True).read([[text]])

    assert (good, failed) == ([0], [])
    assert feeds["a"].tolist() == [[value]]


@pytest.mark.parametrize(
    ("datatype", "text"),
    [
        ("FP64", "x"), ("FP64", "inf"), ("FP32", "1e39"), ("FP64", "1_000"), ("INT64", "1.5"), ("INT64", ""),
        ("INT8", "300"), ("UINT8", "-1"), ("BOOL", "yes"), ("INT64", "1e400"),
    ],
)  # fmt: skip
def test_text_of_another_type_fails_its_row_alone(datatype: str, text: str) -> None:
    good, _, failed = Reader(spec(datatype), ["a"], text=True).read([["1"], [text], ["0"]])

    assert good == [0, 2]
    assert failed == [(1, f"{text!r} in column 'a' is not a value of type {datatype}")]


@pytest.mark.parametrize(
    ("datatype", "value"), [("FP64", "1"), ("FP64", True), ("INT64", 1.5), ("BYTES", 1), ("BOOL", 1)]
)
def test_values_are_not_turned_into_another_type(datatype: str, value: object) -> None:
    assert Reader(spec(datatype), None, text=False).read([{"a": value}])[2]


def test_a_missing_number_is_not_a_number_and_a_missing_column_is_named() -> None:
    _, feeds, _ = Reader(spec("FP32"), ["a"], text=True).read([[""]])
    assert np.isnan(feeds["a"]).all()

    with pytest.raises(Invalid, match="column 'a' is missing from the table, which has b"):
        Reader(spec("FP32"), ["b"], text=True)


def test_rows_that_all_fail_leave_nothing_to_score() -> None:
    good, feeds, failed = Reader(spec("FP32"), ["a"], text=True).read([["x"], ["y"]])

    assert (good, feeds, len(failed)) == ([], {}, 2)


def test_probabilities_have_a_column_for_each_class_and_float32_its_shortest_form() -> None:
    outputs = [
        TensorSpec(name="label", datatype="BYTES", shape=[-1]),
        TensorSpec(name="probabilities", datatype="FP32", shape=[-1, 2]),
    ]
    signature = Signature(inputs=[], outputs=outputs, task="classification", labels=["no", "yes"])

    names, columns = answers(signature, [np.array(["no"], object), np.array([[0.1, 0.9]], np.float32)])

    assert names == ["label", "probabilities_no", "probabilities_yes"]
    assert columns == [["no"], [0.1], [0.9]]


def test_U14_a_parquet_file_of_a_few_bytes_that_stand_for_millions_of_rows_is_read_in_bounded_memory(
    tmp_path: Path,
) -> None:
    rows = 2_000_000
    path = tmp_path / "bomb.parquet"
    parquet.write_table(pa.table({name: pa.nulls(rows, pa.int64()) for name in "ab"}), path, row_group_size=rows)
    assert path.stat().st_size < 100_000
    usual = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(pool)
    try:
        found = tables.read_rows(tmp_path, tables.Piece(0, path.name, 1_000_003, 2))[1]
    finally:
        pa.set_memory_pool(usual)
    assert found == [[None, None]] * 2
    assert pool.max_memory() < 5_000_000, "unpacked, all of it is 32 MB"
    with pytest.raises(Invalid, match="more than 200,000 mini-batches of 1 rows: raise mini_batch_size"):
        tables.of_rows(tmp_path, [path.name], 1)


def test_U14_a_parquet_file_whose_footer_lies_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"a": [1, 2, 3]}), path)
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:-8] + (2**31 - 1).to_bytes(4, "little") + content[-4:])
    with pytest.raises(Invalid, match=r"t\.parquet is not a Parquet file"):
        tables.columns_of(path)
    path.write_bytes(content[: -8 - size] + bytes(size) + content[-8:])
    with pytest.raises(Invalid, match=r"t\.parquet is not a Parquet file"):
        tables.columns_of(path)


def test_U12_a_table_without_rows_has_nothing_to_score(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n")
    assert tables.columns_of(tmp_path / "t.csv") == ["a", "b"]
    assert tables.of_rows(tmp_path, ["t.csv"], 10) == []
