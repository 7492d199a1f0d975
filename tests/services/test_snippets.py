"""Snippets are executed as they are: requests against a listener that keeps what arrives, files against onnxruntime."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tree_sitter_c_sharp
from onnx import TensorProto, helper
from tree_sitter import Language, Parser

from jupyter_mlstudio.entities.endpoints import Snippet
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.services import snippets

JAVA = Path(__file__).parent.parent / "snippets" / "java"
NODE_MODULES = Path(__file__).parent.parent / "snippets" / "node_modules"
KEY = "mls_test"
NASTY = (
    'a"b', "it's", "back\\slash \\u0041 \\n", "two\nlines\ttab", "grün 漢字 😀", "$HOME $(id) `id` ${1} {0} %s",
    ')-" )--" )---"', '"""', "'''", "", "*/ // #", "\x01\x7f\u2028",
)  # fmt: skip
TYPES: dict[str, tuple[int, list[Any]]] = {
    "FP32": (TensorProto.FLOAT, [1.5, -1e-07, 3.4e38]),
    "FP64": (TensorProto.DOUBLE, [0.1, 1.0, -2.5e-300]),
    "INT64": (TensorProto.INT64, [2**53 + 1, -(2**62), 7]),
    "INT32": (TensorProto.INT32, [2**31 - 1, -5, 0]),
    "BOOL": (TensorProto.BOOL, [True, False, True]),
    "BYTES": (TensorProto.STRING, ['a"b\\', "grün 😀", "$x `y` ${z}"]),
}
SIGNATURE = Signature(
    inputs=[
        TensorSpec(name=name, datatype=name, shape=[-1, 3], onnx_name=f"in {name}") for name in TYPES
    ],
    outputs=[TensorSpec(name=name, datatype=name, shape=[-1, 3], onnx_name=f"out_{name}") for name in TYPES],
    task="other",
)  # fmt: skip
SAMPLE = {
    "inputs": [
        {"name": name, "datatype": name, "shape": [2, 3], "data": values * 2} for name, (_, values) in TYPES.items()
    ]
}
NUMPY = {"FP32": np.float32}
REQUESTS = ["curl", "python", "javascript", "java", "r"]
"""The languages that run here; C# has no compiler in Debian that knows its programs without a class."""


