"""The best under a budget: of seconds to train, microseconds to predict or memory; and over sizes and budgets at once.

Reads decisions and costs as they are stored. What comes out depends on the clocks of the machine that ran it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.clocks import ALIKE, LEAST
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.winners import BASELINE, MOST_FAILED, failed_share, winner_row

COSTS = ("fit_seconds", "predict_us_per_row", "peak_mb")
"""The costs that are limited."""
BUDGETS = (1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 36_000.0, 86_400.0)
"""Round numbers of seconds to train, about three a decade."""
MOST_BUDGETS = 7
"""Columns of the map that a page has room for."""


class UnderLimit(Enum):
    """What can be recommended under a limit on a cost."""

    TAKEN = auto()  # an approach is recommended
    NOTHING_LEFT = auto()  # nothing is that cheap
    FAMILY_LACKING = auto()  # an approach is ahead, but not recommended over families that were not run
    NOTHING_BETTER = auto()  # nothing that is left is shown to be better than a constant prediction


def cost_limits(evidence: LossEvidence, pairs: pd.DataFrame, costs: pd.DataFrame, size: int, lacking: Collection[str] = ()
                ) -> pd.DataFrame:
    """The recommended approach at `size` as a limit on one of the costs shrinks: one row for each limit at which that changes.

    The constant predictor is what everything must beat and always allowed. `below` is the limit under which the row holds,
    `down_to` the one down to which it does, NaN where no approach is left, `outcome` is an `UnderLimit`; the other columns are
    those of result.json. Decisions are those of `pairs`, whose intervals hold for any part of the approaches, too.

    Parameters
    ----------
    pairs : DataFrame
        Every pair at `size`, as in result.json.
    costs : DataFrame
        Approach, size and the columns in `COSTS`.
    lacking : Collection[str]
        Families that were not run at `size`, as in `winner_row`. What is not recommended without a limit is not
        recommended under one either.
    """
    here = costs[costs["size"] == size].set_index("approach")
    rows = [row for cost in COSTS for row in _shrinking(evidence, pairs, here[cost].astype("float64"), size, lacking)]
    return pd.DataFrame(rows, columns=[*(name for name in COLUMNS["cost_limits"] if name != "sentence"), "outcome"], dtype=object)


def winner_map(evidence: LossEvidence, pairs: pd.DataFrame, costs: pd.DataFrame,
               lacking: Mapping[int, Collection[str]] | None = None) -> pd.DataFrame:
    """The recommended approach for so many rows and so many seconds of one fit, from what was run.

    Where fewer rows do as well within the margin, or only fewer can be afforded, `trained_on` says how many; sizes are chosen by
    their mean scores alone, within a size `decision` says how sure the choice is among what can be afforded there. Budgets
    that are too small for anything have None as approach, and so has what cannot be recommended for families that are `lacking`.
    """
    absent = lacking or {}
    seconds = _seconds(evidence, costs)
    budgets = budget_grid([value for (name, _), value in seconds.items() if evidence.families[name] != BASELINE])
    rows: list[dict[str, Any]] = []
    known: dict[tuple[int, tuple[str, ...]], _Choice | None] = {}
    for budget in budgets:
        choices: list[_Choice] = []
        for size in evidence.sizes:
            kept = tuple(name for name in evidence.present(size) if seconds.get((name, size), np.inf) <= budget)
            if (size, kept) not in known:
                known[size, kept] = _choice(evidence, pairs, kept, size, absent.get(size, ()))
            choice = known[size, kept]
            choices += [] if choice is None else [choice]
            rows.append({"size": size, "budget_seconds": budget, **_cell(choices, evidence.margin)})
    return pd.DataFrame(rows, columns=list(COLUMNS["winner_map"]), dtype=object)


def budget_grid(seconds: Collection[float]) -> list[float]:
    """The `BUDGETS` from the first that allows something to the first that allows everything, thinned to at most seven.

    >>> budget_grid([0.2, 0.9, 7.0])
    [1.0, 3.0, 10.0]
    """
    if not seconds:
        return []
    first, last = (min(bisect_left(BUDGETS, each), len(BUDGETS) - 1) for each in (min(seconds), max(seconds)))
    wanted = list(BUDGETS[first : last + 1])
    while len(wanted) > MOST_BUDGETS:
        wanted = wanted[::-2][::-1]  # the largest stays
    return wanted


@dataclass(frozen=True)
class _Choice:
    name: str
    size: int
    mean: float
    decision: str
    approaches: list[str]


def _choice(evidence: LossEvidence, pairs: pd.DataFrame, kept: Collection[str], size: int, lacking: Collection[str]
            ) -> _Choice | None:
    row = _winner_among(evidence, pairs, kept, size, lacking)
    if row["recommended"] is None:
        return None
    name = row["recommended"]
    return _Choice(name, size, evidence.mean(name, size), row["decision"], row["approaches"])


def _cell(choices: list[_Choice], margin: float) -> dict[str, Any]:
    """The largest size whose choice is within the margin of the best one: more rows are used unless they hurt."""
    if not choices:
        return {"approach": None, "trained_on": None, "decision": "none", "approaches": []}
    lowest = min(each.mean for each in choices)
    taken = [each for each in choices if each.mean - lowest <= margin][-1]
    return {"approach": taken.name, "trained_on": taken.size, "decision": taken.decision, "approaches": taken.approaches}


def _winner_among(evidence: LossEvidence, pairs: pd.DataFrame, kept: Collection[str], size: int, lacking: Collection[str]
                  ) -> Mapping[str, Any]:
    """The row of `winners` if only these approaches and the constant predictor had been run at `size`."""
    names = [name for name in evidence.present(size) if name in kept or evidence.families[name] == BASELINE]
    if not names:
        return {"decision": "none", "approaches": [], "best": None, "recommended": None}
    # Failures rule out a verdict where they are many of all that was run, not of the few that are cheap.
    is_ruled_out = failed_share(evidence, size) > MOST_FAILED
    imputed = {cell: each if is_ruled_out else np.zeros_like(each) for cell, each in evidence.imputed.items()}
    reduced = replace(evidence, approaches=tuple(names), sizes=(size,), imputed=imputed)
    # An array, since an empty list would choose no column instead of no row.
    is_among = np.array([at == size and first in names and second in names
                         for at, first, second in zip(pairs["size"], pairs["first"], pairs["second"], strict=True)], dtype=bool)
    return winner_row(reduced, size, pairs[is_among], lacking)


def _shrinking(evidence: LossEvidence, pairs: pd.DataFrame, cost: pd.Series, size: int, lacking: Collection[str]
               ) -> list[dict[str, Any]]:
    known = {name: float(cost[name]) for name in evidence.present(size)
             if evidence.families[name] != BASELINE and np.isfinite(cost.get(name, np.nan))}
    taken = _winner_among(evidence, pairs, list(known), size, lacking)["recommended"]
    if taken is None:
        return []
    rows: list[dict[str, Any]] = []
    for limit, left in _steps(known):
        if limit < LEAST[str(cost.name)]:
            break
        if taken in left:
            continue  # what is dearer is no reason to leave it
        row = _winner_among(evidence, pairs, left, size, lacking)
        if row["recommended"] != taken:
            rows.append({"cost": cost.name, "below": limit, "down_to": np.nan, "size": size, "decision": row["decision"],
                         "approaches": row["approaches"], "recommended": row["recommended"],
                         "outcome": _under_limit(row, left)})
            taken = row["recommended"]
    for row, following in pairwise(rows):
        row["down_to"] = following["below"]
    return rows


def _steps(known: Mapping[str, float]) -> list[tuple[float, dict[str, float]]]:
    """(limit, what is cheaper) for each cost from the largest down; costs that are alike go together, at the least of them."""
    left, steps = dict(known), []
    while left:
        dearest = max(left.values())
        alike = {name: value for name, value in left.items() if value * ALIKE >= dearest}
        left = {name: value for name, value in left.items() if name not in alike}
        steps.append((min(alike.values()), left))
    return steps


def _under_limit(row: Mapping[str, Any], left: Collection[str]) -> UnderLimit:
    if row["recommended"] is not None:
        return UnderLimit.TAKEN
    if not left:
        return UnderLimit.NOTHING_LEFT
    return UnderLimit.NOTHING_BETTER if row["decision"] == "none" else UnderLimit.FAMILY_LACKING


def _seconds(evidence: LossEvidence, costs: pd.DataFrame) -> dict[tuple[str, int], float]:
    known = costs[costs["fit_seconds"].notna() & costs["approach"].isin(evidence.approaches)]
    return {(row.approach, row.size): float(row.fit_seconds) for row in known.itertuples()}
