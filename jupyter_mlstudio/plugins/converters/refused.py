"""The error for a model that no number type can make right."""

from __future__ import annotations

from jupyter_mlstudio.errors import Invalid


class Refused(Invalid):
    """A model that would be wrong in ONNX with any number type; no other one is tried."""

    code = "refused"
