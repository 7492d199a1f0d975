"""What git knows of a folder: commit, branch, changes. Asked with short limits; no git, no repository: nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from jupyter_mlstudio.entities.runs import GitState

TIMEOUT_S = 5.0
PATCH_LIMIT_BYTES = 8 * 1024 * 1024
UNTRACKED_LIMIT = 200


def state(folder: Path) -> tuple[GitState, str] | None:
    """Returns the state of the repository around a folder and the patch against its commit, None without one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    patch = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff", "--binary") or ""
    untracked = (_git(folder, "ls-files", "--others", "--exclude-standard") or "").splitlines()
    if len(patch) > PATCH_LIMIT_BYTES:
        patch = f"# the patch has {len(patch):,} characters and was not kept\n"
    branch = (_git(folder, "rev-parse", "--abbrev-ref", "HEAD") or "").strip()
    found = GitState(
        commit=commit.strip(),
        branch=branch if branch not in ("", "HEAD") else None,
        remote_url=_without_credentials((_git(folder, "config", "--get", "remote.origin.url") or "").strip()),
        dirty=bool(patch),
        patch_bytes=len(patch.encode("utf-8", "replace")),
        untracked=untracked[:UNTRACKED_LIMIT],
    )
    return found, patch


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    environment = {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(Path.home()),
    }
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=TIMEOUT_S, check=True, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _without_credentials(url: str) -> str | None:
    if "://" in url and "@" in url:
        scheme, rest = url.split("://", 1)
        url = f"{scheme}://{rest.rsplit('@', 1)[1]}"
    return url or None
