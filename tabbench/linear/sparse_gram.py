"""X'WX of sparse rows of which some columns are filled, such as numbers beside one-hot levels. Knows no loss."""

from __future__ import annotations

from typing import Any

import numpy as np

FILLED_SHARE = 0.25
"""A column with more entries is multiplied as an array: among sparse ones each row costs the square of its entries."""
BLOCK_ROWS = 1 << 15
"""Rows that are multiplied at a time."""


def sparse_gram(values: Any, weight: np.ndarray) -> np.ndarray:
    """Products (p, p) of the columns of a CSR matrix (n, p), the rows weighted (n,)."""
    columns = values.shape[1]
    is_filled = np.bincount(values.indices, minlength=columns) > FILLED_SHARE * values.shape[0]
    filled, rare = np.flatnonzero(is_filled), np.flatnonzero(~is_filled)
    gram = np.zeros((columns, columns))
    for start in range(0, values.shape[0], BLOCK_ROWS):
        some, of_rows = values[start:start + BLOCK_ROWS], weight[start:start + BLOCK_ROWS, None]
        dense, sparse = some[:, filled].toarray(), some[:, rare]
        weighted = dense * of_rows
        across = sparse.T @ weighted
        gram[np.ix_(filled, filled)] += dense.T @ weighted
        gram[np.ix_(rare, rare)] += (sparse.T @ sparse.multiply(of_rows).tocsr()).toarray()
        gram[np.ix_(rare, filled)] += across
        gram[np.ix_(filled, rare)] += across.T
    return gram
