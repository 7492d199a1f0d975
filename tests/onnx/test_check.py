from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jupyter_mlstudio.errors import Invalid, TimedOut, TooLarge
from jupyter_mlstudio.onnx.check import inspect, is_bounded
from jupyter_mlstudio.onnx.session import Execution, open_session
from tests.onnx import graphs


def test_a_good_model_is_described() -> None:
    facts = inspect(graphs.doubling())
    assert (facts.inputs, facts.outputs, facts.operators) == (["X"], ["Y"], ["Mul"])
    assert facts.opset == graphs.OPSET


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"", "empty"),
        (b"\x08", "not ONNX|not a usable"),
        (pickle.dumps({"a": 1}), "not ONNX|not a usable"),
        (b"PK\x03\x04" + bytes(100), "not ONNX|not a usable"),
        (graphs.doubling()[:-20], "not ONNX|not valid|not a usable"),
        (graphs.external("../canary"), "other files"),
        (graphs.external("/etc/hostname"), "other files"),
        (graphs.custom(), "com.x"),
        (graphs.newer(), "opset 9999"),
    ],
    ids=["empty", "cut", "pickle", "zip", "truncated", "outside", "absolute", "custom", "newer"],
)  # fmt: skip
def test_M02_M03_M06_M09_M10_a_file_that_may_not_be_served_is_refused(bad: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        inspect(bad)


def test_M03_a_hardlinked_weight_file_is_refused_before_anything_reads_it(tmp_path: Path) -> None:
    (tmp_path / "canary").write_bytes(bytes(8))
    os.link(tmp_path / "canary", tmp_path / "weights")
    with pytest.raises(Invalid, match="other files"):
        inspect(graphs.external("weights"))


def test_the_check_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graphs.doubling())
    good = subprocess.run([sys.executable, "-m", "jupyter_mlstudio.onnx.check", path], capture_output=True, check=True)
    assert json.loads(good.stdout)["facts"]["operators"] == ["Mul"]
    path.write_bytes(b"nothing")
    bad = subprocess.run([sys.executable, "-m", "jupyter_mlstudio.onnx.check", path], capture_output=True, check=False)
    assert bad.returncode == 1
    assert "error" in json.loads(bad.stdout)


def test_models_with_loops_or_sizes_out_of_data_are_not_bounded() -> None:
    assert is_bounded(inspect(graphs.doubling()).operators)
    for made in (graphs.endless(), graphs.greedy(), graphs.sized()):
        assert not is_bounded(inspect(made).operators)


@pytest.mark.parametrize("bad", [b"", b"nothing", graphs.custom(), graphs.newer(), graphs.external("weights")])
def test_E23_what_cannot_be_loaded_is_said_in_plain_words(bad: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        open_session(bad)
    assert "ONNXRuntimeError" not in caught.value.message
    assert "/" not in caught.value.message


def test_M08_a_run_is_ended_from_another_thread() -> None:
    import threading

    execution = Execution(open_session(graphs.endless()))
    threading.Timer(0.3, execution.stop).start()
    with pytest.raises(TimedOut, match="deadline"):
        execution.run(["Y"], {"X": np.ones((1, 2), np.float32)})


def test_M07_a_run_that_asks_for_terabytes_is_refused() -> None:
    with pytest.raises(TooLarge, match="memory"):
        Execution(open_session(graphs.greedy())).run(["Y"], {"X": np.ones((1, 2), np.float32)})
