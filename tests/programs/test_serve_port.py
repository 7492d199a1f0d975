"""The folder of an endpoint's sockets: its own, or a short one elsewhere, of which no second one is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from jupyter_mlstudio.programs.serve_port import PATH_LIMIT, folder_of_sockets


@pytest.mark.parametrize("length", [1, 120])
def test_what_a_killed_endpoint_left_is_gone_when_the_next_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    elsewhere = tmp_path / "t"
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    folder = tmp_path / ("x" * length)
    for made in (elsewhere, folder):
        made.mkdir()
    if length == 1:
        monkeypatch.setattr("jupyter_mlstudio.programs.serve_port.PATH_LIMIT", 1000)
    (folder_of_sockets(folder) / "1").touch()
    found = folder_of_sockets(folder)
    assert not list(found.iterdir())
    assert found.stat().st_mode & 0o077 == 0
    assert len(list(elsewhere.iterdir())) == (length > PATH_LIMIT)
    assert (found == folder / "sockets") == (length == 1)
