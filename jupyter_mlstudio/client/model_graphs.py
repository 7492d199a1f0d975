"""What may be done with a version's ONNX file from user code: look into it, make it newer or smaller."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.values import JSON


class Derived:
    """The half of :class:`~jupyter_mlstudio.client.models.ModelVersion` that is about its graph."""

    _data: dict[str, JSON]
    _connection: Connection | None

    def graph(self) -> dict[str, JSON]:
        """Describes the ONNX graph: operators, inputs, outputs, constants, opset, and who made it."""
        found: dict[str, JSON] = self._where().get(self._graph_path("graph"), timeout_s=120.0)
        return found

    def upgrade(self, opset: int | None = None, *, policy: Mapping[str, JSON] | None = None, wait: bool = True) -> Any:
        """Makes the next version in a newer opset, 21 by default, compared with the original, or else this version."""
        return self._derive({"kind": "upgrade", "opset": opset, "policy": policy}, wait)

    def quantise(self, *, policy: Mapping[str, JSON] | None = None, wait: bool = True) -> Any:
        """Makes the next version with 8-bit weights; unless ``policy`` says otherwise, 1 % of the labels may flip.

        Args:
            policy: as :func:`jupyter_mlstudio.register_model` takes it.
        """
        return self._derive({"kind": "quantise", "policy": policy}, wait)

    def _derive(self, body: dict[str, Any], wait: bool) -> Any:
        body = {**body, "policy": None if body["policy"] is None else dict(body["policy"])}
        found = self._where().post(
            self._graph_path("derive"), {**body, "request_id": uuid.uuid4().hex}, again=True, timeout_s=600.0
        )
        made = type(self)(found, self._connection)  # type: ignore[call-arg]
        return made.wait() if wait else made  # type: ignore[attr-defined]

    def _where(self) -> Connection:
        return self._connection or connect()

    def _graph_path(self, what: str) -> str:
        return f"models/{segment(self._data['model'])}/versions/{self._data['version']}/{what}"
