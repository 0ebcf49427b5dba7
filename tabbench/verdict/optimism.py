"""The best score, freed of the luck of having been picked for it. Knows no interval and no decision."""

from __future__ import annotations

import numpy as np

from tabbench.verdict.evidence import Evidence

DRAWS = 1_000
LEAST_DRAWS = 50
MOST_COUNTED = 100_000_000
"""Units times approaches times draws; above it fewer draws do, since with many rows there is little luck left."""


def corrected_loss(evidence: Evidence, size: int, seed: int) -> float:
    """The loss to expect of picking the approach with the lowest one, at `size`; NaN without row-level losses.

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
    draws = int(np.clip(MOST_COUNTED / (units * len(names)), LEAST_DRAWS, DRAWS))
    random = np.random.default_rng([seed, size, len(names)])
    whole, costs = total.sum(axis=0) / share.sum(), []
    for _ in range(draws):
        times = np.bincount(random.integers(0, units, units), minlength=units)
        is_out = times == 0
        if share[is_out].sum() > 0 and (times * share).sum() > 0:
            picked = int(np.argmin(np.einsum("u,ua->a", times, total)))
            costs.append(total[is_out, picked].sum() / share[is_out].sum() - whole.min())
    return lowest + max(float(np.mean(costs)), 0.0) if costs else float("nan")


def _by_unit(evidence: Evidence, names: list[str], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's losses (units, approaches), weighted, and its weight (units,)."""
    unit = np.unique(evidence.unit, return_inverse=True)[1]
    weight = np.ones(len(unit)) if evidence.weight is None else evidence.weight.astype(np.float64)
    losses = [np.bincount(unit, weights=weight * evidence.row_loss[name, size]) for name in names]
    return np.column_stack(losses), np.bincount(unit, weights=weight)
