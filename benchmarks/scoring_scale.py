"""Answers a second of an endpoint with one worker and with two, as many as they can, in turns.

The caller shares the machine's cores with the workers, so a request is small and takes a worker about a millisecond, a
forest of a thousand trees: the caller's own part is small then. A worker answers one request at a time; with more, one
worker computes in threads and uses both cores by itself.

Two processors that a machine lends are not always two cores: so the same rounds measure what two processes that share
nothing get done beside one, and the figure is told of two whole cores: 2 x (two workers / one) / (two processes / one).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.pool import Pool
from typing import Any

import psutil

from benchmarks.load import pipelined

TARGET, MEMORY_TARGET_MB = 1.8, 60.0
CORES_NEEDED = 1.6
"""What two processes have to get done beside one: a machine that is busy with other things shows nothing here."""
ROUNDS, ROUND_S, CALLERS, DEPTH, ROWS, TREES = 7, 2.0, 4, 1, 32, 1000


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when the targets are met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        os.environ["MLSTUDIO_WORKSPACE"] = folder
        version, rows = _registered()
        endpoints = [_deployed(version, f"workers-{count}", count) for count in (1, 2)]
        body = _body(rows)
        found: list[list[float]] = [[], [], [], []]
        try:
            with multiprocessing.get_context("spawn").Pool(2) as processes:
                for number in range(ROUNDS + 1):
                    rates = [_alone(processes, body, count) for count in (1, 2)]
                    for one in endpoints:
                        rates.append(pipelined(one.scoring_url, body, one.keys["primary"], CALLERS, DEPTH, ROUND_S))
                    if number:  # the first round warms up
                        for kept, rate in zip(found, rates, strict=True):
                            kept.append(rate)
            memory_mb = [0.0, 0.0, *(_memory_mb(one) for one in endpoints)]
        finally:
            for one in endpoints:
                one.delete()
    print(f"{'a second':32}{'median':>10}{'best':>10}{'worst':>10}{'memory a worker, MB':>22}")
    names = ("bodies read, one process", "bodies read, two processes", "answers, one worker", "answers, two workers")
    for name, rates, used in zip(names, found, memory_mb, strict=True):
        shown = f"{used:22.0f}" if used else ""
        print(f"{name:32}{statistics.median(rates):10.0f}{max(rates):10.0f}{min(rates):10.0f}{shown}")
    one, two, one_worker, two_workers = found
    cores = statistics.median(b / a for a, b in zip(one, two, strict=True))
    ratio = statistics.median(b / a for a, b in zip(one_worker, two_workers, strict=True))
    figure = 2 * ratio / cores
    good = figure >= TARGET and cores >= CORES_NEEDED and max(memory_mb) <= MEMORY_TARGET_MB
    print(f"two workers answer {ratio:.2f}x as many as one, where two processes do {cores:.2f}x the work of one")
    if cores < CORES_NEEDED:
        print("the machine had no two processors free: measure again when it is quiet")
    print(
        f"scoring-scale: {figure:.2f}x of two whole cores, {max(memory_mb):.0f} MB a worker"
        f" (target {TARGET:g}x, {MEMORY_TARGET_MB:g} MB): {'ok' if good else 'short'}"
    )
    return 0 if good else 1


def _registered() -> tuple[Any, Any]:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    import jupyter_mlstudio as studio

    data = load_breast_cancer()
    model = RandomForestClassifier(n_estimators=TREES, max_depth=10, random_state=0).fit(data.data, data.target)
    with studio.start_run("scoring-scale") as active:
        studio.log_model(model, sample=data.data)
    return studio.register_model(active.id, "m"), data.data[:ROWS]


def _deployed(version: Any, name: str, workers: int) -> Any:
    """An endpoint with so many workers."""
    import jupyter_mlstudio as studio
    from jupyter_mlstudio.client.connection import connect

    endpoint = studio.deploy(version, name=name)
    settings = {
        "scale_settings": {"min_instances": workers, "max_instances": workers},
        "request_settings": {"max_concurrent_requests_per_instance": 1, "max_queue_wait_ms": 5000},
    }
    connect().patch(f"endpoints/{name}/deployments/blue", {"settings": settings})
    deadline = time.monotonic() + 30
    while connect().get(f"endpoints/{name}")["deployments"][0]["instances"] != workers:
        if time.monotonic() > deadline:
            raise SystemExit(f"{name} did not get {workers} workers")
        time.sleep(0.1)
    return endpoint


def _alone(processes: Pool, body: bytes, count: int) -> float:
    """Bodies a second that so many processes read, with no server, no caller and nothing shared."""
    return sum(processes.map(_reads, [body] * count, chunksize=1)) / ROUND_S


def _reads(body: bytes) -> int:
    ends = time.perf_counter() + ROUND_S
    done = 0
    while time.perf_counter() < ends:
        json.loads(body)
        done += 1
    return done


def _body(rows: Any) -> bytes:
    tensor = {"name": "X", "shape": list(rows.shape), "datatype": "FP64", "data": rows.ravel().tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def _memory_mb(endpoint: Any) -> float:
    """Memory of a worker, its part of what it shares with others included (PSS), on average."""
    port = endpoint.scoring_url.split(":")[2].partition("/")[0]
    used = [process.memory_full_info().pss / 2**20 for process in psutil.process_iter() if _serves(process, port)]
    return sum(used) / len(used) if used else 0.0


def _serves(process: psutil.Process, port: str) -> bool:
    try:
        if "jupyter_mlstudio.serving" not in process.cmdline():
            return False
        return any(str(link.laddr.port) == port for link in process.net_connections("tcp") if link.laddr)
    except psutil.Error:
        return False


if __name__ == "__main__":
    raise SystemExit(run())
