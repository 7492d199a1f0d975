"""Writes a model version as a folder that runs by itself: model, scoring script, server, environments, facts.

The folder needs Python, onnxruntime and numpy. It is an MLflow model too (``MLmodel``, flavor onnx), and ``score.py``
has the form that Azure Machine Learning's inference server runs. The bill of materials is CycloneDX 1.6.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from jupyter_mlstudio.entities.models import MANY
from jupyter_mlstudio.plugins.deployment.base import Facts

RUNTIME = ("onnxruntime", "numpy")
FILES = Path(__file__).parent / "files"
PROGRAMS = ("scoring.py", "score.py", "server.py", "verify.py")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry of an archive, so that the same version gives the same bytes."""

_MLFLOW_TYPES = {
    "BOOL": "bool", "FP16": "float16", "FP32": "float32", "FP64": "float64", "BYTES": "str",
    **{f"{kind}{bits}": f"{kind.lower()}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)},
}  # fmt: skip


def write(folder: Path, facts: Facts) -> Path:
    """Writes the bundle; answers its folder."""
    folder.mkdir(parents=True)
    shutil.copyfile(facts.onnx, folder / facts.onnx.name)
    many = facts.onnx.name == MANY
    for name in (*PROGRAMS, *(["routing.py"] if many else [])):
        shutil.copyfile(FILES / name, folder / name)
    texts = {
        "signature.json": _json(_signature(facts)),
        "sample.json": _json(facts.sample or {}),
        "hyperparameters.json": _json(facts.params),
        "metrics.json": _json(facts.metrics),
        "parity.json": _json(facts.parity or {}),
        "requirements.txt": "".join(f"{name}=={version}\n" for name, version in pinned(RUNTIME).items()),
        "conda.yml": _yaml(_conda()),
        "python_env.yaml": _yaml({"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}),
        "sbom.cdx.json": _json(_sbom(facts)),
        "README.md": _readme(facts),
    }
    if not many:  # MLflow's flavor is one graph
        texts["MLmodel"] = _yaml(_mlmodel(facts))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    listed = {path.name: digest(path) for path in sorted(folder.iterdir())}
    manifest = {"model": facts.name, "version": facts.version, "run_id": facts.run_id, "sha256": listed}
    (folder / "manifest.json").write_text(_json(manifest), encoding="utf-8")
    return folder


def zipped(folder: Path, to: Path) -> Path:
    """Packs a folder, the same bytes for the same content."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return to


def pinned(wanted: Iterable[str]) -> dict[str, str]:
    """The installed versions of distributions and of everything that they need."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    waiting = list(wanted)
    while waiting:
        name = _normal(waiting.pop(0))
        if name in found:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = distribution.version
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return dict(sorted(found.items()))


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def slug(name: str) -> str:
    """A name that file systems, images and Kubernetes take: lower case letters, digits and dashes."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-")
    return plain if plain and plain[0].isalpha() else f"model-{plain}".strip("-")


def _signature(facts: Facts) -> dict[str, Any]:
    """What ``scoring.py`` reads; every tensor has its name in the graph."""
    signature = facts.signature

    def tensors(specs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                "name": spec["name"], "onnx_name": spec.get("onnx_name") or spec["name"], "datatype": spec["datatype"],
                "shape": list(spec["shape"]), "columns": list(spec.get("columns") or []),
            }
            for spec in specs
        ]  # fmt: skip

    return {
        "name": facts.name, "version": facts.version, "task": signature.get("task", ""),
        "labels": list(signature.get("labels") or []), "inputs": tensors(signature["inputs"]),
        "outputs": tensors(signature["outputs"]),
    }  # fmt: skip


def _conda() -> dict[str, Any]:
    return {
        "name": "model", "channels": ["conda-forge"],
        "dependencies": [f"python={_minor()}", "pip", {"pip": ["-r requirements.txt"]}],
    }  # fmt: skip


def _mlmodel(facts: Facts) -> dict[str, Any]:
    def columns(specs: Iterable[Mapping[str, Any]]) -> str:
        listed = []
        for spec in specs:
            kind = {"dtype": _MLFLOW_TYPES[spec["datatype"]], "shape": list(spec["shape"])}
            listed.append({"type": "tensor", "tensor-spec": kind, "name": spec.get("onnx_name") or spec["name"]})
        return json.dumps(listed)

    return {
        "flavors": {
            "onnx": {
                "code": None, "data": "model.onnx", "onnx_version": _version("onnx"),
                "providers": ["CPUExecutionProvider"],
            },
            "python_function": {
                "loader_module": "mlflow.onnx", "data": "model.onnx", "python_version": platform.python_version(),
                "env": {"conda": "conda.yml", "virtualenv": "python_env.yaml"},
            },
        },
        "model_uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, facts.sha256)).replace("-", ""),
        "run_id": facts.run_id,
        "utc_time_created": facts.created_at,
        "signature": {
            "inputs": columns(facts.signature["inputs"]), "outputs": columns(facts.signature["outputs"]),
        },
    }  # fmt: skip


def _sbom(facts: Facts) -> dict[str, Any]:
    components = [
        {
            "type": "library", "bom-ref": f"pkg:pypi/{name}@{version}", "name": name, "version": version,
            "purl": f"pkg:pypi/{name}@{version}", **_licence(name),
        }
        for name, version in pinned(RUNTIME).items()
    ]  # fmt: skip
    model = {
        "type": "machine-learning-model", "bom-ref": "model", "name": facts.name, "version": facts.version,
        "hashes": [{"alg": "SHA-256", "content": facts.sha256}],
    }  # fmt: skip
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, facts.sha256 + facts.version)}",
        "metadata": {"component": model}, "components": components,
        "dependencies": [{"ref": "model", "dependsOn": [one["bom-ref"] for one in components]}],
    }  # fmt: skip


def _licence(name: str) -> dict[str, Any]:
    metadata = importlib.metadata.metadata(name)
    text = next((metadata[key] for key in ("License-Expression", "License") if key in metadata), "")
    return {"licenses": [{"license": {"name": text.splitlines()[0][:100]}}]} if text.strip() else {}


def _readme(facts: Facts) -> str:
    return f"""# {facts.name} {facts.version}

A model with everything that it needs to answer. With Python {_minor()}, from this folder:

    python3 -m venv venv
    venv/bin/pip install -r requirements.txt
    venv/bin/python server.py

Then `curl -d @sample.json http://127.0.0.1:8080/v2/models/{quote(facts.name, safe="")}/infer`.

`venv/bin/python verify.py` says whether the folder is whole and answers.

| file | what it is |
|---|---|
{_what(facts)}
| `signature.json` | what it takes and answers |
| `sample.json` | a request that works |
| `server.py` | Open Inference Protocol V2 and `/score`; keys from `MLSTUDIO_KEYS` |
| `score.py`, `scoring.py` | `init()` and `run(raw_data)` for Azure Machine Learning's inference server |
| `verify.py` | checks digests, and asks the model |
| `requirements.txt`, `conda.yml`, `python_env.yaml` | the environment |
| `hyperparameters.json`, `metrics.json`, `parity.json` | how it was made, and how ONNX and the original compared |
| `sbom.cdx.json` | bill of materials, CycloneDX 1.6 |
| `manifest.json` | SHA-256 of each file |
"""


def _what(facts: Facts) -> str:
    """The lines of the table about what answers."""
    if facts.onnx.name == MANY:
        return "| `models.zip`, `routing.py` | the models, and how each row finds the one of its key |"
    return '| `model.onnx` | the model |\n| `MLmodel` | the same as an MLflow model: `mlflow.pyfunc.load_model(".")` |'


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _minor() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text
