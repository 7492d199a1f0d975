"""The compute targets keep the contract."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from jupyter_mlstudio.errors import Unavailable
from jupyter_mlstudio.plugins.compute.local import LocalTarget
from jupyter_mlstudio.testing.compute import ComputeContract, FakeTarget, ended


class TestLocalTarget(ComputeContract):
    target = LocalTarget

    def test_a_killed_program_ends_with_its_signal(self, tmp_path: Path) -> None:
        target = LocalTarget()
        handle = target.start(self.work(tmp_path, self.goes_on()))
        os.kill(handle.process.pid, signal.SIGKILL)
        assert ended(target, handle).exit_code == -signal.SIGKILL

    def test_the_whole_tree_is_measured_and_ended(self, tmp_path: Path) -> None:
        program = (
            "import subprocess, sys, time\n"
            'hog = \'x = bytearray(200_000_000); import time; open("ready", "w").close(); time.sleep(60)\'\n'
            "subprocess.Popen([sys.executable, '-c', hog], start_new_session=True)\n"
            "time.sleep(60)"
        )
        target = LocalTarget()
        handle = target.start(self.work(tmp_path, [sys.executable, "-c", program]))
        deadline = time.monotonic() + 20
        while target.poll(handle).memory_bytes < 200_000_000:
            assert time.monotonic() < deadline, "the memory of the tree is not seen"
            time.sleep(0.02)
        below = psutil.Process(handle.process.pid).children(recursive=True)
        target.stop(handle, 1.0)
        assert below
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in below)

    def test_the_work_leads_a_session_of_its_own_and_is_taken_first_when_memory_ends(self, tmp_path: Path) -> None:
        target = LocalTarget()
        handle = target.start(self.work(tmp_path, self.goes_on()))
        assert os.getsid(handle.process.pid) == handle.process.pid
        if sys.platform == "linux":
            assert int(Path(f"/proc/{handle.process.pid}/oom_score_adj").read_text()) >= 500
        target.stop(handle, 0.0)


class TestFakeTarget(ComputeContract):
    target = FakeTarget

    def ends_with(self, status: int) -> list[str]:
        return ["ends", str(status)]

    def goes_on(self) -> list[str]:
        return ["goes on"]

    def test_it_does_not_answer_when_told_so_and_goes_on_afterwards(self, tmp_path: Path) -> None:
        target = FakeTarget()
        handle = target.start(self.work(tmp_path, self.goes_on()))
        target.answers = False
        with pytest.raises(Unavailable):
            target.poll(handle)
        target.answers = True
        assert target.poll(handle).exit_code is None
