"""Ready-to-paste requests for an endpoint, made of its signature and sample."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from jupyter_mlstudio.entities.endpoints import Snippets
from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON

_EXAMPLES = {"BYTES": "text", "BOOL": False}


def make(url: str, sample: Mapping[str, JSON] | None, signature: Signature | None) -> Snippets:
    """Writes a request as a shell command and as Python; the key comes from the variable MLSTUDIO_KEY."""
    request = _first_row(sample) if sample else _example(signature)
    body = json.dumps(request, ensure_ascii=False)
    curl = (
        f"curl -sS {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $MLSTUDIO_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}\n"
    )
    python = (
        "import json\nimport os\nimport urllib.request\n\n"
        f"request = {_literal(request)}\n"
        "call = urllib.request.Request(\n"
        f"    {url!r},\n"
        "    data=json.dumps(request).encode(),\n"
        "    headers={\n"
        '        "Authorization": "Bearer " + os.environ["MLSTUDIO_KEY"],\n'
        '        "Content-Type": "application/json",\n'
        "    },\n)\n"
        "with urllib.request.urlopen(call) as answer:\n"
        '    for output in json.load(answer)["outputs"]:\n'
        '        print(output["name"], output["shape"], output["data"])\n'
    )
    return Snippets(curl=curl, python=python)


def _first_row(sample: Mapping[str, JSON]) -> dict[str, JSON]:
    """The sample's request cut down to its first row."""
    inputs = []
    for tensor in sample["inputs"]:
        rows = tensor["shape"][0]
        data = tensor["data"][: len(tensor["data"]) // max(rows, 1)]
        one = {**tensor, "shape": [1, *tensor["shape"][1:]], "data": data}
        if None not in data:
            one.pop("parameters", None)
        inputs.append(one)
    return {"inputs": inputs}


def _example(signature: Signature | None) -> dict[str, JSON]:
    inputs = []
    for spec in signature.inputs if signature else []:
        shape = [max(length, 1) for length in spec.shape]
        count = 1
        for length in shape:
            count *= length
        value = _EXAMPLES.get(spec.datatype, 0.0 if spec.datatype.startswith("FP") else 0)
        inputs.append({"name": spec.name, "shape": shape, "datatype": spec.datatype, "data": [value] * count})
    return {"inputs": inputs}


def _literal(request: Mapping[str, JSON]) -> str:
    """The request as a Python literal, one tensor a line."""
    lines = "".join(f"        {tensor!r},\n" for tensor in request["inputs"])
    return f'{{\n    "inputs": [\n{lines}    ]\n}}'
