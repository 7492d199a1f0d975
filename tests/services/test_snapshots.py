"""The code that a run executes: what is kept, what is left out, and that the same content is kept once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.services import git
from jupyter_mlstudio.services.snapshots import FILE_LIMIT_BYTES
from jupyter_mlstudio.studio import Studio
from tests.world import end, insert_run


@pytest.fixture
def code(studio: Studio) -> Path:
    """A folder of code in the workspace."""
    folder = studio.workspace.root / "code"
    (folder / "lib").mkdir(parents=True)
    (folder / "train.py").write_text("import lib\n")
    (folder / "lib" / "__init__.py").write_text("")
    (folder / "secret.env").write_text("KEY=1\n")
    (folder / "data.csv").write_text("a,b\n")
    return folder


def _taken(
    studio: Studio, folder: Path, entry: str | None = "train.py", cell: str | None = None
) -> tuple[list[str], list[str]]:
    run_id = insert_run(studio, snapshot_id=studio.snapshots.take(folder, entry, cell))
    end(studio, run_id)
    snapshot = studio.snapshots.of_run(run_id)
    return sorted(file.path for file in snapshot.files), sorted(file.path for file in snapshot.left_out)


def test_amlignore_counts_and_gitignore_only_without_it(studio: Studio, code: Path) -> None:
    (code / ".gitignore").write_text("*.csv\n")
    assert _taken(studio, code)[0] == [".gitignore", "lib/__init__.py", "secret.env", "train.py"]
    (code / ".amlignore").write_text("*.env\n!keep.env\nlib/\n")
    (code / "keep.env").write_text("")
    assert _taken(studio, code)[0] == [".amlignore", ".gitignore", "data.csv", "keep.env", "train.py"]


def test_what_is_never_code_is_never_kept(studio: Studio, code: Path) -> None:
    for name in (".git/config", "__pycache__/a.pyc", ".venv/bin/python", "node_modules/x.js", ".mlstudio/config.json"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("x")
    assert _taken(studio, code)[0] == ["data.csv", "lib/__init__.py", "secret.env", "train.py"]


def test_the_file_that_is_started_is_kept_whatever_the_rules_say(studio: Studio, code: Path) -> None:
    (code / ".amlignore").write_text("*\n")
    assert _taken(studio, code)[0] == ["train.py"]


def test_a_file_over_the_limit_is_left_out_and_named_and_a_link_is_not_followed(studio: Studio, code: Path) -> None:
    with (code / "weights.bin").open("wb") as file:
        file.truncate(FILE_LIMIT_BYTES + 1)
    (code / "link").symlink_to("/etc/hostname")
    files, left_out = _taken(studio, code)
    assert left_out == ["weights.bin"]
    assert "link" not in files


def test_the_same_content_is_kept_once_and_the_same_code_is_the_same_snapshot(studio: Studio, code: Path) -> None:
    (code / "copy.csv").write_text("a,b\n")
    first = studio.snapshots.take(code, "train.py", None)
    objects = {path for path in (studio.workspace.snapshots / "objects").rglob("*") if path.is_file()}
    assert len(objects) == 4
    assert studio.snapshots.take(code, "train.py", None) == first
    (code / "train.py").write_text("import lib  # changed\n")
    assert studio.snapshots.take(code, "train.py", None) != first
    assert len({path for path in (studio.workspace.snapshots / "objects").rglob("*") if path.is_file()}) == 5


def test_a_cell_is_kept_as_a_file_and_laid_out_as_it_was(studio: Studio, code: Path, tmp_path: Path) -> None:
    snapshot = studio.snapshots.take(code, None, "print('é')\n")
    entry = studio.snapshots.lay_out(snapshot, tmp_path / "out")
    assert entry == tmp_path / "out" / "cell.py"
    assert entry.read_text(encoding="utf-8") == "print('é')\n"
    assert (tmp_path / "out" / "lib" / "__init__.py").exists()


def test_a_snapshot_that_is_gone_is_said_to_be_missing(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="missing from the workspace"):
        studio.snapshots.lay_out("0" * 64, tmp_path)


def test_git_tells_commit_branch_changes_and_no_credentials(tmp_path: Path) -> None:
    assert git.state(tmp_path) is None

    def run(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=trunk"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    run("init")
    run("remote", "add", "origin", "https://user:secret@example.org/repo.git")
    (tmp_path / "a.py").write_text("a = 1\n")
    assert git.state(tmp_path) is None  # a repository without a commit
    run("add", "a.py")
    run("commit", "-m", "first")
    clean = git.state(tmp_path)
    assert clean is not None
    assert (clean[0].branch, clean[0].dirty, clean[0].remote_url) == ("trunk", False, "https://example.org/repo.git")
    assert clean[1] == ""
    (tmp_path / "a.py").write_text("a = 2\n")
    (tmp_path / "new.py").write_text("")
    dirty = git.state(tmp_path)
    assert dirty is not None
    assert (dirty[0].commit, dirty[0].dirty, dirty[0].untracked) == (clean[0].commit, True, ["new.py"])
    assert "-a = 1\n+a = 2" in dirty[1]
    run("checkout", "--detach")
    detached = git.state(tmp_path)
    assert detached is not None
    assert detached[0].branch is None
