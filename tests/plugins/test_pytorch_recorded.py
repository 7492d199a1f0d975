from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from jupyter_mlstudio.client import torch_records
from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Original, Source
from jupyter_mlstudio.plugins.converters.pytorch import PytorchConverter
from jupyter_mlstudio.programs.convert import convert, read_manifest

pytestmark = pytest.mark.slow

WITHOUT_TORCH = """
import json, sys
sys.modules["torch"] = None  # whoever imports it fails
from pathlib import Path
from jupyter_mlstudio.programs.convert import convert
found = convert(Path(sys.argv[1]), trust_records=True).conversion
print(json.dumps([found.ready, found.parity.rows, found.parity.recorded, found.framework]))
"""


def rows(count: int = 30) -> Any:
    return np.random.default_rng(0).normal(size=(count, 6))


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What log_model wrote, by name: exporting takes a second, so it is done once."""
    folder = tmp_path_factory.mktemp("logged")
    write_model(folder, mlp(), rows(), labels=["a", "b", "c"])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(logged: dict[str, bytes], tmp_path: Path) -> Path:
    for name, content in logged.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def recorded(folder: Path) -> Original | None:
    return PytorchConverter().recorded(Source(folder, read_manifest(folder)))


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "mlstudio.json"
    manifest = json.loads(path.read_text())
    manifest["recorded"] |= changes
    path.write_text(json.dumps(manifest))


def test_what_was_recorded_converts_and_compares_without_pytorch(folder: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    by = f"PyTorch {torch.__version__}"
    assert json.loads(done.stdout) == [True, 30, by, by]


def test_both_ways_end_with_the_same_file_and_the_same_report(folder: Path) -> None:
    fast, full = (convert(folder, trust_records=trusted) for trusted in (True, False))
    assert fast.onnx == full.onnx
    assert fast.conversion.signature == full.conversion.signature
    assert fast.conversion.parity is not None
    assert full.conversion.parity is not None
    assert fast.conversion.parity.recorded
    assert not full.conversion.parity.recorded
    for what in ("rows", "label_flips", "max_abs_difference", "quantiles", "tolerance", "worst_rows", "worst"):
        assert getattr(fast.conversion.parity, what) == getattr(full.conversion.parity, what)


@pytest.mark.parametrize("name", [torch_records.GRAPH, torch_records.ANSWERS])
@pytest.mark.parametrize("content", [b"something else", None], ids=["changed", "removed"])
def test_files_that_are_not_the_recorded_ones_are_not_used(name: str, content: bytes | None, folder: Path) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert recorded(folder) is None


@pytest.mark.parametrize("what", ["program", "sample"])
def test_a_record_of_another_program_or_of_other_rows_is_not_used(what: str, folder: Path) -> None:
    assert recorded(folder) is not None
    change_manifest(folder, **{what: "0" * 64})
    assert recorded(folder) is None


def test_a_program_that_is_not_the_one_that_was_logged_is_refused(folder: Path) -> None:
    (folder / "model.pt2").write_bytes(b"something else")
    with pytest.raises(Invalid, match="digest mismatch"):
        convert(folder, trust_records=True)


def test_answers_that_the_graph_does_not_give_do_not_make_a_version_ready_nor_refuse_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import hashlib

    np.save(folder / torch_records.ANSWERS, np.zeros((30, 3), np.float32))
    wrong = hashlib.sha256((folder / torch_records.ANSWERS).read_bytes()).hexdigest()
    digests = json.loads((folder / "mlstudio.json").read_text())["recorded"]["files"]
    change_manifest(folder, files=digests | {torch_records.ANSWERS: wrong})
    found = convert(folder, trust_records=True).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert not found.parity.recorded
    assert "recorded when the model was logged did not do" in capsys.readouterr().out


def test_an_export_that_fails_does_not_fail_the_logging(tmp_path: Path) -> None:
    class Sorted(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            sizes: torch.Tensor = torch.linalg.eigvals(x[:, :4].reshape(-1, 2, 2)).abs()
            return sizes

    write_model(tmp_path, Sorted(), rows())
    assert "recorded" not in json.loads((tmp_path / "mlstudio.json").read_text())
    assert not (tmp_path / torch_records.GRAPH).exists()
    found = convert(tmp_path, trust_records=True).conversion
    assert not found.ready
    assert "torch.onnx cannot export it" in found.reason


def test_what_is_recorded_is_of_the_rows_that_are_kept(tmp_path: Path) -> None:
    write_model(tmp_path, mlp(), rows(1500))
    assert len(np.load(tmp_path / torch_records.ANSWERS)) == 1000
    found = convert(tmp_path, trust_records=True).conversion
    assert found.parity is not None
    assert (found.parity.rows, found.parity.recorded) == (1000, f"PyTorch {torch.__version__}")


def test_without_the_exporter_nothing_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    write_model(tmp_path, mlp(), rows())
    assert "recorded" not in json.loads((tmp_path / "mlstudio.json").read_text())
