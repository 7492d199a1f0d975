"""Answers a second of an endpoint with one worker and with two, as many as they can, in turns.

The caller shares the machine's cores with the workers, so it has several requests under way on each connection, which
makes its own part small. A request is one that a worker answers within its event loop: a slower one is computed in
threads, and then one worker uses both cores by itself.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from typing import Any

import psutil

from benchmarks.load import pipelined

TARGET, MEMORY_TARGET_MB = 1.8, 60.0
ROUNDS, ROUND_S, CALLERS, DEPTH, ROWS = 7, 2.0, 8, 8, 32


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when the targets are met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        os.environ["MLSTUDIO_WORKSPACE"] = folder
        version, rows = _registered()
        endpoints = [_deployed(version, f"workers-{count}", count) for count in (1, 2)]
        body = _body(rows)
        try:
            found: list[list[float]] = [[], []]
            for number in range(ROUNDS + 1):
                for one, rates in zip(endpoints, found, strict=True):
                    rate = pipelined(one.scoring_url, body, one.keys["primary"], CALLERS, DEPTH, ROUND_S)
                    if number:  # the first round warms up
                        rates.append(rate)
            memory_mb = [_memory_mb(one) for one in endpoints]
        finally:
            for one in endpoints:
                one.delete()
    print(f"{'answers a second':20}{'median':>10}{'best':>10}{'worst':>10}{'memory a worker, MB':>22}")
    for name, rates, used in zip(("one worker", "two workers"), found, memory_mb, strict=True):
        print(f"{name:20}{statistics.median(rates):10.0f}{max(rates):10.0f}{min(rates):10.0f}{used:22.0f}")
    ratio = statistics.median(two / one for one, two in zip(*found, strict=True))
    good = ratio >= TARGET and max(memory_mb) <= MEMORY_TARGET_MB
    print(
        f"scoring-scale: two workers answer {ratio:.2f}x as many as one, {max(memory_mb):.0f} MB a worker"
        f" (target {TARGET:g}x, {MEMORY_TARGET_MB:g} MB): {'ok' if good else 'short'}"
    )
    return 0 if good else 1


def _registered() -> tuple[Any, Any]:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    import jupyter_mlstudio as studio

    data = load_breast_cancer()
    model = RandomForestClassifier(n_estimators=200, max_depth=10, random_state=0).fit(data.data, data.target)
    with studio.start_run("scoring-scale") as active:
        studio.log_model(model, sample=data.data)
    return studio.register_model(active.id, "m"), data.data[:ROWS]


def _deployed(version: Any, name: str, workers: int) -> Any:
    """An endpoint with so many workers."""
    import jupyter_mlstudio as studio
    from jupyter_mlstudio.client.connection import connect

    endpoint = studio.deploy(version, name=name)
    scale = {"scale_settings": {"min_instances": workers, "max_instances": workers}}
    connect().patch(f"endpoints/{name}/deployments/blue", {"settings": scale})
    deadline = time.monotonic() + 30
    while connect().get(f"endpoints/{name}")["deployments"][0]["instances"] != workers:
        if time.monotonic() > deadline:
            raise SystemExit(f"{name} did not get {workers} workers")
        time.sleep(0.1)
    return endpoint


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
