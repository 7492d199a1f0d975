"""F25: work that takes more memory than it may, or than there is."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Limits, Resources, RunSpec
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all
from tests.onnx import graphs
from tests.programs.endpoint import BODY, begin, deployment, register, times
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
MB = 1_000_000
SAID = re.compile(r"out of memory \(limit (\d+) MB, peak (\d+) MB\)")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path))
    made.compute.set_slots("local", 4)
    yield made
    end_all(made)
    made.close()


def begun(studio: Studio, program: str, limit_mb: int, kind: RunKind = RunKind.SCRIPT) -> Run:
    name = f"work{time.monotonic_ns()}.py"
    (studio.workspace.root / name).write_text(program)
    spec = RunSpec(
        script=name if kind is RunKind.SCRIPT else None, resources=Resources(cpus=0.0),
        command=["python3", name] if kind is RunKind.COMMAND else [], limits=Limits(memory_bytes=limit_mb * MB),
    )  # fmt: skip
    return studio.launcher.submit(kind, spec)


def ended(studio: Studio, run: Run) -> Run:
    deadline = time.monotonic() + 60
    while (found := studio.runs.get(run.id)).status not in TERMINAL:
        assert time.monotonic() < deadline, found.status
        studio.tick()
        time.sleep(0.05)
    assert found.status is RunStatus.FAILED
    return found


def test_F25_a_run_that_takes_more_memory_than_it_may_says_so_with_numbers(studio: Studio) -> None:
    itself = begun(studio, "x = bytearray(600_000_000)\nimport time; time.sleep(60)", 300)
    tree = begun(
        studio,
        "import subprocess, sys, time\n"
        "for _ in range(3): subprocess.Popen([sys.executable, '-c', 'x = bytearray(150_000_000); input()'], "
        "stdin=subprocess.PIPE)\ntime.sleep(60)",
        300,
    )
    for run in (itself, tree):
        said = SAID.fullmatch(ended(studio, run).reason)
        assert said is not None, run.reason
        limit, peak = map(int, said.groups())
        assert limit == 300 < peak < 1000


def test_F25_a_kill_near_the_limit_is_memorys_and_a_plain_one_is_not(studio: Studio) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    near = begun(studio, f"x = bytearray(450_000_000)\n{kill}", 480, RunKind.COMMAND)
    plain = begun(studio, kill, 480, RunKind.COMMAND)
    shell = begun(studio, f"import os\nif os.fork() == 0:\n  x = bytearray(450_000_000)\n  {kill}\n"
                          "os._exit(128 + os.wait()[1])", 480, RunKind.COMMAND)  # fmt: skip
    for run in (near, shell):
        reason = ended(studio, run).reason
        assert SAID.match(reason), reason
        assert reason.endswith(", killed by signal 9")
    assert ended(studio, plain).reason == "killed by signal 9 (SIGKILL)"


def test_F25_a_run_that_is_refused_memory_says_the_limit_that_it_set_itself(studio: Studio) -> None:
    program = (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "bytearray(2**33)\n"
    )  # fmt: skip
    assert ended(studio, begun(studio, program, 4000)).reason.startswith("out of memory (limit 2147 MB, peak ")


class Bomb:
    """Takes 400 MB when it is loaded, and keeps them."""

    def __reduce__(self) -> Any:
        return exec, ("import time\nkept = bytearray(400_000_000)\ntime.sleep(60)",)


def test_F25_a_conversion_that_runs_out_of_memory_is_refused_with_that_reason(studio: Studio) -> None:
    folder = studio.workspace.root / "bomb" / "native"
    folder.mkdir(parents=True)
    content = pickle.dumps(Bomb())
    (folder / "model.pkl").write_bytes(content)
    manifest = {"kind": "sklearn", "file": "model.pkl", "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "mlstudio.json").write_text(json.dumps(manifest))
    spec = RunSpec(
        resources=Resources(cpus=0.0), limits=Limits(memory_bytes=350 * MB),
        options={"model": "m", "version": 1, "folder": str(folder.parent)},
    )  # fmt: skip
    run = ended(studio, studio.launcher.submit(RunKind.CONVERT, spec, experiment="Serving"))
    assert run.reason.startswith("out of memory (limit 350 MB, peak"), run.reason


SCRIPT = """
import json, os, signal

