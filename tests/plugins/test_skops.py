"""Models that skops wrote, alone and in MLflow's folders: an exact list of types is trusted, whatever the file says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pytest
import skops.io
import yaml
from sklearn import calibration, ensemble, linear_model, neighbors, neural_network, pipeline, preprocessing, svm, tree
from sklearn.datasets import load_iris

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.files import SKOPS_TYPES, load_pickled
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.ladder import climb

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow alone takes seconds to import
X, Y = load_iris(return_X_y=True, as_frame=True)


class Strange(linear_model.LogisticRegression):  # type: ignore[misc]
    """A type that no list of ours has."""


def logged(folder: Path, model: Any, trusted: list[str] | None = None) -> Path:
    """Writes what mlflow.sklearn.log_model writes, as it does by default since MLflow 3: with skops."""
    mlflow.sklearn.save_model(
        model, str(folder), serialization_format="skops", input_example=X.head(100), skops_trusted_types=trusted,
        pip_requirements=[],
    )  # fmt: skip
    return folder


PLAIN = [
    pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
    tree.DecisionTreeClassifier(random_state=0),
    ensemble.RandomForestClassifier(10, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=10, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0),
    ensemble.VotingClassifier([("line", linear_model.LogisticRegression(max_iter=500))]),
    neighbors.KNeighborsClassifier(algorithm="kd_tree"),
    neighbors.KNeighborsClassifier(algorithm="ball_tree"),
    neural_network.MLPClassifier(max_iter=50, random_state=0),
    calibration.CalibratedClassifierCV(svm.LinearSVC()),
]


@pytest.mark.parametrize("model", PLAIN, ids=lambda model: type(model).__name__)
def test_M18_a_plain_model_that_MLflow_wrote_with_skops_is_converted_and_answers_the_same(
    tmp_path: Path, model: Any
) -> None:
    model.fit(X, Y)
    skops.io.dump(model, tmp_path / "asked.skops")
    folder = logged(tmp_path / "model", model, skops.io.get_untrusted_types(file=tmp_path / "asked.skops"))
    assert (folder / "model.skops").is_file()
    converter = SklearnConverter()

    original = converter.load(Source(folder))
    conversion = climb(converter, original).conversion

    assert conversion.parity is not None, conversion
    assert conversion.parity.label_flips == 0
    assert (original.model.predict(X) == model.predict(X)).all()


def test_M17_types_that_no_list_of_ours_has_are_refused_by_name_whatever_MLmodel_calls_trusted(tmp_path: Path) -> None:
    strange = f"{Strange.__module__}.{Strange.__qualname__}"
    folder = logged(tmp_path / "model", Strange(max_iter=500).fit(X, Y), [strange])
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert described["flavors"]["sklearn"]["skops_trusted_types"] == [strange]

    with pytest.raises(Invalid, match=strange):
        SklearnConverter().load(Source(folder))


def test_M17_a_file_of_skops_executes_nothing_that_it_names(tmp_path: Path) -> None:
    class_of_a_module = {
        "__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 1,
        "content": {"module_path": "os", "function": "system"}, "protocol": 2, "_skops_version": skops.__version__,
    }  # fmt: skip
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(class_of_a_module))

    with pytest.raises(Invalid, match=r"os\.system"):
        load_pickled(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"plain text"])
def test_a_file_that_is_none_of_skops_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(content)

    with pytest.raises(Invalid, match="cannot be loaded"):
        load_pickled(path)


def test_M18_trusted_types_are_exact_names_of_libraries_that_are_known() -> None:
    packages = {name.split(".")[0] for name in SKOPS_TYPES}
    assert packages == {"sklearn", "lightgbm", "collections"}
    assert {name for name in SKOPS_TYPES if name.startswith("collections.")} == {"collections.OrderedDict"}
    assert [name for name in SKOPS_TYPES if "*" in name or name.endswith(".")] == []
