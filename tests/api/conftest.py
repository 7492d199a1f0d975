"""A door to a workspace, as MLflow clients without a Jupyter server have it, and the gateway of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_mlstudio.studio import Studio
from tests.api.gateway_world import Gateway, serving
from tests.api.mlflow_world import Door
from tests.world import end, insert_run


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door that the tests of a module share."""
    opened = Door(tmp_path_factory.mktemp("workspace"))
    yield opened
    opened.close()


@pytest.fixture
def run_id(studio: Studio) -> Iterator[str]:
    run_id = insert_run(studio, name="mine")
    yield run_id
    end(studio, run_id)


@pytest.fixture
def gateway(studio: Studio, run_id: str) -> Iterator[Gateway]:
    with serving(studio, run_id) as gateway:
        yield gateway
