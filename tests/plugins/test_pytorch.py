from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.onnx.threshold import with_threshold
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.pytorch import PytorchConverter
from jupyter_mlstudio.programs.convert import convert, read_manifest
from jupyter_mlstudio.programs.ladder import Outcome
from jupyter_mlstudio.testing.converter import ConverterContract

pytestmark = pytest.mark.slow


def rows(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def mlp(outputs: int = 3, *last: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, outputs), *last
    )


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = kind(4, 8, num_layers=2, dropout=0.3, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.layers(x)[0][:, -1])
        return answer


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(50, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.2, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 2)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.encoder(self.words(words)).mean(dim=1))
        return answer


class TwoInputs(nn.Module):
    """Numbers and the code of a category."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.shops = nn.Embedding(5, 3)
        self.head = nn.Linear(7, 1)

    def forward(self, numbers: torch.Tensor, shop: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(torch.cat([numbers, self.shops(shop)], dim=1))[:, 0]
        return answer


class Undecided(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.sum() > 0 else x


class OfOneSize(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(2, 3)


def cnn() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3))


def logged(folder: Path, model: Any, sample: Any, **more: Any) -> Outcome:
    write_model(folder, model, sample, **more)
    return convert(folder)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "dense layers with dropout and batch statistics": (mlp, rows(50, 6)),
    "convolutions over pictures": (cnn, rows(20, 1, 8, 8)),
    "LSTM": (lambda: Recurrent(nn.LSTM), rows(30, 5, 4)),
    "GRU": (lambda: Recurrent(nn.GRU), rows(30, 5, 4)),
    "attention over words": (Attention, np.random.default_rng(0).integers(0, 50, (20, 7))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_the_same_for_any_number_of_rows(name: str, tmp_path: Path) -> None:
    make, sample = NETWORKS[name]
    found = logged(tmp_path, make(), sample).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.rows == len(sample)
    assert float(found.parity.max_abs_difference) < 1e-5
    assert found.signature is not None
    assert found.signature.inputs[0].shape == [-1, *sample.shape[1:]]
    assert found.framework.startswith("PyTorch ")


def test_labels_make_a_classifier_with_probabilities(tmp_path: Path) -> None:
    found = logged(tmp_path, mlp(), rows(50, 6), labels=["a", "b", "c"]).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert [spec.name for spec in found.signature.outputs] == ["label", "probabilities"]
    assert found.signature.labels == ["a", "b", "c"]
    assert found.parity is not None
    assert found.parity.label_flips == 0


ENDS: dict[str, tuple[nn.Module, list[Any]]] = {
    "logits": (mlp(3), [0, 1, 2]),
    "a softmax": (mlp(3, nn.Softmax(1)), [0, 1, 2]),
    "the logarithm of one": (mlp(3, nn.LogSoftmax(1)), [0, 1, 2]),
    "one logit": (mlp(1), [False, True]),
    "one logit without a column": (mlp(1, nn.Flatten(0)), ["no", "yes"]),
    "a sigmoid": (mlp(1, nn.Sigmoid()), ["no", "yes"]),
}


@pytest.mark.parametrize("name", ENDS)
def test_probabilities_are_made_once_whatever_a_network_ends_with(name: str, tmp_path: Path) -> None:
    model, labels = ENDS[name]
    outcome = logged(tmp_path, model, rows(40, 6), labels=labels)
    assert outcome.conversion.ready, outcome.conversion.reason
    assert outcome.onnx is not None
    import onnxruntime

    session = onnxruntime.InferenceSession(outcome.onnx, providers=["CPUExecutionProvider"])
    found, probabilities = session.run(None, {session.get_inputs()[0].name: rows(40, 6)})
    model.eval()
    with torch.no_grad():
        values = model(torch.from_numpy(rows(40, 6)))
    expected = {
        "logits": lambda: values.softmax(1),
        "a softmax": lambda: values,
        "the logarithm of one": lambda: values.exp(),
        "a sigmoid": lambda: torch.hstack([1 - values, values]),
    }.get(name, lambda: torch.stack([1 - values.sigmoid().ravel(), values.sigmoid().ravel()], dim=1))()
    assert np.allclose(probabilities, expected.numpy(), atol=1e-6)
    assert found.tolist() == [labels[number] for number in expected.argmax(dim=1)]


def test_a_threshold_can_be_put_into_a_network_with_two_labels(tmp_path: Path) -> None:
    outcome = logged(tmp_path, mlp(1), rows(40, 6), labels=["no", "yes"])
    assert outcome.onnx is not None
    assert outcome.conversion.signature is not None
    assert with_threshold(outcome.onnx, outcome.conversion.signature, 0.3)


def test_labels_that_do_not_fit_the_outputs_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path, mlp(3), rows(8, 6), labels=["a", "b"])
    with pytest.raises(Invalid, match="does not fit 2 labels"):
        convert(tmp_path)


def test_labels_of_a_model_that_has_its_own_are_refused(tmp_path: Path) -> None:
    from sklearn.linear_model import LinearRegression

    with pytest.raises(Invalid, match="labels are for networks"):
        write_model(tmp_path, LinearRegression(), labels=["a"])


def test_a_module_stays_in_the_mode_in_which_it_was(tmp_path: Path) -> None:
    model = mlp()
    model[1].eval()
    logged(tmp_path, model, rows(8, 6))
    assert [part.training for part in model.modules()] == [True, True, False, True, True, True]


def test_dropout_is_frozen_so_that_the_same_row_has_the_same_answer(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(6, 64), nn.Dropout(0.9), nn.Linear(64, 1))
    assert model.training
    found = logged(tmp_path, model, rows(100, 6)).conversion
    assert found.ready, found.reason


@pytest.mark.parametrize("as_tuple", [True, False])
def test_several_inputs_are_sent_by_name(as_tuple: bool, tmp_path: Path) -> None:
    numbers, shop = rows(30, 4), np.arange(30) % 5
    sample = (numbers, shop) if as_tuple else {"numbers": numbers, "shop": torch.from_numpy(shop)}
    outcome = logged(tmp_path, TwoInputs(), sample)
    found = outcome.conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert [(one.name, one.datatype, one.shape) for one in found.signature.inputs] == [
        ("numbers", "FP32", [-1, 4]), ("shop", "INT64", [-1])]  # fmt: skip
    assert found.sample is not None
    by_arrays = request(found.signature, {"numbers": numbers, "shop": shop})
    by_rows = request(found.signature, [{"numbers": a, "shop": b} for a, b in zip(numbers, shop, strict=True)])
    assert by_arrays == by_rows
    assert Protocol(found.signature, "m", "1").read(msgspec.json.encode(by_arrays)).rows == 30


def test_arrays_with_unlike_numbers_of_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="unlike numbers of rows"):
        write_model(tmp_path, TwoInputs(), (rows(30, 4), np.arange(3)))


def test_columns_of_a_data_frame_are_found_by_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(rows(20, 6).astype(float), columns=list("abcdef"))
    found = logged(tmp_path, mlp(), frame).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert found.signature.inputs[0].columns == list("abcdef")


@pytest.mark.parametrize(
    ("model", "said"),
    [(Undecided(), "decides by the values.*torch.where"), (OfOneSize(), "one number of rows only")],
)
def test_what_cannot_be_traced_is_kept_and_refused_with_what_to_write_instead(
    model: nn.Module, said: str, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match=said):
        write_model(tmp_path, model, rows(6, 3))
    assert (tmp_path / "model.pt").is_file()
    with pytest.raises(Invalid, match=said):
        convert(tmp_path)


def test_a_module_without_rows_is_kept_as_a_checkpoint(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="sample=X"):
        write_model(tmp_path, mlp())
    assert json.loads((tmp_path / "mlstudio.json").read_text())["file"] == "model.pt"


def test_a_program_that_was_exported_already_is_taken(tmp_path: Path) -> None:
    free = {0: torch.export.Dim.DYNAMIC}
    program = torch.export.export(mlp().eval(), (torch.from_numpy(rows(4, 6)),), dynamic_shapes=(free,))
    found = logged(tmp_path, program, rows(10, 6)).conversion
    assert found.ready, found.reason


def test_a_large_picture_is_kept_in_a_few_rows(tmp_path: Path) -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = logged(tmp_path, model, rows(12, 3, 256, 256)).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.rows == 8


def test_mlflows_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    torch.save(mlp().train(), tmp_path / "data" / "model.pth")
    flavor = "flavors:\n  pytorch:\n    model_data: data\nsaved_input_example_info:\n  artifact_path: input.json\n"
    (tmp_path / "MLmodel").write_text(flavor + "  type: ndarray\n")
    (tmp_path / "input.json").write_text(json.dumps({"inputs": rows(10, 6).tolist()}))
    found = convert(tmp_path).conversion
    assert found.ready, found.reason


def test_a_file_that_was_changed_is_not_loaded(tmp_path: Path) -> None:
    write_model(tmp_path, mlp(), rows(8, 6))
    (tmp_path / "model.pt2").write_bytes(b"something else")
    with pytest.raises(Invalid, match="digest mismatch"):
        PytorchConverter().load(Source(tmp_path, read_manifest(tmp_path)))


class TestPytorch(ConverterContract):
    converter = PytorchConverter

    def write(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            write_model(folder, mlp(), rows(30, 6), labels=["a", "b", "c"])
