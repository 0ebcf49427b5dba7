"""At which sizes one approach overtakes another: a set of sizes, never a bare number.

Works on bands over sizes; knows neither losses nor how the bands came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.clocks import ALIKE, LEAST


@dataclass(frozen=True, eq=False)
class Band:
    """loss(first) - loss(second) with its simultaneous interval at each of the ascending sizes."""

    first: str
    second: str
    sizes: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Crossing:
    """One place where two approaches change places, or the statement that there is none.

    `kind` is as in result.json: bracket (both sides are shown), several (a row for each of many brackets), open (one side is
    shown, but not beyond `low`, below `high`, or between the two, where they may change places; by their means they do if there
    is a `point`), none (one side is shown throughout), undecided (nothing is shown at any size). `ahead_below` and `ahead_above`
    name the approach that is shown, or for an open end may be, ahead on each side; between two open ends and without a crossing
    both name the one that is ahead. A row without a place has NaN for all three numbers, a place between two open ends has no
    `point`.
    """

    first: str
    second: str
    kind: str
    low: float = np.nan
    high: float = np.nan
    point: float = np.nan
    ahead_below: str = ""
    ahead_above: str = ""


def crossings(band: Band, alone: Band | None = None) -> list[Crossing]:
    """Where the two of `band` change places, linear in the logarithm of the size between the sizes that were run.

    Which approach is shown to be ahead is read from the band, which holds at all sizes together; the places that it leaves
    enclose every crossing with its level; curves need not be monotone.

    Parameters
    ----------
    alone : Band | None, default None
        The same differences with the interval of each size by itself. A single place is one claim, not as many as there are
        sizes: its ends are read from these, as the sizes at which a test of that size alone would not tell the two apart.
    """
    found = _places(band, band)
    if alone is not None and len(found) == 1:
        found = _places(band, alone)
    if found:
        return found
    shown = _shown(band)
    if not shown.any():
        return [Crossing(band.first, band.second, "undecided")]
    ahead = band.first if shown.min() < 0 else band.second
    return [Crossing(band.first, band.second, "none", ahead_below=ahead, ahead_above=ahead)]


def _places(band: Band, ends: Band) -> list[Crossing]:
    """The rows with a place, ascending: which approach is ahead is read from `band`, where that ends from `ends`."""
    shown = _shown(band)
    at = [int(place) for place in np.flatnonzero(shown)]
    if not at:
        return []
    between = [(left, right, int(shown[left])) for left, right in pairwise(at)]
    several = sum(shown[left] != shown[right] for left, right, _ in between) > 1
    rows = _open_below(ends, at[0], int(shown[at[0]]))
    for left, right, side in between:
        if shown[right] != side:
            rows.append(_bracket(ends, "several" if several else "bracket", left, right, side))
        else:
            rows += _open_between(ends, left, right, side)
    return rows + _open_above(ends, at[-1], int(shown[at[-1]]))


def _shown(band: Band) -> np.ndarray:
    """At each size -1 if the first is shown to be better, 1 if the second is, else 0."""
    return np.where(band.high < 0, -1, np.where(band.low > 0, 1, 0))


def crossing_frame(found: Sequence[Crossing], name: str = "crossovers") -> pd.DataFrame:
    """The columns of result.json's `name`, whole sizes as floats with NaN for null."""
    columns = COLUMNS[name]
    frame = pd.DataFrame([[getattr(each, column) for column in columns] for each in found], columns=list(columns))
    return frame.astype(dict.fromkeys(columns, object) | dict.fromkeys(columns[3:6], "float64"))


def cost_crossovers(costs: pd.DataFrame, representatives: Sequence[str]) -> pd.DataFrame:
    """Sizes at which one of two representatives becomes the quicker one to fit.

    `costs` has approach, size and fit_seconds. Seconds are interpolated in log-log between the sizes that were run: `point` is
    the crossing, `low` and `high` the sizes around it at which the clock can tell which one is quicker (`clocks`). Clocks carry
    no interval, so these are descriptions: kind is bracket, several, none, or undecided where fewer than two sizes are known
    for both.
    """
    timed = costs[costs["fit_seconds"].astype("float64") > 0]
    seconds = {name: part.set_index("size")["fit_seconds"].astype("float64") for name, part in timed.groupby("approach")}
    found: list[Crossing] = []
    for position, first in enumerate(representatives):
        for second in representatives[position + 1 :]:
            if first in seconds and second in seconds:
                found.extend(_cost_crossings(first, second, seconds[first], seconds[second]))
    return crossing_frame(found)


