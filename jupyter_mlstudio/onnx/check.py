"""Looks into an ONNX file before anything loads it. ``python -m jupyter_mlstudio.onnx.check FILE`` does it in a child.

A file that was made by somebody else can be huge, truncated, or point to other files. The parent that wants to know
starts the module as a process of its own, which limits its memory, and reads one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.memory import own_sentence
from jupyter_mlstudio.errors import Invalid, StudioError

FILE_LIMIT_BYTES = 2 * 1024**3 - 1
MEMORY_LIMIT_BYTES = 8 * 1024**3
INPUTS_LIMIT = 2_000
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
UNBOUNDED = frozenset({
    "Loop", "Scan", "If", "SequenceMap", "ConstantOfShape", "Range", "Expand", "Tile", "Resize", "Upsample", "OneHot",
    "EyeLike", "Pad", "SplitToSequence", "NonMaxSuppression", "Multinomial", "RandomNormal", "RandomUniform", "STFT",
})  # fmt: skip
"""Operators whose cost does not follow from the size of the request alone: models with one run in a thread."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an ONNX graph without running it. ``opset`` is that of the default domain."""

    ir_version: int
    opset: int
    operators: list[str]
    inputs: list[str]
    outputs: list[str]


def inspect(model: bytes) -> Facts:
    """Checks an ONNX file's form.

    Raises:
        Invalid: it is empty, not ONNX, not valid, has other files or unknown operators, or is over a limit.
    """
    if not model:
        raise Invalid("the ONNX file is empty (0 bytes)")
    if len(model) > FILE_LIMIT_BYTES:
        raise Invalid(f"the ONNX file has {len(model)} bytes, more than the 2 GiB that one file may have")
    proto = parse(model)
    nodes = list(nodes_of(proto.graph))
    _refuse_other_files(proto)
    _refuse_strange_operators(proto, nodes)
    names = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value.name for value in proto.graph.input if value.name not in names]
    outputs = [value.name for value in proto.graph.output]
    version = proto.ir_version
    opset = max((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    operators = sorted({f"{node.domain}:{node.op_type}" if node.domain else str(node.op_type) for node in nodes})
    del proto, nodes  # the checker reads the file once more
    _check(model)
    if not inputs or len(inputs) > INPUTS_LIMIT or not all(inputs):
        raise Invalid(f"the ONNX model has {len(inputs)} inputs; 1 to {INPUTS_LIMIT} with names can be served")
    return Facts(version, opset, operators, inputs, outputs)


def inspect_many(path: Path) -> Facts:
    """Checks each of the models of an archive, and its table; the operators are those of all.

    Raises:
        Invalid: it is no archive of models, or one of them may not be served; the message names it.
    """
    from jupyter_mlstudio.onnx.routed import RoutedSession

    facts: list[Facts] = []
    with RoutedSession(path) as session:
        for route in session.routes.routes:
            if not route.file:
                continue
            try:
                facts.append(inspect(session.model(route)))
            except StudioError as error:
                raise Invalid(f"the model {route.file}: {error.message}") from error
    return Facts(
        ir_version=max(one.ir_version for one in facts), opset=max(one.opset for one in facts),
        operators=sorted({name for one in facts for name in one.operators}),
        inputs=sorted({name for one in facts for name in one.inputs}), outputs=sorted(session.routes.outputs),
    )  # fmt: skip


def is_bounded(operators: list[str]) -> bool:
    """Tells whether the cost of a run follows from the size of its inputs alone."""
    return bool(operators) and not any(name.rpartition(":")[2] in UNBOUNDED for name in operators)


def parse(model: bytes) -> Any:
    """Reads a file as an ONNX model; nothing else is checked.

    Raises:
        Invalid: it is none, or has no operators.
    """
    import onnx

    try:
        proto = onnx.load_model_from_string(model)
    except Exception as error:
        raise Invalid("the file is not ONNX: it cannot be read as a model") from error
    if not proto.HasField("graph") or not proto.graph.node:
        raise Invalid("the file is not a usable ONNX model: it has no operators")
    return proto


def _check(model: bytes) -> None:
    import onnx

    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise Invalid("the ONNX model is not valid: the ONNX checker refuses it") from error


def nodes_of(graph: Any) -> Iterator[Any]:
    """Walks through all nodes, those of sub-graphs too, without recursion."""
    waiting = [graph]
    while waiting:
        for node in waiting.pop().node:
            yield node
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    waiting.append(attribute.g)
                waiting.extend(attribute.graphs)


def _refuse_other_files(proto: Any) -> None:
    from onnx import external_data_helper as external

    tensors = [*external._get_all_tensors(proto)]
    for tensor in tensors:
        if tensor.data_location == tensor.EXTERNAL or len(tensor.external_data):
            raise Invalid("the ONNX model keeps weights in other files, which are not read; save it as a single file")


def _refuse_strange_operators(proto: Any, nodes: list[Any]) -> None:
    from onnx import defs

    if strange := sorted({node.domain for node in nodes} - DOMAINS):
        raise Invalid(f"the ONNX model uses operators of {strange[0]!r}; only the standard ones can be served")
    if proto.functions and any(function.domain in DOMAINS for function in proto.functions):
        raise Invalid("the ONNX model redefines standard operators")
    newest = defs.onnx_opset_version()
    for entry in proto.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version > newest:
            raise Invalid(f"the ONNX model uses opset {entry.version}; the newest that is supported is {newest}")


def main(path: str) -> int:
    """Prints what :func:`inspect` finds as one JSON object; exit status 0 when the file may be served."""
    limit_memory()
    try:
        facts = inspect_many(Path(path)) if path.endswith(".zip") else inspect(Path(path).read_bytes())
        print(json.dumps({"facts": asdict(facts)}))
    except StudioError as error:
        print(json.dumps({"error": error.message}))
        return 1
    except MemoryError:
        print(json.dumps({"error": f"the ONNX model cannot be read: {own_sentence()}"}))
        return 1
    return 0


def limit_memory() -> None:
    """Limits what this process may allocate, where the system can."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))


if __name__ == "__main__":
    end(main(sys.argv[1]))
