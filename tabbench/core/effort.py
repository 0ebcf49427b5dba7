"""Effort: one number that says how much work approaches may do, of which the presets are three points.

Imports nothing of ours: options, approaches and costs all use it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

POINTS = {"fast": 0.1, "balanced": 1.0, "thorough": 6.0}
"""The presets by name. Work grows about in proportion: a balanced fit takes about ten times as long as a fast one."""
LEAST_EFFORT, MOST_EFFORT = 0.01, 100.0
"""What may be asked for. Below it the cheapest form of every approach is reached, above it nothing would be gained."""

Value = TypeVar("Value")


def scaled(effort: float, fast: float, balanced: float, thorough: float) -> float:
    """Interpolate an amount between and beyond those of the presets, linearly in the logarithms of effort and amount.

    >>> [scaled(effort, fast=2, balanced=20, thorough=120) for effort in (0.1, 1.0, 6.0)]
    [2.0, 20.0, 120.0]
    >>> round(scaled(0.01, fast=2, balanced=20, thorough=120), 3)
    0.2
    """
    points, amounts = list(POINTS.values()), [float(fast), float(balanced), float(thorough)]
    if effort in points:
        return amounts[points.index(effort)]  # exactly
    low, share = _place(effort, points)
    return float(amounts[low] * (amounts[low + 1] / amounts[low]) ** share)


def counted(effort: float, fast: int, balanced: int, thorough: int, least: int = 1) -> int:
    """Interpolate as `scaled`, rounded to an integer of at least `least`.

    >>> [counted(effort, 4, 5, 8) for effort in (0.01, 0.1, 1.0, 6.0)], counted(0.01, 50, 100, 400, least=30)
    ([3, 4, 5, 8], 30)
    """
    return max(least, round(scaled(effort, fast, balanced, thorough)))


def nearest(effort: float, values: Mapping[str, Value]) -> Value:
    """Return the value of the nearest preset, for values that cannot be interpolated.

    >>> [nearest(effort, {"fast": "few", "balanced": "some", "thorough": "many"}) for effort in (0.2, 0.4)]
    ['few', 'some']
    """
    return values[min(POINTS, key=lambda name: abs(math.log(effort / POINTS[name])))]


def bounded(effort: float, fast: float, balanced: float, thorough: float) -> float:
    """Interpolate a bound between those of the presets, linearly in the logarithm of the effort; constant beyond them.

    >>> [bounded(effort, fast=-3, balanced=-4, thorough=-4.5) for effort in (0.01, 0.1, 1.0, 6.0, 100.0)]
    [-3.0, -3.0, -4.0, -4.5, -4.5]
    """
    points, bounds = list(POINTS.values()), [float(fast), float(balanced), float(thorough)]
    effort = min(max(effort, points[0]), points[-1])
    if effort in points:
        return bounds[points.index(effort)]  # exactly
    low, share = _place(effort, points)
    return bounds[low] + (bounds[low + 1] - bounds[low]) * share


def _place(effort: float, points: Sequence[float]) -> tuple[int, float]:
    """Return the position of the lower of the two points around the effort, and how far it lies between them."""
    low = 0 if effort < points[1] else 1
    return low, math.log(effort / points[low]) / math.log(points[low + 1] / points[low])


def point_name(effort: float) -> str | None:
    """Return the name of the preset with exactly this effort, or None.

    >>> point_name(6.0), point_name(0.25)
    ('thorough', None)
    """
    return next((name for name, point in POINTS.items() if point == effort), None)


def name_of(effort: float) -> str:
    """Return the name of the preset with this effort, or the number in words.

    >>> name_of(0.1), name_of(0.25)
    ('fast', 'effort 0.25')
    """
    return point_name(effort) or f"effort {effort:.3g}"
