"""A request as it was fed to the model and answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.onnx.tensors import Inference
from tests.serving.models import PASSENGERS


def inference(rows: int = 1) -> Inference:
    feeds = {
        "age_0": np.full((rows, 1), 22.5), "sex": np.full((rows, 1), "male", object),
        "siblings": np.ones((rows, 1), np.int64),
    }  # fmt: skip
    return Inference(feeds, rows, PASSENGERS.outputs)


def answers(rows: int = 1) -> list[Any]:
    return [np.full(rows, "yes", object), np.full((rows, 2), [0.25, np.nan])]
