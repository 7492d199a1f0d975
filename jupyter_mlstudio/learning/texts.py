"""Text that is read word by word: a few components of how often words occur (TF-IDF, latent semantic analysis), and how
often those words occur that tell most of the target.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.feature_selection import f_classif, f_regression
from sklearn.utils.validation import check_is_fitted

STEP = 1e-6
"""Answers are multiples of it, so that a rounding error moves none to the other side of a tree's threshold."""

LONE_CAPITALS = {"İ": "i", "Σ": "σ"}
"""Capitals that Python makes small by their neighbours or as two characters, and ONNX one by one."""


class TextComponents(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Makes a few numbers of a text (Deerwester et al. 1990). Where there are no words to learn, a column of 0.

    Args:
        words: how many words are known at most.
        components: how many numbers come out at most.
        longest: the longest run of words that counts as one.
        telling: words whose number comes out by itself, at most: those that differ most between classes, or go with the
            value most (F test); with them comes how many known words there are.
        classifies: whether the target has classes.
        english: whether English words that say nothing are left out; only where each word counts by itself.

    Attributes:
        transformer_: what counts the words, scikit-learn's ``CountVectorizer``; None where there are none.
        idf_: how rare each word is ``(n_words,)``.
        components_: what each word adds to the numbers ``(n_words, n_components)``.
        telling_: numbers of the words that come out by themselves ``(n_telling,)``; none where it learnt no target.
    """

    step = STEP

    def __init__(
        self, words: int = 10_000, components: int = 24, longest: int = 1, english: bool = False, seed: int = 0,
        telling: int = 30, classifies: bool = True,
    ) -> None:  # fmt: skip
        self.words = words
        self.components = components
        self.telling = telling
        self.classifies = classifies
        self.longest = longest
        self.english = english
        self.seed = seed

    def fit(self, rows: Any, y: Any = None) -> TextComponents:
        given = _texts(rows)
        self.n_features_in_ = 1
        self.transformer_, counts = self._counted(given)
        if counts is None:
            return self
        weigher = TfidfTransformer()
        weighed = weigher.fit_transform(counts)
        few = max(min(self.components, counts.shape[1] - 1, len(given)), 1)
        self.idf_ = weigher.idf_
        self.telling_ = self._telling(weighed, y)
        self.components_ = TruncatedSVD(few, random_state=self.seed).fit(weighed).components_.T
        return self

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "n_features_in_")
        given = _texts(rows)
        if self.transformer_ is None:
            return np.zeros((len(given), 1))
        counts = self.transformer_.transform(given).astype(np.float64)
        length = np.sqrt(counts.power(2) @ self.idf_**2)
        made = counts @ (self.idf_[:, np.newaxis] * self.components_)
        found = np.rint(made / np.where(length > 0, length, 1.0)[:, np.newaxis] / STEP) * STEP
        if not len(self.telling_):
            return found
        return np.hstack([found, counts[:, self.telling_].toarray(), np.asarray(counts.sum(axis=1)).reshape(-1, 1)])

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        name = "text" if input_features is None else input_features[0]
        if self.transformer_ is None:
            return np.array([f"{name}_0"], dtype=object)
        made = [f"{name}_{place}" for place in range(self.components_.shape[1])]
        if len(self.telling_):
            known = self.transformer_.get_feature_names_out()
            made += [f"{name}: {known[number]}" for number in self.telling_] + [f"{name}: words"]
        return np.array(made, dtype=object)

    def _telling(self, weighed: Any, y: Any) -> Any:
        if y is None or self.telling < 1:
            return np.empty(0, dtype=np.int64)
        tell = f_classif if self.classifies else f_regression
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = np.nan_to_num(tell(weighed, np.asarray(y))[0], nan=0.0, posinf=np.finfo(np.float64).max)
        return np.sort(np.argsort(-found, kind="stable")[: self.telling])

    def _counted(self, given: list[str]) -> tuple[Any, Any]:
        """The first way of counting that finds words: rare ones left out, then not, then English ones too."""
        english = self.english and self.longest == 1
        for least, without in ((2, english), (1, english), (1, False)):
            counter = CountVectorizer(
                lowercase=False, max_features=self.words, ngram_range=(1, self.longest), min_df=least,
                stop_words="english" if without else None,
            )  # fmt: skip
            try:
                return counter, counter.fit_transform(given)
            except ValueError:
                continue
        return None, None


def _texts(rows: Any) -> list[str]:
    """Texts in small letters."""
    column = rows.iloc[:, 0] if isinstance(rows, pd.DataFrame) else rows
    given = np.asarray(column, dtype=object).ravel().tolist()
    return [_small(value) if isinstance(value, str) else "" for value in given]


def _small(text: str) -> str:
    if not text.isascii():
        for capital, small in LONE_CAPITALS.items():
            text = text.replace(capital, small)
    return text.lower()
