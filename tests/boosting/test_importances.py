"""Which columns the encoded ones come from."""

import numpy as np

from tabbench.boosting.encoding import Pairs, Statistics, TreeEncoding
from tabbench.boosting.importances import sources_of


def test_what_is_made_of_columns_counts_for_them():
    assert sources_of(TreeEncoding(), 2).tolist() == [[1, 0], [0, 1]]
    pairs = Pairs((0, 2), np.zeros(2), np.ones(2))
    means = Statistics((1,), (np.zeros((5, 2)),))
    assert sources_of(TreeEncoding(means, pairs), 3).tolist() == [
        [1, 0, 0], [0, 0, 1], [0.5, 0, 0.5], [0.5, 0, 0.5], [0, 1, 0], [0, 1, 0]]
    kept = TreeEncoding(means, pairs, np.array([1, 3]))
    assert sources_of(kept, 3).tolist() == [[0, 0, 1], [0.5, 0, 0.5]]
