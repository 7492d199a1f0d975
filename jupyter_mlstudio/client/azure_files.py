"""What all of Azure Machine Learning's YAML files share."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.errors import Invalid, NotFound


def content_of(path: Path) -> Any:
    """Reads a YAML file.

    Raises:
        Invalid: it is not YAML, or PyYAML is not installed. NotFound: it cannot be read.
    """
    try:
        import yaml
    except ImportError:
        raise Invalid(f"PyYAML is not installed in {sys.executable}: %pip install pyyaml") from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"{path.name} is not YAML: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from None


def texts_of(given: Any) -> dict[str, str] | None:
    """Values as texts by their names; None where there are none."""
    if not isinstance(given, Mapping):
        return None
    return {str(name): "" if value is None else str(value) for name, value in given.items()} or None


def tags_of(content: Mapping[str, Any]) -> dict[str, str] | None:
    """The tags that a job's file gives its run, its description among them."""
    told = texts_of(content.get("tags")) or {}
    if content.get("description"):
        told["mlflow.note.content"] = str(content["description"])
    return told or None
