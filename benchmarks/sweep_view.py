"""A sweep of 10,000 trials opened in JupyterLab by a real browser: how soon it is drawn, and whether it stays live.

Beside it the same view of 100 trials, in turns. Then trials come in, twenty a second, while the plots are in sight.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import sweep_fill
from benchmarks.jupyter import served
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace

TRIALS, FEW = 10_000, 100
OPEN_TARGET_MS, LIVE_TARGET_S = 2000.0, 2.0
ROUNDS, LIVE_ROUNDS, LIVE_S = 7, 8, 6.0
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
HERE = Path(__file__).parent


class Browser:
    """A headless browser with JupyterLab in it, asked over a pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.answer()

    def answer(self) -> Any:
        """Reads the next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the browser did not answer: is ui-tests installed (npm ci) and the front end built?")
        return json.loads(line)

    def ask(self, what: str, **more: Any) -> Any:
        """Asks, and waits for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"what": what, **more}) + "\n")
        self._process.stdin.flush()
        return self.answer()


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when every target is met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as name:
        root = Path(name) / "root"
        root.mkdir()
        studio = Studio(Workspace(root))
        chance = random.Random(0)
        many, few = (_sweep(studio, trials, chance) for trials in (TRIALS, FEW))
        lab = served(root, module="jupyterlab", options=("--LabApp.expose_app_in_browser=True",))
        with lab as server, _browser(server.address("lab")) as browser:
            taken = _opened(browser, {"many": many, "few": few})
            lags, longest_ms = _live(studio, browser, many, chance)
        studio.close()
    load = os.getloadavg()[0]
    print(f"{'from the command to the first plot':44}{'median, ms':>12}{'worst, ms':>12}")
    for key, title in (("many", f"{TRIALS:,} trials"), ("few", f"{FEW} trials")):
        for tab in ("overview", "plots"):
            one = taken[key, tab]
            print(f"{title + ', ' + tab:44}{statistics.median(one):12.0f}{max(one):12.0f}")
    lag_s = statistics.median(lags)
    print(f"while trials come in: seen after {lag_s:.2f} s, worst {max(lags):.2f} s; longest pause {longest_ms:.0f} ms")
    slowest = max(statistics.median(taken["many", tab]) for tab in ("overview", "plots"))
    good = slowest < OPEN_TARGET_MS and lag_s < LIVE_TARGET_S
    figure = f"{TRIALS:,} trials in {slowest / 1000:.1f} s, new ones seen after {lag_s:.1f} s, at a load of {load:.0f}"
    target = f"{OPEN_TARGET_MS / 1000:g} s, {LIVE_TARGET_S:g} s"
    print(f"sweep-view: {figure} (target {target}): {'ok' if good else 'short'}")
    return 0 if good else 1


def _sweep(studio: Studio, trials: int, chance: random.Random) -> str:
    sweep_id = sweep_fill.begin(studio, f"sweep-{trials}", sweep_fill.spec(2 * trials))
    sweep_fill.report(studio, sweep_id, [sweep_fill.trial(number, chance) for number in range(trials)])
    return sweep_id


def _opened(browser: Browser, sweeps: dict[str, str]) -> dict[tuple[str, str], list[float]]:
    taken: dict[tuple[str, str], list[float]] = {(key, tab): [] for key in sweeps for tab in ("overview", "plots")}
    for number in range(-1, ROUNDS):
        for (key, tab), times in taken.items():
            one = float(browser.ask("open", id=sweeps[key], tab=tab))
            if number >= 0:  # the first round loads the code
                times.append(one)
    return taken


def _live(studio: Studio, browser: Browser, sweep_id: str, chance: random.Random) -> tuple[list[float], float]:
    """Reports trials while the plots are in sight: how soon the head counts one, and how long the page was busy."""
    browser.ask("open", id=sweep_id, tab="plots")
    done, lags = TRIALS, []
    for _ in range(LIVE_ROUNDS):
        sweep_fill.report(studio, sweep_id, [sweep_fill.trial(done, chance)])
        began, done = time.perf_counter(), done + 1
        wanted = f"{done:,}".replace(",", "\u202f")
        while not browser.ask("count").startswith(wanted) and time.perf_counter() - began < 30:
            time.sleep(0.02)
        lags.append(time.perf_counter() - began)
    stop = threading.Event()

    def pour() -> None:
        number = done
        while not stop.wait(0.05):
            sweep_fill.report(studio, sweep_id, [sweep_fill.trial(number, chance)])
            number += 1

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        longest_ms = float(browser.ask("longest", ms=LIVE_S * 1000))
    finally:
        stop.set()
        thread.join()
    return lags, longest_ms


@contextmanager
def _browser(address: str) -> Iterator[Browser]:
    found = next((path for path in BROWSERS if Path(path).exists()), None)
    node = shutil.which("node")
    if found is None or node is None:
        raise SystemExit("this benchmark needs Chromium and Node.js")
    command = [node, str(HERE / "sweep_view.cjs"), address, found]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Browser(process)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)
        finally:
            if process.poll() is None:
                process.kill()


if __name__ == "__main__":
    sys.exit(run())
