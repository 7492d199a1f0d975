"""A workspace: a folder ``.mlstudio`` beside the user's files, and what is in it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

FOLDER = ".mlstudio"
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smbfs", "smb3", "fuse.sshfs", "9p", "afs", "lustre", "gpfs"})


class Workspace:
    """Paths and configuration of one workspace. Nothing is written before :meth:`create`.

    Args:
        root: the folder that holds, or will hold, ``.mlstudio``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.folder = self.root / FOLDER

    @classmethod
    def around(cls, folder: Path) -> Workspace:
        """Returns the nearest workspace at or above a folder, the folder's own when there is none yet."""
        start = folder.expanduser().resolve()
        found = next((place for place in (start, *start.parents) if (place / FOLDER).is_dir()), start)
        return cls(found)

    @property
    def exists(self) -> bool:
        """Whether it has been made."""
        return self.config_path.is_file()

    @property
    def config_path(self) -> Path:
        """Its ``config.json``."""
        return self.folder / "config.json"

    @property
    def database_path(self) -> Path:
        """The SQLite file, which exists unless ``db_url`` names another database."""
        return self.folder / "mlstudio.db"

    @property
    def config(self) -> dict[str, JSON]:
        """What ``config.json`` holds; empty before it is made."""
        try:
            content = json.loads(self.config_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Invalid(f"{self.config_path} is not JSON ({error}): repair it, or remove it to begin anew") from None
        if not isinstance(content, dict):
            raise Invalid(f"{self.config_path} must hold a JSON object, not {type(content).__name__}")
        return content

    @property
    def id(self) -> str:
        """Names this workspace among all of a server's; stays when the folder moves."""
        return str(self.config.get("mlstudio_id", ""))

    @property
    def name(self) -> str:
        """What people call it: ``workspace_name`` of the configuration, else the folder's name."""
        return str(self.config.get("workspace_name") or self.root.name or "workspace")

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of its database."""
        return str(self.config.get("db_url") or f"sqlite+pysqlite:///{self.database_path}")

    def create(self) -> None:
        """Makes its folders and ``config.json``, with the three keys of Azure's file; does nothing when they exist."""
        if self.exists:
            return
        for folder in (self.folder, self.runs, self.models, self.snapshots):
            folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        content = {
            "subscription_id": "00000000-0000-0000-0000-000000000000",
            "resource_group": "local",
            "workspace_name": self.root.name or "workspace",
            "mlstudio_id": uuid.uuid4().hex,
        }
        temporary = self.config_path.with_name(f".config.{uuid.uuid4().hex}.tmp")
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        try:
            self.config_path.hardlink_to(temporary)
        except FileExistsError:  # another process was first; its id stands
            pass
        finally:
            temporary.unlink()

    @property
    def runs(self) -> Path:
        """Where runs keep their files."""
        return self.folder / "runs"

    @property
    def models(self) -> Path:
        """Where model versions keep their files."""
        return self.folder / "models"

    @property
    def snapshots(self) -> Path:
        """Where code is kept, addressed by its content."""
        return self.folder / "snapshots"

    def run_folder(self, run_id: str) -> Path:
        """The folder of one run."""
        return self.runs / run_id

    def on_network_file_system(self) -> str | None:
        """Returns the type of a network file system the workspace lies on, None on a local disk."""
        import psutil

        mounts = psutil.disk_partitions(all=True)
        over = [m for m in mounts if self.root == Path(m.mountpoint) or Path(m.mountpoint) in self.root.parents]
        kind = max(over, key=lambda m: len(m.mountpoint)).fstype if over else ""
        return kind if kind in NETWORK_FILE_SYSTEMS else None
