"""The net's view: robust-scaled, smoothly clipped numbers beside category codes, nothing missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.matrices import NetMatrix
from tabbench.core.parts import Parts, require
from tabbench.core.table import Column
from tabbench.views.expansion import Expansion
from tabbench.views.scaling import RobustScale

FEWEST_ROWS = 3
"""An embedding of a level with fewer rows is noise; such levels share one."""
MOST_LEVELS = 1000
CLIP = 3.0
"""Bound of the smooth clip x / sqrt(1 + (x/3)^2), as in RealMLP (arXiv:2407.04491)."""


@dataclass(frozen=True, eq=False)
class NetView:
    """`gaps` holds the number columns that get an indicator because training rows lack values there."""

    name: ClassVar[ViewName] = "net"
    expansion: Expansion
    scale: RobustScale
    gaps: np.ndarray

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int) -> NetView:
        """Learn scales, levels and text directions from training rows."""
        expansion = Expansion.fit(features, columns, seed, FEWEST_ROWS, MOST_LEVELS)
        numbers = expansion.expand(features).numbers
        return cls(expansion, RobustScale.fit(numbers, of_constant=math.inf), np.flatnonzero(np.isnan(numbers).any(axis=0)))

    def transform(self, features: pd.DataFrame) -> NetMatrix:
        """Numbers float32 (n, p + indicators), codes int64 (n, q) from 0 for missing or unseen."""
        expanded = self.expansion.expand(features)
        is_missing = np.isnan(expanded.numbers)
        scaled = self.scale.apply(expanded.numbers)
        # The median is 0 after scaling.
        clipped = np.where(is_missing, 0.0, scaled / np.sqrt(1.0 + np.square(scaled / CLIP)))  # `apply` leaves room for squares
        numbers = np.concatenate([clipped, is_missing[:, self.gaps]], axis=1).astype(np.float32)
        number_names = self.expansion.number_names
        names = number_names + tuple(f"{number_names[gap]} (missing)" for gap in self.gaps) + self.expansion.code_names
        cardinalities = tuple(levels.n_codes + 1 for levels in self.expansion.levels.values())
        return NetMatrix(numbers, expanded.codes + 1, cardinalities, names)

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        arrays = {"center": self.scale.center, "scale": self.scale.scale, "gaps": self.gaps}
        return Parts({"view": self.name}, arrays, children={"expansion": self.expansion.to_parts()})

    @classmethod
    def restore(cls, parts: Parts) -> NetView:
        """From `to_parts`."""
        scale = RobustScale(parts.array("center", (None,)), parts.array("scale", (None,), is_finite=False))
        require(bool((scale.scale > 0).all()), "a scale is not above 0")  # infinite for a column that was constant
        return cls(Expansion.restore(parts.children["expansion"]), scale, parts.arrays["gaps"])
