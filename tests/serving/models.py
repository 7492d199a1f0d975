"""Models that several tests of the scoring server ask."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from tests.onnx.graphs import model

PASSENGERS = Signature(
    inputs=[TensorSpec(name="age", datatype="FP64", shape=[-1, 1], onnx_name="age_0"),
            TensorSpec(name="sex", datatype="BYTES", shape=[-1, 1]),
            TensorSpec(name="siblings", datatype="INT64", shape=[-1, 1])],
    outputs=[TensorSpec(name="label", datatype="BYTES", shape=[-1]),
             TensorSpec(name="probabilities", datatype="FP64", shape=[-1, 2])],
    task="classification", labels=["no", "yes"],
)  # fmt: skip


def passengers() -> bytes:
    """Says yes to whoever is no older than 30, with the probabilities 0.25 and 0.75."""
    constants = [
        numpy_helper.from_array(np.array(30, np.float64), "limit"),
        numpy_helper.from_array(np.array(["yes"], object), "yes"),
        numpy_helper.from_array(np.array(["no"], object), "no"),
        numpy_helper.from_array(np.array([[0.25, 0.75]]), "young"),
        numpy_helper.from_array(np.array([[0.75, 0.25]]), "old"),
        numpy_helper.from_array(np.array([-1], np.int64), "flat"),
    ]
    nodes = [
        helper.make_node("LessOrEqual", ["age_0", "limit"], ["is_young"]),
        helper.make_node("Where", ["is_young", "young", "old"], ["probabilities"]),
        helper.make_node("Where", ["is_young", "yes", "no"], ["labels"]),
        helper.make_node("Reshape", ["labels", "flat"], ["label"]),
    ]
    kinds = {"age_0": TensorProto.DOUBLE, "sex": TensorProto.STRING, "siblings": TensorProto.INT64}
    inputs = [helper.make_tensor_value_info(name, kind, ["n", 1]) for name, kind in kinds.items()]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, ["n"]),
        helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["n", 2]),
    ]
    return model(helper.make_graph(nodes, "passengers", inputs, outputs, constants)).SerializeToString()
