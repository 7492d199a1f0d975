"""Which workspace user code works in: finding the folder that holds ``.mlstudio`` and reading its ``config.json``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, NotFound

FOLDER = ".mlstudio"
CONFIG = "config.json"


def find_root(start: Path | None = None) -> Path:
    """Returns the workspace's root for code that works in the current folder, or for the folder ``start``.

    In this order: ``MLSTUDIO_WORKSPACE``; the nearest folder upwards that holds ``.mlstudio``;
    ``MLSTUDIO_SERVER_WORKSPACE``, which the Jupyter server sets for its kernels; the folder itself.
    For a folder that is named only the second and the last count.
    """
    explicit = os.environ.get("MLSTUDIO_WORKSPACE")
    if explicit and start is None:
        return Path(explicit).expanduser().resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder
    server = os.environ.get("MLSTUDIO_SERVER_WORKSPACE")
    if start is None and server and Path(server).is_dir():
        return Path(server).resolve()
    return here


def config_path(path: str | os.PathLike[str] | None) -> Path:
    """Finds a workspace's ``config.json``: the file itself, or in or above a folder (default: the current one).

    ``.mlstudio/config.json`` is looked for first, then ``config.json`` and ``.azureml/config.json``.

    Raises:
        NotFound: there is none.
    """
    start = Path(path or Path.cwd()).expanduser().resolve()
    if start.is_file():
        return start
    for folder in (start, *start.parents):
        for name in (f"{FOLDER}/{CONFIG}", CONFIG, f".azureml/{CONFIG}"):
            if (folder / name).is_file():
                return folder / name
    raise NotFound(
        f"no config.json of a workspace in {start} or above; make one with Workspace({str(start)!r}).write_config()"
    )


@dataclass(frozen=True)
class Location:
    """Where a workspace lies, and what its ``config.json`` says (empty when there is none yet)."""

    root: Path
    config: dict[str, JSON]

    @property
    def folder(self) -> Path:
        """The folder with everything the studio keeps."""
        return self.root / FOLDER

    @property
    def name(self) -> str:
        """The workspace's name: from its configuration, else the folder's name."""
        return str(self.config.get("workspace_name") or self.config.get("name") or self.root.name or "workspace")

    def run_folder(self, run_id: str) -> Path:
        """Where the files of a run lie."""
        return self.folder / "runs" / run_id


def locate(start: Path | None = None) -> Location:
    """Finds the workspace for ``start`` and reads its configuration."""
    root = find_root(start)
    return Location(root, read_config(root / FOLDER / CONFIG))


def from_config(path: str | os.PathLike[str] | None = None) -> Location:
    """Finds a workspace through a ``config.json``: its own, or a copy that names its folder as ``mlstudio_root``."""
    file = config_path(path)
    config = read_config(file)
    if file.parent.name == FOLDER:
        return Location(file.parent.parent, config)
    root = config.get("mlstudio_root")
    return Location(Path(str(root)).expanduser().resolve() if root else find_root(file.parent), config)


def read_config(path: Path) -> dict[str, JSON]:
    """Reads a ``config.json``; empty when there is none.

    Raises:
        Invalid: it is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Invalid(f"{path} is not JSON ({error}); repair or remove it") from None
    if not isinstance(content, dict):
        raise Invalid(f"{path} holds a {type(content).__name__}, not an object with the workspace's name")
    return content


def write_config(location: Location, path: str | os.PathLike[str] | None = None) -> Path:
    """Writes ``.azureml/config.json`` with Azure's three keys and the workspace's root, so that other clients find it.

    Args:
        path: the folder to write below; the workspace's root by default.
    """
    file = Path(path or location.root).expanduser().resolve() / ".azureml" / CONFIG
    content = {
        "subscription_id": str(location.config.get("subscription_id", "00000000-0000-0000-0000-000000000000")),
        "resource_group": str(location.config.get("resource_group", "local")),
        "workspace_name": location.name,
        "mlstudio_root": str(location.root),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(file)
    return file
