"""What trips start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ground import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A workspace with a server of its own."""
    made = Ground(tmp_path)
    yield made
    made.close()
