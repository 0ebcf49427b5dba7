"""Two approaches over many tables, one number a table: Wilcoxon's signed-rank test, Holm's correction, and the Bayesian
signed-rank test. Knows neither tables nor approaches.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tabbench.verdict.across.losses import TIE

DRAWS = 20_000
"""Draws of the posterior; a probability of one half is then known to 0.004."""

PRIOR_STRENGTH = 0.5
"""Weight of one made-up table without a difference, beside 1 for each real one (Benavoli and others' choice)."""


def signed_rank_chance(difference: np.ndarray) -> float:
    """The two-sided p-value: how often a difference at least this consistent would be seen if the two were equal.

    Wilcoxon's signed-rank test of one number a table (S,) (doi:10.2307/3001968); tables without a difference say nothing and
    are dropped. Exact, with tied tables too: the distribution of the sum of ranks is built up table by table, which takes a
    thousandth of the time of running through all signs, as `scipy.stats.wilcoxon` does among ties.

    >>> signed_rank_chance(np.array([0.5, 1.5, 2.0, 2.5, 3.0, 4.0]))
    0.03125
    """
    from scipy.stats import rankdata

    differing = difference[np.abs(difference) > TIE]
    ranks = np.rint(2 * rankdata(np.abs(differing))).astype(np.int64)  # twice, so that the rank of two tied tables is whole
    chances = np.ones(1)
    for rank in ranks:
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] = chances / 2
        longer[rank:] += chances / 2
        chances = longer
    seen = int(ranks[differing > 0].sum())
    return float(min(1.0, 2 * min(chances[: seen + 1].sum(), chances[seen:].sum())))


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values (m,) adjusted for multiplicity (Holm 1979).

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    remaining = len(p_values) - np.arange(len(p_values))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * remaining), 1.0)
    return corrected


def typical_difference(difference: np.ndarray) -> float:
    """Hodges and Lehmann's estimate that belongs to the test: the median of the means of all pairs of tables.

    >>> typical_difference(np.array([1.0, 2.0, 30.0]))
    8.75
    """
    first, second = np.triu_indices(len(difference))
    return float(np.median((difference[first] + difference[second]) / 2))


def signed_rank_probabilities(difference: np.ndarray, margin: float, seed: int) -> tuple[float, float, float]:
    """Probabilities that over tables the first is better, the two are practically equal, the second is better.

    The Bayesian signed-rank test (Benavoli and others 2014; 2017, jmlr.org/papers/v18/16-305.html): the share of draws of
    the posterior in which most pairs of tables have a mean difference loss(first) - loss(second) below -margin, within the
    margin, or above it.
    """
    masses = region_masses(difference, posterior_weights(len(difference), seed), margin)
    is_largest = masses >= masses.max(axis=1, keepdims=True) - TIE
    first, equal, second = np.mean(is_largest / is_largest.sum(axis=1, keepdims=True), axis=0)
    return float(first), float(equal), float(second)


@lru_cache(maxsize=4)  # every pair of approaches asks for the same ones
def posterior_weights(count: int, seed: int) -> np.ndarray:
    """Draws (n, count + 1) of the weights of the made-up table, which comes first, and of the real ones."""
    random = np.random.default_rng([seed, count])
    weights = random.dirichlet(np.r_[PRIOR_STRENGTH, np.ones(count)], size=DRAWS)
    weights.flags.writeable = False
    return weights


def region_masses(difference: np.ndarray, weights: np.ndarray, margin: float) -> np.ndarray:
    """(n, 3): how much of all pairs of tables lies below -margin, within it and above it, for each row of `weights`.

    A pair weighs the product of its tables' weights; a mean difference that is just the margin counts half on either side.
    """
    values = np.r_[0.0, difference]
    order = np.argsort(values, kind="stable")
    ascending, sorted_weights = values[order], weights[:, order]
    # below[c]: weight of the c lowest. Sorting turns the double sum over pairs into one look-up for each table.
    below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(sorted_weights, axis=1)], axis=1)
    under, up_to = (_on_both_sides(ascending, limit - ascending) for limit in (-2 * margin, 2 * margin))
    low = np.mean([np.sum(sorted_weights * below[:, place], axis=1) for place in under], axis=0)
    high = np.mean([np.sum(sorted_weights * (below[:, -1:] - below[:, place]), axis=1) for place in up_to], axis=0)
    return np.column_stack([low, 1.0 - low - high, high])


def _on_both_sides(ascending: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    """How many lie below each value, and how many up to it: one array where that is the same, since each costs a look-up."""
    left, right = (np.searchsorted(ascending, values, side=side) for side in ("left", "right"))
    return [left] if np.array_equal(left, right) else [left, right]
