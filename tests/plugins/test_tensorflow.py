"""What can be said of a SavedModel without TensorFlow, which is not installed where these tests run."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.tensorflow import TensorflowConverter


def flavored(folder: Path, kind: str) -> Source:
    (folder / "MLmodel").write_text(f"flavors:\n  tensorflow:\n    model_type: {kind}\n")
    return Source(folder)


def test_a_saved_model_that_mlflow_logged_is_accepted_and_keras_is_not(tmp_path: Path) -> None:
    assert TensorflowConverter().accepts(flavored(tmp_path, "tf2-module"))
    assert not TensorflowConverter().accepts(flavored(tmp_path, "keras"))
    assert not TensorflowConverter().accepts(Source(tmp_path, {"kind": "sklearn"}))


def test_a_folder_without_a_saved_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no SavedModel"):
        TensorflowConverter().load(flavored(tmp_path, "tf2-module"))


def test_a_saved_model_without_rows_is_said(tmp_path: Path) -> None:
    source = flavored(tmp_path, "tf2-module")
    (tmp_path / "tf2model").mkdir()
    (tmp_path / "tf2model" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(Invalid, match="input_example=X"):
        TensorflowConverter().load(source)
