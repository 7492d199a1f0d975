from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.gateway import Gateway
from tests.programs.work import Work


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def work(tmp_path: Path, gateway: Gateway) -> Work:
    return Work(tmp_path, gateway)
