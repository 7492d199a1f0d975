"""Programs that score a version's ONNX file itself, without any server: onnxruntime from five languages.

R has no onnxruntime of its own and goes through Python's. curl cannot read a file, so it has no program here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jupyter_mlstudio.entities.endpoints import Snippet
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.services.snippet_literals import Literal, ascii_text, flag, listed, number, r_text, text

FILE = "model.onnx"


@dataclass(frozen=True, slots=True)
class _Input:
    """A tensor of the example: its name in the graph, type, shape and values."""

    name: str
    datatype: str
    shape: list[int]
    data: list[JSON]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a language writes an array of one datatype."""

    array: str
    literal: Literal


def make(tensors: Sequence[Mapping[str, JSON]], signature: Signature) -> list[Snippet]:
    """Writes the programs; a language without one of the model's types is left out."""
    specs = {spec.name: spec for spec in signature.inputs}
    inputs = [
        _Input(_in_graph(specs[one["name"]]), one["datatype"], list(one["shape"]), list(one["data"]))
        for one in tensors
        if one["name"] in specs
    ]
    outputs = [_in_graph(spec) for spec in signature.outputs]
    used = {one.datatype for one in inputs}
    return [
        Snippet(name=name, title=title, language=name, needs=needs, code=write(inputs, outputs))
        for name, title, needs, kinds, write in _LANGUAGES
        if used <= set(kinds)
    ]


def _in_graph(spec: TensorSpec) -> str:
    return spec.onnx_name or spec.name


def _whole(names: Mapping[str, str], literal: Callable[[str], Literal]) -> dict[str, _Kind]:
    return {datatype: _Kind(array, literal(datatype)) for datatype, array in names.items()}


_WHOLE = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")

_PYTHON = {
    "FP16": _Kind("np.float16", number("np.nan")), "FP32": _Kind("np.float32", number("np.nan")),
    "FP64": _Kind("np.float64", number("np.nan")), "BOOL": _Kind("np.bool_", flag("True", "False")),
    "BYTES": _Kind("object", text(repr)),
    **_whole({name: f"np.{name.lower()}" for name in _WHOLE}, lambda _: number("0", whole=True)),
}  # fmt: skip

_JAVASCRIPT = {
    "FP32": _Kind("Float32Array", number("NaN")), "FP64": _Kind("Float64Array", number("NaN")),
    "BOOL": _Kind("Uint8Array", flag("1", "0")), "BYTES": _Kind("Array", text(ascii_text)),
    **_whole({name: f"{name.title().replace('Ui', 'UI')}Array" for name in _WHOLE if "64" not in name},
             lambda _: number("0", whole=True)),
    "INT64": _Kind("BigInt64Array", number("0n", "n", whole=True)),
    "UINT64": _Kind("BigUint64Array", number("0n", "n", whole=True)),
}  # fmt: skip
_JAVASCRIPT_NAMES = {"FP32": "float32", "FP64": "float64", "BYTES": "string"}

_CSHARP = {
    "FP32": _Kind("float", number("float.NaN", "f")), "FP64": _Kind("double", number("double.NaN")),
    "BOOL": _Kind("bool", flag("true", "false")), "BYTES": _Kind("string", text(ascii_text)),
    **_whole({"INT8": "sbyte", "INT16": "short", "INT32": "int", "INT64": "long", "UINT8": "byte", "UINT16": "ushort",
              "UINT32": "uint", "UINT64": "ulong"}, lambda _: number("0", whole=True)),
}  # fmt: skip

_JAVA = {
    "FP32": _Kind("FloatBuffer.wrap(new float[] {%s})", number("Float.NaN", "f")),
    "FP64": _Kind("DoubleBuffer.wrap(new double[] {%s})", number("Double.NaN")),
    "INT64": _Kind("LongBuffer.wrap(new long[] {%s})", number("0L", "L", whole=True)),
    "INT32": _Kind("IntBuffer.wrap(new int[] {%s})", number("0", whole=True)),
    "INT16": _Kind("ShortBuffer.wrap(new short[] {%s})", number("0", whole=True)),
    "BOOL": _Kind("ByteBuffer.wrap(new byte[] {%s})", flag("1", "0")),
    "BYTES": _Kind("new String[] {%s}", text(ascii_text)),
}  # fmt: skip

_R = {
    "FP16": _Kind("float16", number("NaN")), "FP32": _Kind("float32", number("NaN")),
    "FP64": _Kind("float64", number("NaN")), "BOOL": _Kind("bool", flag("TRUE", "FALSE")),
    "BYTES": _Kind("object", text(r_text)),
    # R has no whole numbers of 64 bits; numpy reads them from text.
    **_whole({name: name.lower() for name in _WHOLE}, lambda _: lambda value: f'"{json.dumps(value)}"'),
}  # fmt: skip


def _python(inputs: Sequence[_Input], outputs: Sequence[str]) -> str:
    feeds = "".join(
        f"    {one.name!r}: np.array([{listed(one.data, _PYTHON[one.datatype].literal)}],"
        f" dtype={_PYTHON[one.datatype].array}).reshape({one.shape}),\n"
        for one in inputs
    )
    return (
        "import numpy as np\nimport onnxruntime\n\n"
        f'session = onnxruntime.InferenceSession("{FILE}", providers=["CPUExecutionProvider"])\n'
        f"feeds = {{\n{feeds}}}\n"
        f"outputs = {list(outputs)!r}\n"
        "for name, values in zip(outputs, session.run(outputs, feeds)):\n"
        "    print(name, list(values.shape), values.ravel().tolist())\n"
    )


