"""Ready-to-paste programs that ask an endpoint, made of its signature and sample: curl and five languages.

Each takes the key from the variable MLSTUDIO_KEY and prints the answer. None needs more than its comment says.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping

from jupyter_mlstudio.entities.endpoints import Snippet, Snippets
from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.services import snippet_files
from jupyter_mlstudio.services.snippet_literals import ascii_text, r_raw, r_text

_EXAMPLES = {"BYTES": "text", "BOOL": False}
_SAFE = 2**53 - 1
"""JavaScript's numbers are exact up to here."""


def make(url: str, sample: Mapping[str, JSON] | None, signature: Signature | None, *, onnx: bool = True) -> Snippets:
    """Writes one request, the sample's first row, in every language.

    Args:
        onnx: whether the ONNX file is what answers, so that programs which score the file answer the same.
    """
    request = _first_row(sample) if sample else _example(signature)
    requests = [
        Snippet(name="curl", title="curl", language="shell", code=_curl(url, request)),
        Snippet(name="python", title="Python", language="python", code=_python(url, request)),
        Snippet(name="javascript", title="JavaScript", language="javascript", needs="Node.js 18 or newer, as .mjs",
                code=_javascript(url, request)),
        Snippet(name="csharp", title="C#", language="csharp", needs=".NET 7 or newer", code=_csharp(url, request)),
        Snippet(name="java", title="Java", language="java", needs="Java 15 or newer: java Score.java",
                code=_java(url, request)),
        Snippet(name="r", title="R", language="r", needs="R 4.0 or newer with curl and jsonlite",
                code=_r(url, request)),
    ]  # fmt: skip
    one = onnx and signature is not None and not signature.routed_by
    files = snippet_files.make(request["inputs"], signature) if one and signature is not None else []
    return Snippets(curl=requests[0].code, python=requests[1].code, requests=requests, files=files)


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
        value = _EXAMPLES.get(spec.datatype, 0.0 if spec.datatype.startswith("FP") else 0)
        data = [value] * math.prod(shape)
        inputs.append({"name": spec.name, "shape": shape, "datatype": spec.datatype, "data": data})
    return {"inputs": inputs}


def _lines(request: Mapping[str, JSON]) -> str:
    """The request as JSON in ASCII, one tensor a line."""
    tensors = ",\n".join(f"    {json.dumps(tensor)}" for tensor in request["inputs"])
    return f'{{\n  "inputs": [\n{tensors}\n  ]\n}}'


def _curl(url: str, request: Mapping[str, JSON]) -> str:
    return (
        f"curl -sS {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $MLSTUDIO_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(request, ensure_ascii=False))}\n"
    )


def _python(url: str, request: Mapping[str, JSON]) -> str:
    tensors = "".join(f"        {tensor!r},\n" for tensor in request["inputs"])
    return (
        "import json\nimport os\nimport urllib.request\n\n"
        f'request = {{\n    "inputs": [\n{tensors}    ]\n}}\n'
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


def _javascript(url: str, request: Mapping[str, JSON]) -> str:
    lines = _lines(request)
    values = [value for tensor in request["inputs"] for value in tensor["data"]]
    if any(isinstance(value, int) and abs(value) > _SAFE for value in values):
        body = (
            f"// As text: JavaScript would round these whole numbers.\nconst body = {ascii_text(json.dumps(request))};"
        )
    else:
        body = f"const request = {lines};\nconst body = JSON.stringify(request);"
    return (
        f"{body}\n"
        f"const answer = await fetch({ascii_text(url)}, {{\n"
        "  method: 'POST',\n"
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.MLSTUDIO_KEY}`,\n"
        "    'Content-Type': 'application/json'\n"
        "  },\n"
        "  body\n"
        "});\n"
        "if (!answer.ok) {\n"
        "  throw new Error(`${answer.status}: ${await answer.text()}`);\n"
        "}\n"
        "for (const output of (await answer.json()).outputs) {\n"
        "  console.log(output.name, JSON.stringify(output.shape), JSON.stringify(output.data));\n"
        "}\n"
    )


def _csharp(url: str, request: Mapping[str, JSON]) -> str:
    return (
        "using System.Net.Http.Headers;\nusing System.Text;\nusing System.Text.Json;\n\n"
        f'var body = """\n{_lines(request)}\n""";\n'
        "using var client = new HttpClient();\n"
        "client.DefaultRequestHeaders.Authorization =\n"
        '    new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("MLSTUDIO_KEY"));\n'
        'using var content = new StringContent(body, Encoding.UTF8, "application/json");\n'
        f"using var answer = await client.PostAsync({ascii_text(url)}, content);\n"
        "var text = await answer.Content.ReadAsStringAsync();\n"
        "if (!answer.IsSuccessStatusCode)\n"
        "{\n"
        '    throw new HttpRequestException($"{(int)answer.StatusCode}: {text}");\n'
        "}\n"
        "using var read = JsonDocument.Parse(text);\n"
        'foreach (var output in read.RootElement.GetProperty("outputs").EnumerateArray())\n'
        "{\n"
        '    Console.WriteLine($"{output.GetProperty("name")} {output.GetProperty("shape")}'
        ' {output.GetProperty("data")}");\n'
        "}\n"
    )


def _java(url: str, request: Mapping[str, JSON]) -> str:
    body = _lines(request).replace("\\", "\\\\")
    return (
        "import java.net.URI;\n"
        "import java.net.http.HttpClient;\n"
        "import java.net.http.HttpRequest;\n"
        "import java.net.http.HttpResponse;\n\n"
        "public class Score {\n"
        "  public static void main(String[] args) throws Exception {\n"
        f'    String body = """\n{body}""";\n'
        f"    HttpRequest request = HttpRequest.newBuilder(URI.create({ascii_text(url)}))\n"
        '        .header("Authorization", "Bearer " + System.getenv("MLSTUDIO_KEY"))\n'
        '        .header("Content-Type", "application/json")\n'
        "        .POST(HttpRequest.BodyPublishers.ofString(body))\n"
        "        .build();\n"
        "    HttpClient client = HttpClient.newHttpClient();\n"
        "    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());\n"
        "    if (answer.statusCode() != 200) {\n"
        '      throw new IllegalStateException(answer.statusCode() + ": " + answer.body());\n'
        "    }\n"
        "    System.out.println(answer.body());\n"
        "  }\n"
        "}\n"
    )


def _r(url: str, request: Mapping[str, JSON]) -> str:
    return (
        "library(curl)\nlibrary(jsonlite)\n\n"
        f"body <- {r_raw(_lines(request))}\n"
        "call <- new_handle(post = TRUE, copypostfields = body)\n"
        "handle_setheaders(call,\n"
        '  "Authorization" = paste("Bearer", Sys.getenv("MLSTUDIO_KEY")),\n'
        '  "Content-Type" = "application/json"\n'
        ")\n"
        f"answer <- curl_fetch_memory({r_text(url)}, call)\n"
        "text <- rawToChar(answer$content)\n"
        'if (answer$status_code != 200) stop(answer$status_code, ": ", text)\n'
        "for (output in fromJSON(text, simplifyVector = FALSE)$outputs) {\n"
        '  cat(output$name, "[", unlist(output$shape), "] [", unlist(output$data), "]\\n")\n'
        "}\n"
    )
