"""What a file is, is told from its content, and nothing is loaded."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import joblib
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.entities.models import ModelFile
from jupyter_mlstudio.errors import Invalid, WrongType
from jupyter_mlstudio.services.model_formats import check_mlmodel, refusal, refuse_archive, risks, sniff
from tests.onnx import graphs

MODEL = LogisticRegression().fit([[0.0], [1.0]], [0, 1])


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name in names:
            packed.writestr(name, "x" * 200_000)
    return content.getvalue()


def dumped(level: int) -> bytes:
    content = io.BytesIO()
    joblib.dump(MODEL, content, compress=level)
    return content.getvalue()


HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
FILES = {
    "model.onnx": (graphs.custom(), "onnx", False),
    "renamed.bin": (graphs.custom(), "onnx", False),
    "model.skops": (skops.io.dumps(MODEL), "skops", False),
    "model.safetensors": (len(HEADER).to_bytes(8, "little") + HEADER + bytes(4), "safetensors", False),
    "model.json": (b'{"learner": {}}', "json", False),
    "model.pkl": (pickle.dumps(MODEL), "pkl", True),
    "old.pkl": (pickle.dumps([1, 2], protocol=0), "pkl", True),
    "no_suffix": (pickle.dumps(MODEL), "pkl", True),
    "model.joblib": (dumped(0), "joblib", True),
    "packed.joblib": (dumped(3), "joblib", True),
    "model.pt": (zipped("model/data.pkl", "model/version"), "pt", True),
    "old.pth": (pickle.dumps({"a": 1}), "pt", True),
    "model.keras": (zipped("metadata.json", "config.json", "model.weights.h5"), "keras", True),
    "saved_model.pb": (b"\x08\x01\x12\x00", "savedmodel", True),
    "notes.txt": (b"nothing", "", False),
    "empty": (b"", "", False),
}


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    content, kind, executes = FILES[name]
    (tmp_path / name).write_bytes(content)
    found = sniff(tmp_path / name, f"native/{name}")
    assert (found.format, found.executes) == (kind, executes)
    (tmp_path / "native").mkdir()
    (tmp_path / name).rename(tmp_path / "native" / name)
    files = [ModelFile(path=f"native/{name}", size_bytes=len(content), sha256="")]
    assert bool(refusal(risks(tmp_path, files))) == executes
    refuse_archive(found)


def test_a_pickle_called_onnx_is_a_pickle(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(pickle.dumps(MODEL))
    assert sniff(tmp_path / "model.onnx", "native/model.onnx").format == "pkl"


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.7z", "a.whl", "a.gz"])
def test_U01_U02_an_archive_is_refused_by_its_name_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(WrongType, match="not unpacked"):
        refuse_archive(sniff(tmp_path / name, name))


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.system [x]", "- 1", "a: [", "a: b: c", "x: " + "y" * 1024 * 1024]
)
def test_M14_an_mlmodel_that_is_no_plain_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "MLmodel").write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match="MLmodel"):
        check_mlmodel(tmp_path / "MLmodel")


ASCII_PICKLE = pickle.dumps([1, 2], protocol=0)
HIDDEN = {
    "a text that the manifest loads": {"mlstudio.json": b'{"kind": "sklearn", "file": "x.txt"}', "x.txt": ASCII_PICKLE},
    "packed under a strange name": {"mlstudio.json": b'{"kind": "sklearn", "file": "x.dat"}', "x.dat": dumped(3)},
    "rows that are a pickle": {
        "mlstudio.json": b'{"kind": "onnx", "file": "m.onnx", "sample": "s.txt"}', "m.onnx": graphs.custom(),
        "s.txt": ASCII_PICKLE,
    },
    "a flavor that loads any file": {"MLmodel": b"flavors: {sklearn: {pickled_model: x}}", "x": ASCII_PICKLE},
    "no flavors at all": {"MLmodel": b"run_id: x"},
}  # fmt: skip


@pytest.mark.parametrize("case", list(HIDDEN))
def test_M01_what_would_be_loaded_as_a_pickle_counts_whatever_it_is_called(tmp_path: Path, case: str) -> None:
    assert refusal(risks(tmp_path, kept(tmp_path, HIDDEN[case])))


def test_files_that_hold_no_code_need_no_word(tmp_path: Path) -> None:
    manifest = b'{"kind": "lightgbm", "file": "model.txt", "sample": "s.json"}'
    content = {"mlstudio.json": manifest, "model.txt": b"tree", "s.json": b"[]"}
    assert risks(tmp_path, kept(tmp_path, content)) == []
    flavors = b"flavors: {onnx: {data: model.onnx}, python_function: {}}"
    assert risks(tmp_path / "b", kept(tmp_path / "b", {"MLmodel": flavors, "model.onnx": graphs.custom()})) == []


def kept(folder: Path, content: dict[str, bytes]) -> list[ModelFile]:
    (folder / "native").mkdir(parents=True)
    for name, data in content.items():
        (folder / "native" / name).write_bytes(data)
    return [ModelFile(path=f"native/{name}", size_bytes=0, sha256="") for name in content]
