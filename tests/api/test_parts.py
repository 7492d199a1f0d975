"""The table of routes in parts has what the whole table has."""

from __future__ import annotations

import pytest

from jupyter_mlstudio.api import mlflow
from jupyter_mlstudio.api.parts import MLFLOW, MLFLOW_PREFIX, MODULES, part_of, routes_of
from jupyter_mlstudio.api.route import PREFIX
from jupyter_mlstudio.api.table import ROUTES


def test_every_route_is_in_the_part_of_its_path_and_in_the_order_of_the_table() -> None:
    for part in (part for part in MODULES if part != MLFLOW):
        expected = [route for route in ROUTES if route.path.split("/")[0] == part]
        assert routes_of(part) == (PREFIX, expected)
        assert expected
    assert {route.path.split("/")[0] for route in ROUTES} == {part for part in MODULES if part != MLFLOW}
    assert routes_of(MLFLOW) == (MLFLOW_PREFIX, mlflow.ROUTES)


@pytest.mark.parametrize(
    ("path", "part"),
    [("/mlstudio/api/v1/runs/1/log", "runs"), ("/mlstudio/api/v1/changes", "changes"),
     ("/mlstudio/mlflow/api/2.0/mlflow/runs/search", MLFLOW), ("/mlstudio/api/v1/mlflow/x", None),
     ("/mlstudio/api/v1/nothing", None), ("/mlstudio/api/v1", None), ("/", None), ("/a/mlstudio/api/v1/runs", None)],
)  # fmt: skip
def test_the_part_of_a_path(path: str, part: str | None) -> None:
    assert part_of(path) == part
