from __future__ import annotations

import gzip
import json
import select
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.onnx import graphs
from tests.serving.conftest import Scoring, read_answer
from tests.serving.test_protocol_v2 import GOOD
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow

FAST = {"request_timeout_s": 1.0, "idle_timeout_s": 1.0}


def head(scoring: Scoring, length: int, path: str = "/v2/models/m/infer") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{scoring.port}\r\nAuthorization: Bearer mls_one\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_M08_an_endless_model_ends_at_the_deadline_while_others_are_answered(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.endless(), limits={**FAST, "request_timeout_s": 3.0})
    answers: list[tuple[float, int]] = []

    def ask() -> None:
        began = time.monotonic()
        status = scoring.infer(GOOD).status
        answers.append((time.monotonic() - began, status))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert scoring.ask("/v2/models/m").status == 200
    assert not answers
    for thread in threads:
        thread.join()
    assert [status for _, status in answers] == [504, 504, 504]
    assert max(took for took, _ in answers) < 20
    assert scoring.ask("/v2/health/ready").status == 200


def test_E21_a_client_that_leaves_frees_its_worker(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.endless(), limits={**FAST, "request_timeout_s": 30.0, "workers": 1})
    with scoring.connect() as link:
        link.sendall(head(scoring, len(GOOD)) + GOOD)
        time.sleep(0.3)
    import psutil

    time.sleep(0.7)
    process = psutil.Process(scoring.process.pid)
    used = process.cpu_times().user
    time.sleep(0.5)
    assert process.cpu_times().user - used < 0.2


@pytest.mark.parametrize("made", [graphs.greedy, graphs.sized], ids=["by the model", "by the request"])
def test_M07_a_request_for_terabytes_is_refused_and_the_process_lives(
    serve: Callable[..., Scoring], made: Callable[[], bytes]
) -> None:
    scoring = serve(made(), limits={"memory_bytes": 512 * 1024 * 1024})
    answer = scoring.infer(GOOD.replace(b"1.5, 2", b"1048576, 1048576"))
    assert answer.status == 413
    assert "memory" in answer.json["error"]
    assert scoring.ask("/v2/health/ready").status == 200
    assert scoring.process.poll() is None


def test_M20_a_file_changed_after_registration_is_not_served(serve: Callable[..., Scoring]) -> None:
    changed = bytearray(graphs.doubling())
    changed[-1] ^= 1
    scoring = serve(bytes(changed), sha256="0" * 64)
    assert "digest mismatch" in scoring.said["failed"]
    assert scoring.process.wait(PATIENCE_S) == 3


def test_E18_a_body_over_the_limit_is_refused_before_it_is_read(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), limits={"body_bytes": 1000, "rows": 5})
    with scoring.connect() as link:
        link.sendall(head(scoring, 10**12))
        assert read_answer(link).status == 413
    many = json.dumps({"inputs": [{"name": "X", "datatype": "FP32", "shape": [6, 2], "data": [0] * 12}]}).encode()
    assert scoring.infer(many).status == 413
    chunked = head(scoring, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with scoring.connect() as link:
        link.sendall(chunked + b"400\r\n" + b" " * 1024 + b"\r\n")
        assert read_answer(link).status == 413
    assert scoring.raw(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)).status == 200


def test_E18_a_compressed_body_is_not_unpacked(doubling: Scoring) -> None:
    assert doubling.infer(gzip.compress(bytes(10**6)), content_encoding="gzip").status == 415


def test_U06_a_request_with_two_lengths_is_refused(doubling: Scoring) -> None:
    both = head(doubling, len(GOOD)).replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert doubling.raw(both + GOOD).status == 400
    assert doubling.raw(head(doubling, len(GOOD)) + GOOD).status == 200


def test_headers_over_the_limit_are_refused(doubling: Scoring) -> None:
    start = f"GET /v2 HTTP/1.1\r\nHost: 127.0.0.1:{doubling.port}\r\nX: ".encode()
    with doubling.connect() as link:
        link.sendall(start + b"a" * 70_000)
        assert read_answer(link).status == 431
    assert doubling.raw(start + b"a" * 30_000 + b"\r\nAuthorization: Bearer mls_one\r\n\r\n").status == 200


