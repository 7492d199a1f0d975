"""What the studio adds to the start of JupyterLab's server (CPU, memory) and to what the browser loads at first.

The same server with the extension enabled and disabled, in turns. JavaScript: the chunks that JupyterLab asks for
before a view of the studio is opened, as the shipped build has them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from benchmarks.jupyter import served

CPU_TARGET_MS, MEMORY_TARGET_MB, SCRIPT_TARGET_KB = 50.0, 10.0, 300.0
ROUNDS, SETTLE_S = 9, 1.5
REPOSITORY = Path(__file__).parents[1]


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when every target is met."""
    cpu: dict[bool, list[float]] = {True: [], False: []}
    memory: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as name:
        for number in range(-1, ROUNDS):
            for studio in (True, False) if number % 2 else (False, True):
                taken = _start(Path(name) / "root", studio)
                if number >= 0:  # the first round fills the caches
                    cpu[studio].append(taken[0])
                    memory[studio].append(taken[1])
        script_kb, chunks = _script_kb(Path(name))
    added = [statistics.median(side[True]) - statistics.median(side[False]) for side in (cpu, memory)]
    print(f"{'start of the server':28}{'CPU, ms':>12}{'best':>10}{'worst':>10}{'memory, MB':>14}")
    for studio, title in ((True, "with the studio"), (False, "without")):
        print(
            f"{title:28}{statistics.median(cpu[studio]):12.0f}{min(cpu[studio]):10.0f}{max(cpu[studio]):10.0f}"
            f"{statistics.median(memory[studio]):14.1f}"
        )
    print(f"JavaScript before a view is opened: {script_kb:.0f} kB ({', '.join(chunks)})")
    good = added[0] < CPU_TARGET_MS and added[1] < MEMORY_TARGET_MB and script_kb < SCRIPT_TARGET_KB
    figure = f"{added[0]:+.0f} ms CPU, {added[1]:+.1f} MB, {script_kb:.0f} kB of JavaScript"
    target = f"{CPU_TARGET_MS:g} ms, {MEMORY_TARGET_MB:g} MB, {SCRIPT_TARGET_KB:g} kB"
    print(f"server-start: {figure} (target {target}): {'ok' if good else 'short'}")
    return 0 if good else 1


def _start(root: Path, studio: bool) -> tuple[float, float]:
    """Starts a server, lets it settle, and ends it; answers its CPU milliseconds and its memory."""
    root.mkdir(exist_ok=True)
    with served(root, module="jupyterlab", studio=studio) as server:
        time.sleep(SETTLE_S)
        memory_mb = server.memory_mb()
        server.process.send_signal(signal.SIGKILL)
        _, status, usage = os.wait4(server.process.pid, 0)
        server.process.returncode = os.waitstatus_to_exitcode(status)
    return (usage.ru_utime + usage.ru_stime) * 1000, memory_mb


def _script_kb(folder: Path) -> tuple[float, list[str]]:
    """Builds the wheel from a clean copy, and adds up the chunks that its entry asks for at JupyterLab's start."""
    source = folder / "source"
    subprocess.run([".ci/clean-copy", str(source)], cwd=REPOSITORY, check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder / "dist"), "."]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    wheel = next((folder / "dist").glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "wheel")
    extension = next((folder / "wheel").glob("*.data/data/share/jupyter/labextensions/jupyter_mlstudio"))
    entry = extension / json.loads((extension / "package.json").read_text())["jupyterlab"]["_build"]["load"]
    loaded = [entry, *_first_chunks(entry)]
    return sum(path.stat().st_size for path in loaded) / 1000, [path.name for path in loaded]


def _first_chunks(entry: Path) -> list[Path]:
    """Finds the files of the chunks that the modules ``./extension`` and ``./style`` are made of."""
    code = entry.read_text(encoding="utf-8")
    ids: set[str] = set()
    for module in ("./extension", "./style"):
        found = re.search(rf"""["']{re.escape(module)}["']\s*:(.*?)(?=,\s*["']\./|\}}\s*[;,)])""", code, re.DOTALL)
        if found is None:
            raise SystemExit(f"{entry.name} does not say what {module} is made of")
        ids |= set(re.findall(r"""\.e\(["']?([\w-]+)["']?\)""", found[1]))
    files = [path for path in entry.parent.glob("*.js") if path.name.split(".")[0] in ids]
    if not files:
        raise SystemExit(f"no chunk of {sorted(ids)} was found beside {entry.name}")
    return sorted(files)


if __name__ == "__main__":
    sys.exit(run())