def init():
    if {greedy}:
        bytearray(800 * 2**20)

def run(raw_data):
    asked = json.loads(raw_data)
    kept = bytearray(asked["megabytes"] * 2**20)
    if asked.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    return len(kept)
"""


def heavy() -> bytes:
    """A model with 48 MiB of weights."""
    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(rng.random((2, 6 * 2**20), np.float32), "weights")
    nodes = [
        helper.make_node("MatMul", ["X", "weights"], ["all"]),
        helper.make_node("ReduceSum", ["all", "axis"], ["Y"]),
    ]
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    value = graphs._value
    graph = helper.make_graph(nodes, "heavy", [value("X", ["n", 2])], [value("Y", ["n", 1])], [weights, axis])
    content: bytes = graphs.model(graph).SerializeToString()
    return content


def scripted(studio: Studio, name: str, greedy: bool) -> dict[str, Any]:
    path = studio.workspace.root / f"{name}.py"
    path.write_text(SCRIPT.replace("{greedy}", str(greedy)))
    further = {"kind": "script", "script": str(path), "folder": str(studio.models.folder("m", 1))}
    return deployment(studio, name, 1) | further | limited(600)


def limited(memory_mb: int) -> dict[str, Any]:
    return {"settings": {"limits": {"memory_mb": memory_mb}}}


def test_F25_M07_deployments_that_need_too_much_memory_say_so_and_the_others_answer(
    studio: Studio, tmp_path: Path
) -> None:
    register(studio, "m", times(2.0))
    register(studio, "sized", graphs.sized())
    register(studio, "heavy", heavy())
    served = begin(
        studio, tmp_path / "endpoint",
        deployment(studio, "blue", 1), deployment(studio, "sized", 1, "sized") | limited(300),
        deployment(studio, "heavy", 1, "heavy") | limited(20),
        scripted(studio, "greedy", True), scripted(studio, "script", False),
    )  # fmt: skip
    try:
        until(lambda: served.is_ready)
        served.settled("sized")
        served.settled("script")
        for name, limit in (("heavy", 20), ("greedy", 600)):
            reason = served.settled(name, "Failed")["reason"]
            assert re.fullmatch(SAID.pattern + " while the model was made ready", reason), reason
            assert f"limit {limit} MB" in reason

        much = BODY.replace(b"1.5,2.0", b"1048576,1048576").replace(b"/m/", b"/sized/")
        answer = served.ask(much, "/v2/models/sized/infer", azureml_model_deployment="sized")
        assert (answer.status, "memory" in answer.json["error"]) == (413, True)
        asked = served.ask(b'{"megabytes": 4000}', "/score", azureml_model_deployment="script")
        assert asked.status == 413
        before = served.pids("script")
        killed = served.ask(b'{"megabytes": 400, "kill": true}', "/score", azureml_model_deployment="script")
        assert killed.status >= 500
        assert isinstance(killed.json, dict)
        assert served.settled("script", pids=until(lambda: _others(served.pids("script"), before)))["instances"] == 1
        for name in ("sized", "script"):
            path, body = ("/score", b'{"megabytes": 1}') if name == "script" else ("/v2/models/sized/infer", BODY)
            assert served.ask(body, path, azureml_model_deployment=name).status == 200
        assert served.ask().status == 200
        log = (studio.workspace.run_folder(served.run_id) / "output.log").read_text()
        assert re.search(r"deployment script \(process \d+\) was killed by signal 9: " + SAID.pattern, log), log
        assert len(re.findall("a request was refused: " + SAID.pattern, log)) == 2, log
    finally:
        served.stop()


def _others(pids: list[int], before: list[int]) -> list[int]:
    return pids if pids and pids != before else []
