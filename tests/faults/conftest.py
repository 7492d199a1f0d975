"""Grounds to inject faults on, and the table of measured seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.ground import Ground


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them start real processes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("ground"))
    yield made
    made.close()


@pytest.fixture
def shared_ground(_shared: Ground, record_property: Callable[[str, object], None]) -> Ground:
    """The ground of a module's tests, for faults that leave its server alone."""
    _shared.report = record_property
    return _shared


@pytest.fixture
def ground(tmp_path: Path, record_property: Callable[[str, object], None]) -> Iterator[Ground]:
    """A ground of one test's own."""
    made = Ground(tmp_path)
    made.report = record_property
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what was measured."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    found = {name: value for report in reports for name, value in getattr(report, "user_properties", ())}
    for name, value in sorted(found.items()):
        if name.startswith("measured: "):
            terminalreporter.write_line(f"{value:>8} s  {name.removeprefix('measured: ')}")
