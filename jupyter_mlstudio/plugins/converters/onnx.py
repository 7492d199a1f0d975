"""Takes models that are ONNX already: one file, checked and served as it is."""

from __future__ import annotations

from typing import Any

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import inspect, parse
from jupyter_mlstudio.onnx.protocol import DATATYPES, DTYPES
from jupyter_mlstudio.onnx.session import RUNTIME, open_session
from jupyter_mlstudio.onnx.upgrade import without_maps
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction, Source

_ORT_TYPES = {"float": "FP32", "double": "FP64", "float16": "FP16", "string": "BYTES", "bool": "BOOL"}
_ORT_TYPES |= {
    name: DATATYPES[name] for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}


class OnnxConverter(Converter):
    """Serves an ONNX file as it is, when every input and output is a tensor."""

    name = "onnx"
    dtypes = ("as it is",)

    def accepts(self, source: Source) -> bool:
        return source.manifest.get("kind") == "onnx" or (not source.manifest and _only_file(source) is not None)

    def load(self, source: Source) -> Original:
        file = source.folder / str(source.manifest["file"]) if source.manifest else _only_file(source)
        if file is None or not file.is_file():
            raise Invalid("the ONNX file is not there")
        return Original(model=file.read_bytes(), rows=None, framework="ONNX")

    def convert(self, original: Original, dtype: str) -> Converted:
        inspect(original.model)
        model, labels = _as_tensors(original.model)
        session = open_session(model)
        signature = Signature(
            inputs=[_spec(value) for value in session.get_inputs()],
            outputs=[_spec(value) for value in session.get_outputs()],
            task="other",
            labels=labels,
        )
        return Converted(model, signature)

    def predict(self, original: Original) -> Prediction:
        raise Invalid(f"an ONNX model has no original to compare with; {RUNTIME} is what answers")


def _as_tensors(model: bytes) -> tuple[bytes, list[str]]:
    """The model with tensors where it answers with maps, and the labels of these; as it is, when it has none."""
    proto = parse(model)
    if not any(node.op_type == "ZipMap" for node in proto.graph.node):
        return model, []
    labels = without_maps(proto)
    return bytes(proto.SerializeToString()), labels


def _only_file(source: Source) -> Any:
    files = sorted(source.folder.rglob("*.onnx"))
    return files[0] if len(files) == 1 else None


def _spec(value: Any) -> TensorSpec:
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    datatype = _ORT_TYPES.get(kind) if value.type.startswith("tensor(") else None
    if datatype is None or datatype not in DTYPES:
        raise Invalid(f"{value.name!r} of the ONNX model is a {value.type}; only tensors can be served (no ZipMap)")
    shape = [length if isinstance(length, int) else -1 for length in value.shape]
    return TensorSpec(name=value.name, datatype=datatype, shape=shape, onnx_name=value.name)
