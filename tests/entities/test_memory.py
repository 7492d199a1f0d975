from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlstudio.entities import memory


def group(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_the_control_group_is_found_in_both_versions_and_behind_a_mount_of_its_own(tmp_path: Path) -> None:
    of = tmp_path / "cgroup"
    new = group(tmp_path / "two" / "user" / "lab", memory__events="low 0\noom 1\noom_kill 3\n")
    of.write_text("0::/user/lab\n")
    assert memory.control_group(of, tmp_path / "two") == new
    assert memory.kills(new) == 3

    old = group(
        tmp_path / "one" / "memory" / "lab", memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"
    )
    of.write_text("5:cpu,cpuacct:/\n4:memory:/lab\n0::/\n")
    assert memory.control_group(of, tmp_path / "one") == old
    assert memory.kills(old) == 2

    inside = group(tmp_path / "three", memory__events="oom_kill 5\n")
    of.write_text("0::/docker/abc\n")
    assert memory.control_group(of, inside) == inside, "a container sees its own group as the root"
    assert memory.control_group(of, tmp_path / "none") is None
    assert memory.control_group(tmp_path / "none") is None


def test_without_a_control_group_the_machine_counts(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("pgfault 12\noom_kill 4\n")
    assert memory.kills(tmp_path, tmp_path / "vmstat") == 4
    assert memory.kills(tmp_path, tmp_path / "none") == 0


def test_the_limit_is_the_smallest_of_the_group_those_above_it_and_the_machine(tmp_path: Path) -> None:
    inner = group(tmp_path / "a" / "b", memory__max="max\n")
    group(tmp_path / "a", memory__max=str(200 * memory.MEBIBYTE))
    assert memory.available_bytes(inner) == 200 * memory.MEBIBYTE
    none = group(tmp_path / "c", memory__limit_in_bytes="9223372036854771712\n")
    assert memory.available_bytes(none) > 200 * memory.MEBIBYTE


def test_a_kill_is_memorys_when_the_work_was_near_its_limit_and_not_otherwise() -> None:
    watched = memory.Pressure(1000 * memory.MEGABYTE)
    watched.note(500 * memory.MEGABYTE)
    assert (watched.exceeded(), watched.verdict(killed=True)) == ("", "")
    watched.note(950 * memory.MEGABYTE)
    watched.note(100 * memory.MEGABYTE)
    assert watched.verdict(killed=True) == "out of memory (limit 1000 MB, peak 950 MB)"
    assert watched.verdict(killed=False) == "", "an ordinary failure is not memory's"
    watched.note(1001 * memory.MEGABYTE)
    assert watched.exceeded() == "out of memory (limit 1000 MB, peak 1001 MB)"


def test_a_process_that_is_refused_memory_says_its_own_limit() -> None:
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "from jupyter_mlstudio.client.active import sentence\n"
        "try: bytearray(2**31)\nexcept MemoryError as error: print(sentence(error))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.startswith("out of memory (limit 1074 MB, peak "), said


@pytest.mark.parametrize(("unit", "said"), [(memory.MEGABYTE, "limit 537 MB"), (memory.MEBIBYTE, "limit 512 MB")])
def test_the_units_are_those_of_the_setting(unit: int, said: str) -> None:
    assert said in memory.sentence(512 * memory.MEBIBYTE, 0, unit)
