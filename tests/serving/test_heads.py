"""Heads that were let in before are not read again: nothing of what they decide may change by that."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.onnx import graphs
from tests.serving.conftest import KEYS, Scoring, read_answer, write_keys
from tests.serving.test_protocol_v2 import GOOD

pytestmark = pytest.mark.slow

SHORT = GOOD.replace(b"1.5, 2", b"8.5, 4")
assert len(SHORT) == len(GOOD)


def head(scoring: Scoring, length: int = len(GOOD), more: str = "", end: str = "\r\n") -> bytes:
    lines = [
        "POST /v2/models/m/infer HTTP/1.1", f"Host: 127.0.0.1:{scoring.port}", "Authorization: Bearer mls_one",
        "Content-Type: application/json", f"Content-Length: {length}",
    ]  # fmt: skip
    return (end.join([*lines, *([more] if more else [])]) + end + end).encode()


def test_the_same_head_again_is_another_request_each_time(doubling: Scoring) -> None:
    with doubling.connect() as link:
        for _ in range(3):
            for body, wanted in ((GOOD, [3.0, 4.0]), (SHORT, [17.0, 8.0])):
                link.sendall(head(doubling) + body)
                assert read_answer(link).json["outputs"][0]["data"] == wanted


@pytest.mark.parametrize("cut", [1, 20, -1, 0, 1 - len(GOOD), 10 - len(GOOD)])
def test_it_does_not_matter_how_the_bytes_arrive(doubling: Scoring, cut: int) -> None:
    whole = head(doubling) + GOOD
    at = cut if cut > 0 else len(whole) + cut
    with doubling.connect() as link:
        for _ in range(4):
            for part in (whole[:at], whole[at:]):
                link.sendall(part)
                time.sleep(0.01)
            assert read_answer(link).json["outputs"][0]["data"] == [3.0, 4.0]


def test_a_body_may_come_byte_by_byte_and_the_next_request_right_behind_it(doubling: Scoring) -> None:
    with doubling.connect() as link:
        link.sendall(head(doubling) + GOOD)
        assert read_answer(link).status == 200
        link.sendall(head(doubling))
        for byte in GOOD[:-1]:
            link.sendall(bytes([byte]))
        link.sendall(GOOD[-1:] + head(doubling) + SHORT + head(doubling) + GOOD)
        data = b""
        while data.count(b"HTTP/1.1 200") < 3 or not data.endswith(b"}"):
            data += link.recv(65536)
        order = [data.index(text) for text in (b"[3.0,4.0]", b"[17.0,8.0]")]
        assert order == sorted(order)
        assert data.rindex(b"[3.0,4.0]") > order[1]


def test_many_requests_in_one_packet_are_answered_in_their_order(doubling: Scoring) -> None:
    with doubling.connect() as link:
        for _ in range(3):
            link.sendall((head(doubling) + GOOD + head(doubling) + SHORT) * 5)
            data = b""
            while data.count(b'"outputs"') < 10 or not data.endswith(b"}"):
                data += link.recv(65536)
            assert data.count(b"HTTP/1.1 200") == 10
            assert [b"17.0" in part for part in data.split(b"HTTP/1.1")[1:]] == [False, True] * 5


def test_a_key_that_was_replaced_closes_heads_that_were_let_in(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling())
    with scoring.connect() as link:
        for _ in range(3):
            link.sendall(head(scoring) + GOOD)
            assert read_answer(link).status == 200
        write_keys(scoring.keys_file, {**KEYS, "primary": "mls_new"})
        time.sleep(0.6)
        link.sendall(head(scoring) + GOOD)
        assert read_answer(link).status == 401


def test_a_head_of_a_request_that_was_refused_is_not_let_in(doubling: Scoring) -> None:
    for wrong in ("Origin: http://evil", "Content-Encoding: gzip", "Host: evil"):
        for _ in range(3):
            assert doubling.raw(head(doubling, more=wrong) + GOOD).status in (403, 415)


@pytest.mark.parametrize("more", ["Expect: 100-continue", "Connection: close", "Upgrade: h2c"])
def test_unusual_heads_mean_the_same_each_time(doubling: Scoring, more: str) -> None:
    for _ in range(3):
        with doubling.connect() as link:
            link.sendall(head(doubling, more=more))
            if "Expect" in more:
                assert link.recv(100).startswith(b"HTTP/1.1 100")
            link.sendall(GOOD)
            assert read_answer(link).status == 200
            if "close" in more:
                assert link.recv(100) == b""


def test_lines_that_end_unusually_cannot_hide_where_a_head_ends(doubling: Scoring) -> None:
    """A head with bare line feeds ends earlier than its first empty line of the usual kind."""
    hidden = b"{}\r\n\r\n" + b" " * 100
    request = head(doubling, len(hidden), end="\n") + hidden
    first = [doubling.raw(request).status for _ in range(3)]
    assert len(set(first)) == 1
    assert first[0] == 400


def test_another_length_is_another_head(doubling: Scoring) -> None:
    with doubling.connect() as link:
        for body in (GOOD, GOOD + b" ", GOOD + b"  ", GOOD):
            link.sendall(head(doubling, len(body)) + body)
            assert read_answer(link).status == 200


def test_a_body_that_stops_half_way_is_closed_and_frees_its_place(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), limits={"idle_timeout_s": 0.5, "body_bytes": 200})
    with scoring.connect() as link:
        link.sendall(head(scoring) + GOOD)
        assert read_answer(link).status == 200
    for _ in range(20):
        with scoring.connect() as link:
            link.sendall(head(scoring) + GOOD[:10])
    time.sleep(0.2)
    with scoring.connect() as link:
        link.sendall(head(scoring) + GOOD[:10])
        link.settimeout(3)
        assert link.recv(100) == b""
    assert scoring.raw(head(scoring) + GOOD).status == 200
