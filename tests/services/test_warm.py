"""Conversions by copies of a process that has imported their libraries: the same as others, faster, as well guarded."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.models import ModelVersion, VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.services import claims, conversions
from jupyter_mlstudio.services.warm import Warm
from jupyter_mlstudio.studio import Studio
from tests.waiting import is_alive, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    made = Warm()
    yield made
    made.close()


@pytest.fixture
def served(studio: Studio, warm: Warm) -> Studio:
    studio.supervisors.warm = warm
    return studio


class Executes:
    """What executes some code when it is loaded."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> Any:
        return exec, (self.code,)


SLEEPS = "import time; time.sleep(100)"
TAKES = """
import time
kept = []
while True:
    kept.append(bytearray(100_000_000))
    time.sleep(0.1)
"""
"""A hundred megabytes at a time."""


def registered(studio: Studio, code: str = "") -> ModelVersion:
    """A version of a small classifier, or of something that executes some code when it is loaded."""
    run = studio.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))
    folder = studio.workspace.run_folder(run.id) / "artifacts" / "model"
    folder.mkdir(parents=True)
    data = load_iris()
    write_model(folder, LogisticRegression(max_iter=500).fit(data.data, data.target), data.data)
    if code:
        file, manifest = folder / "model.joblib", folder / "mlstudio.json"
        joblib.dump(Executes(code), file)
        told = {**json.loads(manifest.read_text()), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        manifest.write_text(json.dumps(told))
    return studio.models.register("iris", run.id)


def folder_of(studio: Studio, version: ModelVersion) -> Path:
    assert version.convert_run_id is not None
    return studio.workspace.run_folder(version.convert_run_id)


def supervisor_of(studio: Studio, version: ModelVersion) -> int:
    """The process that guards a conversion."""
    found = until(lambda: claims.holder(folder_of(studio, version)), studio)
    assert found is not None
    return found.pid


def work_of(studio: Studio, version: ModelVersion) -> int:
    """The process that executes a conversion."""
    assert version.convert_run_id is not None
    run_id = version.convert_run_id
    until(lambda: studio.runs.get(run_id).status is RunStatus.RUNNING, studio)
    (child,) = psutil.Process(supervisor_of(studio, version)).children()
    return child.pid


def converted(studio: Studio, version: ModelVersion) -> ModelVersion:
    def over() -> ModelVersion | None:
        found = studio.models.version("iris", version.version)
        return found if found.status is not VersionStatus.CONVERTING else None

    found = until(over, studio)
    assert found is not None
    return found


def test_conversions_are_begun_by_one_process_and_say_what_others_say(served: Studio, warm: Warm) -> None:
    usual = Studio(served.workspace)
    logs = []
    for studio in (served, served, usual):
        version = registered(studio)
        parent = psutil.Process(supervisor_of(studio, version)).ppid()
        assert warm.host is not None
        assert (parent == warm.host) is (studio is served)
        assert converted(studio, version).status is VersionStatus.READY
        until(lambda: studio.runs.get(version.convert_run_id or "").status in TERMINAL, studio)  # noqa: B023
        log = (folder_of(studio, version) / "output.log").read_text()
        logs.append([line for line in log.splitlines() if " s, in all " not in line])
    assert logs[0] == logs[1] == logs[2] != []
    usual.close()


def test_one_that_is_stopped_ends_with_its_processes(served: Studio) -> None:
    version = registered(served, SLEEPS)
    both = [supervisor_of(served, version), work_of(served, version)]
    assert version.convert_run_id is not None
    served.launcher.stop(version.convert_run_id)
    assert converted(served, version).status is VersionStatus.REFUSED
    assert served.runs.get(version.convert_run_id).status is RunStatus.CANCELED
    until(lambda: not any(is_alive(pid) for pid in both))


def test_kill_9_of_its_supervisor_ends_the_work(served: Studio) -> None:
    version = registered(served, SLEEPS)
    work = work_of(served, version)
    os.kill(supervisor_of(served, version), 9)
    until(lambda: not is_alive(work))
    assert "supervisor was killed" in converted(served, version).reason


def test_kill_9_of_the_process_that_begins_them_is_not_noticed(served: Studio, warm: Warm) -> None:
    work = work_of(served, registered(served, SLEEPS))
    assert warm.host is not None
    os.kill(warm.host, 9)
    assert converted(served, registered(served)).status is VersionStatus.READY
    assert is_alive(work)


def test_one_that_takes_too_much_memory_is_ended_and_says_so(served: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "available_bytes", lambda: 1_250_000_000)
    refused = converted(served, registered(served, TAKES))
    assert refused.status is VersionStatus.REFUSED
    assert "memory" in refused.reason


def test_its_end_ends_nothing_that_it_began(served: Studio) -> None:
    served.supervisors.warm = own = Warm()
    work = work_of(served, registered(served, SLEEPS))
    host = own.host
    own.close()
    assert not is_alive(host)
    assert is_alive(work)


def test_it_begins_anew_when_packages_are_installed(
    served: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    served.supervisors.warm = own = Warm()
    supervisor_of(served, registered(served, SLEEPS))
    (packages / "new.py").touch()
    supervisor = supervisor_of(served, registered(served, SLEEPS))
    assert psutil.Process(supervisor).ppid() == own.host
    own.close()
