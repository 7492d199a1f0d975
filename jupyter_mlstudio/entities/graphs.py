"""What an ONNX file holds, as a picture of it needs it. All texts are cut and plain."""

from __future__ import annotations

from dataclasses import dataclass, field

NEWEST_OPSET = 21
"""The opset that an upgrade goes to, unless another is wanted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphTensor:
    """An input, an output or a constant: its number type and shape, free dimensions by their name or ``?``."""

    name: str
    type: str
    shape: list[int | str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphNode:
    """One operator: what goes in and out by name, and its attributes as text."""

    name: str
    op: str
    domain: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """The graph of an ONNX file. ``operators`` counts those of sub-graphs too; lists end at a limit, counts do not.

    ``values`` are tensors between nodes whose type and shape the file says or ONNX's shape inference finds.
    ``whole`` tells whether all nodes and constants are listed. ``parameters`` is the number of values in constants.
    """

    ir_version: int
    opsets: dict[str, int]
    producer: str
    producer_version: str
    domain: str
    model_version: int
    doc: str
    metadata: dict[str, str]
    name: str
    inputs: list[GraphTensor]
    outputs: list[GraphTensor]
    initialisers: list[GraphTensor]
    initialiser_count: int
    parameters: int
    nodes: list[GraphNode]
    node_count: int
    operators: dict[str, int]
    whole: bool
    values: list[GraphTensor] = field(default_factory=list)
