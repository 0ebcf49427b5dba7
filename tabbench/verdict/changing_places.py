"""Between which sizes approaches change places: what is shown about the winner's family and every other, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import pandas as pd

from tabbench.verdict.crossover import Crossing
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.winners import FIRST_BETTER, SECOND_BETTER

Span = tuple[float, float]
"""From one size to another; NaN is an end that is open."""


class Place(Enum):
    """How two approaches stand over the sizes."""

    ONE_BRACKET = auto()  # they change places once
    SEVERAL_BRACKETS = auto()
    BETTER = auto()  # the other one is shown to be better at some sizes, without a bracket
    MAY_BE_AS_GOOD = auto()  # the leader is shown to be better, but not at all sizes


@dataclass(frozen=True)
class Bracket:
    """Between `low` and `high` two approaches change places, by their means at `point`."""

    low: float
    high: float
    point: float


@dataclass(frozen=True)
class ChangeOfPlaces:
    """Where the `other` approach is better than the `leader`, or may be.

    Parameters
    ----------
    spans : tuple[Span, ...]
        The sizes at which it is (`BETTER`) or may be (`MAY_BE_AS_GOOD`), or, beside brackets, may be once more.
    brackets : tuple[Bracket, ...]
        Where the two change places, ascending.
    is_better_below : bool, default False
        Of one bracket, whether the other is better below it or above.
    shown_to : float
        Of one bracket, how far away from it the other is shown to be better; NaN up to the smallest or largest size.
    """

    other: str
    leader: str
    place: Place
    spans: tuple[Span, ...] = ()
    brackets: tuple[Bracket, ...] = ()
    is_better_below: bool = False
    shown_to: float = np.nan


@dataclass(frozen=True)
class OverSizes:
    """What the sizes say of the `leader`, which represents the winner's family.

    `never_better` are the others if none of them is shown to be better at any size from `smallest` up; empty where that does not
    arise, as with any change of places or without a winner.
    """

    leader: str
    smallest: int
    changes: tuple[ChangeOfPlaces, ...] = ()
    never_better: tuple[str, ...] = ()


def over_sizes(evidence: LossEvidence, row: pd.Series, pairs: pd.DataFrame, found: Sequence[Crossing]) -> OverSizes | None:
    """Which approaches are better than the winner's family at which sizes; None if only one size, or none of it, was run.

    Parameters
    ----------
    row : Series
        Of `winners_frame`, at the headline size.
    pairs : DataFrame
        As in result.json.
    found : Sequence[Crossing]
        Crossings of the representatives.
    """
    leader = _leader(evidence, row["best"])
    if leader is None or len(evidence.sizes) < 2:
        return None
    smallest, places = evidence.sizes[0], _places_of(leader, found)
    if places:
        told = [_change(at, _Pair.of(evidence, pairs, other, leader, int(row["size"]))) for other, at in places.items()]
        return OverSizes(leader, smallest, tuple(each for each in told if each is not None))
    others = tuple(name for name in evidence.representatives if name != leader)
    is_unbeaten = row["decision"] == "winner" and not any(_sizes_ahead(name, leader, pairs) for name in others)
    return OverSizes(leader, smallest, never_better=others if is_unbeaten else ())


def _leader(evidence: LossEvidence, best: str) -> str | None:
    """The best approach if it is a representative, else its family's."""
    if best in evidence.representatives:
        return best
    own = [name for name in evidence.representatives if evidence.families[name] == evidence.families[best]]
    return own[0] if own else None


def _places_of(leader: str, found: Sequence[Crossing]) -> dict[str, list[Crossing]]:
    """For each other approach the places where it and the leader change places, or may."""
    places: dict[str, list[Crossing]] = {}
    for each in found:
        if leader in (each.first, each.second) and each.kind in {"bracket", "open", "several"}:
            places.setdefault(each.second if each.first == leader else each.first, []).append(each)
    return places


