"""A category's levels as seen in training rows, and codes for them. Which codes a view makes of it is the view's choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MISSING = -1
"""The code of a missing value and, where no level was pooled, of an unseen one."""


@dataclass(frozen=True)
class Levels:
    """Levels in order of spelling, so that a level outside the training rows moves no code.

    Codes are 0..k-1 for the kept levels. With `is_pooled`, k stands for all rare levels, unseen ones included: a level
    that was never seen is a rare one.
    """

    kept: tuple[str, ...]
    is_pooled: bool
    has_missing: bool

    @classmethod
    def fit(cls, values: pd.Series, fewest_rows: int, most_levels: int) -> Levels:
        """Keep the most frequent levels: at most `most_levels`, each with at least `fewest_rows` rows."""
        categorical = _as_category(values)
        codes = categorical.cat.codes.to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(categorical.cat.categories))
        seen = [(-count, str(level)) for level, count in zip(categorical.cat.categories, counts, strict=True) if count]
        frequent = sorted((count, level) for count, level in seen if -count >= fewest_rows)[:most_levels]
        kept = tuple(sorted(level for _, level in frequent))
        return cls(kept, len(kept) < len(seen), bool((codes < 0).any()))

    @property
    def n_codes(self) -> int:
        """How many codes there are, the pool's included, missing left out."""
        return len(self.kept) + self.is_pooled

    def codes(self, values: pd.Series) -> np.ndarray:
        """Int64 codes (n,), `MISSING` where there is no level."""
        categorical = _as_category(values)
        position = {level: code for code, level in enumerate(self.kept)}
        unseen = len(self.kept) if self.is_pooled else MISSING
        table = [position.get(str(level), unseen) for level in categorical.cat.categories]
        # Code -1 picks the last entry: missing.
        codes: np.ndarray = np.array([*table, MISSING], dtype=np.int64)[categorical.cat.codes.to_numpy()]
        return codes

    def code_names(self) -> tuple[str, ...]:
        """What the codes stand for."""
        return self.kept + (("(rare)",) if self.is_pooled else ())

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same levels back."""
        return {"kept": list(self.kept), "is_pooled": self.is_pooled, "has_missing": self.has_missing}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Levels:
        """The levels that `to_json` wrote."""
        return cls(tuple(values["kept"]), values["is_pooled"], values["has_missing"])


def _as_category(values: pd.Series) -> pd.Series:
    return values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
