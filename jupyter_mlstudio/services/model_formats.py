"""What the files of a model are, told from their content. Nothing is loaded: at most 68 KB of each file are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from jupyter_mlstudio.entities.models import ModelFile, ModelFormat
from jupyter_mlstudio.errors import Invalid, WrongType

HEAD_BYTES, TAIL_BYTES = 4096, 64 * 1024
MLMODEL_LIMIT_BYTES = 1024 * 1024
EXECUTES = "executes code when it is loaded"
_PICKLE = "a pickle names functions that are called while it is loaded"
_NOTES = {
    "pkl": _PICKLE,
    "joblib": f"joblib files are pickles: {_PICKLE}",
    "pt": f"PyTorch checkpoints hold a pickle: {_PICKLE}",
    "keras": "Keras models may hold Lambda layers and custom objects, which are code",
    "savedmodel": "TensorFlow graphs may read and write files",
    "skops": "loaded with an exact list of types; any other type is refused",
}
_EXECUTING = frozenset({"pkl", "joblib", "pt", "keras", "savedmodel"})
HARMLESS, ROWS = ("onnx", "skops", "json"), ("npy", "npz", "json")
"""Formats that hold no code, of models and of rows."""
LIBRARIES = ("xgboost", "lightgbm", "catboost")
"""Kinds of a manifest whose file the library itself reads, never as a pickle."""
MANIFEST = "mlstudio.json"
_SUFFIXES = {
    ".joblib": "joblib", ".pkl": "pkl", ".pickle": "pkl", ".pt": "pt", ".pt2": "pt", ".pth": "pt", ".ckpt": "pt",
    ".keras": "keras",
}  # fmt: skip
_PACKED = (b"\x1f\x8b", b"x\x01", b"x\x9c", b"x\xda", b"BZh", b"\xfd7zXZ\x00", b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".gz", ".bz2", ".xz", ".whl")
Ends = tuple[bytes, bytes]


def sniff(path: Path, name: str) -> ModelFormat:
    """Tells what a file is. ``name`` is its path in the version, whose suffix counts only where content is silent."""
    kind = _kind(*_ends(path), name.lower()) or _SUFFIXES.get(Path(name).suffix.lower(), "")
    return ModelFormat(path=name, format=kind, executes=kind in _EXECUTING, note=_NOTES.get(kind, ""))


def formats(folder: Path, files: Iterable[ModelFile]) -> list[ModelFormat]:
    """Tells which of a version's files are models, and of what format."""
    found = [sniff(folder / file.path, file.path) for file in files]
    return [one for one in found if one.format and not _is_data(one)]


def check(folder: Path, files: Iterable[ModelFile]) -> None:
    """Checks files whose origin nobody knows.

    Raises:
        Invalid: a file is called ``.onnx`` and is something else, or ``MLmodel`` is not plain YAML.
        WrongType: a file is of a form that is not kept.
    """
    for one in (sniff(folder / file.path, file.path) for file in files):
        refuse_archive(one)
        if one.path.lower().endswith(".onnx") and one.format != "onnx":
            raise Invalid(f"{_plain(one.path)!r} is not ONNX: its content is {one.format or 'unknown'}")
        if one.format == "mlmodel" and "/" not in _plain(one.path):
            check_mlmodel(folder / one.path)


def refuse_archive(one: ModelFormat) -> None:
    """Refuses what would have to be unpacked, and Keras' old form, which cannot be loaded without executing code.

    Raises:
        WrongType: it is such a file.
    """
    name = _plain(one.path)
    if one.format in ("zip", "tar") or name.lower().endswith(_ARCHIVES):
        raise WrongType(
            f"{name!r} is an archive, and archives are not unpacked: give the model's file or folder itself"
        )
    if one.format == "hdf5":
        raise WrongType(f"{name!r} is HDF5: save the model in Keras' own form, model.save('model.keras'), or as ONNX")


def check_mlmodel(path: Path) -> None:
    """Checks that MLflow's description of a model is plain data.

    Raises:
        Invalid: it is larger than 1 MiB, not YAML, or asks for objects to be made.
    """
    if path.stat().st_size > MLMODEL_LIMIT_BYTES:
        raise Invalid("MLmodel is larger than 1 MiB")
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = getattr(error, "problem", "") or "not UTF-8 text"
        raise Invalid(f"MLmodel is not plain YAML: {said}") from error
    if not isinstance(content, dict):
        raise Invalid("MLmodel is not a YAML mapping")


