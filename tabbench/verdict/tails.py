"""Whether a few rows carry the loss, and how uncertain that leaves a difference. Knows no interval and no decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabbench.verdict.evidence import LossEvidence

LIGHT_TAIL = 3.0
"""n Σl² / (Σl)² of squared normal errors. What lies above is a heavier tail, of which a sample shows too little."""

UNSEEN = 6.0
"""Standard errors of the mean loss by which a heavy tail may be worse than seen. Least squares on 5 against 20 columns with
lognormal shocks needs this much (docs/calibration.md)."""


@dataclass(frozen=True)
class LossConcentration:
    """`rows` of the `of` independent rows carry half of the loss of the best approach.

    `excess` is that loss's relative standard error beyond what light tails would leave.
    """

    rows: int
    of: int
    excess: float


def loss_concentration(evidence: LossEvidence, size: int) -> LossConcentration | None:
    """How few rows carry the loss at `size`; None where rows have no loss, or losses count steps and have no tail.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> evidence = SimpleNamespace(
    ...     metric=SimpleNamespace(step=0.0), split=np.zeros(5, int), unit=np.arange(5), weight=None, n_splits=1,
    ...     row_loss={("a", 9): np.array([1.0, 1, 1, 0, 9])}, present=lambda size: ["a"], mean=lambda name, size: 2.4)
    >>> loss_concentration(evidence, 9)
    LossConcentration(rows=1, of=5, excess=0.0)
    """
    names = [name for name in evidence.present(size) if (name, size) in evidence.row_loss]
    if not names or evidence.metric.step > 0:
        return None
    share = _shares(evidence, min(names, key=lambda name: evidence.mean(name, size)), size)
    if not share.sum() > 0:
        return None
    share = np.sort(share / share.sum())[::-1]
    excess = np.sqrt(max(float(np.sum(share**2)) - LIGHT_TAIL / len(share), 0.0))
    return LossConcentration(int(np.searchsorted(np.cumsum(share), 0.5)) + 1, len(share), float(excess))


def _shares(evidence: LossEvidence, approach: str, size: int) -> np.ndarray:
    """What each independent row adds to the sum of the splits' mean losses (u,)."""
    weight = np.ones(len(evidence.split)) if evidence.weight is None else evidence.weight
    weight = weight / np.bincount(evidence.split, weights=weight)[evidence.split]
    unit = np.unique(evidence.unit, return_inverse=True)[1]
    return np.bincount(unit, weights=weight * _above_least(evidence, approach, size))


def noise_error(evidence: LossEvidence, first: str, second: str, size: int, found: LossConcentration) -> float:
    """Standard error of a difference that comes from not knowing how noisy the rows are; 0 with light tails.

    Noise that is heavier than the rows at hand show harms the approach more whose predictions vary more with its training rows:
    what the leader would lose by it makes its lead uncertain. If the other one varies more, heavier noise would only add to it.
    """
    leads = evidence.mean(first, size) <= evidence.mean(second, size)
    leader, other = (first, second) if leads else (second, first)
    if found.excess == 0:
        return 0.0
    return UNSEEN * found.excess * max(_excess_variation(evidence, leader, other, size), 0.0)


def _excess_variation(evidence: LossEvidence, leader: str, other: str, size: int) -> float:
    """How much more the leader's predictions vary with its training rows, in units of the loss.

    Roots of squared errors move by as much as predictions do. How much those vary at a size is seen in how far they move to
    another one, since variances shrink like 1 / size and training sets are nested. With a single size it is taken to be
    half of the square by which two approaches differ, as if they were equally good.
    """
    roots = {name: _roots(evidence, name, size) for name in (leader, other)}
    nearest = sorted((each for each in evidence.sizes if each != size and {(leader, each), (other, each)} <= evidence.row_loss.keys()),
                     key=lambda each: abs(np.log(each / size)))
    if not nearest:
        return float(np.mean((roots[leader] - roots[other]) ** 2)) / 2
    moved = [float(np.mean((roots[name] - _roots(evidence, name, nearest[0])) ** 2)) for name in (leader, other)]
    return (moved[0] - moved[1]) * nearest[0] / abs(size - nearest[0])


def _roots(evidence: LossEvidence, approach: str, size: int) -> np.ndarray:
    return np.asarray(np.sqrt(_above_least(evidence, approach, size)))


def _above_least(evidence: LossEvidence, approach: str, size: int) -> np.ndarray:
    """Row losses (M,) above the least of their split, which for squared errors by RMSE leaves the errors themselves."""
    loss = np.asarray(evidence.row_loss[approach, size], dtype=np.float64)
    least = np.full(evidence.n_splits, np.inf)
    np.minimum.at(least, evidence.split, loss)
    return np.asarray(loss - least[evidence.split])
