"""How a time limit is shared among tables. Knows seconds; no table and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """Expected seconds of a table: with the least in which every family has its place, and with all that is wished for."""

    least: float
    most: float

    def times(self, share: float) -> Need:
        """What is needed for a share of it."""
        return Need(share * self.least, share * self.most)


def share_out(seconds: float, needs: Mapping[str, Need]) -> dict[str, float]:
    """Seconds of each table; tables for which there is no time at all are absent, the most expensive first.

    What a second more is worth falls as the seconds that a table has: the same relative gain of effort or splits costs twice as
    much where twice as much was done. So every table gets the same time, but none less than it needs at least, nor, as long as
    another one lacks something, more than it can use.

    >>> share_out(60, {"a": Need(1, 5), "b": Need(2, 100), "c": Need(30, 200)})
    {'a': 5, 'b': 25.0, 'c': 30}
    >>> share_out(10, {"a": Need(1, 5), "c": Need(30, 200)})
    {'a': 10.0}
    """
    fitting = dict(sorted(needs.items(), key=lambda item: item[1].least))
    while fitting and sum(need.least for need in fitting.values()) > seconds:
        fitting.popitem()
    left = seconds - sum(need.most for need in fitting.values())
    if left >= 0:
        return {name: need.most + left / len(fitting) for name, need in fitting.items()}
    low, high = 0.0, max((need.most for need in fitting.values()), default=0.0)
    for _ in range(60):
        level = (low + high) / 2
        low, high = (level, high) if sum(_at(level, need) for need in fitting.values()) <= seconds else (low, level)
    return {name: round(_at(low, need), 6) for name, need in fitting.items()}


def _at(level: float, need: Need) -> float:
    return max(need.least, min(level, need.most))
