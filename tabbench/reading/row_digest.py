"""Digests of rows and of a whole table: equal content, equal digest, on every machine and in every version of pandas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BLOCK_ROWS = 1 << 15
"""A block of every array stays in the processor's cache."""
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, odd: spreads a value over all higher bits. Folding them down reaches the lower ones."""
HALF = np.uint64(32)


def row_digests(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Uint64 (n,) digests, equal for rows that are equal in all columns (numbers; NaN equals NaN, -0 equals 0).

    >>> digests = row_digests([np.array([1.0, 1.0, 2.0]), np.array([5, 5, 5])])
    >>> bool(digests[0] == digests[1]), bool(digests[0] == digests[2])
    (True, False)
    """
    digests = np.full(len(columns[0]), len(columns), dtype=np.uint64)

    def mix_in(start: int) -> None:
        block = digests[start:start + BLOCK_ROWS]
        for column in columns:
            block ^= _bits(column[start:start + BLOCK_ROWS])
            block *= MULTIPLIER
            block ^= block >> HALF
            block *= MULTIPLIER

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        list(pool.map(mix_in, range(0, len(digests), BLOCK_ROWS)))
    return digests


def _bits(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.float64:
        values = values + 0.0
        values[np.isnan(values)] = np.nan
        return values.view(np.uint64)
    return values.astype(np.int64).view(np.uint64)


def table_fingerprint(description: Any, arrays: Mapping[str, np.ndarray | None], texts: Iterable[pa.StringArray]) -> str:
    """Hex digest of plain values, of numeric arrays by name, and of lists of strings without gaps."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True, ensure_ascii=True).encode())
    for name, array in arrays.items():
        if array is not None:
            digest.update(f"\0{name}:{len(array)}:{array.dtype.str}\0".encode())
            digest.update(np.ascontiguousarray(array).data)
    for text in texts:
        for spelling_block in _string_blocks(text):
            digest.update(spelling_block)
    return digest.hexdigest()[:32]


def _string_blocks(strings: pa.StringArray) -> Iterable[Any]:
    """The strings' lengths, then their letters, so that no two lists of strings give the same bytes."""
    yield pc.binary_length(strings).to_numpy().astype("<i8").tobytes()
    offsets = np.frombuffer(strings.buffers()[1], dtype=np.int32)[strings.offset:strings.offset + len(strings) + 1]
    if len(strings):
        yield memoryview(strings.buffers()[2])[offsets[0]:offsets[-1]]
