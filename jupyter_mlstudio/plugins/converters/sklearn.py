"""Converts scikit-learn models through skl2onnx, and loads the ones that MLflow wrote."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid, MissingExtra, StudioError
from jupyter_mlstudio.onnx.protocol import DATATYPES
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.files import load_pickled, mlflow_file, read_rows, whole_file
from jupyter_mlstudio.plugins.converters.forests import kept_apart
from jupyter_mlstudio.plugins.converters.mlflow import mlflow_example, mlflow_flavor
from jupyter_mlstudio.plugins.converters.sklearn_forms import register_forms
from jupyter_mlstudio.plugins.converters.sklearn_inputs import input_specs, parts
from jupyter_mlstudio.plugins.converters.sklearn_many import answers_many, beside_each_other
from jupyter_mlstudio.plugins.converters.sklearn_repairs import (
    conversion_functions,
    mended,
    with_cast,
)
from jupyter_mlstudio.plugins.converters.strangers import register_strangers

OPSET = 20
"""The newest opset of a file: that of the newest operators that the studio itself writes."""

SAMPLE_ROWS = 1000
USUAL_WORD = r"(?u)\b\w\w+\b"
CLASSIFICATION, REGRESSION, OUTLIERS, TRANSFORMATION, OTHER = (
    "classification", "regression", "outliers", "transformation", "other")  # fmt: skip
FLOAT64, MIXED, FLOAT32 = "float64", "float64 with float32 model", "float32"


class SklearnConverter(Converter):
    """Converts everything that skl2onnx can, except what is known to come out wrong."""

    name = "scikit-learn"
    dtypes: ClassVar[tuple[str, ...]] = (FLOAT64, MIXED, FLOAT32)

    def accepts(self, source: Source) -> bool:
        return source.manifest.get("kind") == "sklearn" or mlflow_flavor(source.folder, "sklearn") is not None

    def load(self, source: Source) -> Original:
        model, framework = self.load_model(source)
        if source.manifest:
            rows, targets = (read_rows(source.folder, source.manifest, what) for what in ("sample", "targets"))
        else:
            rows, targets = mlflow_example(source.folder), None
        if rows is None or not len(rows):
            raise Invalid(
                "the model has no sample rows, so its ONNX form cannot be compared with it: log it again with"
                " log_model(model, sample=X_test), or from MLflow with input_example=X_test or"
                " mlflow.autolog(log_input_examples=True)"
            )
        return Original(model, thinned(rows), framework, None if targets is None else thinned(targets))

    def load_model(self, source: Source) -> tuple[Any, str]:
        """Loads the model; answers it and the framework with its version."""
        try:
            import sklearn
        except ImportError as error:
            raise MissingExtra("scikit-learn", "sklearn") from error
        framework = f"scikit-learn {sklearn.__version__}"
        if source.manifest:
            return load_pickled(whole_file(source)), framework
        flavor = mlflow_flavor(source.folder, "sklearn") or {}
        return load_pickled(mlflow_file(source.folder, flavor.get("pickled_model", "model.pkl"))), framework

    def prepared(self, original: Original) -> Any:
        """The model in the form that is given to skl2onnx."""
        return mended(original.model)

    def convert(self, original: Original, dtype: str) -> Converted:
        model = self.prepared(original)
        floats = "FP32" if dtype == FLOAT32 else "FP64"
        if dtype == MIXED:
            model = with_cast(model)
        problem: Exception | None = None
        for keep_integers in (True, False):
            specs = input_specs(original.model, original.rows, floats, keep_integers)
            try:
                return self._convert(model, specs, floats)
            except StudioError:
                raise
            except Exception as error:
                problem = problem or error
            if all(spec.datatype in (floats, "BYTES") for spec in specs):
                break
        raise Invalid(_reason(problem)) from problem

    def predict(self, original: Original) -> Prediction:
        model, rows, task = original.model, original.rows, task_of(original.model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if task == TRANSFORMATION:
                return Prediction(values=_dense(model.transform(rows)))
            if not hasattr(model, "predict"):
                raise Invalid(
                    f"{type(model).__name__} has neither predict() nor transform(): it answers for no new rows"
                )
            answer = model.predict(rows)
            if task == REGRESSION:
                return Prediction(values=answer)
            probabilities = None
            if task == OUTLIERS:
                probabilities = np.reshape(model.decision_function(rows), (-1, 1))
            elif hasattr(model, "predict_proba"):
                probabilities = model.predict_proba(rows)
        if np.ndim(answer) == 2 and np.shape(answer)[1] > 1 and not answers_many(model):
            raise Invalid(
                f"{type(model).__name__} has no ONNX form for several labels for a row: use trees, forests, nearest"
                " neighbours or a network, or put a classifier that has probabilities into MultiOutputClassifier"
            )
        return Prediction(labels=answer, probabilities=beside_each_other(probabilities))

    def _convert(self, model: Any, specs: list[TensorSpec], floats: str) -> Converted:
        from skl2onnx import convert_sklearn

        register_strangers(model)
        register_forms(model)
        converters, shapes = conversion_functions(model, doubles=floats == "FP64")
        with warnings.catch_warnings(), kept_apart() as put_back:
            warnings.simplefilter("ignore")
            proto = convert_sklearn(
                model,
                initial_types=[(spec.name, _onnx_type(spec)) for spec in specs],
                target_opset=OPSET,
                options=_options(model) or None,
                custom_conversion_functions=converters,
                custom_shape_calculators=shapes,
            )
            put_back(proto)
            _list_opsets_once(proto)
        graph_inputs = [value.name for value in proto.graph.input]
        if len(graph_inputs) != len(specs):
            raise Invalid(f"the converted model takes {len(graph_inputs)} inputs, the original {len(specs)}")
        inputs = [
            TensorSpec(name=spec.name, datatype=spec.datatype, shape=spec.shape, onnx_name=name, columns=spec.columns)
            for spec, name in zip(specs, graph_inputs, strict=True)
        ]
        task = task_of(model)
        one_label = task == CLASSIFICATION and not answers_many(model)
        labels = [str(label) for label in getattr(model, "classes_", [])] if one_label else []
        outputs = _outputs(proto, task, hasattr(model, "predict_proba"))
        return Converted(proto.SerializeToString(), Signature(inputs=inputs, outputs=outputs, task=task, labels=labels))


def _list_opsets_once(proto: Any) -> None:
    """skl2onnx names the standard operators twice in a file that has none of them."""
    versions = {one.domain: one.version for one in proto.opset_import}
    del proto.opset_import[:]
    for domain, version in versions.items():
        proto.opset_import.add(domain=domain, version=version)


def thinned(rows: Any) -> Any:
    """Keeps at most :data:`SAMPLE_ROWS` rows, evenly spaced."""
    if len(rows) <= SAMPLE_ROWS:
        return rows
    picks = np.linspace(0, len(rows) - 1, SAMPLE_ROWS).round().astype(int)
    if hasattr(rows, "iloc"):
        return rows.iloc[picks]
    return rows[picks] if isinstance(rows, np.ndarray) else [rows[pick] for pick in picks]


def task_of(model: Any) -> str:
    """What a model answers with, as its signature says it."""
    from sklearn.base import is_classifier, is_outlier_detector, is_regressor

    if is_classifier(model):
        return CLASSIFICATION
    if type(model).__name__.endswith("Ranker") or is_regressor(model):
        return REGRESSION
    if is_outlier_detector(model) and hasattr(model, "decision_function"):
        return OUTLIERS
    return TRANSFORMATION if hasattr(model, "transform") and not hasattr(model, "predict") else OTHER


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def _onnx_type(spec: TensorSpec) -> Any:
    from skl2onnx.common import data_types

    kinds = {
        "FP64": data_types.DoubleTensorType,
        "FP32": data_types.FloatTensorType,
        "INT64": data_types.Int64TensorType,
        "BOOL": data_types.BooleanTensorType,
        "BYTES": data_types.StringTensorType,
    }
    return kinds[spec.datatype]([None if length < 0 else length for length in spec.shape])


def _options(model: Any) -> dict[Any, Any]:
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    options: dict[Any, Any] = {}
    for part in parts(model):
        if isinstance(part, (CountVectorizer, TfidfVectorizer)):
            options[id(part)] = _words(part)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if task_of(model) == CLASSIFICATION:
        alias = sklearn_operator_name_map.get(type(last))
        if alias is None or "zipmap" in (get_converter(alias).get_allowed_options() or {}):
            options[id(model)] = {"zipmap": False}
    return options


def _words(vectorizer: Any) -> dict[str, Any]:
    """How text is split: words as Python's expression for them has it, in every script."""
    options: dict[str, Any] = {"locale": "C.UTF-8"} if vectorizer.lowercase else {}
    if vectorizer.analyzer == "word" and vectorizer.token_pattern == USUAL_WORD:
        options["tokenexp"] = r"[\p{L}\p{N}_][\p{L}\p{N}_]+"
    return options


def _outputs(proto: Any, task: str, probabilities: bool) -> list[TensorSpec]:
    import onnx

    both = ["label", "probabilities"][: 1 + probabilities]
    names = {CLASSIFICATION: both, REGRESSION: ["prediction"], OUTLIERS: ["label", "scores"],
             TRANSFORMATION: ["values"], OTHER: both}  # fmt: skip
    outputs = []
    for name, value in zip(names[task], proto.graph.output, strict=False):
        tensor = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        shape = [dimension.dim_value or -1 for dimension in tensor.shape.dim]
        shape = [-1, *shape[1:]]
        outputs.append(TensorSpec(name=name, datatype=DATATYPES[dtype.name], shape=shape, onnx_name=value.name))
    return outputs


def _reason(error: Exception | None) -> str:
    """One line of skl2onnx's, which writes pages."""
    text = str(error).strip().split("\n")[0] if error else ""
    if "shape calculator" in text or "converter for type" in text:
        kind = text.split("type '<class '")[-1].split("'")[0].rpartition(".")[2]
        return f"{kind} has no ONNX form: use another step in its place, or compute it before the model"
    return f"it does not convert: {text[:300] or type(error).__name__}"
