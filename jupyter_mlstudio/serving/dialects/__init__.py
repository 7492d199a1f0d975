"""The ways in which an endpoint may be asked: each reads requests into checked tensors and writes the answer."""

from __future__ import annotations

from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.dialects.arrow import Arrow
from jupyter_mlstudio.serving.dialects.azure import Azure
from jupyter_mlstudio.serving.dialects.base import Dialect
from jupyter_mlstudio.serving.dialects.mlflow import Mlflow
from jupyter_mlstudio.serving.dialects.rows import RowReader
from jupyter_mlstudio.serving.dialects.v2 import OpenInference


def table_of_dialects(config: ServeConfig, protocol: Protocol) -> dict[str, list[Dialect]]:
    """Lists the dialects of each path; ``infer`` is the Open Inference Protocol's own verb."""
    signature = protocol.signature
    rows = RowReader(signature, config.limits.rows)
    return {
        "infer": [OpenInference(protocol)],
        "/score": [Azure(signature, rows), Arrow(signature, rows)],
        "/invocations": [Mlflow(signature, rows)],
    }
