"""The workspace itself from a terminal: its health, its database, the API's document, the demo."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.workspace import locate


def add(commands: Any) -> None:
    """Adds the words."""
    command(commands, "doctor", _doctor, "check what the studio stands on, and say what to do")
    database = group(commands, "db", "look after the database")
    command(database, "upgrade", _db_upgrade, "bring it to this version, with a backup first")
    command(database, "backup", _db_backup, "copy it while it is in use")
    audit = group(commands, "audit", "read the audit log")
    command(audit, "verify", _audit_verify, "find out whether it was changed or cut")
    command(audit, "list", _audit_list, "print it")
    command(commands, "openapi", _openapi, "print the OpenAPI document of the studio's API")
    demo = command(commands, "demo", _demo, "run the main job end to end in an empty folder, and say how it went")
    demo.add_argument("--folder", type=Path, help="where; a temporary folder by default")


def _doctor(given: argparse.Namespace) -> int:
    found = connect().get("workspaces/current/checks")
    if given.json:
        print_json(found)
    else:
        for check in found:
            print(f"{'ok  ' if check['ok'] else 'MEND'} {check['name']:<11} {check['detail']}")
            if check["remedy"]:
                print(f"     {'':<11} {check['remedy']}")
    fatal = {"workspace", "database", "models", "converters", "ports"}
    return FAILED if any(not check["ok"] and check["name"] in fatal for check in found) else 0


def _db_upgrade(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(locate().root))
    print(f"the database of {studio.workspace.root} stands at {studio.database.version()}")
    studio.close()


def _db_backup(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(locate().root))
    print(studio.database.backup() or "PostgreSQL is backed up with its own tools (pg_dump)")
    studio.close()


def _audit_verify(given: argparse.Namespace) -> int:
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(locate().root))
    found = studio.audit.verify()
    studio.close()
    if given.json:
        print_json({"ok": not found.problem, "entries": found.entries, "problem": found.problem})
    else:
        print(f"{studio.audit.path}: {found.problem or 'whole'}, {found.entries} entries follow each other")
    return FAILED if found.problem else 0


def _audit_list(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(locate().root))
    entries = list(studio.audit.entries())
    studio.close()
    if given.json:
        print_json(entries)
    else:
        names = ("time", "actor", "action", "resource", "outcome")
        print_table(names, [[entry[name] for name in names] for entry in entries])


def _openapi(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.api.openapi import text

    print(text(), end="")


def _demo(given: argparse.Namespace) -> int:
    from jupyter_mlstudio.demo import run

    return run(given.folder)
