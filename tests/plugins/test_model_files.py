"""Files that an MLmodel names: beside it or in a folder there, nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.files import mlflow_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder with a folder in it, beside which lies somebody else's file."""
    made = tmp_path / "model"
    (made / "data").mkdir(parents=True)
    for path in (made / "model.pkl", made / "data" / "weights.pkl", tmp_path / "other.pkl"):
        path.write_bytes(b"x")
    (made / "link.pkl").symlink_to(tmp_path / "other.pkl")
    (made / "way").symlink_to(tmp_path)
    return made


@pytest.mark.parametrize("name", ["model.pkl", "data/weights.pkl"])
def test_a_file_of_the_model_is_found(folder: Path, name: str) -> None:
    assert mlflow_file(folder, name) == folder / name


@pytest.mark.parametrize(
    "name",
    ["", ".", "data", "missing.pkl", "../other.pkl", "data/../../other.pkl", "data//weights.pkl", "./model.pkl",
     "data\\weights.pkl", "a\0b", "link.pkl", "way/other.pkl", "/etc/passwd", None],
)  # fmt: skip
def test_M14_what_is_elsewhere_or_no_file_is_not(folder: Path, name: object) -> None:
    with pytest.raises(Invalid, match="not beside it"):
        mlflow_file(folder, name)
