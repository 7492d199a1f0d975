from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.plan import make_plan
from jupyter_mlstudio.learning.reading import read

TABLE = [{"größe": 1.5, "Ort, Land": "Köln", "ja": True}, {"größe": None, "Ort, Land": "東京", "ja": False}]


def written(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separator_and_encoding_are_found_out(tmp_path: Path, separator: str, encoding: str) -> None:
    path = written(tmp_path, "t.csv", pd.DataFrame(TABLE).to_csv(index=False, sep=separator), encoding)
    frame = read(path)
    assert list(frame) == ["größe", "Ort, Land", "ja"]
    assert frame["Ort, Land"].tolist() == ["Köln", "東京"]
    assert frame["ja"].tolist() == [True, False]


def test_an_old_encoding_is_read(tmp_path: Path) -> None:
    assert read(written(tmp_path, "t.csv", "a,b\nKöln,1\nStraße,2\n", "cp1252"))["a"].tolist() == ["Köln", "Straße"]


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.json", "t.parquet", "t.tsv"])
def test_every_kind_of_file_gives_the_same_table(tmp_path: Path, name: str) -> None:
    frame, path = pd.DataFrame(TABLE), tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("tsv"):
        frame.to_csv(path, sep="\t", index=False)
    else:
        frame.to_json(path, orient="records", lines=name != "t.json", force_ascii=False)
    pd.testing.assert_frame_equal(read(path), frame, check_dtype=False)
    assert len(read(path, nrows=1)) == 1
    assert list(read(path, columns=["ja"])) == ["ja"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"\n\n", "no row of names"),
        ("t.csv", b"a,b\n1,2\n3,\x004\n", "NUL byte in line 3"),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
        ("t.csv", b"a,b\n1,2,3\n3,4,5\n", "first row of 't.csv' has 3 values for 2 names"),
        ("t.csv", b'a,b\n1,2\n"3,4\n', "EOF inside string"),
        ("t.csv", "a,b\nö,2\n".encode() + b"\x81\xff,3\n", "not written in one encoding"),
        ("t.jsonl", b'{"a": 1}\n{"a": \n', "line 2 of 't.jsonl' is no JSON"),
        ("t.jsonl", b'{"a": 1}\n[1, 2]\n', "row 2 of 't.jsonl'"),
        ("t.parquet", b"PAR1 is not this", "cannot be read as Parquet"),
        ("t.xlsx", b"PK", "no table that is read here"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_the_place(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        read(written(tmp_path, name, content))


def test_a_file_or_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"there is no file .*gone\.csv"):
        read(tmp_path / "gone.csv")
    with pytest.raises(Invalid, match="no column 'c'; it has a, b"):
        read(written(tmp_path, "t.csv", "a,b\n1,2\n"), columns=["c"])


def test_a_field_of_ten_megabytes_and_a_table_without_rows_are_read(tmp_path: Path) -> None:
    assert len(read(written(tmp_path, "t.csv", f"a,b\n1,{'x' * 10_000_000}\n2,y\n"))["b"].iloc[0]) == 10_000_000
    empty = read(written(tmp_path, "e.csv", "a,b\n"))
    assert empty.shape == (0, 2)
    with pytest.raises(Invalid, match="no rows"):
        make_plan(empty, AutoMLSpec(data="x", target="b"))


def test_names_that_come_twice_in_a_file_are_told_of(tmp_path: Path) -> None:
    rows = "\n".join(f"{at},{at * at % 7},{at % 3}" for at in range(60))
    plan = make_plan(read(written(tmp_path, "t.csv", f"a,a,y\n{rows}\n")), AutoMLSpec(data="x", target="y"))
    assert next(one for one in plan.findings if one.code == "duplicate_names").columns == ["a.1"]
