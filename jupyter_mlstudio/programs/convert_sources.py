"""What lies in a model's folder: its manifest, and the converter that accepts it. Nothing is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlstudio.errors import Invalid

if TYPE_CHECKING:
    from jupyter_mlstudio.plugins.converters.base import Converter, Source


def read_manifest(folder: Path) -> dict[str, object]:
    """Reads what ``log_model`` wrote beside the model; empty when there is nothing.

    Raises:
        Invalid: it is not a JSON object, or names a file elsewhere.
    """
    path = folder / "mlstudio.json"
    if not path.is_file():
        return {}
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Invalid(f"{path.name} of the model is not JSON") from error
    if not isinstance(manifest, dict):
        raise Invalid(f"{path.name} of the model is not a JSON object")
    for what in ("file", "sample", "targets"):
        name = manifest.get(what)
        if name is not None and (not isinstance(name, str) or Path(name).name != name or name in ("", "..")):
            raise Invalid(f"{path.name} of the model names {str(name)[:80]!r}, which is no file beside it")
    return manifest


def find_converter(source: Source) -> Converter:
    """Finds the converter for a model's files.

    Raises:
        Invalid: none accepts them; nothing was loaded.
    """
    from jupyter_mlstudio.plugins import registry

    for kind in registry.each("converters"):
        converter: Converter = kind()
        if converter.accepts(source):
            return converter
    files = sorted(str(path.relative_to(source.folder)) for path in source.folder.rglob("*") if path.is_file())[:5]
    kind = source.manifest.get("framework") or source.manifest.get("class")
    what = f"a model of {kind}" if kind else f"the files {', '.join(files) or '(none)'}"
    raise Invalid(
        f"no converter accepts {what}; nothing was loaded. Log scikit-learn models with log_model(model, sample=X) or"
        f" MLflow, or log an ONNX file. Installed: {', '.join(registry.names('converters'))}"
    )
