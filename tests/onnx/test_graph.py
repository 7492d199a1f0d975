"""ONNX files of any origin and age are described, upgraded, made smaller and measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from jupyter_mlstudio.entities.graphs import NEWEST_OPSET
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import inspect
from jupyter_mlstudio.onnx.graph import NODES_LIMIT, read, values
from jupyter_mlstudio.onnx.probe import probe
from jupyter_mlstudio.onnx.profile import profile, suggested, thread_counts
from jupyter_mlstudio.onnx.quantise import quantised
from jupyter_mlstudio.onnx.upgrade import upgraded
from jupyter_mlstudio.plugins.converters.base import Original, Source
from jupyter_mlstudio.plugins.converters.onnx import OnnxConverter
from jupyter_mlstudio.programs.convert import convert
from jupyter_mlstudio.programs.derive import derived

ORIGINS = ["caffe2", "CNTK", "MXNet", "pytorch", "Microsoft Cognitive Toolkit", ""]


def network(opset: int = 13, producer: str = "", width: int = 8) -> onnx.ModelProto:
    """Two dense layers with a softmax, as exporters of every age write them; old ones name constants as inputs too."""
    random = np.random.default_rng(0)
    weights = {
        "w1": random.normal(size=(4, width)), "b1": random.normal(size=width), "w2": random.normal(size=(width, 3)),
    }  # fmt: skip
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    more: dict[str, Any] = {"is_test": 1} if opset < 7 else {}
    nodes = [
        helper.make_node("Gemm", ["X", "w1", "b1"], ["h1"], name="dense", **({"broadcast": 1} if opset < 7 else {})),
        helper.make_node("BatchNormalization", ["h1", "b1", "b1", "b1", "v"], ["h2"], **more),
        helper.make_node("Relu", ["h2"], ["h3"]),
        helper.make_node("Dropout", ["h3"], ["h4"]),
        helper.make_node("MatMul", ["h4", "w2"], ["h5"]),
        helper.make_node("Softmax", ["h5"], ["Y"], axis=1),
    ]
    constants.append(numpy_helper.from_array(np.ones(width, np.float32), "v"))
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 4])]
    if opset < 9:
        inputs += [helper.make_tensor_value_info(one.name, TensorProto.FLOAT, one.dims) for one in constants]
    outputs = [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 3])]
    graph = helper.make_graph(nodes, "network", inputs, outputs, constants)
    ir = 3 if opset < 9 else 8
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name=producer,
                             ir_version=ir, doc_string="<b>made by hand</b>")  # fmt: skip


def answers(model: bytes, rows: Any) -> Any:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"X": rows})[0]


@pytest.mark.parametrize("opset", range(7, NEWEST_OPSET))
def test_every_opset_from_7_on_is_taken_and_upgraded_with_the_same_answers(opset: int) -> None:
    producer = ORIGINS[opset % len(ORIGINS)]
    old = network(opset, producer).SerializeToString()
    served = OnnxConverter().convert(Original(old, None, "ONNX"), "as it is")
    assert [(one.name, one.shape) for one in served.signature.inputs] == [("X", [-1, 4])]
    new = upgraded(old)
    assert inspect(new).opset == NEWEST_OPSET
    rows = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    assert np.allclose(answers(old, rows), answers(new, rows), atol=1e-6)
    assert read(old).producer == producer


@pytest.mark.parametrize(("opset", "said"), [(13, "13 already"), (6, "there is no upgrade"), (99, "from 7 to")])
def test_an_upgrade_that_is_none_is_refused(opset: int, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        upgraded(network(13).SerializeToString(), opset)


def zipmap() -> bytes:
    """A linear classifier as skl2onnx writes it by default: its probabilities are a list of maps."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    rows = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    model = LogisticRegression().fit(rows, np.arange(30) % 3)
    return bytes(to_onnx(model, rows[:1]).SerializeToString())


def test_maps_become_a_tensor_with_labels() -> None:
    model = zipmap()
    converted = OnnxConverter().convert(Original(model, None, "ONNX"), "as it is")
    assert [(one.datatype, one.shape) for one in converted.signature.outputs] == [("INT64", [-1]), ("FP32", [-1, 3])]
    assert converted.signature.labels == ["0", "1", "2"]
    rows = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    old = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"X": rows})
    new = onnxruntime.InferenceSession(converted.onnx, providers=["CPUExecutionProvider"]).run(None, {"X": rows})
    assert [list(one.values()) for one in old[1]] == new[1].tolist()


