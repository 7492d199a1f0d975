"""The documentation keeps up with the code: what is promised has a place there, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jupyter_mlstudio
from benchmarks.__main__ import NAMES
from benchmarks.__main__ import main as benchmarks
from jupyter_mlstudio.extension import MLStudioApp

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]


def test_every_name_of_the_public_face_is_on_the_python_page() -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    named = set(re.findall(r":: jupyter_mlstudio\.(\w+)", page))
    assert named == set(jupyter_mlstudio.__all__) - {"__version__"}


def test_every_trait_of_the_server_says_what_it_is_for() -> None:
    assert all(trait.help for trait in MLStudioApp.class_own_traits(config=True).values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_points_to_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_every_path_of_where_do_i_add_is_there() -> None:
    rows = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Set up")[0]
    paths = [path for path in re.findall(r"`([\w./-]+/[\w./-]+)`", rows) if "<" not in path]
    short = ("store/", "services/", "entities/")  # below the package, named in full in the same row
    wrong = [p for p in paths if not (ROOT / (f"jupyter_mlstudio/{p}" if p.startswith(short) else p)).exists()]
    assert wrong == []


def test_every_benchmark_has_a_row_in_the_table_of_results() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []
    assert [name for name in NAMES if not (ROOT / "benchmarks" / f"{name.replace('-', '_')}.py").exists()] == []


def test_a_benchmark_takes_its_options_and_refuses_those_that_it_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        benchmarks(["automl-rank", "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(option in said for option in ("--seconds", "--tables", "--seeds", "--data"))
    assert benchmarks(["log-blocking", "--seeds", "1"]) == 2
    assert "log-blocking has no options" in capsys.readouterr().err


def test_every_target_of_the_makefile_has_a_line_of_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("help", "venv", "lab", "demo", "check", "test", "docs", "bench-setup", "clean"):
        assert re.search(rf"^{target}:.*## \w", text, re.MULTILINE), target
