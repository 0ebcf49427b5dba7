"""The closing sentence's part on sizes: between which of them approaches change places. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.core.phrases import listed, prefixed, rounded_size
from tabbench.verdict.crossover import Crossing
from tabbench.verdict.evidence import Evidence
from tabbench.verdict.winners import FIRST_BETTER, SECOND_BETTER

MOST_CROSSINGS_TOLD = 2
"""More places where approaches change than this would bury the answer; the report lists all."""


def over_sizes(evidence: Evidence, row: pd.Series, pairs: pd.DataFrame, found: Sequence[Crossing]) -> list[str]:
    """Clauses on who is better than the winner's family at which sizes, or that nobody is.

    Parameters
    ----------
    row : of `winners_frame`, at the headline size.  pairs : as in result.json.  found : crossings of the representatives.
    """
    family = evidence.families[row["best"]]
    leaders = [name for name in evidence.representatives if name == row["best"]] or [
        name for name in evidence.representatives if evidence.families[name] == family]
    if not leaders or len(evidence.sizes) < 2:
        return []
    leader = leaders[0]
    # What is said about sizes holds for the family's representative, which is named unless it is the winner just named.
    whom = "" if row["decision"] == "winner" and leader == row["best"] else leader
    places: dict[str, list[Crossing]] = {}
    for each in found:
        if leader in (each.first, each.second) and each.kind in {"bracket", "open", "several"}:
            places.setdefault(each.second if each.first == leader else each.first, []).append(each)
    if places:
        ends = evidence.sizes[0], evidence.sizes[-1]
        told = [_crossing(at, _Told(other, leader, whom, ends, _sizes_ahead(other, leader, pairs),
                                    int(row["size"]) in _sizes_ahead(leader, other, pairs)))
                for other, at in places.items()]
        return [clause for clause in told if clause][:MOST_CROSSINGS_TOLD]
    others = [name for name in evidence.representatives if name != leader]
    if row["decision"] == "winner" and others and not any(_sizes_ahead(name, leader, pairs) for name in others):
        return [f"{listed(others)} {'is' if len(others) == 1 else 'are'} not shown to be better{prefixed(' than ', whom)} "
                f"at any size from {evidence.sizes[0]:,} rows up"]
    return []


@dataclass(frozen=True)
class _Told:
    """Two approaches whose places are told: the `leader`, called `whom` if it has to be named, and the `other` one, which is
    shown to be better at the sizes `ahead`; `ends` are the smallest and largest size of all. `is_settled` says that the leader is
    shown to be better at the size that decides."""

    other: str
    leader: str
    whom: str
    ends: tuple[int, int]
    ahead: Sequence[int]
    is_settled: bool

    @property
    def better(self) -> str:
        return f"{self.other} is better{prefixed(' than ', self.whom)}"

    def first_ahead(self) -> float:
        """The size from which the other one is shown to be better, NaN if from the smallest."""
        return np.nan if not self.ahead or self.ahead[0] == self.ends[0] else self.ahead[0]

    def last_ahead(self) -> float:
        """The size up to which the other one is shown to be better, NaN if up to the largest."""
        return np.nan if not self.ahead or self.ahead[-1] == self.ends[1] else self.ahead[-1]


def _crossing(places: Sequence[Crossing], told: _Told) -> str:
    """Where two approaches change places, or may; `places` are those of the two, ascending."""
    # What reaches the smallest or the largest size is open there, whatever the means say.
    unproven = [(np.nan if each.low == told.ends[0] else each.low, np.nan if each.high == told.ends[1] else each.high)
                for each in places if each.kind == "open"]
    brackets = [each for each in places if each.kind != "open"]
    # At the size that decides intervals are narrower, and have the last word.
    doubtful = [(low, high) for low, high in unproven if high < told.ends[1]] if told.is_settled else unproven
    if brackets:
        return _bracketed(brackets, told) + (f", and perhaps once more {_ranges(doubtful)}" if doubtful else "")
    shown = places[0].ahead_above if np.isnan(places[0].low) else places[0].ahead_below
    if shown == told.leader:
        return f"{told.other} may be as good{prefixed(' as ', told.whom)} {_ranges(doubtful)}" if doubtful else ""
    sure = _beyond(unproven, told.first_ahead(), told.last_ahead())
    return f"{told.better} {_ranges(sure)}"


def _bracketed(brackets: Sequence[Crossing], told: _Told) -> str:
    if len(brackets) > 1:
        spans = [f"between {' and '.join(_enclosing(each))}" for each in brackets]
        return f"{told.leader} and {told.other} change places more than once ({listed(spans)} rows)"
    (place,) = brackets
    point, where = rounded_size(place.point), f"somewhere between {' and '.join(_enclosing(place))}"
    if place.ahead_below == told.other:
        if np.isnan(told.first_ahead()):
            return f"{told.better} below about {point} rows ({where})"
        return f"{told.better} between {told.first_ahead():,} and about {point} rows (the upper end {where})"
    if np.isnan(told.last_ahead()):
        return f"{told.better} above about {point} rows ({where})"
    return f"{told.better} between about {point} and {told.last_ahead():,} rows (the lower end {where})"


def _enclosing(place: Crossing) -> tuple[str, str]:
    """Both ends of a bracket, rounded outwards."""
    return rounded_size(place.low, math.floor), rounded_size(place.high, math.ceil)


def _sizes_ahead(name: str, other: str, pairs: pd.DataFrame) -> list[int]:
    """The sizes at which an approach is shown to be better than another, ascending."""
    is_ahead = (pairs["first"].eq(name) & pairs["second"].eq(other) & pairs["decision"].isin(FIRST_BETTER)
                | pairs["second"].eq(name) & pairs["first"].eq(other) & pairs["decision"].isin(SECOND_BETTER))
    return sorted(pairs.loc[is_ahead, "size"].tolist())


def _beyond(spans: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """What ascending spans of sizes leave between `first` and `last`; NaN is an end that is open."""
    edges = [first, *(edge for span in spans for edge in span), last]
    left = zip(edges[::2], edges[1::2], strict=True)
    is_open = [np.isnan(spans[0][0]), *[False] * (len(spans) - 1), np.isnan(spans[-1][1])]
    return [span for span, is_gone in zip(left, is_open, strict=True) if not is_gone]


def _ranges(spans: Sequence[tuple[float, float]]) -> str:
    """Spans of sizes as one says them; NaN is an end that is open."""
    return listed([_range(*span) for span in spans]) + " rows"


def _range(low: float, high: float) -> str:
    if np.isnan(low):
        return f"below about {rounded_size(high)}"
    if np.isnan(high):
        return f"above about {rounded_size(low)}"
    if rounded_size(low) == rounded_size(high):
        return f"at about {rounded_size(low)}"
    return f"between about {rounded_size(low)} and {rounded_size(high)}"
