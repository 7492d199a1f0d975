"""CPU time that one scored row costs a server, all its processes counted, against MLServer with scikit-learn.

The same model behind both, the same request of Open Inference Protocol V2 in JSON, eight clients that keep their
connections, both sides in turns. CPU time is what the kernel accounts to the server's process tree; ours is the serve
program and its scoring process, without the run's supervisor, which takes no part in a request.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

TARGET = 5.0
CLIENTS, REQUESTS, ROUNDS = 8, 250, 5
PEER = Path(__file__).parents[1] / ".bench" / "mlserver" / "bin" / "python"

_PEER_CODE = """
import sys, joblib
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
data = load_breast_cancer()
joblib.dump(LogisticRegression(max_iter=10_000).fit(data.data, data.target), sys.argv[1])
"""


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when the target is met."""
    if not PEER.exists():
        print(f"{PEER} is missing: `make bench-setup` installs the peers, each into an environment of its own")
        return 1
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        peer, peer_url = _start_mlserver(Path(folder))
        try:
            endpoint, processes, row = _deploy(Path(folder) / "workspace")
            try:
                ours, theirs = _measure(endpoint, processes, peer, peer_url, row)
                memory = [sum(one.memory_info().rss for one in tree) / 2**20 for tree in (processes, _tree(peer))]
            finally:
                endpoint.delete()
        finally:
            peer.terminate()
            peer.wait(20)
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"{'CPU of a one-row request':34}{'median, µs':>12}{'best':>9}{'worst':>9}{'memory, MB':>13}")
    for name, taken, used in (("jupyter_mlstudio", ours, memory[0]), ("mlserver 1.7.1, sklearn", theirs, memory[1])):
        print(f"{name:34}{statistics.median(taken):12.0f}{min(taken):9.0f}{max(taken):9.0f}{used:13.0f}")
    good = ratio >= TARGET
    print(f"scoring-cpu: {ratio:.1f}x less CPU than MLServer (target {TARGET:g}x): {'ok' if good else 'short'}")
    return 0 if good else 1


def _deploy(workspace: Path) -> tuple[Any, list[psutil.Process], list[float]]:
    """Deploys a model as a user does; answers the endpoint, the processes behind it and a row."""
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
    run_id = endpoint.data["deployments"][0]["run_id"]
    supervisor = next(one for one in psutil.process_iter() if _is_supervisor(one, run_id))
    return endpoint, supervisor.children(recursive=True), data.data[0].tolist()


def _is_supervisor(process: psutil.Process, run_id: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return "jupyter_mlstudio.runner" in command and run_id in command


def _start_mlserver(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    model = folder / "m"
    model.mkdir()
    subprocess.run([str(PEER), "-W", "ignore", "-c", _PEER_CODE, str(model / "model.joblib")], check=True)
    ports = [_free_port() for _ in range(3)]
    settings = {
        "name": "m", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "1"},
    }  # fmt: skip
    server = {
        "http_port": ports[0], "grpc_port": ports[1], "metrics_endpoint": None, "host": "127.0.0.1", "debug": False,
        "parallel_workers": 0,
    }  # fmt: skip
    (model / "model-settings.json").write_text(json.dumps(settings))
    (folder / "settings.json").write_text(json.dumps(server))
    with (folder / "mlserver.log").open("wb") as log:
        command = [str(PEER.parent / "mlserver"), "start", str(folder)]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    url = f"http://127.0.0.1:{ports[0]}/v2/models/m"
    for _ in range(600):
        if _status(url + "/ready") == 200:
            return process, url + "/infer"
        time.sleep(0.1)
    raise SystemExit(f"mlserver did not start: {(folder / 'mlserver.log').read_text()[-2000:]}")


def _measure(
    endpoint: Any, processes: list[psutil.Process], peer: subprocess.Popen[bytes], peer_url: str, row: list[float]
) -> tuple[list[float], list[float]]:
    """Microseconds of CPU a request, for each round."""
    body = json.dumps({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP64", "data": row}]}).encode()
    key = {"Authorization": f"Bearer {endpoint.keys['primary']}"}
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS + 1):
        taken = [
            _load(endpoint.scoring_url, body, key, processes),
            _load(peer_url, body, {}, _tree(peer)),
        ]
        if number:  # the first round warms up
            ours.append(taken[0])
            theirs.append(taken[1])
    return ours, theirs


def _load(url: str, body: bytes, headers: dict[str, str], processes: list[psutil.Process]) -> float:
    before = sum(_cpu_s(one) for one in processes)
    threads = [threading.Thread(target=_ask, args=(url, body, headers)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (sum(_cpu_s(one) for one in processes) - before) / (CLIENTS * REQUESTS) * 1e6


def _ask(url: str, body: bytes, headers: dict[str, str]) -> None:
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    link.connect()
    link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(REQUESTS):
        link.request("POST", parts.path, body, {"Content-Type": "application/json", **headers})
        answer = link.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{url} answered {answer.status}: {content[:500]!r}")
    link.close()


def _tree(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    top = psutil.Process(process.pid)
    return [top, *top.children(recursive=True)]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _status(url: str) -> int:
    parts = urlsplit(url)
    try:
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        link.request("GET", parts.path)
        return link.getresponse().status
    except OSError:
        return 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    sys.exit(run())
