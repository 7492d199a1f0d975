"""How long it takes from a run with a logged model to an endpoint's first answer, conversion and comparison included.

Cold is the first time in an empty workspace, with no studio process running; warm is every later time. The peer is
``mlflow models serve --env-manager local`` on the same model. Both sides in turns.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

WARM_TARGET_S, COLD_TARGET_S = 3.0, 6.0
ROUNDS = 3
PEER = Path(__file__).parents[1] / ".bench" / "mlflow" / "bin" / "python"
_PEER_TIMEOUT_S = 120.0

_PEER_CODE = """
import sys
import mlflow
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
data = load_breast_cancer()
model = RandomForestClassifier(200, random_state=0).fit(data.data, data.target)
mlflow.sklearn.save_model(model, sys.argv[1], serialization_format="cloudpickle")
"""

_MODELS = {
    "scikit-learn": """
from sklearn.ensemble import RandomForestClassifier
model = RandomForestClassifier(200, random_state=0).fit(data.data, data.target)
labels = None
""",
    "xgboost": """
from xgboost import XGBClassifier
model = XGBClassifier(n_estimators=200).fit(data.data, data.target)
labels = None
""",
    "torch": """
import torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.BatchNorm1d(30), nn.Linear(30, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 2))
rows, answers = torch.tensor(data.data, dtype=torch.float32), torch.tensor(data.target)
optimizer = torch.optim.Adam(model.parameters(), 0.01)
for _ in range(50):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(rows), answers).backward()
    optimizer.step()
labels = [0, 1]
""",
}
"""By framework: a fitted model, a multilayer perceptron where it is PyTorch."""

_OUR_CODE = """
import json, sys, time
import jupyter_mlstudio as studio
from sklearn.datasets import load_breast_cancer
data = load_breast_cancer()
%s
with studio.start_run("endpoint-start") as run:
    studio.log_model(model, sample=data.data[:200], labels=labels)
for number in range(int(sys.argv[1])):
    began = time.perf_counter()
    version = studio.register_model(run.id, "forest", wait=False)
    endpoint = studio.deploy(version, name=f"forest-{number}")
    answer = endpoint.score(data.data[:1])
    took = time.perf_counter() - began
    if labels is None:
        assert answer["label"] == model.predict(data.data[:1]).tolist()
    print(json.dumps([took, version.wait().parity["dtype"]]), flush=True)
    endpoint.delete()
"""


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when both targets are met."""
    if not PEER.exists():
        print(f"{PEER} is missing: `make bench-setup` installs the peers, each into an environment of its own")
        return 1
    cold: dict[str, list[float]] = {framework: [] for framework in _MODELS}
    warm: dict[str, list[float]] = {framework: [] for framework in _MODELS}
    peer = []
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        saved = Path(folder) / "model"
        subprocess.run([str(PEER), "-W", "ignore", "-c", _PEER_CODE, str(saved)], check=True, capture_output=True)
        for number in range(ROUNDS):
            for framework in _MODELS:
                workspace = Path(folder) / f"workspace-{framework}-{number}"
                workspace.mkdir()
                first, *later = _ours(workspace, framework)
                cold[framework].append(first)
                warm[framework] += later
            peer.append(_mlflow(saved))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load average {load}; {ROUNDS} rounds of 1 cold and 2 warm starts and 1 of the peer")
    print(f"{'seconds to the first answer':44}{'median':>10}{'best':>10}{'worst':>10}")
    ours = [(f"jupyter_mlstudio, {one}, {how}", taken[one])
            for one in _MODELS for how, taken in (("cold", cold), ("warm", warm))]  # fmt: skip
    for name, taken in (*ours, ("mlflow models serve, scikit-learn", peer)):
        print(f"{name:44}{statistics.median(taken):10.2f}{min(taken):10.2f}{max(taken):10.2f}")
    figures = [max(statistics.median(one) for one in taken.values()) for taken in (warm, cold)]
    good = figures[0] <= WARM_TARGET_S and figures[1] <= COLD_TARGET_S
    figure = f"{figures[0]:.2f} s warm, {figures[1]:.2f} s cold for the slowest framework"
    print(f"endpoint-start: {figure} (target {WARM_TARGET_S:g} s, {COLD_TARGET_S:g} s): {'ok' if good else 'short'}")
    return 0 if good else 1


def _ours(workspace: Path, framework: str) -> list[float]:
    """Registers, deploys and scores three times in a new workspace; the first time is the cold one."""
    environment = {**_environment(), "MLSTUDIO_WORKSPACE": str(workspace)}
    command = [sys.executable, "-W", "ignore", "-c", _OUR_CODE % _MODELS[framework], "3"]
    done = subprocess.run(command, env=environment, cwd=workspace, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"jupyter_mlstudio failed: {done.stderr.strip()[-2000:]}")
    return [float(json.loads(line)[0]) for line in done.stdout.strip().splitlines()[-3:]]


def _mlflow(saved: Path) -> float:
    """Seconds until ``mlflow models serve`` answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(PEER.parent / "mlflow"),
        "models",
        "serve",
        "-m",
        str(saved),
        "-p",
        str(port),
        "--env-manager",
        "local",
    ]
    environment = {
        **_environment(),
        "PATH": f"{PEER.parent}:{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"file:{saved}-runs",
    }
    environment["MLFLOW_ALLOW_FILE_STORE"] = "true"
    began = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            while not _answers(port):
                if server.poll() is not None or time.perf_counter() - began > _PEER_TIMEOUT_S:
                    log.seek(0)
                    raise SystemExit(f"mlflow models serve failed: {log.read().decode()[-2000:]}")
                time.sleep(0.05)
            return time.perf_counter() - began
        finally:
            os.killpg(server.pid, 15)
            server.wait(20)


def _environment() -> dict[str, str]:
    """Ours for both sides: without settings of the two programs, and with bytecode kept as everywhere."""
    left_out = ("MLFLOW", "MLSTUDIO", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def _answers(port: int) -> bool:
    body = json.dumps({"inputs": [[0.0] * 30]}).encode()
    headers = {"Content-Type": "application/json"}
    call = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, headers)
    try:
        with urllib.request.urlopen(call, timeout=5) as answer:
            content: Any = json.load(answer)
        return "predictions" in content
    except (urllib.error.URLError, OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(run())
