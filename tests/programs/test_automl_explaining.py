"""The winner is explained beside other work, within the time and the memory of the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from threadpoolctl import threadpool_info

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec
from jupyter_mlstudio.learning.plan import make_plan
from jupyter_mlstudio.programs.automl_explaining import Explaining

MEGABYTE = 1024**2
GREEDY_BYTES = 4000 * MEGABYTE


class Model:
    """Answers by a column; ``greedy_rows`` is how many rows at once it takes a lot of memory for."""

    def __init__(self, greedy_rows: int) -> None:
        self.greedy_rows = greedy_rows

    def predict(self, rows: pd.DataFrame) -> Any:
        if len(rows) >= self.greedy_rows:
            np.ones(GREEDY_BYTES, dtype=np.int8)
        return rows["size"].to_numpy(dtype=np.float64) * 2


class WithThreads(Model):
    """Answers only while libraries have so many threads."""

    def __init__(self, threads: int) -> None:
        super().__init__(10**9)
        self.threads = threads

    def predict(self, rows: pd.DataFrame) -> Any:
        assert {pool["num_threads"] for pool in threadpool_info()} == {self.threads}
        return super().predict(rows)


def explained(model: Model, memory_bytes: int | None = None, threads: int = 1) -> Any:
    """What is found out about a model within a limit."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=300), "noise": random.normal(size=300)})
    frame["price"] = 2 * frame["size"] + random.normal(size=300)
    limits = AutoMLLimits(timeout_s=60, memory_bytes=memory_bytes)
    spec = AutoMLSpec(data="", target="price", limits=limits)
    outcome = SimpleNamespace(model=model, winner=SimpleNamespace(fit_s=None))
    return Explaining(outcome, make_plan(frame, spec), spec, 20, threads).result()[0]


def own(more: int) -> int:
    return int(psutil.Process().memory_info().rss) + more


def test_within_the_limit_all_is_found_out() -> None:
    found = explained(Model(10**9), own(300 * MEGABYTE))

    assert found.importances[0].column == "size"
    assert found.dependences
    assert found.shap
    assert "memory" not in found.note


def test_beyond_it_what_was_found_before_is_kept_and_the_note_says_why_there_is_no_more(
    capfd: pytest.CaptureFixture[str],
) -> None:
    # 300 rows are shuffled; drawings ask about more of them at once.
    found = explained(Model(301), own(300 * MEGABYTE))

    assert found.importances[0].column == "size"
    assert not found.shap
    assert "explaining the winner needs more memory than the run may have" in found.note
    assert "is not whole: explaining the winner needs more memory" in capfd.readouterr().out
    nothing = explained(Model(1), own(300 * MEGABYTE))
    assert not nothing.importances
    assert "needs more memory" in nothing.note


@pytest.mark.parametrize("threads", [1, 2])
def test_it_has_the_threads_of_a_fit_since_more_wait_for_each_other_on_a_busy_machine(threads: int) -> None:
    found = explained(WithThreads(threads), threads=threads)

    assert found.importances[0].column == "size"
    assert found.dependences
    assert found.shap