def risks(folder: Path, files: Iterable[ModelFile]) -> list[str]:
    """Names the files whose loading may execute code. What is not known to be harmless is on the list.

    A model's manifest says which files are loaded, whatever they are called, and MLflow's flavors may load pickles from
    files of any name; therefore these count unless their content is of a form that holds no code.
    """
    found = {_plain(file.path): sniff(folder / file.path, file.path) for file in files}
    names = [name for name, one in found.items() if one.executes]
    manifest = _object(folder / "native" / MANIFEST) if MANIFEST in found else {}
    if manifest.get("kind") not in LIBRARIES:
        names += [str(manifest["file"])] if _kind_of(found, manifest.get("file")) not in (*HARMLESS, None) else []
    for what in ("sample", "targets"):
        names += [str(manifest[what])] if _kind_of(found, manifest.get(what)) not in (*ROWS, None) else []
    if "MLmodel" in found and not _flavors(folder / "native" / "MLmodel") <= {"onnx", "python_function"}:
        names.append("MLmodel")
    return list(dict.fromkeys(names))


def refusal(names: Sequence[str]) -> str:
    """Why files of unknown origin are not loaded, given what :func:`risks` found; empty when they may be."""
    if not names:
        return ""
    what = f"{names[0]!r}" if len(names) == 1 else f"{names[0]!r} and {len(names) - 1} more"
    return f"{what} {EXECUTES}, so it was kept but not converted: if you trust who made it, register it with allow_code"


def _kind_of(found: Mapping[str, ModelFormat], name: object) -> str | None:
    """The format of a file that a manifest names; None when it names none."""
    return None if name is None else found[str(name)].format if str(name) in found else "missing"


def _object(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{MANIFEST} of the model is not a JSON object") from error
    if not isinstance(content, dict):
        raise Invalid(f"{MANIFEST} of the model is not a JSON object")
    return content


def _flavors(path: Path) -> set[str]:
    content = yaml.safe_load(path.read_text("utf-8"))
    flavors = content.get("flavors") if isinstance(content, dict) else None
    return {str(name) for name in flavors} if isinstance(flavors, dict) else {"unknown"}


def _ends(path: Path) -> Ends:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, size - TAIL_BYTES))
        return head, file.read(TAIL_BYTES)


def _kind(head: bytes, tail: bytes, name: str) -> str:
    for kind, fits in _TESTS:
        if fits(head, tail, name):
            return kind
    return ""


def _is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _is_pickle(head: bytes, tail: bytes, name: str) -> bool:
    binary = len(head) > 1 and head[0] == 0x80 and head[1] in (2, 3, 4, 5)
    return binary or (name.endswith((".pkl", ".pickle", ".joblib")) and tail.endswith(b"."))


def _is_onnx(head: bytes, tail: bytes, name: str) -> bool:
    """A ``ModelProto``: field 1, ``ir_version``, a small number, and then another of its first fields."""
    return len(head) > 2 and head[0] == 0x08 and 0 < head[1] < 0x40 and head[2] in b"\x12\x1a\x22\x28\x32\x3a\x42"


def _is_safetensors(head: bytes, tail: bytes, name: str) -> bool:
    return len(head) > 9 and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000 and head[8:9] == b"{"


_TESTS: list[tuple[str, Callable[[bytes, bytes, str], bool]]] = [
    ("hdf5", lambda head, tail, name: head.startswith(b"\x89HDF\r\n\x1a\n")),
    ("skops", lambda head, tail, name: _is_zip(head) and b"schema.json" in tail),
    ("keras", lambda head, tail, name: _is_zip(head) and b"config.json" in tail and b"metadata.json" in tail),
    ("pt", lambda head, tail, name: _is_zip(head) and (b"/data.pkl" in tail or b"/archive_format" in tail)),
    ("npz", lambda head, tail, name: _is_zip(head) and b".npy" in tail),
    ("zip", lambda head, tail, name: _is_zip(head)),
    ("tar", lambda head, tail, name: head[257:262] == b"ustar"),
    ("joblib", lambda head, tail, name: name.endswith(".joblib") and (head.startswith(_PACKED) or head[:1] == b"\x80")),
    ("pt", lambda head, tail, name: name.endswith((".pt", ".pth", ".ckpt")) and head[:1] == b"\x80"),
    ("pkl", _is_pickle),
    ("safetensors", _is_safetensors),
    ("npy", lambda head, tail, name: head.startswith(b"\x93NUMPY")),
    ("mlmodel", lambda head, tail, name: name.rpartition("/")[2] == "mlmodel"),
    ("savedmodel", lambda head, tail, name: name.endswith("saved_model.pb")),
    ("onnx", _is_onnx),
    ("json", lambda head, tail, name: name.endswith((".json", ".ubj")) and head.lstrip()[:1] in (b"{", b"[")),
]  # fmt: skip


def _is_data(one: ModelFormat) -> bool:
    return one.format in ("npy", "npz", "mlmodel")


def _plain(path: str) -> str:
    return path.removeprefix("native/")
