"""The selection-bias-corrected score of the best approach. Knows no interval and no decision."""

from __future__ import annotations

import numpy as np

from tabbench.verdict.evidence import LossEvidence

DRAWS = 200
"""The optimism is then known to an eighth of the score's own standard error."""
MOST_COUNTED = 20_000_000
"""Units times draws; above it fewer draws do, since with many rows there is little luck left."""
LEAST_DRAWS = 20
COUNTS_AT_ONCE = 1_000_000
"""Counts of drawn units that are held in memory at a time, 8 MB."""


def corrected_loss(evidence: LossEvidence, size: int, seed: int) -> float:
    """The selection-bias-corrected loss of the approach with the lowest one, at `size`; NaN without row-level losses.

    Bootstrap bias corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018, doi:10.1007/s10994-018-5714-4):
    units are drawn with replacement, the approach that is best on those drawn is scored on those that were not, and what it loses
    there beyond its score on all rows is added to the best mean.
    """
    names = evidence.present(size)
    lowest = min(evidence.mean(name, size) for name in names)
    if not all((name, size) in evidence.row_loss for name in names):
        return float("nan")
    total, share = _by_unit(evidence, names, size)
    units = len(share)
    draws, at_once = int(np.clip(MOST_COUNTED / units, LEAST_DRAWS, DRAWS)), max(COUNTS_AT_ONCE // units, 1)
    random = np.random.default_rng([seed, size, len(names)])
    beyond: list[np.ndarray] = []
    for start in range(0, draws, at_once):
        drawn = random.integers(units, size=(min(at_once, draws - start), units))  # a tenth of the time of multinomial counts
        times = np.stack([np.bincount(each, minlength=units) for each in drawn]).astype(np.float64)
        picked = np.argmin(np.einsum("du,au->da", times, total), axis=1)
        is_out = (times == 0).astype(np.float64)
        left, weight = np.einsum("du,au->da", is_out, total), np.einsum("du,u->d", is_out, share)
        usable = weight > 0
        beyond.append(left[usable, picked[usable]] / weight[usable])
    scored = np.concatenate(beyond)
    return lowest + max(float(scored.mean() - total.sum(axis=1).min() / share.sum()), 0.0) if len(scored) else float("nan")


def _by_unit(evidence: LossEvidence, names: list[str], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's losses (approaches, units), weighted, and its weight (units,)."""
    unit = np.unique(evidence.unit, return_inverse=True)[1]
    weight = np.ones(len(unit)) if evidence.weight is None else evidence.weight.astype(np.float64)
    losses = [np.bincount(unit, weights=weight * evidence.row_loss[name, size]) for name in names]
    return np.vstack(losses), np.bincount(unit, weights=weight)
