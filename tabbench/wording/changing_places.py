"""The closing sentence's part on sizes: between which of them approaches change places. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tabbench.core.phrases import listed, prefixed, rounded_size
from tabbench.verdict.changing_places import Bracket, ChangeOfPlaces, OverSizes, Place, Span

MOST_CHANGES_TOLD = 1
"""More places where approaches change than this would bury the answer; the report lists all."""

WIDE = 4.0
"""A bracket whose ends differ by this factor or more says too little for a sentence."""


def size_clauses(over: OverSizes | None, named: str = "") -> list[str]:
    """Clauses on which approaches are better than the winner's family, and at which sizes, or that none is.

    What is said holds for the family's representative, which is named unless it was just `named` as the winner.
    """
    if over is None:
        return []
    than = "" if over.leader == named else over.leader
    if over.never_better:
        return [f"{listed(over.never_better)} {'is' if len(over.never_better) == 1 else 'are'} not shown to be "
                f"better{prefixed(' than ', than)} at any size from {over.smallest:,} rows up"]
    narrow = [each for each in over.changes if all(bracket.high < WIDE * bracket.low for bracket in each.brackets)]
    return [_change(each, than) for each in narrow[:MOST_CHANGES_TOLD]]


def _change(change: ChangeOfPlaces, than: str) -> str:
    if change.place is Place.MAY_BE_AS_GOOD:
        return f"{change.other} may be as good{prefixed(' as ', than)} {_ranges(change.spans)}"
    better = f"{change.other} is better{prefixed(' than ', than)}"
    if change.place is Place.BETTER:
        return f"{better} {_ranges(change.spans)}"
    once_more = f", and perhaps once more {_ranges(change.spans)}" if change.spans else ""
    if change.place is Place.ONE_BRACKET:
        return f"{better} {_around(change)}{once_more}"
    spans = [f"between {_enclosing(each)}" for each in change.brackets]
    return f"{change.leader} and {change.other} change places more than once ({listed(spans)} rows){once_more}"


def _around(change: ChangeOfPlaces) -> str:
    """The sizes at which the other approach is better, where the two change places once."""
    (bracket,) = change.brackets
    point, where = rounded_size(bracket.point), f"somewhere between {_enclosing(bracket)}"
    if math.isnan(change.shown_to):
        return f"{'below' if change.is_better_below else 'above'} about {point} rows ({where})"
    if change.is_better_below:
        return f"between {change.shown_to:,} and about {point} rows (the upper end {where})"
    return f"between about {point} and {change.shown_to:,} rows (the lower end {where})"


def _enclosing(bracket: Bracket) -> str:
    """Both ends of a bracket, rounded outwards."""
    return f"{rounded_size(bracket.low, math.floor)} and {rounded_size(bracket.high, math.ceil)}"


def _ranges(spans: Sequence[Span]) -> str:
    return listed([_range(*span) for span in spans]) + " rows"


def _range(low: float, high: float) -> str:
    if math.isnan(low):
        return f"below about {rounded_size(high)}"
    if math.isnan(high):
        return f"above about {rounded_size(low)}"
    if rounded_size(low) == rounded_size(high):
        return f"at about {rounded_size(low)}"
    return f"between about {rounded_size(low)} and {rounded_size(high)}"
