"""Two runs of a suite beside each other: what differs, on which table, and whether it is more than noise.

Losses are compared in margins; a difference is the second run's loss minus the first's, so below zero the second is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.verdict.across.decision import fewest_sources
from tabbench.verdict.across.descriptions import bootstrap_draws, bradley_terry, expanded_interval
from tabbench.verdict.across.losses import TIE, is_ahead
from tabbench.verdict.across.signed_ranks import holm, signed_rank_chance, signed_rank_probabilities, typical_difference

CELL_COLUMNS = ("table", "approach", "size", "first_score", "second_score", "difference", "low", "high", "chance", "chance_all",
                "is_paired", "decision")
APPROACH_COLUMNS = ("approach", "tables", "difference", "low", "high", "chance", "chance_all", "p_first_better", "p_equal",
                    "p_second_better", "elo_gap", "elo_low", "elo_high", "decision")


@dataclass(frozen=True, eq=False)
class TwoLosses:
    """An approach on a table at one size in both runs.

    Parameters
    ----------
    first, second : ndarray
        (J,) losses of each split in margins; where `is_paired`, the same splits in the same order.
    test_ratio : float
        Test rows by training rows of a split: how much the training parts overlap.
    """

    table: str
    source: str
    approach: str
    size: int
    first_score: float
    second_score: float
    first: np.ndarray
    second: np.ndarray
    is_paired: bool
    test_ratio: float


def compare_cells(found: Sequence[TwoLosses], alpha: float) -> pd.DataFrame:
    """Table by table and approach by approach, with the columns `CELL_COLUMNS`.

    Over the same splits, Nadeau and Bengio's corrected resampled t (doi:10.1023/A:1024068626366), with Holm's correction for all
    rows. Over different splits, or a single one, there is no interval, nor where the difference is the same on every split, as an
    accuracy's may be: then no spread is known. `decision` is "same" (equal on every split), "first" or
    "second" (better), or "within_noise" if an interval says no more; "unknown" without one.
    """
    rows = []
    for each in found:
        difference, low, high, chance = _corrected_t(each, alpha)
        rows.append((each.table, each.approach, each.size, each.first_score, each.second_score, difference, low, high, chance,
                     np.nan, each.is_paired, ""))
    frame = pd.DataFrame(rows, columns=list(CELL_COLUMNS))
    known = frame["chance"].notna().to_numpy()
    frame.loc[known, "chance_all"] = holm(frame.loc[known, "chance"].to_numpy(dtype=np.float64))
    frame["decision"] = [_decide(row.difference, row.chance_all, alpha, is_same=_is_same(each))
                         for row, each in zip(frame.itertuples(), found, strict=True)]
    return frame


def compare_approaches(found: Sequence[TwoLosses], margin: float, alpha: float, seed: int) -> pd.DataFrame:
    """Over the tables, with the columns `APPROACH_COLUMNS`: one number a source, as in a verdict over tables.

    `difference` is Hodges and Lehmann's estimate, its interval and that of `elo_gap`, the second run's rating minus the first's
    in one pool of both runs' approaches, come from a bootstrap over the sources. `decision` is as in `compare_cells`, but
    "unknown" with so few sources that no difference between two could be shown.
    """
    gaps = elo_gaps(found, seed)
    rows = []
    for name in dict.fromkeys(each.approach for each in found):
        own = [each for each in found if each.approach == name]
        difference = _by_source(own)
        low, high = _typical_interval(difference, seed)
        better = signed_rank_probabilities(-difference, margin, seed)
        rows.append((name, len({each.table for each in own}), typical_difference(difference), low, high,
                     signed_rank_chance(difference), np.nan, *better, *gaps.get(name, (np.nan,) * 3), ""))
    frame = pd.DataFrame(rows, columns=list(APPROACH_COLUMNS))
    frame["chance_all"] = holm(frame["chance"].to_numpy(dtype=np.float64))
    is_same = [all(_is_same(each) for each in found if each.approach == name) for name in frame["approach"]]
    sources = [len({each.source for each in found if each.approach == name}) for name in frame["approach"]]
    has_enough = [count >= fewest_sources(2, alpha) for count in sources]
    frame["decision"] = [_decide(row.difference, row.chance_all if enough else np.nan, alpha, is_same=same)
                         for row, same, enough in zip(frame.itertuples(), is_same, has_enough, strict=True)]
    return frame


def elo_gaps(found: Sequence[TwoLosses], seed: int) -> dict[str, tuple[float, float, float]]:
    """The rating in the second run minus that in the first, with its bootstrap interval over sources; by approach.

    Both runs' approaches play in one pool on the tables that have them all. Split against split where the splits are the same,
    else by the means.
    """
    names = list(dict.fromkeys(each.approach for each in found))
    by_table: dict[str, dict[str, TwoLosses]] = {}
    for each in found:
        by_table.setdefault(each.table, {})[each.approach] = each
    whole = [own for own in by_table.values() if len(own) == len(names)]
    if not whole:
        return {}
    sources = [next(iter(own.values())).source for own in whole]
    battles = np.stack([_battles([own[name] for name in names]) for own in whole])
    ahead = np.stack([battles[[source == each for source in sources]].mean(axis=0) for each in dict.fromkeys(sources)])
    count = len(names)
    point = bradley_terry(ahead.sum(axis=0))
    gap = point[count:] - point[:count]
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    if len(ahead) > 1:
        drawn = bradley_terry(np.einsum("bs,sij->bij", bootstrap_draws(len(ahead), seed), ahead))
        low, high = expanded_interval(drawn[:, count:] - drawn[:, :count], len(ahead))
    return {name: (float(gap[place]), float(low[place]), float(high[place])) for place, name in enumerate(names)}


def _battles(own: Sequence[TwoLosses]) -> np.ndarray:
    """(2k, 2k): how often the row is ahead of the column, the first run's approaches before the second's."""
    if all(each.is_paired for each in own):
        losses = np.column_stack([each.first for each in own] + [each.second for each in own])
        return np.asarray(is_ahead(losses).mean(axis=0))
    return is_ahead(np.array([each.first.mean() for each in own] + [each.second.mean() for each in own]))


def _by_source(own: Sequence[TwoLosses]) -> np.ndarray:
    differences = pd.Series([each.second.mean() - each.first.mean() for each in own])
    means = differences.groupby([each.source for each in own], sort=False).mean()
    return np.asarray(means, dtype=np.float64)


def _typical_interval(difference: np.ndarray, seed: int) -> tuple[float, float]:
    if len(difference) < 2:
        return np.nan, np.nan
    counts = bootstrap_draws(len(difference), seed).astype(np.int64)
    drawn = np.array([[typical_difference(np.repeat(difference, count))] for count in counts])
    low, high = expanded_interval(drawn, len(difference))
    return float(low[0]), float(high[0])


def _corrected_t(each: TwoLosses, alpha: float) -> tuple[float, float, float, float]:
    """Mean difference, its interval, and the p-value; NaN for what splits cannot say."""
    from scipy.stats import t

    difference = float(each.second.mean() - each.first.mean())
    if _is_same(each):
        return 0.0, 0.0, 0.0, 1.0
    count = len(each.first)
    if not each.is_paired or count < 2:
        return difference, np.nan, np.nan, np.nan
    variance = float(np.var(each.second - each.first, ddof=1))
    error = np.sqrt((1 / count + each.test_ratio) * variance)
    if error <= TIE:
        return difference, np.nan, np.nan, np.nan
    half = error * t.ppf(1 - alpha / 2, count - 1)
    return difference, difference - half, difference + half, float(2 * t.sf(abs(difference) / error, count - 1))


def _is_same(each: TwoLosses) -> bool:
    return each.is_paired and bool(np.all(np.abs(each.second - each.first) <= TIE))


def _decide(difference: float, chance: float, alpha: float, *, is_same: bool) -> str:
    if is_same:
        return "same"
    if np.isnan(chance):
        return "unknown"
    if chance > alpha or difference == 0:
        return "within_noise"
    return "second" if difference < 0 else "first"
