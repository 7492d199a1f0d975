"""What ``doctor`` looks at: each check in one sentence, with what to do about it."""

from __future__ import annotations

import importlib.util
import socket
import sqlite3
import sys
from collections.abc import Callable

import psutil

from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.workspaces import Check
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.services.gpus import gpus
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.supervisors import Supervisors
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace

SPACE_WANTED_BYTES = 1024**3
GOOD_SQLITE = (3, 51, 3)
GOOD_PYTHON = {(3, 11): 14, (3, 12): 12, (3, 13): 10}


def checks(workspace: Workspace, database: Database, supervisors: Supervisors, models: Models) -> list[Check]:
    """Runs every check; a check that fails itself is reported as not well."""
    found: list[tuple[str, Callable[[], Check]]] = [
        ("workspace", lambda: _workspace(workspace)),
        ("database", lambda: _database(database)),
        ("runs", lambda: _runs(supervisors)),
        ("models", lambda: _models(models)),
        ("disk", lambda: _disk(workspace)),
        ("ports", _ports),
        ("gpu", _gpu),
        ("converters", _converters),
        ("python", _python),
        ("sqlite", _sqlite),
    ]
    return [_guarded(name, check) for name, check in found]


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (StudioError, OSError) as error:
        return Check(name=name, ok=False, detail=str(error), remedy="mend what the sentence names, then check again")


def _workspace(workspace: Workspace) -> Check:
    network = workspace.on_network_file_system()
    remedy = "keep the workspace on a local disk, or use PostgreSQL (db_url in config.json)" if network else ""
    detail = f"{workspace.folder}" + (f" lies on {network}" if network else "")
    return Check(name="workspace", ok=network is None, detail=detail, remedy=remedy)


def _database(database: Database) -> Check:
    broken = database.integrity()
    detail = "; ".join(broken[:3]) or f"schema {database.version()}, nothing broken"
    remedy = "restore a copy of mlstudio.db (mlstudio.backup-*.db beside it)" if broken else ""
    return Check(name="database", ok=not broken, detail=detail, remedy=remedy)


def _runs(supervisors: Supervisors) -> Check:
    settled = supervisors.reap()
    detail = f"{supervisors.live_count()} live, {len(settled)} without a process were settled"
    return Check(name="runs", ok=True, detail=detail)


def _models(models: Models) -> Check:
    broken = []
    for model in models.list():
        for number in model.versions:
            version = models.version(model.name, number)
            if version.status is VersionStatus.READY and not models.is_whole(model.name, number):
                broken.append(f"{model.name} v{number}")
    detail = f"{', '.join(broken)}: files differ from what was registered" if broken else "every file as registered"
    return Check(name="models", ok=not broken, detail=detail, remedy="register them again" if broken else "")


def _disk(workspace: Workspace) -> Check:
    free = psutil.disk_usage(str(workspace.root)).free
    remedy = "" if free > SPACE_WANTED_BYTES else "free some space: below 32 MB no run is started"
    return Check(name="disk", ok=not remedy, detail=f"{free / 1e9:.1f} GB free", remedy=remedy)


def _ports() -> Check:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    return Check(name="ports", ok=True, detail=f"loopback ports can be opened (tried {port})")


def _gpu() -> Check:
    found = gpus()
    return Check(name="gpu", ok=True, detail=", ".join(gpu.name for gpu in found) or "none found")


def _converters() -> Check:
    wanted = {"scikit-learn": "sklearn", "skl2onnx": "skl2onnx", "onnx": "onnx", "onnxruntime": "onnxruntime"}
    missing = [name for name, module in wanted.items() if importlib.util.find_spec(module) is None]
    remedy = f"pip install {' '.join(missing)}" if missing else ""
    return Check(name="converters", ok=not missing, detail=", ".join(wanted), remedy=remedy)


def _python() -> Check:
    version = sys.version_info
    wanted = GOOD_PYTHON.get((version.major, version.minor), 0)
    ok = version.micro >= wanted
    remedy = "" if ok else f"{version.major}.{version.minor}.{wanted} or later has security fixes for archives"
    return Check(name="python", ok=ok, detail=sys.version.split()[0], remedy=remedy)


def _sqlite() -> Check:
    ok = sqlite3.sqlite_version_info >= GOOD_SQLITE
    remedy = "" if ok else "3.51.3 or later has a fix for a rare corruption in WAL mode (or use PostgreSQL)"
    return Check(name="sqlite", ok=ok, detail=sqlite3.sqlite_version, remedy=remedy)
