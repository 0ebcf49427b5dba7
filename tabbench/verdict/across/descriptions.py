"""Descriptions of approaches over many tables: mean ranks, Elo, improvability, win rates, with bootstrap intervals.

The intervals come from drawing the tables' sources again. Nothing is decided here; these numbers depend on what else is
in the pool, which the verdict over pairs does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.verdict.across.losses import TableLosses

RESAMPLES = 1_000
"""Bootstrap draws of the sources; the ends of an interval are then known to a tenth of its width."""

COVERAGE = 0.95
"""Of the bootstrap intervals."""

ELO_CENTRE = 1_000.0
ELO_PER_FACTOR_OF_TEN = 400.0
"""Arpad Elo's scale: 400 points more are odds of 10 to 1."""

POWERS_OF_TEN = ((0, 1_000), (1_000, 10_000), (10_000, 100_000), (100_000, None))
"""From how many training rows up to below how many; powers of ten are what people sort tables by."""

NEWTON_STEPS = 30
"""A step is at most 1 in log odds, so that none overshoots: twenty reach any odds that can be met, a few more are exact."""


def mean_ranks(losses: TableLosses, seed: int = 0) -> pd.DataFrame:
    """Mean rank of each approach (1 is best, ties share), with its interval and the share of its runs that failed."""
    ahead = losses.by_source(losses.ahead_by_mean)
    # Half a point against oneself makes k + 1/2 the rank of an approach that is ahead of none.
    ranks = len(losses.approaches) + 0.5 - ahead.sum(axis=2)
    low, high = bootstrap_interval(ranks, seed)
    return pd.DataFrame({"approach": _names(losses), "mean_rank": ranks.mean(axis=0), "low": low, "high": high,
                         "failed": losses.by_source(losses.imputed).mean(axis=0)})


def elo_ratings(losses: TableLosses, seed: int = 0) -> pd.DataFrame:
    """Elo ratings by Bradley and Terry's model of battles, one for each split of each table (doi:10.2307/2334029).

    A source counts once, however many tables and splits it has; ties count half; the mean rating is 1,000. The maximum of the
    likelihood is infinite for an approach that wins or loses all battles and exaggerates all others; as many draws as there are
    free ratings, spread evenly over the pairs, cures both (Haldane's half; Firth 1993, doi:10.1093/biomet/80.1.27).
    """
    ahead = losses.by_source(losses.ahead)
    point = bradley_terry(ahead.sum(axis=0))
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    if len(ahead) > 1:
        drawn = bradley_terry(np.einsum("bs,sij->bij", bootstrap_draws(len(ahead), seed), ahead))
        low, high = expanded_interval(drawn, len(ahead))
    return pd.DataFrame({"approach": _names(losses), "elo": point, "low": low, "high": high})


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Elo ratings (..., k) from how often the row has beaten the column (..., k, k).

    >>> bradley_terry(np.array([[0.0, 9.5], [0.5, 0.0]])).round(2)
    array([1200.,  800.])
    """
    count = wins.shape[-1]
    played = np.where(np.eye(count, dtype=bool), 0.0, wins + 1.0 / count)
    both = played + np.swapaxes(played, -1, -2)
    strength = np.zeros(wins.shape[:-1])
    for _ in range(NEWTON_STEPS):
        expected = 1.0 / (1.0 + np.exp(strength[..., None, :] - strength[..., :, None]))
        slope = np.sum(played - both * expected, axis=-1)
        curvature = -both * expected * (1.0 - expected)
        curvature -= np.sum(curvature, axis=-1)[..., None] * np.eye(count)
        # Ratings are known up to a constant; adding 1 everywhere fixes their sum.
        step = np.linalg.solve(curvature + 1.0, slope[..., None])[..., 0]
        strength += step / np.maximum(np.max(np.abs(step), axis=-1, keepdims=True), 1.0)
    return np.asarray(ELO_CENTRE + ELO_PER_FACTOR_OF_TEN / np.log(10.0) * strength)


def improvabilities(losses: TableLosses, seed: int = 0) -> pd.DataFrame:
    """By how much of its own error an approach could be improved: 1 - best / own, 0 is the best, on average over tables.

    For each metric apart, since a share of a log loss and one of an AUC's distance from 1 have nothing in common; metrics
    without a perfect score are left out.
    """
    frames = []
    for metric in dict.fromkeys(losses.metrics):
        part = losses.where((losses.metrics == metric) & np.isfinite(losses.error).all(axis=1))
        if not part.n_tables:
            continue
        best = part.error.min(axis=1, keepdims=True)
        share = np.divide(best, part.error, out=np.ones_like(part.error), where=part.error > 0)
        values = part.by_source(1.0 - share)
        low, high = bootstrap_interval(values, seed)
        frames.append(pd.DataFrame({"metric": metric, "tables": part.n_tables, "approach": _names(part),
                                    "improvability": values.mean(axis=0), "low": low, "high": high}))
    columns = ["metric", "tables", "approach", "improvability", "low", "high"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def win_rates(losses: TableLosses, seed: int = 0) -> pd.DataFrame:
    """Share of the other approaches that each is ahead of, ties counting half, by bucket of training rows.

    Every size at which all were run counts in its bucket, and a source counts once in each. `to_rows` is missing in the last.
    """
    others = len(losses.approaches) - 1
    frames = []
    for start, stop in POWERS_OF_TEN:
        part = losses.where((losses.size >= start) & (losses.size < (np.inf if stop is None else stop)))
        if not part.n_tables or not others:
            continue
        values = (part.by_source(part.ahead_by_mean).sum(axis=2) - 0.5) / others
        low, high = bootstrap_interval(values, seed)
        frames.append(pd.DataFrame({"from_rows": start, "to_rows": np.nan if stop is None else float(stop),
                                    "tables": part.n_tables, "approach": _names(part), "win_rate": values.mean(axis=0),
                                    "low": low, "high": high}))
    columns = ["from_rows", "to_rows", "tables", "approach", "win_rate", "low", "high"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def bootstrap_interval(values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval (k,) each of the means over sources of `values` (S, k); NaN for a single source."""
    if len(values) < 2:
        nothing = np.full(values.shape[1:], np.nan)
        return nothing, nothing
    return expanded_interval(np.einsum("bs,sk->bk", bootstrap_draws(len(values), seed), values) / len(values), len(values))


def bootstrap_draws(sources: int, seed: int) -> np.ndarray:
    """How often each source was drawn (B, S)."""
    random = np.random.default_rng([seed, sources])
    return random.multinomial(sources, np.full(sources, 1 / sources), RESAMPLES).astype(np.float64)


def expanded_interval(draws: np.ndarray, sources: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval (k,) each of bootstrap draws (B, k) of so many sources.

    The percentiles are moved out as far as Student's t is wider than what a bootstrap of few sources sees (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789): with eight tables the plain ones would miss twice as often as they say.
    """
    from scipy.stats import norm, t

    tail = norm.sf(np.sqrt(sources / (sources - 1)) * t.ppf((1 + COVERAGE) / 2, sources - 1))
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def _names(losses: TableLosses) -> np.ndarray:
    return np.array(losses.approaches, dtype=object)