@pytest.fixture
def listener() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """An address that takes any request, and what it was asked: key and body."""
    asked: list[tuple[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            asked.append((self.headers["Authorization"], json.loads(body)))
            answer = b'{"outputs": [{"name": "label", "shape": [1], "datatype": "BYTES", "data": ["yes"]}]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v2/models/it's%20%22mine%22/infer", asked
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph that answers what it is given, in every type."""
    nodes = [helper.make_node("Identity", [f"in {name}"], [f"out_{name}"]) for name in TYPES]
    graph = helper.make_graph(
        nodes,
        "echo",
        [helper.make_tensor_value_info(f"in {name}", kind, [None, 3]) for name, (kind, _) in TYPES.items()],
        [helper.make_tensor_value_info(f"out_{name}", kind, [None, 3]) for name, (kind, _) in TYPES.items()],
    )
    path = tmp_path_factory.mktemp("file") / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def run(snippet: Snippet, folder: Path, key: str = KEY) -> str:
    """Executes a snippet in its language; answers what it printed."""
    files = {"curl": "ask.sh", "python": "ask.py", "javascript": "ask.mjs", "java": "Score.java", "r": "ask.R"}
    programs = {
        "curl": ["bash"], "python": [sys.executable, "-I"], "javascript": ["node"], "java": ["java"],
        "r": ["Rscript", "--vanilla"],
    }  # fmt: skip
    name = files[snippet.name]
    program = programs[snippet.name]
    assert shutil.which(program[0]), f"{program[0]} is not installed; .ci/run installs what the snippets need"
    (folder / name).write_text(snippet.code, encoding="utf-8")
    environment = {**os.environ, "MLSTUDIO_KEY": key, "RETICULATE_PYTHON": sys.executable}
    done = subprocess.run([*program, name], env=environment, cwd=folder, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{done.stderr.decode()}\n{snippet.code}"
    return done.stdout.decode()


def named(found: list[Snippet], name: str) -> Snippet:
    return next(one for one in found if one.name == name)


@pytest.mark.slow
@pytest.mark.parametrize("language", REQUESTS)
def test_a_request_arrives_as_it_is_whatever_it_holds(
    language: str, listener: tuple[str, list[tuple[str, Any]]], tmp_path: Path
) -> None:
    url, asked = listener
    text = TensorSpec(name=NASTY[0], datatype="BYTES", shape=[-1, len(NASTY)])
    sample = {"inputs": [{"name": NASTY[0], "datatype": "BYTES", "shape": [1, len(NASTY)], "data": list(NASTY)}]}
    made = snippets.make(url, sample, Signature(inputs=[text], outputs=[], task="other"))
    printed = run(named(made.requests, language), tmp_path)
    assert asked == [(f"Bearer {KEY}", sample)]
    assert "label" in printed
    assert "yes" in printed


@pytest.mark.slow
@pytest.mark.parametrize("language", REQUESTS)
def test_a_request_keeps_every_number_and_what_is_missing(
    language: str, listener: tuple[str, list[tuple[str, Any]]], tmp_path: Path
) -> None:
    url, asked = listener
    missing = {"name": "M", "datatype": "FP64", "shape": [2, 2], "data": [None, 0.1, 1, 2]}
    sample = {"inputs": [*SAMPLE["inputs"], {**missing, "parameters": {"nullable": True}}]}
    run(named(snippets.make(url, sample, SIGNATURE).requests, language), tmp_path)
    first = [{**one, "shape": [1, 3], "data": one["data"][:3]} for one in SAMPLE["inputs"]]
    last = {**missing, "shape": [1, 2], "data": [None, 0.1], "parameters": {"nullable": True}}
    assert asked == [(f"Bearer {KEY}", {"inputs": [*first, last]})]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", "javascript", "r"])
def test_a_file_is_scored_in_every_type(language: str, model_file: Path, tmp_path: Path) -> None:
    shutil.copy(model_file, tmp_path)
    if language == "javascript":
        assert NODE_MODULES.is_dir(), "onnxruntime-node is not installed: npm ci --ignore-scripts in tests/snippets"
        (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    made = snippets.make("http://127.0.0.1:1/", SAMPLE, SIGNATURE)
    lines = run(named(made.files, language), tmp_path).splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"out_{name}" for name in TYPES]
    for line, (datatype, (_, values)) in zip(lines, TYPES.items(), strict=True):
        assert line == expected(language, datatype, values)


def expected(language: str, datatype: str, values: list[Any]) -> str:
    """What a program prints of a row that comes back as it went in."""
    if language == "python":
        given = np.array(values, dtype=np.float32).tolist() if datatype == "FP32" else values
        return f"out_{datatype} [1, 3] {given}"
    if language == "r":
        return f"out_{datatype} {' '.join(np.array(values, dtype=NUMPY.get(datatype)).astype(str))} "
    texts = {
        "FP32": [f"{np.float32(1.5)}", "-1.0000000116860974e-7", "3.3999999521443642e+38"],
        "FP64": ["0.1", "1", "-2.5e-300"], "BOOL": ["1", "0", "1"],
    }.get(datatype, [str(value) for value in values])  # fmt: skip
    return f"out_{datatype} [1,3] {' '.join(texts)}"


@pytest.mark.slow
def test_javas_program_for_a_file_compiles_against_the_api_and_feeds_every_type(
    model_file: Path, tmp_path: Path
) -> None:
    """Against classes with the signatures of onnxruntime's Java API, which answer with what they are given."""
    shutil.copy(model_file, tmp_path)
    made = named(snippets.make("http://127.0.0.1:1/", SAMPLE, SIGNATURE).files, "java")
    (tmp_path / "Score.java").write_text(made.code, encoding="utf-8")
    options = ["-Xlint:all,-try,-serial", "-encoding", "UTF-8", "-d", ".", "-sourcepath", str(JAVA)]
    command = ["javac", *options, "Score.java"]
    compiled = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (compiled.returncode, compiled.stderr) == (0, "")
    java = ["java", "-Dstdout.encoding=UTF-8", "-Dfile.encoding=UTF-8", "-cp", ".", "Score"]
    done = subprocess.run(java, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    lines = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    assert list(lines) == [f"out_{name}" for name in TYPES]
    assert lines["out_INT64"] == f"[[{', '.join(str(value) for value in TYPES['INT64'][1])}]]"
    assert lines["out_FP64"] == "[[0.1, 1.0, -2.5E-300]]"
    assert lines["out_BYTES"] == f"[[{', '.join(TYPES['BYTES'][1])}]]"


@pytest.mark.parametrize("part", ["requests", "files"])
def test_csharps_programs_are_whole_whatever_they_hold(part: str) -> None:
    """Read with C#'s grammar: there is no compiler in Debian that knows programs without a class."""
    text = TensorSpec(name=NASTY[0], datatype="BYTES", shape=[-1, len(NASTY)], onnx_name=NASTY[0])
    signature = Signature(inputs=[*SIGNATURE.inputs, text], outputs=[*SIGNATURE.outputs, text], task="other")
    given = {"name": NASTY[0], "datatype": "BYTES", "shape": [1, len(NASTY)], "data": list(NASTY)}
    made = snippets.make("http://127.0.0.1:1/", {"inputs": [*SAMPLE["inputs"], given]}, signature)
    code = named(getattr(made, part), "csharp").code
    tree = Parser(Language(tree_sitter_c_sharp.language())).parse(code.encode())
    assert not tree.root_node.has_error, code


def test_a_language_without_a_type_has_no_program_for_the_file() -> None:
    half = TensorSpec(name="H", datatype="FP16", shape=[-1, 1])
    sample = {"inputs": [{"name": "H", "datatype": "FP16", "shape": [1, 1], "data": [0.5]}]}
    made = snippets.make("http://127.0.0.1:1/", sample, Signature(inputs=[half], outputs=[half], task="other"))
    assert [one.name for one in made.files] == ["python", "r"]


def test_every_language_has_a_request_and_says_what_it_needs() -> None:
    made = snippets.make("http://127.0.0.1:1/", SAMPLE, SIGNATURE)
    assert [one.name for one in made.requests] == ["curl", "python", "javascript", "csharp", "java", "r"]
    assert [one.name for one in made.files] == ["python", "javascript", "csharp", "java", "r"]
    assert all(one.needs for one in made.files)
    assert (made.curl, made.python) == (made.requests[0].code, made.requests[1].code)


def test_what_executes_a_script_has_no_program_for_the_file() -> None:
    assert snippets.make("http://127.0.0.1:1/", SAMPLE, SIGNATURE, onnx=False).files == []
    assert snippets.make("http://127.0.0.1:1/", None, None).files == []
