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

    @classmethod
    def robust(cls, target: np.ndarray) -> TargetScale:
        """The median and the spread of a normal with the same quartiles; without any, as `of` all values but the outlying.

        >>> TargetScale.robust(np.array([1.0, 2.0, 3.0, 4.0, 1e30])).centre
        3.0
        """
        low, middle, high = np.quantile(target, (0.25, 0.5, 0.75))
        if high > low:
            return cls(float(middle), float((high - low) / QUARTILES_OF_NORMAL))
        return cls.of(target[~is_outlying(target)])

    def standardised(self, target: np.ndarray) -> np.ndarray:
        """Float64 (n,) on the learner's scale."""
        return (np.asarray(target, dtype=np.float64) - self.centre) / self.spread

    def restored(self, values: np.ndarray) -> np.ndarray:
        """Float64 (n,) on the target's own scale."""
        return np.asarray(values, dtype=np.float64) * self.spread + self.centre

    def to_json(self) -> dict[str, Any]:
        """Plain values; `TargetScale(**values)` gives the same scale back."""
        return {"centre": self.centre, "spread": self.spread}


def is_outlying(target: np.ndarray) -> np.ndarray:
    """Which values (n,) lie so far outside the quartiles that a squared loss would see nothing else; none if they are many.

    >>> is_outlying(np.append(np.arange(200.0), 1e6)).nonzero()[0].tolist()
    [200]
    """
    target = target / (float(np.max(np.abs(target), initial=0.0)) or 1.0)  # what is computed of the largest may overflow
    low, middle, high = np.quantile(target, (0.25, 0.5, 0.75))
    reach = OUTLYING * (high - low) if high > low else 0.0
    outlying = np.abs(target - middle) > reach
    return np.asarray(outlying) if reach and outlying.mean() <= MOST_OUTLYING else np.zeros(len(target), dtype=bool)


QUARTILES_OF_NORMAL = 1.349
"""Distance of a standard normal's quartiles."""
OUTLYING = 1000.0
"""Times the distance of the quartiles: long tails of real targets end at some hundred."""
MOST_OUTLYING = 0.01
"""Share of the values: more are a second population, not slips."""
SMALLEST_SPREAD = 1e-13
"""Relative to the largest value: a spread below it is rounding noise of float64, so the target counts as constant."""