def test_a_graph_is_described_with_shapes_types_and_counts() -> None:
    graph = read(network(13, "caffe2").SerializeToString())
    assert graph.operators == {"BatchNormalization": 1, "Dropout": 1, "Gemm": 1, "MatMul": 1, "Relu": 1, "Softmax": 1}
    assert (graph.inputs[0].name, graph.inputs[0].type, graph.inputs[0].shape) == ("X", "float", ["N", 4])
    assert graph.opsets == {"ai.onnx": 13}
    assert graph.parameters == 4 * 8 + 8 + 8 * 3 + 8
    assert graph.nodes[-1].attributes == {"axis": "1"}
    assert graph.doc == "<b>made by hand</b>"
    assert graph.whole


def test_M13_texts_of_the_file_are_cut_and_plain() -> None:
    model = network(13, "x" * 10_000)
    entry = model.metadata_props.add()
    entry.key, entry.value = "<script>", "\x1b[2J\x00" + "<img src=x>" * 400_000
    graph = read(model.SerializeToString())
    assert len(graph.producer) == 120
    assert len(graph.metadata["<script>"]) == 2000
    assert "\x1b" not in graph.metadata["<script>"]


def test_tensors_between_nodes_have_the_shapes_that_follow_from_the_inputs() -> None:
    shapes = {one.name: (one.type, one.shape) for one in values(network(13, "caffe2").SerializeToString())}
    assert ("float", ["N", 8]) in shapes.values()
    strange = helper.make_node("Nonsense", ["X"], ["Y"], domain="nobody")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in "XY"]
    assert values(helper.make_model(helper.make_graph([strange], "odd", ends[:1], ends[1:])).SerializeToString()) == []


def test_a_graph_of_more_than_10_000_nodes_is_described_in_part() -> None:
    nodes = [helper.make_node("Abs", [f"a{number}"], [f"a{number + 1}"]) for number in range(NODES_LIMIT + 5)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in ("a0", f"a{NODES_LIMIT + 5}")]
    graph = read(helper.make_model(helper.make_graph(nodes, "long", ends[:1], ends[1:])).SerializeToString())
    assert (len(graph.nodes), graph.node_count, graph.whole) == (NODES_LIMIT, NODES_LIMIT + 5, False)
    assert graph.operators == {"Abs": NODES_LIMIT + 5}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no model", network().SerializeToString()[:50]])
