"""What converters of boosting libraries share: loading a file of the library's own, and categories of data frames."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlstudio.plugins.converters.base import Original, Source
from jupyter_mlstudio.plugins.converters.files import mlflow_file, whole_file
from jupyter_mlstudio.plugins.converters.mlflow import mlflow_flavor
from jupyter_mlstudio.plugins.converters.sklearn import FLOAT32, FLOAT64, SklearnConverter


class BoosterConverter(SklearnConverter):
    """Converts models of one boosting library, alone or with their categories.

    In a pipeline of scikit-learn they are converted by :class:`SklearnConverter`, which finds what each
    library's ``announce`` tells skl2onnx. A model without a wrapper for scikit-learn gets one in :meth:`read`.
    """

    dtypes = (FLOAT64, FLOAT32)

    kind: ClassVar[str]
    """The word for it in manifests, the extra, and MLflow's name of its flavor."""

    mlflow_setting: ClassVar[str] = "data"
    """The setting of MLflow's flavor that names the file."""

    def accepts(self, source: Source) -> bool:
        return source.manifest.get("kind") == self.kind or (
            not source.manifest and mlflow_flavor(source.folder, self.kind) is not None
        )

    def load_model(self, source: Source) -> tuple[Any, str]:
        if source.manifest:
            return self.read(whole_file(source), source)
        flavor = mlflow_flavor(source.folder, self.kind) or {}
        return self.read(mlflow_file(source.folder, flavor.get(self.mlflow_setting, "")), source)

    @abstractmethod
    def read(self, path: Path, source: Source) -> tuple[Any, str]:
        """Reads the library's file; answers a model with scikit-learn's methods, and the library with its version."""

    @abstractmethod
    def categories(self, model: Any, rows: Any) -> dict[int, list[Any]]:
        """Categories of a data frame's columns that become codes, by the number of the column."""

    def prepared(self, original: Original) -> Any:
        from sklearn.pipeline import Pipeline

        categories = self.categories(original.model, original.rows)
        if not categories or not hasattr(original.rows, "columns"):
            return original.model
        from jupyter_mlstudio.plugins.converters.categories import CategoryCodes

        codes = CategoryCodes(len(original.rows.columns), categories)
        return Pipeline([("codes", codes), ("model", original.model)])


def frame_categories(rows: Any) -> dict[int, list[Any]]:
    """Categories of a frame's categorical columns in the order of their codes."""
    if not hasattr(rows, "columns"):
        return {}
    found = {number: getattr(rows.iloc[:, number], "cat", None) for number in range(len(rows.columns))}
    return {number: column.categories.tolist() for number, column in found.items() if column is not None}


def manifest_class(source: Source, flavor: str) -> str:
    """The full name of the class that was logged, from our manifest or from MLflow's."""
    return str(source.manifest.get("class") or (mlflow_flavor(source.folder, flavor) or {}).get("model_class", ""))
