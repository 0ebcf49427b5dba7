"""A column of text by its distinct spellings, so that what is done to it costs by spelling and not by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.reading.labels import merged
from tabbench.reading.missing_words import GUESSED, MISSING_EVERYWHERE, NOT_AVAILABLE


@dataclass(frozen=True, eq=False)
class Spelled:
    """A column of text by its distinct trimmed spellings; code -1 is missing.

    `merged` are labels that several spellings became one of; `as_read` is the column itself if it needed no repair.
    """

    spellings: pa.StringArray
    codes: np.ndarray
    merged: tuple[str, ...] = ()
    as_read: pa.ChunkedArray | None = None

    def texts(self) -> pa.Array:
        """The trimmed column; the one that was read where trimming changed nothing."""
        if self.as_read is not None:
            return self.as_read.cast(pa.large_string()).combine_chunks()
        return self.spellings.take(pa.array(self.codes, mask=self.codes < 0))

    def rows(self) -> np.ndarray:
        """How many rows each spelling has (k,)."""
        return np.bincount(self.codes + 1, minlength=len(self.spellings) + 1)[1:]

    def with_labels_merged(self) -> Spelled:
        """The same with labels that differ only in how they are written as one."""
        kept, places = merged(self.spellings.to_pylist(), self.rows())
        if len(kept) == len(self.spellings):
            return self
        return Spelled(pa.array(kept, pa.string()), np.append(places, -1).astype(np.int32)[self.codes], self.merged)

    def without(self, words: tuple[str, ...]) -> Spelled:
        """The same with some spellings counted as missing."""
        return self._less(pc.is_in(self.spellings, pa.array(words, pa.string())))

    def without_words(self, words: frozenset[str]) -> Spelled:
        """The same with some words counted as missing, however their letters are written."""
        return self._less(pc.is_in(pc.utf8_lower(self.spellings), pa.array(sorted(words), pa.string())))

    def _less(self, gone: pa.BooleanArray) -> Spelled:
        if not pc.any(gone).as_py():
            return self
        kept = pc.invert(gone)
        mapping = np.where(kept.to_numpy(zero_copy_only=False), np.cumsum(kept.to_numpy(zero_copy_only=False)) - 1, -1)
        return Spelled(self.spellings.filter(kept), np.append(mapping, -1).astype(np.int32)[self.codes], self.merged)


def spell(values: pa.ChunkedArray, missing: tuple[str, ...] | None = None) -> Spelled:
    """A column of strings, encoded or not, without those that nobody means a value by.

    NA is left to who knows the column, unless the user names the codes that are `missing`.
    """
    # Encoding gives all chunks one dictionary; only what came encoded may have several.
    encoded = values.unify_dictionaries() if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    if not encoded.num_chunks:
        return Spelled(pa.array([], pa.string()), np.empty(0, np.int32))
    indices = pa.chunked_array([chunk.indices for chunk in encoded.chunks]).cast(pa.int32())
    codes = (pc.fill_null(indices, -1) if indices.null_count else indices).to_numpy()
    spellings = encoded.chunk(0).dictionary.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(spellings)
    several: tuple[str, ...] = ()
    as_read = None if pa.types.is_dictionary(values.type) else values
    if not trimmed.equals(spellings):
        as_read = None
        recoded = trimmed.dictionary_encode()
        several = _labels_of_several(recoded)
        codes = np.append(recoded.indices.to_numpy(), -1).astype(np.int32)[codes]
        trimmed = recoded.dictionary
    return Spelled(trimmed, codes, several, as_read).without(_never_values(missing))


def _never_values(missing: tuple[str, ...] | None) -> tuple[str, ...]:
    kept = (NOT_AVAILABLE,) if missing is None else GUESSED
    return (*(word for word in MISSING_EVERYWHERE if word not in kept), *(missing or ()))


def _labels_of_several(recoded: pa.DictionaryArray) -> tuple[str, ...]:
    counts = np.bincount(recoded.indices.to_numpy(), minlength=len(recoded.dictionary))
    labels = recoded.dictionary.take(pa.array(np.flatnonzero(counts > 1))).to_pylist()
    return tuple(label for label in labels if label not in MISSING_EVERYWHERE)
