"""Where a few units of many rows were tested, as copies of one row are: what these say, and what all others say.

Knows no training luck.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.row_moments import RowMoments

LARGE = 0.1
"""Share of the tested rows from which on a unit of several rows says how it fares by itself."""

SAME = 1e-9
"""A difference that is so small a part of the one over all rows is rounding."""

TIMES = 2.0
"""By how much more frequent a large unit may be among other rows than among those that were tested."""


@dataclass(frozen=True, eq=False)
class Parts:
    """M differences of losses, apart in the large units and in all the others.

    `below` and `above` (M,): how far from the difference over all rows the lowest and the highest lie of those of the large units
    and that over all the others. `by_rest` (M,): the variance of the latter; `degrees` (M,): its degrees of freedom.
    """

    below: np.ndarray
    above: np.ndarray
    by_rest: np.ndarray
    degrees: np.ndarray

    def limited(self, most_degrees: float, least_error: float) -> Parts:
        """With no more degrees of freedom and no smaller a standard error than the tested rows can give."""
        return replace(self, by_rest=np.maximum(self.by_rest, least_error**2), degrees=np.minimum(self.degrees, most_degrees))


def in_parts(evidence: LossEvidence, moments: RowMoments, first: np.ndarray, second: np.ndarray, difference: np.ndarray
             ) -> Parts | None:
    """The `difference` (M,) between cells given by position, (a, -1) being cell a alone; None without large units beside others.

    The difference over all rows is a mean of those of the parts. So where all lie on one side of zero, it does, too, whatever
    share of other rows such units will have: that is known, though a variance that rests on two units is not. Large units
    with which both lose the same say nothing of who is better, only of how much: they may be `TIMES` as frequent, or absent.
    """
    rows = np.unique(evidence.unit, return_counts=True)[1]
    share = moments.share
    is_large = (rows >= LARGE * rows.sum()) & (rows > evidence.repeats) & (share > 0)
    rest = ~is_large
    if not is_large.any() or (share[rest] > 0).sum() < 2:
        return None
    adds = np.vstack([moments.by_unit, np.zeros(len(rows))])
    by_unit = adds[first] - adds[second]
    of_rest = by_unit[:, rest].sum(axis=1, keepdims=True) / share[rest].sum()
    of_large = by_unit[:, is_large] / share[is_large]
    is_same = np.abs(of_large + difference[:, None]) <= SAME * np.abs(difference[:, None])
    thinned = share[rest].sum() / (share[rest].sum() + TIMES * is_same @ share[is_large])
    with_same = thinned[:, None] * (of_rest + difference[:, None]) - difference[:, None]
    of_parts = np.hstack([np.where(is_same, with_same, of_large), of_rest])
    squares = (by_unit[:, rest] - share[rest] * of_rest) ** 2
    count, total = int(rest.sum()), squares.sum(axis=1)
    # As uncertain as Satterthwaite's variance of unequal parts, and at least as that of a normal luck.
    uneven = np.divide(np.sum(squares**2, axis=1), total**2, out=np.zeros_like(total), where=total > 0) - 1 / count
    by_rest = total * count / (count - 1) / share[rest].sum() ** 2
    return Parts(-of_parts.min(axis=1), of_parts.max(axis=1), by_rest, 2 / np.maximum(uneven, 2 / (count - 1)))