def test_M02_M06_what_is_no_model_is_said_by_a_process_of_its_own(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    command = [sys.executable, "-m", "jupyter_mlstudio.onnx.graph", str(file)]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert "error" in json.loads(ended.stdout)


def test_8_bit_weights_make_a_model_smaller_and_answer_nearly_the_same() -> None:
    model = network(13, width=512).SerializeToString()
    small = quantised(model)
    assert len(small) < len(model) / 2
    rows = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    assert 0 < np.abs(answers(model, rows) - answers(small, rows)).max() < 0.2


def test_an_old_model_is_quantised_too() -> None:
    assert inspect(quantised(network(8).SerializeToString())).opset == 13


def test_what_has_nothing_to_quantise_is_refused() -> None:
    node = helper.make_node("Abs", ["X"], ["Y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in "XY"]
    model = helper.make_model(helper.make_graph([node], "abs", ends[:1], ends[1:]))
    with pytest.raises(Invalid, match="nothing in it can be quantised"):
        quantised(model.SerializeToString())


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(network(8, "CNTK").SerializeToString())
    return tmp_path


def test_an_upgrade_is_compared_with_the_old_graph_on_made_rows(kept: Path) -> None:
    found = derived(convert(kept), {"kind": "upgrade", "opset": 17})
    parity = found.conversion.parity
    assert found.conversion.ready, found.conversion.reason
    assert parity is not None
    assert (parity.dtype, parity.opset, parity.rows) == ("opset 17", 17, 64)
    assert float(parity.max_abs_difference) < 1e-6
    assert set(found.evidence) == {"parity.npz", "verify_parity.py"}


def test_the_script_beside_an_upgrade_repeats_its_comparison(kept: Path) -> None:
    found = derived(convert(kept), {"kind": "upgrade"})
    assert found.onnx is not None
    for name, content in {"model.onnx": found.onnx, **found.evidence}.items():
        (kept / name).write_bytes(content)
    ended = subprocess.run([sys.executable, str(kept / "verify_parity.py")], capture_output=True, check=True)
    assert json.loads(ended.stdout)["max_abs_difference"] < 1e-6


def test_8_bit_weights_that_answer_too_differently_are_refused_with_the_numbers(kept: Path) -> None:
    from jupyter_mlstudio.entities.models import ParityPolicy

    policy = ParityPolicy(max_abs_difference=1e-9)
    found = derived(convert(kept), {"kind": "quantise"}, policy)
    assert not found.conversion.ready
    assert "as int8 it does not answer as before" in found.conversion.reason
    assert found.conversion.parity is not None
    assert found.onnx is None


def test_8_bit_weights_of_a_classifier_are_compared_with_the_original(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    from jupyter_mlstudio.client.model_files import write_model

    rows, labels = load_digits(return_X_y=True)
    write_model(tmp_path, MLPClassifier((32,), tol=1e-2, random_state=0).fit(rows / 16, labels), rows / 16)
    found = derived(convert(tmp_path), {"kind": "quantise"})
    parity = found.conversion.parity
    assert parity is not None
    assert parity.attempts[-1].dtype == "int8"
    assert len(parity.attempts) > 1
    assert parity.label_flips is not None


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_what_the_studio_converted_is_upgraded_and_names_each_opset_once(kind: str, tmp_path: Path) -> None:
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import LinearSVC

    from jupyter_mlstudio.client.model_files import write_model

    rows, labels = load_iris(return_X_y=True)
    model = LinearSVC() if kind == "linear" else RandomForestClassifier(20, random_state=0)
    write_model(tmp_path, model.fit(rows, labels == 1), rows.astype(np.float32))
    outcome = convert(tmp_path)
    found = derived(outcome, {"kind": "upgrade"})
    assert found.conversion.ready, found.conversion.reason
    assert found.conversion.parity is not None
    assert found.conversion.parity.opset == NEWEST_OPSET
    for made in (outcome.onnx, found.onnx):
        assert made is not None
        domains = [one.domain for one in onnx.load_from_string(made).opset_import]
        assert len(domains) == len(set(domains))


def test_rows_are_made_for_every_type_of_input() -> None:
    names = {"f": TensorProto.DOUBLE, "i": TensorProto.INT64, "b": TensorProto.BOOL, "s": TensorProto.STRING}
    inputs = [helper.make_tensor_value_info(name, kind, ["N", 2]) for name, kind in names.items()]
    outputs = [helper.make_tensor_value_info(f"{name}2", kind, ["N", 2]) for name, kind in names.items()]
    nodes = [helper.make_node("Identity", [name], [f"{name}2"]) for name in names]
    model = helper.make_model(helper.make_graph(nodes, "types", inputs, outputs),
                              opset_imports=[helper.make_opsetid("", 13)], ir_version=8)  # fmt: skip
    rows = probe(model.SerializeToString(), 5)
    assert {name: (array.dtype.kind, array.shape) for name, array in rows.items()} == {
        "f": ("f", (5, 2)), "i": ("i", (5, 2)), "b": ("b", (5, 2)), "s": ("O", (5, 2))}  # fmt: skip


def test_latency_and_memory_are_measured_for_each_batch_and_number_of_threads() -> None:
    model = network(13).SerializeToString()
    points = profile(model, probe(model), [1, 20])
    assert [(one.threads, one.rows) for one in points] == [(t, rows) for t in thread_counts() for rows in (1, 20)]
    assert all(0 < one.median_ms <= one.p95_ms and one.memory_mb > 1 for one in points)
    limits = suggested(points)
    assert limits["threads"] in thread_counts()
    assert limits["request_timeout_ms"] >= 1000


def test_a_folder_without_a_manifest_is_one_onnx_file(kept: Path) -> None:
    assert OnnxConverter().accepts(Source(kept))
