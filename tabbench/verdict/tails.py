"""Whether a few rows carry the loss, and how uncertain that leaves a difference. Knows no interval and no decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tabbench.verdict.evidence import LossEvidence

LIGHT_TAIL, SURELY_HEAVY = 3.0, 5.0
"""n Σl² / (Σl)² of squared normal errors. What lies above is a heavier tail, of which a sample shows too little. Where how much
predictions vary is hardly known, it must lie far above."""

UNSEEN = 8.0
"""Standard errors of the mean loss by which a heavy tail may be worse than seen. Least squares on 5 against 20 columns with
lognormal shocks needs this much (docs/calibration.md)."""


@dataclass(frozen=True)
class LossConcentration:
    """`rows` of the `of` independent rows carry half of the loss of the best approach.

    `excess` is that loss's relative standard error beyond what light tails would leave, `sure_excess` beyond the surely heavy.
    """

    rows: int
    of: int
    excess: float
    sure_excess: float


def loss_concentration(evidence: LossEvidence, size: int) -> LossConcentration | None:
    """How few rows carry the loss at `size`; None where rows have no loss, or losses count steps and have no tail.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> evidence = SimpleNamespace(
    ...     metric=SimpleNamespace(step=0.0), split=np.zeros(5, int), unit=np.arange(5), weight=None, n_splits=1,
    ...     row_loss={("a", 9): np.array([1.0, 1, 1, 0, 9])}, present=lambda size: ["a"], mean=lambda name, size: 2.4)
    >>> loss_concentration(evidence, 9)
    LossConcentration(rows=1, of=5, excess=0.0, sure_excess=0.0)
    """
    names = [name for name in evidence.present(size) if (name, size) in evidence.row_loss]
    if not names or evidence.metric.step > 0:
        return None
    share = _shares(evidence, min(names, key=lambda name: evidence.mean(name, size)), size)
    if not share.sum() > 0:
        return None
    share = np.sort(share / share.sum())[::-1]
    excess = [float(np.sqrt(max(np.sum(share**2) - light / len(share), 0.0))) for light in (LIGHT_TAIL, SURELY_HEAVY)]
    return LossConcentration(int(np.searchsorted(np.cumsum(share), 0.5)) + 1, len(share), *excess)


def _shares(evidence: LossEvidence, approach: str, size: int) -> np.ndarray:
    """What each independent row adds to the sum of the splits' mean losses (u,)."""
    weight = np.ones(len(evidence.split)) if evidence.weight is None else evidence.weight
    weight = weight / np.bincount(evidence.split, weights=weight)[evidence.split]
    unit = np.unique(evidence.unit, return_inverse=True)[1]
    return np.bincount(unit, weights=weight * _above_least(evidence, approach, size))


def noise_errors(evidence: LossEvidence, size: int, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """Standard errors (m,) of differences at `size` that come from not knowing how noisy the rows are; 0 with light tails.

    Noise that is heavier than the rows at hand show harms the approach more whose predictions vary more with its training rows:
    what the leader would lose by it makes its lead uncertain. If the other one varies more, heavier noise would only add to it.
    """
    found = loss_concentration(evidence, size)
    if found is None or found.excess == 0:
        return np.zeros(len(pairs))
    roots = {name: _roots(evidence, name, size) for name in {name for pair in pairs for name in pair}}
    variation = _variations(evidence, size, roots)
    return UNSEEN * np.array([_loss_by_noise(evidence, size, pair, roots, variation, found) for pair in pairs])


def _variations(evidence: LossEvidence, size: int, roots: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How much each approach's predictions vary with its training rows, in units of the loss; without those of a single size.

    Roots of squared errors move by as much as predictions do. How much those vary is seen in how far they move to the nearest
    other size, since variances shrink like 1 / size and training sets are nested.
    """
    found = {}
    for name, here in roots.items():
        others = [each for each in evidence.sizes if each != size and (name, each) in evidence.row_loss]
        if others:
            other = min(others, key=lambda each: abs(np.log(each / size)))
            moved = float(np.mean((here - _roots(evidence, name, other)) ** 2))
            found[name] = moved * other / abs(size - other)
    return found


def _loss_by_noise(evidence: LossEvidence, size: int, pair: tuple[str, str], roots: Mapping[str, np.ndarray],
                   variation: Mapping[str, float], found: LossConcentration) -> float:
    """What the leader would lose if noise were heavier by one standard error; where it is not known how much the two vary, half
    of the square by which they differ is taken, as if they were equally good. What varies is a part of the leader's loss."""
    leader, other = sorted(pair, key=lambda name: evidence.mean(name, size))
    most = float(np.mean(roots[leader] ** 2))
    if leader in variation and other in variation:
        return found.excess * min(max(variation[leader] - variation[other], 0.0), most)
    return found.sure_excess * min(float(np.mean((roots[leader] - roots[other]) ** 2)) / 2, most)


def _roots(evidence: LossEvidence, approach: str, size: int) -> np.ndarray:
    return np.asarray(np.sqrt(_above_least(evidence, approach, size)))


def _above_least(evidence: LossEvidence, approach: str, size: int) -> np.ndarray:
    """Row losses (M,) above the least of their split, which for squared errors by RMSE leaves the errors themselves."""
    loss = np.asarray(evidence.row_loss[approach, size], dtype=np.float64)
    least = np.full(evidence.n_splits, np.inf)
    np.minimum.at(least, evidence.split, loss)
    return np.asarray(loss - least[evidence.split])
