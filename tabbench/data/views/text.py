"""Text of high cardinality as a few numbers: character n-grams, weighted by rarity, projected on their main directions.

The state is two arrays. Knows no target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

HASHED_FEATURES = 4096
"""Buckets for n-grams: enough that collisions are rare among the frequent ones, small enough to save."""
NGRAM_SIZES = (3, 3)
"""Three letters tell most of what two to four do, at a third of the time, which is the view's whole cost."""
MOST_COMPONENTS = 20
"""Components beyond this rarely help on short strings (names, titles, addresses)."""
MOST_FITTED_TEXTS = 10_000
"""The main directions are stable long before this many different strings."""
MOST_CHARACTERS = 200
"""What follows is not read: a column of long documents must not dominate the cost of a table."""


@dataclass(frozen=True, eq=False)
class TextComponents:
    """Fitted projection: `rarity` (4096,) weights and `directions` (4096, k)."""

    rarity: np.ndarray
    directions: np.ndarray

    @classmethod
    def fit(cls, values: pd.Series, seed: int) -> TextComponents:
        """Learn weights and directions from the different strings of the training rows."""
        texts = np.unique(values.dropna().astype(str).to_numpy(dtype=object).astype(str))
        if len(texts) == 0:
            return cls(np.ones(HASHED_FEATURES), np.zeros((HASHED_FEATURES, 0)))
        generator = np.random.default_rng(seed)
        if len(texts) > MOST_FITTED_TEXTS:
            texts = texts[np.sort(generator.choice(len(texts), MOST_FITTED_TEXTS, replace=False))]
        counts = _ngram_counts(texts)
        documents = np.bincount(counts.indices, minlength=HASHED_FEATURES)
        rarity = np.log((1 + len(texts)) / (1 + documents)) + 1
        return cls(rarity, _main_directions(_weighted(counts, rarity), seed))

    def transform(self, values: pd.Series) -> np.ndarray:
        """Float64 (n, k), NaN where the text is missing."""
        codes, texts = pd.factorize(values.astype(object))
        components = np.full((len(texts) + 1, self.directions.shape[1]), np.nan)
        if len(texts):
            components[:-1] = _weighted(_ngram_counts(np.asarray(texts).astype(str)), self.rarity) @ self.directions
        rows: np.ndarray = components[codes]
        return rows


def _ngram_counts(texts: np.ndarray) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=NGRAM_SIZES, n_features=HASHED_FEATURES,
                                   norm=None, alternate_sign=False)
    return vectorizer.transform([text[:MOST_CHARACTERS] for text in texts])


def _weighted(counts: Any, rarity: np.ndarray) -> Any:
    """Damped counts times rarity, each text of length one."""
    from sklearn.preprocessing import normalize

    weighted = counts.copy()
    weighted.data = (1 + np.log(weighted.data)) * rarity[weighted.indices]
    return normalize(weighted, copy=False)


def _main_directions(weighted: Any, seed: int) -> np.ndarray:
    from sklearn.utils.extmath import randomized_svd

    components = min(MOST_COMPONENTS, weighted.shape[0])
    _, _, directions = randomized_svd(weighted, components, random_state=seed, flip_sign=True)
    return np.ascontiguousarray(directions.T)
