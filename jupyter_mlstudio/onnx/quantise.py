"""Keeps a network's weights as 8-bit integers, its numbers scaled while it runs (dynamic quantisation)."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import parse
from jupyter_mlstudio.onnx.upgrade import upgraded

OPERATORS = ("MatMul", "Gemm", "LSTM", "Gather", "Attention", "EmbedLayerNormalization")
"""What has an 8-bit form on every processor. Convolutions with signed weights have none."""

OPSET = 13
"""The oldest opset whose quantised operators take a scale for each channel."""


def quantised(model: bytes) -> bytes:
    """Returns the model with 8-bit weights.

    Raises:
        Invalid: it has nothing that could be quantised, such as forests.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    proto = parse(model)
    opset = next((one.version for one in proto.opset_import if one.domain in ("", "ai.onnx")), 0)
    if opset < OPSET:
        proto = parse(upgraded(model, OPSET))
    names = {tensor.name for tensor in proto.graph.initializer}
    if not any(node.op_type in OPERATORS and names & set(node.input) for node in proto.graph.node):
        raise Invalid(f"nothing in it can be quantised: no {' or '.join(OPERATORS[:4])} has constant weights")
    log = logging.getLogger()
    before = log.level
    log.setLevel(logging.ERROR)  # it advises preprocessing on the root logger
    try:
        with tempfile.TemporaryDirectory(prefix="mlstudio-int8-") as folder:
            target = Path(folder) / "model.onnx"
            quantize_dynamic(proto, target, op_types_to_quantize=list(OPERATORS), weight_type=QuantType.QInt8)
            return target.read_bytes()
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Invalid(f"it cannot be quantised: {first[:300]}") from error
    finally:
        log.setLevel(before)
