"""Latency and memory of a model version from user code."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.wire import segment

if TYPE_CHECKING:
    from jupyter_mlstudio.client.models import ModelVersion


def profile_model(
    model: ModelVersion | str,
    batches: Sequence[int] = (1, 10, 100, 1000),
    version: int | str = "latest",
    wait: bool = True,
) -> Run:
    """Measures latency and memory of a model version over batch sizes and threads, and suggests limits.

    Args:
        model: a registered version, or the model's name.
        batches: numbers of rows of a request.
        version: a number, an alias or ``latest``; only with a name.
        wait: wait until it is done.

    Returns:
        The run; its table ``profile`` has the numbers, its metrics ``suggested/threads``,
        ``suggested/request_timeout_ms`` and ``suggested/memory_mb`` are settings of a deployment.
    """
    name, number = (model, version) if isinstance(model, str) else (model.name, model.version)
    connection = connect()
    path = f"models/{segment(name)}/versions/{segment(number)}/profile"
    body = {"batches": list(batches), "request_id": uuid.uuid4().hex}
    run = Run(connection.post(path, body, again=True), connection)
    return run.wait() if wait else run
