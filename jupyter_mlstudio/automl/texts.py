"""Text that is read word by word: how often words occur (TF-IDF), in a few components (latent semantic analysis)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


class TextComponents(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Makes a few numbers of a text (Deerwester et al. 1990). Where there are no words to learn, a column of 0.

    Args:
        words: how many words are known at most.
        components: how many numbers come out at most.
        longest: the longest run of words that counts as one.
        english: whether English words that say nothing are left out.

    Attributes:
        transformer_: the fitted pipeline of scikit-learn's ``TfidfVectorizer`` and ``TruncatedSVD``, or None.
    """

    def __init__(
        self, words: int = 10_000, components: int = 24, longest: int = 1, english: bool = False, seed: int = 0
    ) -> None:
        self.words = words
        self.components = components
        self.longest = longest
        self.english = english
        self.seed = seed

    def fit(self, rows: Any, y: Any = None) -> TextComponents:
        self.fit_transform(rows, y)
        return self

    def fit_transform(self, rows: Any, y: Any = None, **_: Any) -> Any:
        given = _texts(rows)
        self.n_features_in_ = 1
        for least, english in ((2, self.english), (1, self.english), (1, False)):
            counter = TfidfVectorizer(
                max_features=self.words, ngram_range=(1, self.longest), min_df=least,
                stop_words="english" if english else None,
            )  # fmt: skip
            try:
                counts = counter.fit_transform(given)
                break
            except ValueError:
                continue
        else:
            self.transformer_ = None
            return np.zeros((len(given), 1))
        few = max(min(self.components, counts.shape[1] - 1, len(given)), 1)
        components = TruncatedSVD(few, random_state=self.seed)
        made = components.fit_transform(counts)
        self.transformer_ = Pipeline([("words", counter), ("components", components)])
        return made

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "n_features_in_")
        given = _texts(rows)
        return np.zeros((len(given), 1)) if self.transformer_ is None else self.transformer_.transform(given)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        count = 1 if self.transformer_ is None else self.transformer_[-1].n_components
        name = "text" if input_features is None else input_features[0]
        return np.array([f"{name}_{place}" for place in range(count)], dtype=object)


def _texts(rows: Any) -> list[str]:
    column = rows.iloc[:, 0] if isinstance(rows, pd.DataFrame) else rows
    return [value if isinstance(value, str) else "" for value in np.asarray(column, dtype=object).ravel().tolist()]
