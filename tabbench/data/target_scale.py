"""The scale on which a numeric target is learnt. Knows nothing of what learns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TargetScale:
    """A target's centre and spread, worked out in float64 so that float32 learners see numbers near one.

    >>> scale = TargetScale.of(np.array([1000.0, 3000.0]))
    >>> scale.standardised(np.array([3000.0])).round(6).tolist()
    [1.0]
    >>> scale.restored(np.array([-1.0])).round(6).tolist()
    [1000.0]
    """

    centre: float
    spread: float

    @classmethod
    def of(cls, target: np.ndarray, weight: np.ndarray | None = None) -> TargetScale:
        """The (weighted) mean and standard deviation of a finite target (n,); a constant target has spread 1."""
        largest = float(np.max(np.abs(target), initial=0.0)) or 1.0
        unit = target / largest  # squares of the target itself may overflow
        centre = float(np.average(unit, weights=weight))
        spread = float(np.sqrt(np.average((unit - centre) ** 2, weights=weight)))
        return cls(centre * largest, spread * largest if spread > SMALLEST_SPREAD else 1.0)

    def standardised(self, target: np.ndarray) -> np.ndarray:
        """Float64 (n,) on the learner's scale."""
        return (np.asarray(target, dtype=np.float64) - self.centre) / self.spread

    def restored(self, values: np.ndarray) -> np.ndarray:
        """Float64 (n,) on the target's own scale."""
        return np.asarray(values, dtype=np.float64) * self.spread + self.centre

    def to_json(self) -> dict[str, Any]:
        """Plain values; `TargetScale(**values)` gives the same scale back."""
        return {"centre": self.centre, "spread": self.spread}


SMALLEST_SPREAD = 1e-13
"""Relative to the largest value: a spread below it is rounding noise of float64, so the target counts as constant."""
