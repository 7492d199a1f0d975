"""What a connection does between requests: order, reuse, limits and ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.onnx import graphs
from tests.serving.conftest import Answer, Scoring
from tests.serving.test_limits import FAST, head
from tests.serving.test_protocol_v2 import GOOD
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


def answers(link: socket.socket, count: int) -> list[Answer]:
    """Reads so many answers, which may come in one piece."""
    reader = link.makefile("rb")
    found = []
    for _ in range(count):
        status = reader.readline().split()
        headers = {}
        while line := reader.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        body = reader.read(int(headers.get("content-length", 0)))
        found.append(Answer(int(status[1]) if status else 0, headers, body))
    return found


def asking(scoring: Scoring, path: str, *lines: str, method: str = "GET") -> bytes:
    usual = (f"Host: 127.0.0.1:{scoring.port}", "Authorization: Bearer mls_one")
    return "\r\n".join((f"{method} {path} HTTP/1.1", *usual, *lines, "", "")).encode()


def test_requests_sent_in_advance_are_answered_in_their_order(doubling: Scoring) -> None:
    bodies = [GOOD.replace(b"1.5", b"%d" % number) for number in range(40)]
    with doubling.connect() as link:
        link.sendall(b"".join(head(doubling, len(body)) + body for body in bodies) + asking(doubling, "/v2/nothing"))
        *scored, last = answers(link, 41)
    assert [answer.json["outputs"][0]["data"][0] for answer in scored] == [2.0 * number for number in range(40)]
    assert last.status == 404


def test_what_waits_behind_a_slow_request_comes_after_it(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.endless(), limits=FAST)
    with scoring.connect() as link:
        link.sendall(head(scoring, len(GOOD)) + GOOD + asking(scoring, "/v2"))
        assert [answer.status for answer in answers(link, 2)] == [504, 200]


def test_a_connection_is_used_again_also_after_a_refusal(doubling: Scoring) -> None:
    with doubling.connect() as link:
        for body, status in ((GOOD, 200), (b"{}", 400), (GOOD, 200)):
            link.sendall(head(doubling, len(body)) + body)
            assert answers(link, 1)[0].status == status
        link.sendall(head(doubling, len(GOOD)).replace(b"application/json", b"text/plain") + GOOD)
        link.sendall(head(doubling, len(GOOD)) + GOOD)
        assert [answer.status for answer in answers(link, 2)] == [415, 200]


def test_the_client_says_when_it_is_the_last_request(doubling: Scoring) -> None:
    for version, lines in (("1.1", b"Connection: close\r\n"), ("1.0", b"")):
        with doubling.connect() as link:
            asked = asking(doubling, "/v2").replace(b"HTTP/1.1\r\n", b"HTTP/%s\r\n%s" % (version.encode(), lines))
            link.sendall(asked)
            assert answers(link, 1)[0].headers["connection"] == "close"
            assert link.recv(1) == b""


def test_a_body_arrives_in_pieces_of_any_size(doubling: Scoring) -> None:
    with doubling.connect() as link:
        for byte in head(doubling, len(GOOD)) + GOOD:
            link.sendall(bytes([byte]))
        assert answers(link, 1)[0].status == 200


def test_a_client_that_asks_first_is_told_to_go_on_or_refused_at_once(doubling: Scoring) -> None:
    asking_first = head(doubling, len(GOOD)).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    with doubling.connect() as link:
        link.sendall(asking_first)
        assert link.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(GOOD)
        assert answers(link, 1)[0].status == 200
    with doubling.connect() as link:
        link.sendall(asking_first.replace(b"mls_one", b"mls_bad"))
        refused = answers(link, 1)[0]
        assert (refused.status, refused.headers["connection"]) == (401, "close")


def test_a_client_that_would_rather_speak_another_protocol_is_answered_in_this_one(doubling: Scoring) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    with doubling.connect() as link:
        link.sendall(asking(doubling, "/v2", *upgrade))
        assert answers(link, 1)[0].status == 200
        link.sendall(asking(doubling, "/v2"))
        assert answers(link, 1)[0].status == 200


def test_a_trailer_changes_nothing_that_was_checked_and_has_a_limit(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), limits={"body_bytes": 1000})
    chunked = head(scoring, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    whole = chunked + b"%x\r\n%s\r\n0\r\n" % (len(GOOD), GOOD)
    assert scoring.raw(whole + b"Authorization: Bearer x\r\nHost: evil\r\n\r\n").status == 200
    with scoring.connect() as link:
        link.sendall(whole + b"X: ")
        for _ in range(20):
            try:
                link.sendall(b"a" * 10_000)
                time.sleep(0.01)
            except OSError:
                break
        assert answers(link, 1)[0].status in (0, 413)


def test_what_is_no_http_is_refused(doubling: Scoring) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"nonsense\r\n\r\n", b"GET  /v2 HTTP/9.9\r\n\r\n"):
        assert doubling.raw(garbage).status == 400


def test_it_answers_what_was_begun_before_it_ends(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.endless(), limits=FAST)
    with scoring.connect() as link:
        link.sendall(head(scoring, len(GOOD)) + GOOD)
        time.sleep(0.2)
        scoring.process.terminate()
        answer = answers(link, 1)[0]
        assert (answer.status, answer.headers["connection"]) == (504, "close")
    assert scoring.process.wait(PATIENCE_S) == 0
