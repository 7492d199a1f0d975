"""Previews of files that are made to hurt who looks at them."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from jupyter_mlstudio.services.previews import IMAGE_LIMIT_BYTES, TABLE_COLUMNS, TABLE_ROWS, preview


def png(width: int, height: int) -> bytes:
    """A picture that says it is so large; its pixels are not there."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def drawn(kind: str, width: int = 60, height: int = 40) -> bytes:
    target = io.BytesIO()
    Image.new("L", (width, height)).save(target, kind)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
def test_a_picture_is_shown_whatever_its_name(kind: str) -> None:
    content = drawn(kind)
    shown = preview("chart.png", content, len(content))
    assert (shown.kind, str(shown.data_url).startswith(f"data:image/{kind.lower()};base64,")) == ("image", True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(30_000, 30_000), "has 900 megapixels"),
        (b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(8), "has 4,295 megapixels"),
        (drawn("JPEG", 16000, 8000), "has 128 megapixels"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "does not say its size"),
        (b"\xff\xd8\xff\xe0\x00\x00\xff", "does not say its size"),
        (b"\xff\xd8" + b"\xff" * 10_000, "does not say its size"),
    ],
    ids=["png", "gif", "jpeg", "no header", "cut", "only fill"],
)
def test_U14_a_small_file_that_holds_a_giant_picture_is_not_drawn(content: bytes, reason: str) -> None:
    assert len(content) < 2_000_000
    shown = preview("bomb.png", content, len(content))
    assert shown.kind == "none"
    assert not shown.data_url
    assert shown.reason == f"the picture {reason}: download it"


def test_U14_a_picture_of_many_bytes_is_not_sent() -> None:
    shown = preview("big.png", drawn("PNG"), IMAGE_LIMIT_BYTES + 1)
    assert (shown.kind, shown.reason) == ("none", "the picture is over 8 MB: download it")


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\n1\n1,2,3\n", [["a", "b"], ["1"], ["1", "2", "3"]]),
        (b"a,a\n1,2\n", [["a", "a"], ["1", "2"]]),
        (b"a\n\xff\xe9\n", [["a"], ["\ufffd\ufffd"]]),
        (b"", []),
    ],
    ids=["BOM", "ragged", "two columns of one name", "Latin-1", "empty"],
)
def test_U12_a_strange_table_is_shown_as_it_is(content: bytes, rows: list[list[str]]) -> None:
    shown = preview("t.csv", content, len(content))
    assert (shown.kind, shown.rows) == ("table", rows)


def test_U12_what_no_table_can_show_is_text_or_nothing() -> None:
    long = b"a\n" + b"x" * 300_000 + b"\n"
    assert preview("t.csv", long, len(long)).kind == "text"
    assert preview("t.csv", b"a\n\x00\n", 4).kind == "none"
    cells = preview("t.csv", b"a\n" + b"x" * 100_000 + b"\n", 100_003).rows
    assert cells is not None
    assert len(cells[1][0]) == 500
    wide = (b",".join([b"1"] * 300) + b"\n") * 1000
    shown = preview("t.csv", wide, len(wide))
    assert shown.rows is not None
    assert (len(shown.rows), len(shown.rows[0]), shown.truncated) == (TABLE_ROWS + 1, TABLE_COLUMNS, True)


@pytest.mark.parametrize("name", ["deep.json", "deep.ipynb"])
def test_json_that_is_too_deep_is_shown_as_text(name: str) -> None:
    content = b"[" * 100_000
    assert preview(name, content, len(content)).kind == "text"


@pytest.mark.parametrize("name", ["rows.pkl", "rows.npy", "book.xlsx", "rows.parquet", "page.html", "image.svg"])
def test_U13_what_could_execute_or_unpack_is_text_or_nothing(name: str) -> None:
    for content, kind in ((b"<script>alert(1)</script>", "text"), (b"PK\x03\x04\x00\x00", "none")):
        assert preview(name, content, len(content)).kind == kind
