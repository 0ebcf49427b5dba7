"""Dividing rows: strata, whole units dealt to folds, shuffled stratified orders, forward cuts in time.

What outer and inner splits have in common. Knows arrays only: no table, no approach.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

QUANTILE_STRATA = 20
"""Strata of a regression target: fine enough to balance the tails, coarse enough to leave chance its part."""
GREEDY_UNITS = 20_000
"""So many of the largest units are placed one by one; smaller ones no longer move the balance and are dealt in turn."""
FEWEST_DISTINCT = 10
"""Ties are kept only where at least one row in so many is distinct: below that whole rows are few-valued, not repeated."""
GREEDY_COUNTS = 5_000_000
"""Bound on the entries (units x strata) counted for that, 40 MB."""


def strata_of(target: np.ndarray, is_regression: bool, folds: int) -> np.ndarray:
    """The stratum (n,) of each row, from 0: its class, or its quantile bin; equal targets share a bin.

    Bins hold about 2 x `folds` rows at least.
    """
    if not is_regression:
        return np.unique(target, return_inverse=True)[1].astype(np.int64)
    bins = min(QUANTILE_STRATA, len(target) // (2 * folds))
    if bins < 2:
        return np.zeros(len(target), dtype=np.int64)
    edges = np.unique(np.quantile(target, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, target, side="right"), return_inverse=True)[1].astype(np.int64)


def unit_codes(values: np.ndarray) -> np.ndarray:
    """Codes (n,) from 0 for equal values, in order of appearance."""
    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def tied_units(tie: np.ndarray, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit codes (n,) by which equal rows stay together, and the positions of rows that are on their own for all that.

    A unit of more than n / (2 x `folds`) rows is taken apart, since it would make a fold of its own; with fewer than n / 10
    distinct rows all are.
    """
    unit = unit_codes(tie)
    sizes = np.bincount(unit)
    is_apart = np.full(len(unit), True) if len(sizes) * FEWEST_DISTINCT < len(unit) else (sizes * 2 * folds > len(unit))[unit]
    if not is_apart.any():
        return unit, np.empty(0, dtype=np.int64)
    apart = np.flatnonzero(is_apart)
    unit[apart] = len(sizes) + np.arange(len(apart))
    return unit_codes(unit), apart


