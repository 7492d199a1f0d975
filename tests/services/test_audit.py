"""The audit log holds what happened, in order, by several processes, and shows what was changed or cut."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlstudio import cli
from jupyter_mlstudio.services.audit import BEGINNING, Audit
from jupyter_mlstudio.workspace import Workspace


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    made = Audit(tmp_path)
    for number in range(5):
        made.note("ann", "regenerateKey", f"endpoints/e/keys/{number}", "done", peer="127.0.0.1", request=None)
    return made


def lines_of(audit: Audit) -> list[bytes]:
    return audit.path.read_bytes().splitlines(keepends=True)


def test_each_entry_says_who_did_what_and_holds_the_digest_of_the_line_before(audit: Audit) -> None:
    entries = list(audit.entries())
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    assert {name: entries[0][name] for name in ("actor", "action", "resource", "outcome", "peer", "previous")} == {
        "actor": "ann", "action": "regenerateKey", "resource": "endpoints/e/keys/0", "outcome": "done",
        "peer": "127.0.0.1", "previous": BEGINNING,
    }  # fmt: skip
    assert "request" not in entries[0]
    assert entries[1]["previous"] == hashlib.sha256(lines_of(audit)[0].rstrip(b"\n")).hexdigest()
    assert (audit.verify().entries, audit.verify().problem) == (5, "")


def test_only_its_owner_reads_it(audit: Audit, tmp_path: Path) -> None:
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "audit.jsonl": 0o600, "audit.head": 0o600,
    }  # fmt: skip


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b"ann", b"bob"), *lines[3:]]


CHANGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "an edit": (edited, "line 4 does not follow"),
    "an edit of the last line": (lambda lines: [*lines[:4], lines[4].replace(b"ann", b"bob")], "line 5 is not what"),
    "a hole": (lambda lines: [*lines[:1], *lines[2:]], "line 2 does not follow"),
    "two lines that changed places": (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1 does not follow"),
    "a cut at the beginning": (lambda lines: lines[1:], "line 1 does not follow"),
    "a cut at the end": (lambda lines: lines[:3], "2 entries are missing at the end"),
    "a cut within a line": (lambda lines: [*lines[:4], lines[4][:20]], "line 5 is not an entry"),
    "everything": (lambda lines: [], "5 entries are missing at the end"),
    "a line that is none": (lambda lines: [*lines, b"[1]\n"], "line 6 is not an entry"),
}


@pytest.mark.parametrize("case", list(CHANGES))
def test_what_was_changed_or_cut_is_found(audit: Audit, case: str) -> None:
    change, said = CHANGES[case]
    audit.path.write_bytes(b"".join(change(lines_of(audit))))
    assert said in audit.verify().problem


def test_lines_that_were_added_by_hand_are_found(audit: Audit) -> None:
    for seq in (6, 7):
        last = lines_of(audit)[-1].rstrip(b"\n")
        forged = {**json.loads(last), "seq": seq, "previous": hashlib.sha256(last).hexdigest()}
        with audit.path.open("ab") as file:
            file.write(json.dumps(forged).encode() + b"\n")
    assert "tells of 5 entries and there are 7" in audit.verify().problem


def test_an_end_between_the_two_writes_and_one_within_a_line_leave_a_log_that_goes_on(audit: Audit) -> None:
    head = audit.path.with_name("audit.head")
    before = head.read_bytes()
    audit.note("ann", "deleteEndpoint", "endpoints/e", "done")
    head.write_bytes(before)
    assert audit.verify().problem == ""
    with audit.path.open("ab") as file:
        file.write(b'{"time": "2026')
    audit.note("ann", "deleteModel", "models/m", "conflict")
    assert (audit.verify().entries, audit.verify().problem) == (7, "")


def write_many(folder: Path, actor: str) -> None:
    audit = Audit(folder)
    for number in range(25):
        audit.note(actor, "setAlias", f"models/m/aliases/{number}", "done")


def test_several_processes_write_one_chain_and_no_entry_is_lost(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(tmp_path, f"p{number}")) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    audit = Audit(tmp_path)
    assert (audit.verify().entries, audit.verify().problem) == (100, "")
    for name in ("p0", "p1", "p2", "p3"):
        mine = [entry["resource"] for entry in audit.entries() if entry["actor"] == name]
        assert mine == [f"models/m/aliases/{number}" for number in range(25)]


def test_long_names_and_line_ends_in_names_stay_one_short_line(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.note("a\n" * 5000, "setAlias", "models/" + "é" * 5000, "invalid", request="\ud800" * 10)
    audit.note("ann", "setAlias", "models/m", "done")
    assert [len(line) < 10_000 for line in lines_of(audit)] == [True, True]
    assert audit.verify().problem == ""


def test_the_terminal_verifies_and_exits_with_1_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path)
    workspace.create()
    monkeypatch.setenv("MLSTUDIO_WORKSPACE", str(tmp_path))
    Audit(workspace.folder).note("ann", "deleteEndpoint", "endpoints/e", "done")
    assert cli.main(["audit", "verify"]) == 0
    assert "whole, 1 entries" in capsys.readouterr().out
    assert cli.main(["audit", "list"]) == 0
    assert "deleteEndpoint" in capsys.readouterr().out
    Audit(workspace.folder).path.write_bytes(b"")
    assert cli.main(["audit", "verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False, "entries": 0, "problem": "1 entries are missing at the end"
    }  # fmt: skip
