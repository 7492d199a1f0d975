"""Answers a second of an endpoint with one worker and with two, as many as they can, in turns.

The model is a forest and a request has rows enough to keep a worker busy for some hundred microseconds, so that it is
the workers that are measured, and not the caller, which shares the machine's cores with them.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from typing import Any

import psutil

from benchmarks.load import Outcome, call, for_seconds, rates

TARGET, MEMORY_TARGET_MB = 1.8, 60.0
ROUNDS, ROUND_S, CALLERS, ROWS = 7, 2.0, 16, 64


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when the targets are met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        os.environ["MLSTUDIO_WORKSPACE"] = folder
        version, rows = _registered()
        endpoints = [_deployed(version, f"workers-{count}", count) for count in (1, 2)]
        body = _body(rows)
        try:
            taken: list[list[Outcome]] = [[], []]
            for number in range(ROUNDS + 1):
                for one, outcomes in zip(endpoints, taken, strict=True):
                    outcome = call(one.scoring_url, body, one.keys["primary"], CALLERS, for_seconds(ROUND_S))
                    if number:  # the first round warms up
                        outcomes.append(outcome)
            memory_mb = [_memory_mb(one) for one in endpoints]
        finally:
            for one in endpoints:
                one.delete()
    found = [rates(outcomes) for outcomes in taken]
    print(f"{'answers a second':20}{'median':>10}{'best':>10}{'worst':>10}{'p99, ms':>10}{'memory a worker, MB':>22}")
    for name, some, outcomes, used in zip(("one worker", "two workers"), found, taken, memory_mb, strict=True):
        p99 = statistics.median(one.quantile_ms(0.99) for one in outcomes)
        print(f"{name:20}{statistics.median(some):10.0f}{max(some):10.0f}{min(some):10.0f}{p99:10.1f}{used:22.0f}")
    failed = sum(one.failed for outcomes in taken for one in outcomes)
    ratio = statistics.median(two / one for one, two in zip(*found, strict=True))
    good = ratio >= TARGET and max(memory_mb) <= MEMORY_TARGET_MB and not failed
    print(
        f"scoring-scale: two workers answer {ratio:.2f}x as many as one, {max(memory_mb):.0f} MB a worker, {failed}"
        f" failed (target {TARGET:g}x, {MEMORY_TARGET_MB:g} MB, 0): {'ok' if good else 'short'}"
    )
    return 0 if good else 1


def _registered() -> tuple[Any, Any]:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    import jupyter_mlstudio as studio

    data = load_breast_cancer()
    model = RandomForestClassifier(n_estimators=300, max_depth=12, random_state=0).fit(data.data, data.target)
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
