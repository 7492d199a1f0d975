"""An endpoint of many models: each row is answered by the model of its key, in every dialect."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from jupyter_mlstudio.entities.models import MANY, Signature, TensorSpec
from jupyter_mlstudio.onnx.routes import INDEX, Fed, Route, Routes
from tests.programs.endpoint import times
from tests.serving.conftest import Scoring

pytestmark = pytest.mark.slow

SIGNATURE = Signature(
    inputs=[
        TensorSpec(name="store", datatype="BYTES", shape=[-1, 1], choices=["north", "south"]),
        TensorSpec(name="a", datatype="FP32", shape=[-1, 1]),
        TensorSpec(name="b", datatype="FP32", shape=[-1, 1]),
    ],
    outputs=[TensorSpec(name="values", datatype="FP32", shape=[-1, 2])],
    task="transformation",
    routed_by=["store"],
)


def archive(path: Path, factors: dict[str, float]) -> str:
    """Writes models that multiply, one for each store; answers the file's digest."""
    routes = []
    with zipfile.ZipFile(path, "w") as made:
        for number, (store, factor) in enumerate(factors.items()):
            model, name = times(factor), f"{number}.onnx"
            made.writestr(name, model)
            fed = Fed(name="X", datatype="FP32", columns=["a", "b"])
            routes.append(
                Route(key=[store], file=name, sha256=hashlib.sha256(model).hexdigest(), inputs=[fed],
                      outputs={"values": "Y"})
            )  # fmt: skip
        index = Routes(by=["store"], datatypes=["BYTES"], routes=routes, outputs={"values": "FP32"})
        made.writestr(INDEX, json.dumps(asdict(index)))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_batch_of_mixed_keys_comes_back_in_its_order(serve: Callable[..., Scoring], tmp_path: Path) -> None:
    path = tmp_path / MANY
    scoring = serve(b"", SIGNATURE, onnx=str(path), sha256=archive(path, {"north": 2.0, "south": 10.0}))
    assert "ready" in scoring.said, scoring.said

    def v2(*stores: str) -> bytes:
        count = len(stores)
        inputs = [{"name": "store", "shape": [count, 1], "datatype": "BYTES", "data": list(stores)}]
        inputs += [{"name": name, "shape": [count, 1], "datatype": "FP32", "data": [1.0] * count} for name in "ab"]
        return json.dumps({"inputs": inputs}).encode()

    answer = scoring.infer(v2("south", "north", "south"))
    assert answer.json["outputs"][0]["data"] == [10.0, 10.0, 2.0, 2.0, 10.0, 10.0]
    refused = scoring.infer(v2("north", "east"))
    assert refused.status == 400
    assert "row 1: there is no model for store='east'; there are models for 'north'; 'south'" in refused.json["error"]

    def rows(second: str) -> bytes:
        data = [[1, 2, "north"], [1, 2, second]]
        return json.dumps({"input_data": {"columns": ["a", "b", "store"], "data": data}}).encode()

    assert scoring.ask("/score", rows("south")).json == [[2.0, 4.0], [10.0, 20.0]]
    refused = scoring.ask("/score", rows("east"))
    assert refused.status == 400
    assert b"store='east'" in refused.body