@dataclass(frozen=True)
class _Pair:
    """The `leader` and the `other` one, which is shown to be better at the sizes `ahead`; `ends` are the smallest and largest
    size of all. `is_settled` says that the leader is shown to be better at the size that decides."""

    other: str
    leader: str
    ends: tuple[int, int]
    ahead: Sequence[int]
    is_settled: bool

    @classmethod
    def of(cls, evidence: LossEvidence, pairs: pd.DataFrame, other: str, leader: str, headline: int) -> _Pair:
        """From the decisions at all sizes."""
        return cls(other, leader, (evidence.sizes[0], evidence.sizes[-1]), _sizes_ahead(other, leader, pairs),
                   headline in _sizes_ahead(leader, other, pairs))

    def first_ahead(self) -> float:
        """The size from which the other one is shown to be better, NaN if from the smallest."""
        return np.nan if not self.ahead or self.ahead[0] == self.ends[0] else self.ahead[0]

    def last_ahead(self) -> float:
        """The size up to which the other one is shown to be better, NaN if up to the largest."""
        return np.nan if not self.ahead or self.ahead[-1] == self.ends[1] else self.ahead[-1]


def _change(places: Sequence[Crossing], pair: _Pair) -> ChangeOfPlaces | None:
    """Where two approaches change places, or may, from their `places`, ascending; None where nothing is left to doubt."""
    # What reaches the smallest or the largest size is open there, whatever the means say.
    unproven = [(np.nan if each.low == pair.ends[0] else each.low, np.nan if each.high == pair.ends[1] else each.high)
                for each in places if each.kind == "open"]
    brackets = [each for each in places if each.kind != "open"]
    # At the size that decides intervals are narrower, and have the last word.
    doubtful = [(low, high) for low, high in unproven if high < pair.ends[1]] if pair.is_settled else unproven
    if brackets:
        return _bracketed(brackets, doubtful, pair)
    shown = places[0].ahead_above if np.isnan(places[0].low) else places[0].ahead_below
    if shown != pair.leader:
        sure = _beyond(unproven, pair.first_ahead(), pair.last_ahead())
        return ChangeOfPlaces(pair.other, pair.leader, Place.BETTER, tuple(sure))
    return ChangeOfPlaces(pair.other, pair.leader, Place.MAY_BE_AS_GOOD, tuple(doubtful)) if doubtful else None


def _bracketed(found: Sequence[Crossing], doubtful: Sequence[Span], pair: _Pair) -> ChangeOfPlaces:
    is_below = found[0].ahead_below == pair.other
    return ChangeOfPlaces(
        pair.other, pair.leader, Place.ONE_BRACKET if len(found) == 1 else Place.SEVERAL_BRACKETS, tuple(doubtful),
        tuple(Bracket(each.low, each.high, each.point) for each in found), is_better_below=is_below,
        shown_to=pair.first_ahead() if is_below else pair.last_ahead())


def _sizes_ahead(name: str, other: str, pairs: pd.DataFrame) -> list[int]:
    """The sizes at which an approach is shown to be better than another, ascending."""
    is_ahead = (pairs["first"].eq(name) & pairs["second"].eq(other) & pairs["decision"].isin(FIRST_BETTER)
                | pairs["second"].eq(name) & pairs["first"].eq(other) & pairs["decision"].isin(SECOND_BETTER))
    return sorted(pairs.loc[is_ahead, "size"].tolist())


def _beyond(spans: Sequence[Span], first: float, last: float) -> list[Span]:
    """What ascending spans of sizes leave between `first` and `last`; NaN is an end that is open."""
    edges = [first, *(edge for span in spans for edge in span), last]
    left = zip(edges[::2], edges[1::2], strict=True)
    is_open = [np.isnan(spans[0][0]), *[False] * (len(spans) - 1), np.isnan(spans[-1][1])]
    return [span for span, is_gone in zip(left, is_open, strict=True) if not is_gone]
