"""The contract of a compute target, as a class of tests, and a target without processes for tests of other things."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.errors import Invalid, Unavailable
from jupyter_mlstudio.plugins.compute.base import ComputeTarget, State, Work

PATIENCE_S = 20.0


class ComputeContract:
    """What every compute target must do.

    A sub-class gives ``target`` and, where the target executes something else than programs of this machine, replaces
    the properties that say what to execute. Its name begins with ``Test``, so that pytest collects it.
    """

    target: type[ComputeTarget[Any]]

    def ends_with(self, status: int) -> list[str]:
        """A command that prints ``hello`` and its variable ``GIVEN`` and ends with an exit status."""
        program = f"import os; print('hello', os.environ.get('GIVEN'), os.getcwd()); raise SystemExit({status})"
        return [sys.executable, "-c", program]

    def goes_on(self) -> list[str]:
        """A command that goes on for ever, and does not end when it is asked to."""
        program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True)"
        return [sys.executable, "-c", f"{program}\nwhile True: time.sleep(0.1)"]

    def cannot_start(self) -> list[str]:
        """A command that cannot be started."""
        return ["/no/such/program"]

    def work(self, folder: Path, command: list[str]) -> Work:
        """The work that is started."""
        environment = {"PATH": os.environ["PATH"], "GIVEN": "this"}
        return Work(run_id="r1", command=command, folder=folder, environment=environment, output=folder / "output.log")

    @pytest.fixture
    def started(self, tmp_path: Path) -> Iterator[tuple[ComputeTarget[Any], Any]]:
        """Work that goes on, ended after the test."""
        target = self.target()
        handle = target.start(self.work(tmp_path, self.goes_on()))
        yield target, handle
        target.stop(handle, 0.0)

    def test_work_ends_with_its_exit_status_and_the_same_ever_after(self, tmp_path: Path) -> None:
        for status in (0, 3):
            target = self.target()
            handle = target.start(self.work(tmp_path, self.ends_with(status)))
            assert ended(target, handle).exit_code == status
            assert target.poll(handle).exit_code == status

    def test_output_goes_to_the_file_with_the_given_environment_and_folder(self, tmp_path: Path) -> None:
        target = self.target()
        ended(target, target.start(self.work(tmp_path, self.ends_with(0))))
        said = (tmp_path / "output.log").read_text()
        assert said.split() == ["hello", "this", str(tmp_path)]

    def test_output_is_added_to_what_the_file_holds(self, tmp_path: Path) -> None:
        (tmp_path / "output.log").write_text("before\n")
        target = self.target()
        ended(target, target.start(self.work(tmp_path, self.ends_with(0))))
        assert (tmp_path / "output.log").read_text().startswith("before\nhello")

    def test_work_that_goes_on_has_no_exit_status(self, started: tuple[ComputeTarget[Any], Any]) -> None:
        target, handle = started
        state = target.poll(handle)
        assert state.exit_code is None
        assert state.cpu_percent >= 0
        assert state.memory_bytes >= 0

    def test_a_poll_answers_within_a_second(self, started: tuple[ComputeTarget[Any], Any]) -> None:
        target, handle = started
        begun = time.monotonic()
        for _ in range(20):
            target.poll(handle)
        assert (time.monotonic() - begun) / 20 < 1

    def test_stop_ends_work_that_does_not_want_to(self, started: tuple[ComputeTarget[Any], Any]) -> None:
        target, handle = started
        begun = time.monotonic()
        target.stop(handle, 0.2)
        assert time.monotonic() - begun < 0.2 + 5
        state = target.poll(handle)
        assert state.exit_code is not None
        assert state.exit_code != 0

    def test_stopping_twice_or_after_the_end_does_nothing(self, tmp_path: Path) -> None:
        target = self.target()
        handle = target.start(self.work(tmp_path, self.ends_with(3)))
        ended(target, handle)
        for _ in range(2):
            target.stop(handle, 0.2)
        assert target.poll(handle).exit_code == 3

    def test_work_that_cannot_be_started_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid) as caught:
            self.target().start(self.work(tmp_path, self.cannot_start()))
        assert caught.value.message

    def test_two_works_do_not_touch_each_other(self, tmp_path: Path) -> None:
        first, second = self.target(), self.target()
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
        going = first.start(self.work(tmp_path / "a", self.goes_on()))
        ending = second.start(self.work(tmp_path / "b", self.ends_with(0)))
        assert ended(second, ending).exit_code == 0
        assert first.poll(going).exit_code is None
        first.stop(going, 0.0)


class FakeTarget(ComputeTarget[int]):
    """A target that keeps the contract without starting anything: tests say when the work ends, and how.

    A command is ``["ends", STATUS]``, which has ended when it is first looked at, or ``["goes on"]``. ``answers``
    False makes every call raise, as a cluster does whose head is gone.
    """

    def __init__(self) -> None:
        self.answers = True
        self.works: dict[int, Work] = {}
        self.states: dict[int, State] = {}
        self.stopped: list[int] = []
        self._handles = itertools.count(1)

    def start(self, work: Work) -> int:
        self._check()
        if work.command[0] not in ("ends", "goes on"):
            raise Invalid(f"{work.command[0]!r} is nothing that this target executes: say 'ends' or 'goes on'")
        handle = next(self._handles)
        self.works[handle] = work
        self.states[handle] = State(cpu_percent=50.0, memory_bytes=1024)
        if work.command[0] == "ends":
            self.print(handle, f"hello {work.environment.get('GIVEN')} {work.folder}")
            self.end(handle, int(work.command[1]))
        return handle

    def poll(self, handle: int) -> State:
        self._check()
        return self.states[handle]

    def stop(self, handle: int, grace_s: float) -> None:
        self._check()
        self.stopped.append(handle)
        self.end(handle, -9)

    def end(self, handle: int, exit_code: int) -> None:
        """Ends work; the first end stays."""
        if self.states[handle].exit_code is None:
            self.states[handle] = State(exit_code=exit_code)

    def print(self, handle: int, text: str) -> None:
        """Lets work print a line."""
        with self.works[handle].output.open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _check(self) -> None:
        if not self.answers:
            raise Unavailable("the target does not answer")


def ended(target: ComputeTarget[Any], handle: Any) -> State:
    """Polls until the work is over; returns the last state."""
    deadline = time.monotonic() + PATIENCE_S
    while (state := target.poll(handle)).exit_code is None:
        assert time.monotonic() < deadline, "the work does not end"
        time.sleep(0.02)
    return state
