"""Which process is which, also when a pid is taken by another, the process is not buried, or the clock is changed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from jupyter_mlstudio.services import processes
from jupyter_mlstudio.services.processes import Identity

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def test_a_process_is_alive_until_it_ends_and_its_parent_need_not_bury_it(sleeper: subprocess.Popen[bytes]) -> None:
    identity = Identity.of(sleeper.pid)
    assert identity is not None
    assert identity.alive
    sleeper.kill()
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not identity.alive
    assert Identity.of(sleeper.pid) is None


def test_another_process_with_its_pid_is_not_it(sleeper: subprocess.Popen[bytes]) -> None:
    identity = Identity.of(sleeper.pid)
    assert identity is not None
    assert not Identity(identity.pid, identity.started + 0.02).alive


def test_F24_a_change_of_the_clock_makes_no_stranger_of_a_process() -> None:
    identity = Identity.of(os.getpid())
    assert identity is not None
    assert identity.started <= time.clock_gettime(time.CLOCK_BOOTTIME), "it counts from the start of the machine"


def test_a_process_that_is_gone_or_never_was_has_no_identity() -> None:
    assert Identity.of(2**22 + 1) is None


def test_ending_asks_first_and_kills_who_does_not_listen() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        assert stubborn.stdout.readline() == b"on\n"
        processes.end([psutil.Process(stubborn.pid)], grace_s=0.2)
        assert not psutil.pid_exists(stubborn.pid)


def test_killing_does_not_wait_for_a_zombie(sleeper: subprocess.Popen[bytes]) -> None:
    zombie = psutil.Process(sleeper.pid)
    os.kill(sleeper.pid, 9)
    while zombie.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    begun = time.monotonic()
    processes.kill([zombie])
    assert time.monotonic() - begun < 1


def test_a_session_is_found_after_its_leader_has_ended() -> None:
    program = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL, env={}).pid)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True) as leader:
        identity = Identity.of(leader.pid)
        assert identity is not None
        assert leader.stdout is not None
        left = int(leader.stdout.readline())
    found = processes.of_session(identity)
    assert [process.pid for process in found] == [left]
    processes.kill(found)
    assert processes.of_session(identity) == []