def main_stratum(unit: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """For each unit the stratum that most of its rows are in (the lowest of equals)."""
    n_strata = int(strata.max()) + 1
    pairs, counts = np.unique(unit * n_strata + strata, return_counts=True)
    owner, stratum = np.divmod(pairs, n_strata)
    fullest_first = np.lexsort((stratum, -counts, owner))
    first = np.unique(owner[fullest_first], return_index=True)[1]
    return np.asarray(stratum[fullest_first][first])


def shuffled_order(strata: np.ndarray, rng: np.random.Generator, unit: np.ndarray | None = None) -> np.ndarray:
    """Positions (n,) in a random order each of whose prefixes is stratified to within about one row a stratum.

    Within a stratum the r-th of c shuffled rows stands at (r + u) / c with one random u: a systematic sample. With `unit`
    (codes from 0) the rows of a unit stand together and units are placed by the stratum of most of their rows.
    """
    if unit is None:
        shuffled = rng.permutation(len(strata))
        place, by_stratum = _places(strata[shuffled], None, rng)
        shuffled = shuffled[by_stratum]
        return np.asarray(shuffled[np.argsort(place, kind="stable")])
    sizes = np.bincount(unit)
    units = rng.permutation(len(sizes))
    place, by_stratum = _places(main_stratum(unit, strata)[units], sizes[units], rng)
    units = units[by_stratum][np.argsort(place, kind="stable")]
    rank_of_unit = np.empty(len(units), dtype=np.int64)
    rank_of_unit[units] = np.arange(len(units))
    shuffled = rng.permutation(len(unit))
    return np.asarray(shuffled[np.argsort(rank_of_unit[unit[shuffled]], kind="stable")])


def _places(strata: np.ndarray, sizes: np.ndarray | None, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each thing's place in (0, 1), things sorted by stratum; and the order that sorts them so."""
    n_strata = int(strata.max()) + 1
    by_stratum = np.argsort(strata.astype(np.int16) if n_strata < 2**15 else strata, kind="stable")
    strata = strata[by_stratum]
    sizes = np.ones(len(strata)) if sizes is None else sizes[by_stratum].astype(np.float64)
    totals = np.bincount(strata, weights=sizes, minlength=n_strata)
    before = np.cumsum(sizes) - sizes - (np.cumsum(totals) - totals)[strata]
    return (before + rng.random(n_strata)[strata] * sizes) / totals[strata], by_stratum


def deal_units(unit: np.ndarray, strata: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold (n,) of each row: units (codes from 0) stay whole, strata and sizes balanced as well as they can be.

    The largest units go one by one where they disturb the balance least, the others of more than one row in turn; single rows
    fill up the folds, so without larger units every stratum is spread to within one row and so are the folds.
    """
    sizes, main = np.bincount(unit), main_stratum(unit, strata)
    n_strata = int(strata.max()) + 1
    fold_of_unit = np.full(len(sizes), -1, dtype=np.int64)
    loads = np.zeros((folds, n_strata))
    shuffled = rng.permutation(len(sizes))
    large_first = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    large_first = large_first[sizes[large_first] > 1]
    greedy = large_first[: min(GREEDY_UNITS, GREEDY_COUNTS // n_strata)]
    _place_one_by_one(fold_of_unit, greedy, unit, strata, loads)
    rest = large_first[len(greedy):]
    fold_of_unit[rest[np.argsort(main[rest], kind="stable")]] = np.arange(len(rest)) % folds
    keys = fold_of_unit[rest] * n_strata + main[rest]
    loads += np.bincount(keys, weights=sizes[rest], minlength=loads.size).reshape(loads.shape)
    _fill_up(fold_of_unit, shuffled[sizes[shuffled] == 1], main, loads, rng)
    return np.asarray(fold_of_unit[unit])


def _place_one_by_one(
    fold_of_unit: np.ndarray, units: np.ndarray, unit: np.ndarray, strata: np.ndarray, loads: np.ndarray
) -> None:
    """Put each unit where it adds least to the squared imbalance of strata and sizes."""
    if not len(units):
        return
    index = np.full(len(fold_of_unit), -1, dtype=np.int64)
    index[units] = np.arange(len(units))
    chosen = index[unit] >= 0
    n_strata = loads.shape[1]
    counts = np.bincount(index[unit[chosen]] * n_strata + strata[chosen], minlength=len(units) * n_strata).reshape(-1, n_strata)
    totals = np.bincount(strata, minlength=n_strata)
    costs = counts / totals + counts.sum(axis=1, keepdims=True) / len(strata)
    for position, (unit_code, cost) in enumerate(zip(units, costs, strict=True)):
        fold = int(np.argmin(np.round(loads @ cost, 9)))  # rounded, so that equals are equals on every machine
        fold_of_unit[unit_code] = fold
        loads[fold] += counts[position]


def _fill_up(
    fold_of_unit: np.ndarray, singles: np.ndarray, main: np.ndarray, loads: np.ndarray, rng: np.random.Generator
) -> None:
    """Deal single rows stratum by stratum to the folds that have fewest of it, remainders to the smallest folds."""
    by_stratum = singles[np.argsort(main[singles], kind="stable")]
    folds, n_strata = loads.shape
    ends = np.cumsum(np.bincount(main[singles], minlength=n_strata))
    luck = rng.random((n_strata, folds))
    for stratum in range(n_strata):
        members = by_stratum[(ends[stratum - 1] if stratum else 0) : ends[stratum]]
        shares = _level_shares(loads[:, stratum], len(members), np.lexsort((luck[stratum], loads.sum(axis=1))))
        fold_of_unit[members] = np.repeat(np.arange(folds), shares)
        loads[:, stratum] += shares


def _level_shares(load: np.ndarray, rows: int, preference: np.ndarray) -> np.ndarray:
    """How many of `rows` each fold takes so that the lowest loads are levelled first; remainders by `preference`."""
    ascending = np.sort(load)
    room_below = ascending * np.arange(1, len(load) + 1) - np.cumsum(ascending)
    filled = int(np.searchsorted(room_below, rows, side="right"))
    level = np.floor((ascending[:filled].sum() + rows) / filled)
    shares = np.maximum(level - load, 0).astype(np.int64)
    remainder = rows - int(shares.sum())
    takers = preference[load[preference] <= level][:remainder]
    shares[takers] += 1
    return np.asarray(shares)


def forward_cuts(time: np.ndarray, cuts: int, first_share: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """(before, after) positions for each cut in time: all earlier rows, and the rows up to the next cut.

    The first cut leaves `first_share` of the rows before it; the others divide the rest evenly. Cuts lie between different
    times. Fewer come back when the times are too few.
    """
    order = np.argsort(time, kind="stable")
    sorted_time = time[order]
    boundaries = np.flatnonzero(sorted_time[1:] != sorted_time[:-1]) + 1
    if not len(boundaries):
        return []
    wanted = len(time) * (first_share + (1 - first_share) * np.arange(cuts) / cuts)
    right = np.clip(np.searchsorted(boundaries, wanted), 0, len(boundaries) - 1)
    left = np.maximum(right - 1, 0)
    is_left_nearer = wanted - boundaries[left] < np.abs(boundaries[right] - wanted)
    starts = np.unique(np.where(is_left_nearer, boundaries[left], boundaries[right]))
    ends = np.append(starts[1:], len(time))
    return [(order[:start], order[start:end]) for start, end in zip(starts, ends, strict=True)]