def _javascript(inputs: Sequence[_Input], outputs: Sequence[str]) -> str:
    feeds = "".join(
        f"  {ascii_text(one.name)}: new ort.Tensor("
        f"'{_JAVASCRIPT_NAMES.get(one.datatype, one.datatype.lower())}',"
        f" {_JAVASCRIPT[one.datatype].array}.from([{listed(one.data, _JAVASCRIPT[one.datatype].literal)}]),"
        f" {one.shape}),\n"
        for one in inputs
    )
    return (
        "// npm install onnxruntime-node\n"
        "import * as ort from 'onnxruntime-node';\n\n"
        f"const session = await ort.InferenceSession.create('{FILE}');\n"
        f"const feeds = {{\n{feeds}}};\n"
        f"const outputs = {ascii_text(list(outputs))};\n"
        "const answer = await session.run(feeds, outputs);\n"
        "for (const name of outputs) {\n"
        "  console.log(name, JSON.stringify(answer[name].dims), Array.from(answer[name].data, String).join(' '));\n"
        "}\n"
    )


def _csharp(inputs: Sequence[_Input], outputs: Sequence[str]) -> str:
    feeds = "".join(
        f"    NamedOnnxValue.CreateFromTensor({ascii_text(one.name)}, new DenseTensor<{_CSHARP[one.datatype].array}>(\n"
        f"        new {_CSHARP[one.datatype].array}[] {{ {listed(one.data, _CSHARP[one.datatype].literal)} }},\n"
        f"        new int[] {{ {', '.join(map(str, one.shape))} }})),\n"
        for one in inputs
    )
    return (
        "// dotnet add package Microsoft.ML.OnnxRuntime\n"
        "using System.Collections;\n"
        "using Microsoft.ML.OnnxRuntime;\n"
        "using Microsoft.ML.OnnxRuntime.Tensors;\n\n"
        f'using var session = new InferenceSession("{FILE}");\n'
        f"var feeds = new List<NamedOnnxValue>\n{{\n{feeds}}};\n"
        f"var outputs = new[] {{ {listed(list(outputs), ascii_text)} }};\n"
        "using var answer = session.Run(feeds, outputs);\n"
        "foreach (var output in answer)\n"
        "{\n"
        '    Console.WriteLine($"{output.Name} {string.Join(" ", ((IEnumerable)output.Value).Cast<object>())}");\n'
        "}\n"
    )


def _java(inputs: Sequence[_Input], outputs: Sequence[str]) -> str:
    feeds = "".join(
        f"      feeds.put({ascii_text(one.name)}, OnnxTensor.createTensor(environment,\n"
        f"          {_JAVA[one.datatype].array % listed(one.data, _JAVA[one.datatype].literal)},\n"
        f"          new long[] {{{', '.join(map(str, one.shape))}}}"
        f"{', OnnxJavaType.BOOL' if one.datatype == 'BOOL' else ''}));\n"
        for one in inputs
    )
    return (
        "// Maven: com.microsoft.onnxruntime:onnxruntime\n"
        "import ai.onnxruntime.*;\n"
        "import java.nio.*;\n"
        "import java.util.*;\n\n"
        "public class Score {\n"
        "  public static void main(String[] args) throws Exception {\n"
        "    OrtEnvironment environment = OrtEnvironment.getEnvironment();\n"
        f'    try (OrtSession session = environment.createSession("{FILE}")) {{\n'
        "      Map<String, OnnxTensor> feeds = new LinkedHashMap<>();\n"
        f"{feeds}"
        f"      Set<String> outputs = new LinkedHashSet<>(List.of({listed(list(outputs), ascii_text)}));\n"
        "      try (OrtSession.Result answer = session.run(feeds, outputs)) {\n"
        "        for (Map.Entry<String, OnnxValue> output : answer) {\n"
        "          Object[] values = {output.getValue().getValue()};\n"
        '          System.out.println(output.getKey() + " " + Arrays.deepToString(values));\n'
        "        }\n"
        "      }\n"
        "    }\n"
        "  }\n"
        "}\n"
    )


def _r(inputs: Sequence[_Input], outputs: Sequence[str]) -> str:
    feeds = "".join(
        f"feeds[{r_text(one.name)}] <- np$array(list({listed(one.data, _R[one.datatype].literal)}))"
        f'$astype("{_R[one.datatype].array}")$reshape(list({", ".join(f"{length}L" for length in one.shape)}))\n'
        for one in inputs
    )
    return (
        "# Python with onnxruntime and numpy does the work: R has no onnxruntime of its own.\n"
        "library(reticulate)\n\n"
        'ort <- import("onnxruntime", convert = FALSE)\n'
        'np <- import("numpy", convert = FALSE)\n'
        f'session <- ort$InferenceSession("{FILE}", providers = list("CPUExecutionProvider"))\n'
        "feeds <- py_dict(list(), list(), convert = FALSE)\n"
        f"{feeds}"
        f"outputs <- c({listed(list(outputs), r_text)})\n"
        "answer <- session$run(as.list(outputs), feeds)\n"
        "for (number in seq_along(outputs)) {\n"
        # As text: reticulate cuts whole numbers down to 32 bits.
        '  values <- py_to_r(answer[number - 1]$ravel()$astype("str")$tolist())\n'
        '  cat(outputs[number], unlist(values), "\\n")\n'
        "}\n"
    )


_LANGUAGES = (
    ("python", "Python", "onnxruntime and numpy", _PYTHON, _python),
    ("javascript", "JavaScript", "Node.js 18 or newer with onnxruntime-node, as .mjs", _JAVASCRIPT, _javascript),
    ("csharp", "C#", ".NET 7 or newer with Microsoft.ML.OnnxRuntime", _CSHARP, _csharp),
    ("java", "Java", "Java 11 or newer with com.microsoft.onnxruntime", _JAVA, _java),
    ("r", "R", "R with reticulate, and Python with onnxruntime and numpy", _R, _r),
)
