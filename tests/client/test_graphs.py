"""A version's graph from user code, over a real workspace: looked into, upgraded, made smaller, measured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.client.models import ModelVersion
from jupyter_mlstudio.errors import Conflict, Invalid
from tests.client.door import entered
from tests.onnx.test_graph import network

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelVersion]:
    root = tmp_path_factory.mktemp("graphs")
    with entered(root):
        with studio.start_run("import") as run:
            studio.log_model(network(8, "CNTK", 256).SerializeToString())
        yield studio.register_model(run, "imported")


@pytest.fixture(autouse=True)
def _own_state() -> None:
    """All tests of this module share one workspace, so none of them leaves it."""


def test_H5_an_imported_graph_is_described(version: ModelVersion) -> None:
    graph = version.graph()
    assert (graph["producer"], graph["opsets"], graph["node_count"]) == ("CNTK", {"ai.onnx": 8}, 6)
    assert graph["inputs"] == [{"name": "X", "type": "float", "shape": ["N", 4]}]


def test_an_upgrade_is_the_next_version_and_says_of_which(version: ModelVersion) -> None:
    made = version.upgrade(17)
    assert made.version > version.version
    assert made.data["tags"] == {"upgraded-from": str(version.version)}
    assert made.graph()["opsets"]["ai.onnx"] == 17
    assert made.parity is not None
    assert made.parity["rows"] == 64


def test_an_upgrade_to_what_is_not_newer_is_refused_before_there_is_a_version(version: ModelVersion) -> None:
    before = studio.get_model("imported").versions
    with pytest.raises(Conflict, match="opset 8 already"):
        version.upgrade(8)
    assert studio.get_model("imported").versions == before


def test_C5_8_bit_weights_come_with_a_comparison_and_a_latency(version: ModelVersion) -> None:
    made = version.quantise(policy={"max_abs_difference": 0.5})
    assert made.data["tags"] == {"quantised-from": str(version.version)}
    assert made.parity is not None
    assert made.parity["dtype"] == "int8"
    assert made.data["profile"]["one_row_ms"] > 0


def test_H10_a_profile_suggests_limits(version: ModelVersion) -> None:
    run = studio.profile_model(version, [1, 50])
    assert run.status == "Completed", run.logs()
    assert run.metrics["suggested/threads"] >= 1
    assert "suggested: threads=" in run.logs()
    with pytest.raises(Invalid, match="batch sizes"):
        studio.profile_model(version, [0])
