"""Which columns together identify the person or thing that a row belongs to, where no single column does. Registers no check."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import LEAST_ROWS_FOR_A_SHARE, Sample

QUERIES = 300
"""Rows whose most similar row is looked up."""
FEWEST_LEVELS = 15
"""Columns of fewer values name nobody, nor do those of which nearly all are different."""
COMMONEST_SHARE = 0.2
"""And columns with a value that so many rows share, such as nought, mostly say that there is nothing to say."""
MOST_COLUMNS = 60
LEAST_PAIR_SHARE = 0.3
"""Of the rows, so many must have another one of the same entity."""
CONSTANT_SHARE = 0.9
"""In so many of these pairs a column is equal that belongs to the entity."""
SURPRISE = 5.0
"""-log of the probability that a row has so similar a partner in the whole table by chance."""
FEWEST_ENTITIES = 20
ROWS_OF_AN_ENTITY = (1.3, 50)
"""On average; larger groups are departments and regions, which are honest categories."""


def columns_of_entities(sample: Sample) -> list[str]:
    """Names of two columns or more in which rows come in equal groups far more often than chance would have it; or none.

    For a sample of rows the most similar row is found, columns counted by how rare the shared value is. If many rows have a
    partner that shares several rare values, the columns that they share are given.
    """
    rows, repeats = len(sample.positions), sample.repeats
    may_name = ((repeats.distinct >= FEWEST_LEVELS) & (repeats.distinct < 0.95 * rows)
                & (repeats.commonest <= COMMONEST_SHARE * rows))
    usable = [sample.columns[number] for number in np.flatnonzero(may_name)[:MOST_COLUMNS]]
    if len(usable) < 2 or rows < LEAST_ROWS_FOR_A_SHARE:
        return []
    codes = [values.exact_codes.astype(np.int32) for values in usable]
    rarity = [-np.log(np.bincount(code) / rows)[code].astype(np.float32) for code in codes]
    queries = np.random.default_rng([sample.checked.seed, 5]).permutation(rows)[:QUERIES]
    partner, likeness = _most_similar(codes, rarity, queries)
    is_alike = likeness >= np.log(rows) + SURPRISE
    if is_alike.mean() < LEAST_PAIR_SHARE:
        return []
    shared = [number for number, code in enumerate(codes)
              if (code[queries[is_alike]] == code[partner[is_alike]]).mean() >= CONSTANT_SHARE]
    if len(shared) < 2:
        return []
    joined = np.unique(np.column_stack([codes[number] for number in shared]), axis=0, return_inverse=True)[1].ravel()
    sizes = np.bincount(joined)
    if len(sizes) < FEWEST_ENTITIES or not ROWS_OF_AN_ENTITY[0] <= rows / len(sizes) <= ROWS_OF_AN_ENTITY[1]:
        return []
    return [usable[number].column.name for number in shared]


def _most_similar(codes: list[np.ndarray], rarity: list[np.ndarray], queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    likeness = np.zeros((len(queries), len(codes[0])), dtype=np.float32)
    for code, rare in zip(codes, rarity, strict=True):
        likeness += (code[queries][:, None] == code[None, :]) * rare[queries][:, None]
    likeness[np.arange(len(queries)), queries] = -1
    partner = likeness.argmax(axis=1)
    return partner, likeness[np.arange(len(queries)), partner]
