"""Crossings of two families on many tables: which is ahead at which sizes of each table, and on how many tables at each size.

Works on the rows that each comparison has of its families' crossings; knows neither losses nor intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.suite_result import SUITE_COLUMNS

STEPS = (("linear", "trees"), ("trees", "net"))
"""From which family to which the lead may go as rows are added: the steps that are followed."""

_COLUMNS = list(SUITE_COLUMNS["crossovers"])
_STATES = {"": "undecided", "f": "behind", "s": "ahead", "fs": "crossed", "sf": "back"}
"""Which family is ahead from the smallest size on, where anything is shown (first or second): the step's state."""


def crossing_rows(table: str, crossovers: pd.DataFrame, sizes: tuple[int, int], step: tuple[str, str]) -> pd.DataFrame:
    """One step on one table, a row for each range of sizes in which one of the families, or none, is shown to be ahead.

    The step's `state` says what is shown as rows are added: the second family overtakes ("crossed"), is "ahead" or "behind"
    wherever anything is shown, falls "back", changes places more than once ("several"), or nothing is shown ("undecided"). A step
    of which a family was not run is one row without sizes ("not run").

    Parameters
    ----------
    crossovers : DataFrame
        `family_crossovers` of the table's result.
    sizes : tuple[int, int]
        The smallest and the largest size that were judged.
    """
    found = crossovers[[{row.first, row.second} == set(step) for row in crossovers.itertuples()]]
    if found.empty:
        return pd.DataFrame([(table, *step, "not run", np.nan, np.nan, None, np.nan)], columns=_COLUMNS)
    ranges = _ranges(found.to_dict("records"), *sizes)
    leads = "".join("f" if each == step[0] else "s" for each, _ in groupby(ahead for _, _, ahead, _ in ranges if ahead))
    return pd.DataFrame([(table, *step, _STATES.get(leads, "several"), *each) for each in ranges], columns=_COLUMNS)


def crossed_by_size(crossings: pd.DataFrame, steps: Sequence[tuple[str, str]] = STEPS) -> pd.DataFrame:
    """On how many tables the second family is shown to be ahead at each size, shown to be behind, or neither.

    A table counts at the sizes between its smallest and its largest. The sizes are those at which anything changes.

    Parameters
    ----------
    crossings : DataFrame
        Rows of `crossing_rows` of all tables.
    """
    rows = []
    for first, second in steps:
        own = crossings[(crossings["from_family"] == first) & (crossings["to_family"] == second)
                        & (crossings["state"] != "not run")]
        for size in sorted(set(own["from_size"]) | set(own["to_size"])):
            there = own[(own["from_size"] <= size) & (own["to_size"] >= size)]
            # Where one range ends and another begins, what is shown counts.
            ahead = there.groupby("table")["ahead"].max()
            counts = [int(np.sum(ahead == each)) for each in (second, first, "")]
            rows.append((first, second, int(size), len(ahead), *counts))
    return pd.DataFrame(rows, columns=list(SUITE_COLUMNS["crossed"]))


def _ranges(places: list[dict[Any, Any]], smallest: int, largest: int) -> list[tuple[float, float, str, float]]:
    """(from size, to size, the family shown to be ahead or "", where the means cross) from the smallest size to the largest.

    Between two places, and beyond the first and last, one family is shown to be ahead; a place without an end reaches as far as
    the sizes do.
    """
    if places[0]["kind"] in ("none", "undecided"):
        return [(smallest, largest, places[0]["ahead_above"], np.nan)]
    found: list[tuple[float, float, str, float]] = []
    reached: float = smallest
    ordered = sorted(places, key=lambda place: smallest if np.isnan(place["low"]) else place["low"])
    for place in ordered:
        low, high = (end if np.isnan(value) else value for value, end in ((place["low"], smallest), (place["high"], largest)))
        if low > reached:
            found.append((reached, low, place["ahead_below"], np.nan))
        found.append((low, high, "", place["point"]))
        reached = high
    if reached < largest:
        found.append((reached, largest, ordered[-1]["ahead_above"], np.nan))
    return found
