"""CPU time that a scored request costs a server, all its processes counted, at 1 and 100 rows.

The same scikit-learn model behind MLServer, BentoML, mlflow serve and an endpoint, each asked in its own JSON, eight
clients that keep their connections, all in turns; V2's binary tensors beside. CPU time is what the kernel accounts
to a server's process tree; ours is the serve program and its scoring process, without the run's supervisor, which takes
no part in a request. Last, the endpoint's latencies when it is asked at half the pace that it can bear.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil

from benchmarks.scoring_peers import Asked, Server, peers, v2_json

ONE_ROW_TARGET, MANY_ROWS_TARGET, P99_TARGET_MS = 7.0, 2.0, 20.0
CLIENTS, ROUNDS = 8, 5
REQUESTS = {1: 200, 100: 80}
"""Requests of each client in a round, by rows."""

PACED_S = 5.0
NAME = "jupyter_mlstudio"

Taken = dict[str, dict[int, list[tuple[float, list[float]]]]]
"""CPU of a request in µs and latencies in ms of each round, by server and number of rows."""


def run() -> int:
    """Measures, prints the table and the figures; answers 0 when the targets are met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        others = peers(Path(folder))
        if not any(one.name.startswith("MLServer") for one in others):
            return 1
        try:
            ours, endpoint, rows = _deploy(Path(folder) / "workspace")
            try:
                binary = Server("  binary tensors", _binary(ours.asked), ours.tops, lambda: None)
                taken = _measure([ours, binary, *others], rows)
                memory = {one.name: one.memory_mb() for one in (ours, *others)}
                p50, p99, pace = _paced(ours, v2_json(rows[:1]))
            finally:
                endpoint.delete()
        finally:
            for one in others:
                one.stop()
    return _report(taken, memory, p50, p99, pace)


