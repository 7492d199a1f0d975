"""The strict reader by itself: what it lets through is what every rule behind it may rely on."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlstudio.api.reader import checked_segment, parse_json, write_answer
from jupyter_mlstudio.errors import Invalid

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_every_sane_object_comes_through_as_it_was_sent(value: dict[str, object]) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("bad", [r'"\ud800"', r'"a\u0000"', r'"\udc00\ud800"', r'{"\ud800": 1}', r'{"a\u0000": 1}'])
@pytest.mark.parametrize("around", ["{}", "[{}]", "[1, {}]", "[[], 1.5, null, [true, {}]]", '{{"a": [0, {}]}}'])
def test_a_character_that_cannot_be_kept_is_found_wherever_it_is(bad: str, around: str) -> None:
    with pytest.raises(Invalid, match="surrogate"):
        parse_json(f'{{"x": {around.format(bad)}}}'.encode())


@pytest.mark.parametrize("opening", ["[", "[1, ", '{"a": '])
def test_nesting_has_an_end(opening: str) -> None:
    closing = "}" if opening.startswith("{") else "]"
    with pytest.raises(Invalid, match="nested"):
        parse_json(f'{{"x": {opening * 100}1{closing * 100}}}'.encode())
    assert parse_json(f'{{"x": {opening * 50}1{closing * 50}}}'.encode())


@given(st.binary(max_size=40))
def test_bytes_of_any_kind_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(parse_json(raw), dict)


@given(st.text(max_size=30))
def test_a_part_of_a_path_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        assert checked_segment("id", text) == text
    except Invalid:
        assert text in ("", ".", "..") or not text.isprintable()


@pytest.mark.parametrize(
    ("value", "text"), [(float("nan"), '"NaN"'), (float("-inf"), '"-Infinity"'), (-0.0, "-0.0"), (1e-320, "1e-320")]
)
def test_X12_numbers_are_written_exactly_and_as_strict_json(value: float, text: str) -> None:
    assert write_answer(value) == text.encode()
