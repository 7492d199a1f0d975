"""An endpoint's version is swapped, its workers are started anew, and one is killed, while it is asked without a pause.

Callers ask 200 times a second over connections that they keep, and open a new one only when the server has said that
the old one ends. Swaps and restarts may fail no request. A killed worker may fail those that it worked on; measured is
how long it takes until there are as many as before.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.load import Outcome, call

CALLERS, PACE, SWAPS = 8, 200.0, 4
RECOVERY_TARGET_S = 5.0
SETTLED_S = 1.0


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when the targets are met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        os.environ["MLSTUDIO_WORKSPACE"] = folder
        endpoint, body = _deployed()
        try:
            rows = {
                f"{SWAPS} swaps of the version": _during(endpoint, body, _swaps),
                "all workers started anew": _during(endpoint, body, lambda: _change({"restart": True})),
                "a worker killed": _during(endpoint, body, _kill_one),
            }
        finally:
            endpoint.delete()
    print(f"{'while it is asked':28}{'requests':>10}{'failed':>8}{'p50, ms':>9}{'p99, ms':>9}{'took, s':>9}")
    for name, (outcome, took_s) in rows.items():
        count = sum(outcome.statuses.values()) + outcome.lost
        waits = (outcome.quantile_ms(0.5), outcome.quantile_ms(0.99))
        print(f"{name:28}{count:10}{outcome.failed:8}{waits[0]:9.2f}{waits[1]:9.2f}{took_s:9.1f}")
    *planned, (_, recovered_s) = rows.values()
    failed = sum(outcome.failed for outcome, _ in planned)
    good = failed == 0 and recovered_s <= RECOVERY_TARGET_S
    print(
        f"swap-under-load: {failed} failed requests, {recovered_s:.1f} s until a killed worker is replaced (target 0,"
        f" {RECOVERY_TARGET_S:g} s): {'ok' if good else 'short'}"
    )
    return 0 if good else 1


def _deployed() -> tuple[Any, bytes]:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    import jupyter_mlstudio as studio

    data = load_breast_cancer()
    for strength in (1.0, 0.01):
        model = LogisticRegression(C=strength, max_iter=10_000).fit(data.data, data.target)
        with studio.start_run("swap-under-load") as active:
            studio.log_model(model, sample=data.data)
        version = studio.register_model(active.id, "m")
    endpoint = studio.deploy(version, name="swap")
    _change({"settings": {"scale_settings": {"min_instances": 2, "max_instances": 2}}})
    row = {"name": "X", "shape": [1, 30], "datatype": "FP64", "data": data.data[0].tolist()}
    return endpoint, json.dumps({"inputs": [row]}).encode()


def _during(endpoint: Any, body: bytes, work: Callable[[], None]) -> tuple[Outcome, float]:
    """Asks while something is done, and a moment before and after; answers also how long that took."""
    took_s: list[float] = []

    def do() -> None:
        time.sleep(SETTLED_S)
        began = time.monotonic()
        work()
        took_s.append(time.monotonic() - began)
        time.sleep(SETTLED_S)

    worker = threading.Thread(target=do)
    worker.start()
    outcome = call(endpoint.scoring_url, body, endpoint.keys["primary"], CALLERS, worker.is_alive, PACE)
    worker.join()
    return outcome, took_s[0]


def _swaps() -> None:
    for number in range(SWAPS):
        _change({"version": str(number % 2 + 1)})


def _change(change: dict[str, Any]) -> None:
    """Changes the deployment and waits until its workers go by it."""
    from jupyter_mlstudio.client.connection import connect

    connect().patch("endpoints/swap/deployments/blue", change)
    _until(lambda shown: shown["applied"] and shown["state"] == "Ready" and shown["instances"] >= 2)


def _kill_one() -> None:
    victim = _pids()[0]
    os.kill(victim, signal.SIGKILL)
    _until(lambda shown: len(now := _pids()) == 2 and victim not in now)


def _pids() -> list[int]:
    from jupyter_mlstudio.client.connection import connect

    run_id = connect().get("endpoints/swap")["run_id"]
    tags = connect().get(f"runs/{run_id}")["tags"]
    return list(json.loads(tags["mlstudio.endpoint.deployment.blue"])["pids"])


def _until(holds: Callable[[dict[str, Any]], bool]) -> None:
    from jupyter_mlstudio.client.connection import connect

    deadline = time.monotonic() + 60
    while not holds(connect().get("endpoints/swap")["deployments"][0]):
        if time.monotonic() > deadline:
            raise SystemExit("the endpoint did not change in time")
        time.sleep(0.05)


if __name__ == "__main__":
    raise SystemExit(run())