def _report(taken: Taken, memory: dict[str, float], p50: float, p99: float, pace: float) -> int:
    title = "CPU µs a request, median (and latency p50/p99, ms)"
    print(f"{title:52}{'1 row':>20}{'100 rows':>20}{'memory, MB':>12}")
    costs: dict[str, list[float]] = {}
    for name, by_rows in taken.items():
        costs[name] = [statistics.median(cost for cost, _ in some) for some in by_rows.values()]
        cells = ""
        for cost, some in zip(costs[name], by_rows.values(), strict=True):
            waits = sorted(wait for _, waits in some for wait in waits)
            cells += f"{f'{cost:.0f} ({_of(waits, 0.5):.1f}/{_of(waits, 0.99):.1f})':>20}"
        print(f"{name:52}{cells}" + (f"{memory[name]:12.0f}" if name in memory else ""))
    peer = next(name for name in costs if name.startswith("MLServer"))
    one, many = (theirs / ours for theirs, ours in zip(costs[peer], costs[NAME], strict=True))
    print(f"at half of saturation, {pace:.0f} requests a second: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    good = one >= ONE_ROW_TARGET and many >= MANY_ROWS_TARGET and p99 < P99_TARGET_MS
    print(
        f"scoring-cpu: {one:.1f}x less CPU than MLServer at 1 row, {many:.1f}x at 100, p99 {p99:.1f} ms (target"
        f" {ONE_ROW_TARGET:g}x, {MANY_ROWS_TARGET:g}x, {P99_TARGET_MS:g} ms): {'ok' if good else 'short'}"
    )
    return 0 if good else 1


def _deploy(workspace: Path) -> tuple[Server, Any, list[list[float]]]:
    """Deploys a model as a user does; answers the endpoint as a side of the comparison, itself, and rows."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    workspace.mkdir()
    os.environ["MLSTUDIO_WORKSPACE"] = str(workspace)
    import jupyter_mlstudio as studio

    data = load_breast_cancer()
    model = LogisticRegression(max_iter=10_000).fit(data.data, data.target)
    with studio.start_run("scoring-cpu") as active:
        studio.log_model(model, sample=data.data)
    endpoint = studio.deploy(studio.register_model(active.id, "m"), name="scoring-cpu")
    assert endpoint.scoring_url is not None
    run_id = endpoint.data["deployments"][0]["run_id"]
    supervisor = next(one for one in psutil.process_iter() if _is_supervisor(one, run_id))
    key = {"Authorization": f"Bearer {endpoint.keys['primary']}"}
    ours = Server(NAME, Asked(endpoint.scoring_url, v2_json, key), supervisor.children(), lambda: None)
    return ours, endpoint, data.data[:100].tolist()


def _is_supervisor(process: psutil.Process, run_id: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return "jupyter_mlstudio.runner" in command and run_id in command


def _binary(asked: Asked) -> Asked:
    """Asks the same with the tensors as bytes, in the request and in the answer."""

    def body(rows: list[list[float]]) -> bytes:
        data = np.array(rows, "<f8").tobytes()
        size = {"binary_data_size": len(data)}
        tensor = {"name": "X", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "parameters": size}
        return json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode() + data

    return Asked(asked.url, body, asked.headers, lambda whole: whole.index(b"true}}") + 6)


def _measure(servers: list[Server], rows: list[list[float]]) -> Taken:
    """Asks every server in turns."""
    taken: Taken = {one.name: {1: [], 100: []} for one in servers}
    for number in range(ROUNDS + 1):
        for count in REQUESTS:
            for server in servers:
                found = _load(server, rows[:count], REQUESTS[count])
                if number:  # the first round warms up
                    taken[server.name][count].append(found)
    return taken


def _load(server: Server, rows: list[list[float]], requests: int) -> tuple[float, list[float]]:
    body = server.asked.body(rows)
    waits: list[float] = []
    before = server.cpu_s()
    threads = [threading.Thread(target=_ask, args=(server.asked, body, requests, waits)) for _ in range(CLIENTS)]
    _run(threads, waits, CLIENTS * requests)
    return (server.cpu_s() - before) / (CLIENTS * requests) * 1e6, waits


def _ask(asked: Asked, body: bytes, requests: int, waits: list[float]) -> None:
    """Asks one time after the other."""
    parts = urlsplit(asked.url)
    headers = {"Content-Type": "application/json", **asked.headers}
    if asked.bytes_at is not None:
        at = str(asked.bytes_at(body))
        headers |= {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": at}
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    link.connect()
    link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(requests):
        turn = time.perf_counter()
        link.request("POST", parts.path, body, headers)
        answer = link.getresponse()
        content = answer.read()
        waits.append((time.perf_counter() - turn) * 1000)
        if answer.status != 200:
            print(f"{asked.url} answered {answer.status}: {content[:500]!r}")
            return
    link.close()


def _paced(server: Server, body: bytes) -> tuple[float, float, float]:
    """The latencies' p50 and p99 at half of the pace that the clients reach when none waits, and that pace.

    These clients send bytes that were made before, so that what is measured is not their own waiting for each other.
    """
    sys.setswitchinterval(0.0002)
    began = time.perf_counter()
    full: list[float] = []
    threads = [threading.Thread(target=_repeat, args=(server.asked, body, 800, full)) for _ in range(CLIENTS)]
    _run(threads, full, CLIENTS * 800)
    pace = len(full) / (time.perf_counter() - began) / 2
    waits: list[float] = []
    paced = (server.asked, body, int(pace * PACED_S / CLIENTS), waits, CLIENTS / pace)
    _run([threading.Thread(target=_repeat, args=paced) for _ in range(CLIENTS)], waits, CLIENTS * paced[2])
    waits.sort()
    return _of(waits, 0.5), _of(waits, 0.99), pace


def _repeat(asked: Asked, body: bytes, requests: int, waits: list[float], interval_s: float = 0.0) -> None:
    """Sends the same bytes again and again, at a pace where there is one; a wait is counted from when its turn was."""
    parts = urlsplit(asked.url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in asked.headers.items()]
    request = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        turn = time.perf_counter()
        for _ in range(requests):
            turn = turn + interval_s if interval_s else time.perf_counter()
            time.sleep(max(turn - time.perf_counter(), 0))
            link.sendall(request)
            answer = link.recv(65536)  # an answer of one row is one packet
            waits.append((time.perf_counter() - turn) * 1000)
            if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(b"}"):
                print(f"{asked.url} answered {answer[:500]!r}")
                return


def _run(threads: list[threading.Thread], waits: list[float], requests: int) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(waits) != requests:
        raise SystemExit("not every request was answered")


def _of(values: list[float], quantile: float) -> float:
    return values[min(int(len(values) * quantile), len(values) - 1)]


if __name__ == "__main__":
    sys.exit(run())
