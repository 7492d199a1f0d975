"""Converts TensorFlow SavedModels that MLflow logged, through tf2onnx. Keras models have a converter of their own.

A graph of TensorFlow may read and write files when it runs: it is loaded in the convert run alone.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.plugins.converters import networks
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.mlflow import mlflow_example, mlflow_flavor
from jupyter_mlstudio.plugins.converters.networks import Network

OPSET = 17
SIGNATURE = "serving_default"


class TensorflowConverter(Converter):
    """Converts the ``serving_default`` signature of a SavedModel, of one input and one output."""

    name = "TensorFlow"

    def accepts(self, source: Source) -> bool:
        flavor = None if source.manifest else mlflow_flavor(source.folder, "tensorflow")
        return flavor is not None and flavor.get("model_type") != "keras"

    def load(self, source: Source) -> Original:
        folder = source.folder / "tf2model"
        if not (folder / "saved_model.pb").is_file():
            raise Invalid("the model has no SavedModel in 'tf2model'")
        rows = mlflow_example(source.folder)
        if rows is None or not len(rows):
            raise Invalid("the model has no sample rows: log it with input_example=X")
        try:
            import tensorflow as tf
        except ImportError as error:
            raise MissingExtra("TensorFlow", "tensorflow") from error
        try:
            loaded = tf.saved_model.load(str(folder))
            function = loaded.signatures[SIGNATURE]
        except Exception as error:
            raise Invalid(f"TensorFlow cannot load it, or it has no signature {SIGNATURE!r}") from error
        specs = function.structured_input_signature[1]
        if len(specs) != 1 or len(function.structured_outputs) != 1:
            raise Invalid(
                f"its signature has {len(specs)} inputs and {len(function.structured_outputs)} outputs, not 1"
            )
        (name, spec), (output,) = next(iter(specs.items())), function.structured_outputs

        def answer(given: list[Any]) -> Any:
            return function(**{name: tf.constant(given[0])})[output].numpy()

        array = np.asarray(rows).astype(spec.dtype.as_numpy_dtype)
        program = (loaded, function, {name: spec})  # what is loaded must live as long as its function
        columns = [str(one) for one in getattr(rows, "columns", [])]
        return Original(Network(answer, program, [name], columns=columns), array, f"TensorFlow {tf.__version__}")

    def convert(self, original: Original, dtype: str) -> Converted:
        try:
            import tensorflow as tf
            import tf2onnx
        except ImportError as error:
            raise MissingExtra("tf2onnx", "tensorflow") from error
        _, function, specs = original.model.program
        (name, spec) = next(iter(specs.items()))

        @tf.function(input_signature=[tf.TensorSpec(spec.shape, spec.dtype, name=name)])  # type: ignore[untyped-decorator]
        def called(rows: Any) -> Any:
            return next(iter(function(**{name: rows}).values()))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model, _ = tf2onnx.convert.from_function(called, input_signature=called.input_signature, opset=OPSET)
            except Exception as error:
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise Invalid(f"tf2onnx cannot convert it: {first[:300]}") from error
        return networks.finished(model, original)

    def predict(self, original: Original) -> Prediction:
        return networks.predicted(original)