def test_E19_slow_senders_are_closed_and_do_not_slow_others(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), limits=FAST)
    slow = [scoring.connect() for _ in range(50)]
    for number, link in enumerate(slow):
        link.sendall(b"GET /v2 HT" if number % 2 else head(scoring, 1000) + b"{")
    took = []
    for _ in range(20):
        began = time.monotonic()
        assert scoring.infer(GOOD).status == 200
        took.append(time.monotonic() - began)
    assert statistics.median(took) < 0.1
    time.sleep(1.5)
    assert all(_closed(link) for link in slow)


def _closed(link: socket.socket) -> bool:
    link.settimeout(3)
    try:
        while link.recv(65536):
            continue
    except TimeoutError:
        return False
    except OSError:
        return True
    finally:
        link.close()
    return True


def test_E20_a_burst_is_refused_with_a_time_to_come_back_and_leaves_nothing(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), limits={"max_connections": 100})
    files = open_files(scoring)
    with ExitStack() as stack:
        held = [stack.enter_context(scoring.connect()) for _ in range(400)]
        refused: list[bytes] = []

        def take() -> int:
            refused.extend(_arrived(held))
            return len(refused)

        until(lambda: take() >= 290)
    assert all(one.startswith(b"HTTP/1.1 503") and b"\r\nretry-after: 1\r\n" in one for one in refused)
    until(lambda: open_files(scoring) <= files + 5)
    assert scoring.infer(GOOD).status == 200


def open_files(scoring: Scoring) -> int:
    return len(list(Path(f"/proc/{scoring.process.pid}/fd").iterdir()))


def _arrived(links: list[socket.socket]) -> Iterator[bytes]:
    """The answers that have come; a link that was answered is asked no more."""
    waiting = select.poll()
    by_number = {link.fileno(): link for link in links}
    for number in by_number:
        waiting.register(number, select.POLLIN)
    for number, _ in waiting.poll(0):
        links.remove(by_number[number])
        yield by_number[number].recv(1000)


def test_E20_more_slow_requests_than_allowed_are_told_to_come_back(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.endless(), limits={**FAST, "request_timeout_s": 3.0, "max_concurrent_requests": 2})
    links = [scoring.connect() for _ in range(3)]
    for link in links:
        link.sendall(head(scoring, len(GOOD)) + GOOD)
        time.sleep(0.1)
    answer = read_answer(links[2])
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert [read_answer(link).status for link in links[:2]] == [504, 504]
    for link in links:
        link.close()


def test_E20_a_request_waits_for_its_turn_as_long_as_it_may_and_no_longer(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.endless(), limits={**FAST, "request_timeout_s": 3.0, "workers": 1, "queue_wait_s": 0.3})
    links = [scoring.connect() for _ in range(2)]
    for link in links:
        link.sendall(head(scoring, len(GOOD)) + GOOD)
        time.sleep(0.1)
    began = time.monotonic()
    answer = read_answer(links[1])
    assert (answer.status, answer.headers["retry-after"], answer.json["code"]) == (429, "1", "busy")
    assert time.monotonic() - began > 0.1
    assert read_answer(links[0]).status == 504
    for link in links:
        link.close()


def test_the_process_ends_with_its_parent(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling())
    assert scoring.process.stdin is not None
    scoring.process.stdin.close()
    assert scoring.process.wait(PATIENCE_S) == 0


def test_it_ends_when_it_is_told_to(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling())
    scoring.process.send_signal(signal.SIGTERM)
    assert scoring.process.wait(PATIENCE_S) in (0, -signal.SIGTERM)


def test_E23_no_answer_leaks_a_path_a_traceback_or_a_librarys_text(doubling: Scoring) -> None:
    bad = [b"", b"\xff", b"[1]", b"{}", GOOD.replace(b"1.5", b"null"), GOOD.replace(b"FP32", b"FP31"), b"[" * 100_000]
    for body in bad:
        answer = doubling.infer(body)
        assert answer.status == 400
        text = answer.body.decode()
        assert not [word for word in ("Traceback", "msgspec", "numpy", "onnxruntime", ".py", "/work") if word in text]


def test_counts_are_told_and_wrong_requests_count_as_errors(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), requests=10, errors=1)
    assert [scoring.infer(GOOD).status, scoring.infer(b"{}").status] == [200, 400]
    stats = scoring.ask("/v2/models/m/stats").json
    assert (stats["requests"], stats["errors"]) == (12, 2)
    assert 0 < stats["p50_ms"] < 1000
    assert "primary" in stats["keys_used_at"]
