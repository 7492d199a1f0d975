"""A LightGBM booster that was read from a file, with the methods that scikit-learn's models have."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class _Wrapped(BaseEstimator):  # type: ignore[misc]
    """What both have."""

    def __init__(self, booster: Any, classes: Any = None) -> None:
        self.booster = booster
        self.classes = classes
        self.booster_ = booster
        self.n_features_in_ = booster.num_feature()

    def _answers(self, rows: Any) -> Any:
        return np.asarray(self.booster_.predict(rows))


class LightgbmRegressor(RegressorMixin, _Wrapped):  # type: ignore[misc]
    """A booster that answers with numbers."""

    def predict(self, rows: Any) -> Any:
        return self._answers(rows)


class LightgbmClassifier(ClassifierMixin, _Wrapped):  # type: ignore[misc]
    """A booster that answers with probabilities."""

    @property
    def classes_(self) -> Any:
        return np.asarray(self.classes)

    def predict(self, rows: Any) -> Any:
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def predict_proba(self, rows: Any) -> Any:
        found = self._answers(rows)
        return np.c_[1 - found, found] if found.ndim == 1 else found
