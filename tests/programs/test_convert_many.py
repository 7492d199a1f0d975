"""The models of parts in one file: packed as a run keeps them, converted, routed and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.entities.models import MANY
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import inspect_many
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.onnx.routed import RoutedSession
from jupyter_mlstudio.onnx.session import execute
from jupyter_mlstudio.programs.automl_many import pack
from jupyter_mlstudio.programs.convert_many import convert_many
from jupyter_mlstudio.programs.convert_sources import read_manifest
from jupyter_mlstudio.programs.ladder import Outcome


def rows_of(seed: int, **more: Any) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    count = 30
    table = pd.DataFrame({"size": random.normal(size=count), "colour": random.choice(["red", "blue"], count)})
    return table.assign(**more)


def priced(rows: pd.DataFrame, level: float) -> Any:
    numbers = [name for name in rows if name != "colour"]
    front = ColumnTransformer([("n", "passthrough", numbers), ("c", OneHotEncoder(), ["colour"])])
    target = level + rows["size"] * 2 + (rows["colour"] == "red") * level
    return make_pipeline(front, Ridge()).fit(rows, target)


class Packed:
    """Runs of parts, and what is made of them."""

    def __init__(self, folder: Path, by: list[str]) -> None:
        self.folder, self.by = folder, by
        self.models: dict[str, Any] = {}
        self.parts: list[Partition] = []

    def add(self, key: dict[str, Any], model: Any = None, rows: Any = None, failed: str = "") -> None:
        run = f"run{len(self.parts)}"
        if model is not None:
            home = self.folder / "runs" / run / "artifacts" / "model"
            home.mkdir(parents=True)
            write_model(home, model, rows)
        self.parts.append(Partition(key=key, run_id=run, rows=30, fingerprint=run, failed=failed))

    def convert(self, **options: Any) -> Outcome:
        native = self.folder / "native"
        pack(native, self.folder / "runs", self.by, self.parts)
        return convert_many(native, read_manifest(native), self.folder / MANY, **options)

    def ask(self, outcome: Outcome, rows: pd.DataFrame) -> dict[str, Any]:
        signature = outcome.conversion.signature
        assert signature is not None
        feeds = Protocol(signature, "m", "1").read(json.dumps(request(signature, rows)).encode()).feeds
        names = [spec.name for spec in signature.outputs]
        with RoutedSession(self.folder / MANY) as session:
            return dict(zip(names, execute(session, names, feeds), strict=True))


@pytest.fixture
def stores(tmp_path: Path) -> Packed:
    return Packed(tmp_path, ["store"])


NORTH, SOUTH = rows_of(1), rows_of(2, floor=np.arange(30.0))
MODELS = {"north": priced(NORTH, 100.0), "south": priced(SOUTH, -5.0)}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Packed, Outcome]:
    """Two stores with a model, and one without."""
    packed = Packed(tmp_path_factory.mktemp("two"), ["store"])
    packed.add({"store": "north"}, MODELS["north"], NORTH)
    packed.add({"store": "south"}, MODELS["south"], SOUTH)
    packed.add({"store": "tiny"}, failed="it has fewer than ten rows")
    return packed, packed.convert()


def test_a_version_of_many_models_says_what_it_takes_and_how_it_compares(two: tuple[Packed, Outcome]) -> None:
    found = two[1].conversion
    assert found.ready
    assert found.onnx == MANY
    assert found.reason == "1 of 3 parts have no model: store=tiny: it has fewer than ten rows"
    assert found.parity is not None
    assert found.parity.rows == 60
    assert found.parity.max_abs_difference < 1e-9
    assert found.signature is not None
    assert found.signature.routed_by == ["store"]
    assert [spec.name for spec in found.signature.inputs] == ["store", "size", "colour", "floor"]
    assert found.signature.inputs[0].choices == ["north", "south"]
    assert found.sample is not None
    assert found.sample["inputs"][0]["data"] == ["north", "south"]


def test_each_row_is_answered_by_the_model_of_its_key_in_the_order_asked(two: tuple[Packed, Outcome]) -> None:
    mixed = pd.concat([SOUTH.assign(store="south"), NORTH.assign(store="north")]).sample(frac=1, random_state=0)
    given = two[0].ask(two[1], mixed)["prediction"].ravel()
    wanted = [float(MODELS[row["store"]].predict(mixed.iloc[[at]])[0]) for at, (_, row) in enumerate(mixed.iterrows())]
    np.testing.assert_allclose(given, wanted, atol=1e-9)


def test_a_key_without_a_model_is_refused_by_its_name_and_row(two: tuple[Packed, Outcome]) -> None:
    packed, outcome = two
    with pytest.raises(Invalid, match=r"^row 2: there is no model for store='east'; there are models for 'north'; 'so"):
        packed.ask(outcome, SOUTH.head(3).assign(store=["north", "south", "east"]))
    with pytest.raises(Invalid, match="row 0: there is no model for store='tiny': it has fewer than ten rows"):
        packed.ask(outcome, SOUTH.head(1).assign(store="tiny"))
    with pytest.raises(Invalid, match="'store' is missing"):
        packed.ask(outcome, SOUTH.head(1))


def test_models_are_loaded_when_they_are_asked_for_and_make_room(two: tuple[Packed, Outcome]) -> None:
    packed, outcome = two
    signature = outcome.conversion.signature
    assert signature is not None
    rows = pd.concat([SOUTH.head(1)] * 2).assign(store=["north", "south"])
    feeds = Protocol(signature, "m", "1").read(json.dumps(request(signature, rows)).encode()).feeds
    with RoutedSession(packed.folder / MANY, held_bytes=400_000) as session:
        assert session.loaded == []
        assert len(session.run(["prediction"], feeds)[0]) == 2
        assert session.loaded == ["00001.onnx"]


def test_classes_of_all_models_stand_side_by_side(stores: Packed) -> None:
    first, second = rows_of(1)[["size"]], rows_of(2)[["size"]]
    two = LogisticRegression().fit(first, np.where(first["size"] > 0, "yes", "no"))
    three = LogisticRegression().fit(second, np.digitize(second["size"], [-0.5, 0.5]).astype(str))
    stores.add({"store": 1}, two, first)
    stores.add({"store": 2}, three, second)
    outcome = stores.convert()

    signature = outcome.conversion.signature
    assert outcome.conversion.ready
    assert signature is not None
    assert signature.inputs[0].datatype == "INT64"
    assert signature.labels == ["0", "1", "2", "no", "yes"]
    found = stores.ask(outcome, pd.DataFrame({"store": [2, 1], "size": [-2.0, 2.0]}))
    assert found["label"].ravel().tolist() == ["0", "yes"]
    assert found["probabilities"].shape == (2, 5)
    assert found["probabilities"][0, 3:].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1.0)


def test_keys_of_several_columns_and_missing_ones_are_told_apart(tmp_path: Path) -> None:
    packed = Packed(tmp_path, ["store", "year"])
    rows = rows_of(1)
    keys: list[tuple[Any, Any]] = [("a", 1.0), ("a", None), (None, 1.0)]
    models = [priced(rows, level) for level in (1.0, 2.0, 3.0)]
    for (store, year), model in zip(keys, models, strict=True):
        packed.add({"store": store, "year": year}, model, rows)
    outcome = packed.convert()

    asked = pd.concat([rows.head(1)] * 3).assign(store=["", "a", "a"], year=[1.0, np.nan, 1.0])
    wanted = [models[number].predict(rows.head(1))[0] for number in (2, 1, 0)]
    np.testing.assert_allclose(packed.ask(outcome, asked)["prediction"].ravel(), wanted)


def test_what_does_not_fit_the_model_of_a_row_is_not_changed_silently(stores: Packed) -> None:
    whole, broken = rows_of(1, rooms=np.arange(30)), rows_of(2, rooms=np.arange(30) / 2)
    stores.add({"store": "whole"}, priced(whole, 1.0), whole)
    stores.add({"store": "broken"}, priced(broken, 1.0), broken)
    outcome = stores.convert()

    asked = broken.iloc[[1, 1]].assign(store=["broken", "whole"])
    with pytest.raises(Invalid, match=r"row 1: 'rooms' is 0\.5; the model of this row takes it as INT64"):
        stores.ask(outcome, asked)


def test_an_archive_is_checked_model_by_model_before_it_is_served(stores: Packed) -> None:
    rows = rows_of(1)
    stores.add({"store": "a"}, priced(rows, 1.0), rows)
    stores.convert()
    path = stores.folder / MANY
    assert "ai.onnx.ml:OneHotEncoder" in inspect_many(path).operators

    content = path.read_bytes()
    path.write_bytes(content.replace(b"ai.onnx.ml", b"ai.onnx.xx", 1))
    with pytest.raises(Invalid, match=r"00000\.onnx is not whole"):
        inspect_many(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(Invalid, match="not a zip archive, or it is cut off"):
        RoutedSession(path)


def test_a_run_none_of_whose_parts_has_a_model_keeps_none(stores: Packed) -> None:
    stores.add({"store": "a"}, failed="bad")
    assert pack(stores.folder / "native", stores.folder / "runs", ["store"], stores.parts) == 0
    assert not list((stores.folder / "native").iterdir())
