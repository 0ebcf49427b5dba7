"""Early stopping for futility: approaches so far behind at a size that larger ones need not be run. A rule of scores, not clocks.

Knows no store, no schedule and no model; what is stopped, and how that is said, is up to others.

Why false winners stay as rare as without it. A stop could only make one if the stopped approach were the better one at the
full size. For that, one of three things must be false. The lower bounds of a look: they hold together but for
`ALPHA_OF_A_LOOK`, so that nine looks add less than 1 % and the final claims keep their 5 % (the rule of Haybittle
and Peto, doi:10.1038/bjc.1976.220). That the leader does not get worse with more rows. That a curve which has left the
constant predictor behind slows down: from doubling to doubling its advantage grows by no larger factor than in the last two, each
taken two standard errors larger than seen. Power laws and logistic curves do so; what is not ahead of the constant predictor,
or has risen, may do anything and is never stopped. What is stopped keeps its share of the error rate of its family of claims
(`judge`): had the family shrunk to what ran, the others would be told apart more easily than was planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.row_moments import row_moments
from tabbench.verdict.simultaneous import simultaneous_quantiles
from tabbench.verdict.variance import make_contrasts, spread
from tabbench.verdict.winners import BASELINE

ALPHA_OF_A_LOOK = 0.001
"""The bounds of one look fail together with this probability: the customary level that leaves the final one untouched."""

FEWEST_SIZES = 2
"""One size shows no curve."""

FEWEST_SPLITS = 2
"""One split does not show how much of a change is luck."""

RECENT_STEPS = 2
"""The latest changes tell how fast a curve may still fall; the larger of two, since one alone may be a lull."""

ERRORS_ALLOWED = 2.0
"""By so many standard errors a loss may really have fallen more than was seen, or not be below the constant predictor's."""

FEWEST_LEFT = 2
"""Contestants besides the constant predictor that always go on, so that there is something to compare."""


@dataclass(frozen=True)
class Behind:
    """Why an approach is stopped, in units of the deciding metric's loss.

    Parameters
    ----------
    leader : str
        The lowest mean loss at `size`, the last size that was run.
    gap : float
        By how much it is behind the leader at least.
    closing : float
        By how much its loss may still fall up to `full_size` at most.
    """

    leader: str
    size: int
    full_size: int
    gap: float
    closing: float


def futile_approaches(evidence: LossEvidence, *, full_size: int, seed: int = 0, alpha: float = ALPHA_OF_A_LOOK
                      ) -> dict[str, Behind]:
    """The approaches that would not reach at the full size what the leader has reached by now.

    Parameters
    ----------
    evidence : LossEvidence
        Of all sizes up to the last that was run; approaches that are missing there are out already.
    full_size : int
        The largest size of the plan.

    Returns
    -------
    dict[str, Behind]
        For each approach that is to stop, why. It is stopped when the lower bound of its loss minus the leader's exceeds what it
        may yet gain by more than the margin; the lower bounds hold simultaneously for all pairs at the last size. Never among
        them: the constant predictor, the leader, the second best, since two at least go on, and those whose curve says too little
        (`_most_gain`).
    """
    last = evidence.sizes[-1]
    present = evidence.present(last)
    ranked = sorted((name for name in present if evidence.families[name] != BASELINE), key=lambda name: evidence.mean(name, last))
    constants = [name for name in present if evidence.families[name] == BASELINE]
    if len(ranked) <= FEWEST_LEFT or not constants or len(evidence.sizes) < FEWEST_SIZES or evidence.n_splits < FEWEST_SPLITS:
        return {}
    differences = _Differences.of(evidence, alpha, seed)
    leader, found = ranked[0], dict[str, Behind]()
    for name in ranked[FEWEST_LEFT:]:
        gap, closing = differences.least(name, leader, last), _most_gain(evidence, differences, name, constants[0], full_size)
        if gap - closing > evidence.margin:
            found[name] = Behind(leader, last, full_size, gap, closing)
    return found


def _most_gain(evidence: LossEvidence, differences: _Differences, name: str, constant: str, full_size: int) -> float:
    """By how much the loss may fall at most up to the full size; infinite for a curve that says too little.

    Such a curve has failed cells, is not ahead of the constant predictor now or where its latest changes began, or has risen.
    """
    sizes = [size for size in evidence.sizes if (name, size) in evidence.loss]
    if len(sizes) < FEWEST_SIZES or any(evidence.imputed[name, size].any() for size in sizes):
        return np.inf
    factor = 1.0
    for before, after in list(pairwise(sizes))[-RECENT_STEPS:]:
        advantage, error = differences.seen(constant, name, before)
        most = _most_fall(evidence, name, before, after)
        if advantage <= ERRORS_ALLOWED * error or most < 0:
            return np.inf
        factor = max(factor, (1 + most / advantage) ** float(1 / np.log2(after / before)))
    advantage, error = differences.seen(constant, name, sizes[-1])
    if advantage <= ERRORS_ALLOWED * error:
        return np.inf
    return float(advantage * (factor ** np.log2(full_size / sizes[-1]) - 1))


def _most_fall(evidence: LossEvidence, name: str, before: int, after: int) -> float:
    """Upper bound of the fall of the mean loss between two sizes; the error is Nadeau and Bengio's."""
    by_split = evidence.loss[name, before] - evidence.loss[name, after]
    error = by_split.std(ddof=1) * np.sqrt(1 / evidence.n_splits + evidence.test_ratio)
    return float(by_split.mean() + ERRORS_ALLOWED * error)


@dataclass(frozen=True, eq=False)
class _Differences:
    """loss(first) - loss(second) of every pair at every size, with its standard error, and how many of them make bounds that
    hold for all pairs at the last size at once (NaN at smaller sizes)."""

    measured: Mapping[tuple[str, str, int], tuple[float, float]]
    quantile: Mapping[tuple[str, str, int], float]

    @classmethod
    def of(cls, evidence: LossEvidence, alpha: float, seed: int) -> _Differences:
        """The errors are those of the verdict, pooled over everything that was run so far."""
        cells = [(name, size) for size in evidence.sizes for name in evidence.present(size)]
        pairs = [pair for pair in combinations(range(len(cells)), 2) if cells[pair[0]][1] == cells[pair[1]][1]]
        moments = row_moments(evidence, cells)
        contrasts = make_contrasts(evidence, cells, moments, pairs)
        errors = spread(evidence, contrasts)
        at_last = contrasts.size == evidence.sizes[-1]
        quantile = np.full(len(pairs), np.nan)
        quantile[at_last] = simultaneous_quantiles(
            None if moments is None else moments.mean_of, contrasts.first[at_last], contrasts.second[at_last],
            shared=errors.row_share[at_last], degrees=errors.degrees[at_last], alpha=alpha, seed=seed)
        keys = [(cells[one][0], *cells[other]) for one, other in pairs]
        seen = zip(contrasts.difference.tolist(), errors.standard_error.tolist(), strict=True)
        return cls(dict(zip(keys, seen, strict=True)), dict(zip(keys, quantile.tolist(), strict=True)))

    def seen(self, first: str, second: str, size: int) -> tuple[float, float]:
        """The difference and its standard error."""
        if (first, second, size) in self.measured:
            difference, error = self.measured[first, second, size]
            return difference, error
        difference, error = self.measured[second, first, size]
        return -difference, error

    def least(self, first: str, second: str, size: int) -> float:
        """The lower bound of a difference at the last size."""
        difference, error = self.seen(first, second, size)
        key = (first, second, size) if (first, second, size) in self.quantile else (second, first, size)
        return difference - self.quantile[key] * error
