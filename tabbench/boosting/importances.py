"""How much the trees of an ensemble gained by each column that they were shown, whatever the encoding made of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from tabbench.boosting.encoding import TreeEncoding
from tabbench.boosting.members import EncodedTrees


def shares_of_gain(models: Sequence[EncodedTrees], columns: int) -> np.ndarray:
    """Shares of the gain (p,) of the columns of the view, the mean of the models; zeros where no tree splits."""
    return np.asarray(np.mean([_shares(each, columns) for each in models], axis=0))


def _shares(model: EncodedTrees, columns: int) -> np.ndarray:
    sources = sources_of(model.encoding, columns)
    gains = model.trees.gains(len(sources))
    return np.asarray(gains @ sources / gains.sum()) if gains.any() else np.zeros(columns)


def sources_of(encoding: TreeEncoding, columns: int) -> np.ndarray:
    """The share of each column (p,) in each encoded one: of a sum or difference it is half, of a mean by level all."""
    sources = own = np.eye(columns)
    if encoding.pairs is not None:
        pairs = [(own[first] + own[second]) / 2 for first, second in combinations(encoding.pairs.columns, 2)]
        sources = np.concatenate([sources, np.repeat(pairs, 2, axis=0)])
    if encoding.statistics is not None:
        means = [own[[column] * each.shape[1]]
                 for column, each in zip(encoding.statistics.columns, encoding.statistics.means, strict=True)]
        sources = np.concatenate([np.delete(sources, encoding.statistics.columns, axis=0), *means])
    return sources if encoding.kept is None else sources[encoding.kept]
