"""The minimum of a quadratic with an elastic-net penalty over a p x p matrix.

Knows no rows: Newton steps of logistic regression and the paths of the elastic net both end here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tabbench.linear.subsystems import Subsystems

JITTER = 1e-11
"""Relative to the diagonal: makes a rank-deficient matrix factorisable, far below any penalty in use."""
MOST_EXCHANGES = 200
"""Active sets tried; a warm start needs two or three, a cold one a few dozen."""
SHORTEST, ROUNDING = 1e-200, 1e-12
"""What comes so near to zero, as a share of the way, is zero."""
LENGTHS = 5
"""Points tried between the end of a step and the first entry that reaches zero on the way, where it surely is lower."""
AT_REST = 1e-10
"""A derivative that exceeds the l1 penalty by this share of the largest slope is rounding noise."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """1/2 x'Hx - c'x + l2/2 |x|^2 + l1 |x|_1, the penalties only on `penalised` entries (q,).

    `systems` remembers what was factorised for the latest l2: it serves every c.
    """

    matrix: np.ndarray
    penalised: np.ndarray
    systems: dict[float, Subsystems] = field(default_factory=dict)

    def minimum(self, slope: np.ndarray, l1: float, l2: float, start: np.ndarray, left: float = 0.0) -> np.ndarray:
        """x (q,) for c = `slope`, searched from `start`; the search ends when less than the share `left` seems left to win."""
        if l2 not in self.systems:
            self.systems.clear()
            self.systems[l2] = Subsystems(self._ridged(l2))
        system = self.systems[l2]
        if l1 == 0 or not self.penalised.any():
            return system.solve(np.ones(len(slope), dtype=bool), slope)
        return _by_active_sets(system, slope, np.where(self.penalised, l1, 0.0), start, left)

    def _ridged(self, l2: float) -> np.ndarray:
        ridged = self.matrix.copy()
        diagonal = np.einsum("ii->i", ridged)
        # An entry without curvature, a constant column's, has no slope either: any number keeps it where it is.
        diagonal += np.where(self.penalised, l2, 0.0) + np.where(diagonal > 0, JITTER * diagonal, 1.0)
        return ridged


def _by_active_sets(system: Subsystems, slope: np.ndarray, l1: np.ndarray, start: np.ndarray, left: float) -> np.ndarray:
    """Newton steps within the orthant of the signs at hand; what would leave it stops at zero (doi:10.1137/0320018).

    Each step lowers the objective, so that no active set comes back; it ends where no entry wants to move, or after a step that
    lowered it by less than the share `left` of what all have.
    """
    here, won = start.copy(), 0.0
    noise = AT_REST * float(np.abs(slope).max(initial=0.0))
    for _ in range(MOST_EXCHANGES):
        pull = slope - system.matrix @ here
        asks = (here == 0) & (np.abs(pull) > l1 + noise)
        signs = np.where(here == 0, np.sign(pull) * asks, np.sign(here)) * (l1 > 0)
        if not asks.any() and (np.abs(pull - l1 * signs)[(here != 0) | (l1 == 0)] <= noise).all():
            break
        face = _Face(system, slope, l1, here, signs, pull - l1 * signs)
        here, gain = face.as_far_as_it_helps(face.sure_way(asks, noise))
        won += gain
        if gain <= left * won:
            break
    return here


@dataclass(frozen=True, eq=False)
class _Face:
    """The quadratic near a point `here` (q,) as long as no sign changes; `force` (q,) is what it pulls each entry by."""

    system: Subsystems
    slope: np.ndarray
    l1: np.ndarray
    here: np.ndarray
    signs: np.ndarray
    force: np.ndarray

    def way_with(self, asks: np.ndarray) -> np.ndarray:
        """The move (q,) to the minimum over the entries in use and those that ask to be."""
        return self.system.solve((self.here != 0) | (self.l1 == 0) | asks, self.force)

    def sure_way(self, asks: np.ndarray, noise: float) -> np.ndarray:
        """The same without the entries that it would send the wrong way: it surely leads down."""
        in_use = (self.here != 0) | (self.l1 == 0)
        strongest = np.arange(len(asks)) == np.argmax(np.where(asks, np.abs(self.force), 0.0))
        while True:
            move = self.way_with(asks)
            wrong = asks & (move * self.signs <= 0)
            if not wrong.any():
                break
            asks = asks & ~wrong
        # From the minimum over the entries in use a single one goes the right way.
        is_stuck = not asks.any() and bool((np.abs(self.force[in_use]) <= noise).all())
        return self.way_with(strongest) if is_stuck else move

    def as_far_as_it_helps(self, move: np.ndarray) -> tuple[np.ndarray, float]:
        """The first point on the way, from its end backwards, that is lower, and by how much; `here` and 0 if there is none."""
        before = self._value(self.here)
        crosses = (self.l1 > 0) & ((self.here + move) * self.signs < 0)
        # An entry that is at zero already stays there for any length.
        ends = np.divide(-self.here, move, out=np.full_like(move, np.inf), where=crosses)
        first = float(np.min(ends[crosses & (self.here != 0)], initial=1.0))
        for length in np.geomspace(1.0, max(first, SHORTEST), LENGTHS) if first < 1 else (1.0,):
            there = np.where(ends * (1 - ROUNDING) <= length, 0.0, self.here + length * move)
            if (gain := before - self._value(there)) > 0:
                return np.asarray(there), gain
        return self.here, 0.0

    def _value(self, point: np.ndarray) -> float:
        return float(point @ (self.system.matrix @ point) / 2 - self.slope @ point + self.l1 @ np.abs(point))
