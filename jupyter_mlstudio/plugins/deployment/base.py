"""What a deployment target is: the one class to write so that a model version can be packaged for another place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlstudio.entities.values import JSON


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the version that is packaged. ``onnx`` is its file, or its archive, whose digest was checked."""

    name: str
    version: str
    onnx: Path
    sha256: str
    signature: Mapping[str, JSON]
    parity: Mapping[str, JSON] | None = None
    sample: Mapping[str, JSON] | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    metrics: Mapping[str, JSON] = field(default_factory=dict)
    framework: str = ""
    run_id: str | None = None
    user: str = ""
    created_at: str = ""


class Target(ABC):
    """A place where a packaged model runs. Instances have no state and are used in a run of their own."""

    name: ClassVar[str]
    """Word for it in messages and in the API."""

    options: ClassVar[Mapping[str, str]] = {}
    """What may be asked for, and what it means."""

    @abstractmethod
    def write(self, facts: Facts, bundle: Path, options: Mapping[str, Any]) -> list[Path]:
        """Writes what the place needs beside the bundle, which is there already; answers files and folders.

        Raises:
            Invalid: an option cannot be met; the message says why.
            MissingExtra: a tool is not installed.
        """
