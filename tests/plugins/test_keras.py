from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.keras import KerasConverter
from jupyter_mlstudio.programs.convert import convert, read_manifest
from jupyter_mlstudio.testing.converter import ConverterContract

layers = keras.layers
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of Keras and of the exporter that it uses


def rows(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def dense(*last: Any) -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            *last,
        ]
    )


NETWORKS: dict[str, tuple[Callable[[], Any], Any]] = {
    "dense layers": (lambda: dense(layers.Dense(2)), rows(30, 6)),
    "convolutions": (
        lambda: keras.Sequential(
            [layers.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)]
        ),
        rows(20, 8, 8, 1),
    ),
    "LSTM": (lambda: keras.Sequential([layers.Input((5, 3)), layers.LSTM(4), layers.Dense(2)]), rows(20, 5, 3)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_the_same(name: str, tmp_path: Path) -> None:
    make, sample = NETWORKS[name]
    write_model(tmp_path, make(), sample)
    found = convert(tmp_path).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert found.signature.inputs[0].shape == [-1, *sample.shape[1:]]


@pytest.mark.parametrize(("last", "count"), [("softmax", 3), (None, 3), ("sigmoid", 1), (None, 1)])
def test_labels_make_a_classifier_whatever_the_last_layer_is(last: str | None, count: int, tmp_path: Path) -> None:
    labels = ["a", "b", "c"] if count == 3 else ["no", "yes"]
    write_model(tmp_path, dense(layers.Dense(count, activation=last)), rows(30, 6), labels=labels)
    found = convert(tmp_path).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert found.signature.labels == labels


def test_M19_a_lambda_layer_is_refused_before_keras_reads_it(tmp_path: Path) -> None:
    write_model(tmp_path, dense(layers.Lambda(lambda x: x * 2)), rows(8, 6))
    with pytest.raises(Invalid, match="class Lambda, which is code"):
        convert(tmp_path)


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("my_layers", "Mine")]
)
def test_M19_a_class_that_is_not_keras_own_is_refused(module: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    content = {"module": "keras", "class_name": "Sequential", "config": {
        "layers": [{"module": module, "class_name": name, "config": {}}]}}  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(content))
    from hashlib import sha256

    manifest = {"kind": "keras", "file": path.name, "sha256": sha256(path.read_bytes()).hexdigest()}
    with pytest.raises(Invalid, match="would execute code"):
        KerasConverter().load(Source(tmp_path, manifest))


def test_two_inputs_are_sent_by_name(tmp_path: Path) -> None:
    a, b = layers.Input((3,), name="a"), layers.Input((2,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))
    write_model(tmp_path, model, (rows(20, 3), rows(20, 2)))
    found = convert(tmp_path).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert {one.name for one in found.signature.inputs} == {"a", "b"}


class TestKeras(ConverterContract):
    converter = KerasConverter

    def write(self, folder: Path) -> None:
        write_model(folder, dense(layers.Dense(2)), rows(20, 6))
        assert read_manifest(folder)["kind"] == "keras"