def _bracket(band: Band, kind: str, left: int, right: int, side: int) -> Crossing:
    low = _first_zero(band.sizes[left:], _nearer(band, side)[left:])
    high = _last_zero(band.sizes[: right + 1], _nearer(band, -side)[: right + 1])
    changes = zeros(band.sizes[left : right + 1], band.difference[left : right + 1])
    return Crossing(band.first, band.second, kind, np.floor(low), np.ceil(high), _middle(changes), *_ahead(band, side))


def _open_below(band: Band, place: int, side: int) -> list[Crossing]:
    until = slice(0, place + 1)
    changes, edges = zeros(band.sizes[until], band.difference[until]), zeros(band.sizes[until], _nearer(band, side)[until])
    if not edges:
        return []
    shown, other = _ahead(band, side)
    high = np.ceil(edges[-1])
    if len(changes) % 2 == 0:  # by its mean the shown one is ahead at the smallest size, too
        low = float(band.sizes[0])
        return [Crossing(band.first, band.second, "open", low, high, ahead_below=shown, ahead_above=shown)]
    return [Crossing(band.first, band.second, "open", high=high, point=_middle(changes), ahead_below=other, ahead_above=shown)]


def _open_between(band: Band, left: int, right: int, side: int) -> list[Crossing]:
    within = slice(left, right + 1)
    if not zeros(band.sizes[within], band.difference[within]):
        return []
    shown, bound = _ahead(band, side)[0], _nearer(band, side)[within]
    low, high = np.floor(_first_zero(band.sizes[within], bound)), np.ceil(_last_zero(band.sizes[within], bound))
    return [Crossing(band.first, band.second, "open", low=low, high=high, ahead_below=shown, ahead_above=shown)]


def _open_above(band: Band, place: int, side: int) -> list[Crossing]:
    changes, edges = zeros(band.sizes[place:], band.difference[place:]), zeros(band.sizes[place:], _nearer(band, side)[place:])
    if not edges:
        return []
    shown, other = _ahead(band, side)
    low = np.floor(edges[0])
    if len(changes) % 2 == 0:  # by its mean the shown one is ahead at the largest size, too
        high = float(band.sizes[-1])
        return [Crossing(band.first, band.second, "open", low, high, ahead_below=shown, ahead_above=shown)]
    return [Crossing(band.first, band.second, "open", low=low, point=_middle(changes), ahead_below=shown, ahead_above=other)]


def _ahead(band: Band, side: int) -> tuple[str, str]:
    """The approach that is shown to be ahead, and the other one."""
    return (band.first, band.second) if side < 0 else (band.second, band.first)


def _nearer(band: Band, side: int) -> np.ndarray:
    """The bounds that reach 0 first where the difference is shown to lie on `side`."""
    return band.high if side < 0 else band.low


def _cost_crossings(first: str, second: str, of_first: pd.Series, of_second: pd.Series) -> list[Crossing]:
    sizes = np.array(sorted(set(of_first.index) & set(of_second.index)), dtype=np.float64)
    if len(sizes) < 2:
        return [Crossing(first, second, "undecided")]
    seconds = np.array([of_first.loc[sizes], of_second.loc[sizes]])
    difference, found = np.log(seconds[0] / seconds[1]), []
    is_told = (np.abs(difference) >= np.log(ALIKE)) & (seconds.max(axis=0) >= LEAST["fit_seconds"])
    for left, right in pairwise(np.flatnonzero(is_told)):
        if (difference[left] < 0) != (difference[right] < 0):
            changes = zeros(sizes[left : right + 1], difference[left : right + 1])
            quicker = (first, second) if difference[left] < 0 else (second, first)
            found.append((sizes[left], sizes[right], np.round(changes[len(changes) // 2]), *quicker))
    if not found:
        return [Crossing(first, second, "none")]
    return [Crossing(first, second, "bracket" if len(found) == 1 else "several", *each) for each in found]


def zeros(sizes: np.ndarray, values: np.ndarray) -> list[float]:
    """Sizes at which the polyline through (log size, value) changes its sign, ascending."""
    place = np.log(sizes.astype(np.float64))
    nonzero = np.flatnonzero(values)
    found = []
    for last, each in pairwise(nonzero):
        if (values[last] < 0) == (values[each] < 0):
            continue  # touching zero is not crossing
        if each > last + 1:
            found.append(float(sizes[(last + each) // 2]))
            continue
        share = abs(values[last]) / (abs(values[last]) + abs(values[each]))
        size = np.exp(place[last] + share * (place[each] - place[last]))
        found.append(float(np.clip(size, sizes[last], sizes[each])))
    return found


def _first_zero(sizes: np.ndarray, values: np.ndarray) -> float:
    return zeros(sizes, values)[0]


def _last_zero(sizes: np.ndarray, values: np.ndarray) -> float:
    return zeros(sizes, values)[-1]


def _middle(zeros: list[float]) -> float:
    return float(np.round(zeros[len(zeros) // 2]))
