"""From losses on many tables to a decision: which approach is ahead of which on tables in general, and whether one wins.

Knows no wording and no description.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tabbench.verdict.across.losses import TIE, TableLosses
from tabbench.verdict.across.signed_ranks import holm, signed_rank_chance, signed_rank_probabilities, typical_difference
from tabbench.verdict.winners import MOST_FAILED

PAIR_COLUMNS = ("first", "second", "difference", "first_ahead", "within_margin", "chance_if_equal", "chance_all_pairs",
                "p_first_better", "p_equal", "p_second_better", "decision")

EQUAL_PROBABILITY = 0.95
"""From this posterior probability on two approaches are called practically equal, if they are so on most sources: the posterior
speaks of the middle of the tables, around which there may be many on both sides."""


@dataclass(frozen=True)
class Standpoint:
    """What counts besides the losses: the names of constant predictors, cost ranks by name, what is practically equal in units
    of each table's margin, the error rate of all pairs together, and the seed of what is drawn."""

    baselines: Collection[str] = ()
    cost_ranks: Mapping[str, int] | None = None
    margin: float = 1.0
    alpha: float = 0.05
    seed: int = 0

    def cost_rank(self, name: str) -> int:
        """The cost rank, 0 where none is known."""
        return 0 if self.cost_ranks is None else self.cost_ranks.get(name, 0)


@dataclass(frozen=True, eq=False)
class TablesOutcome:
    """The decision over tables and what it rests on.

    `decision` is winner, top_set or none; `reason` says why none: no_pair (fewer than two approaches), one_source, few_sources,
    failed, disagree (with and without the tables on which something failed), constant (nothing is shown to be better than
    the constant predictor), circle (each is worse than another). `approaches` are those not worse than any, in order of
    their mean rank, `best` the one with the lowest, `recommended` the cheapest of those as good as it.
    """

    decision: str
    reason: str = ""
    approaches: tuple[str, ...] = ()
    best: str | None = None
    recommended: str | None = None


def compare_pairs(losses: TableLosses, standpoint: Standpoint) -> pd.DataFrame:
    """Every pair of approaches over the sources, with the columns `PAIR_COLUMNS`.

    One number a source goes into the tests: the mean difference of its tables' losses, in margins. `difference` is its typical
    value, loss(first) - loss(second); `first_ahead` the number of tables on which the first has the lower loss, ties
    counting half; `within_margin` the share of sources on which the two are practically equal. `chance_if_equal` says in
    what share of such collections of tables a difference at least this consistent would be seen if the two were equal;
    `chance_all_pairs` the same, all pairs having been looked at. The probabilities are the Bayesian signed-rank test's.
    """
    names, by_source = losses.approaches, losses.by_source(losses.loss)
    rows = []
    for first, second in combinations(range(len(names)), 2):
        difference = by_source[:, first] - by_source[:, second]
        better = signed_rank_probabilities(difference, standpoint.margin, standpoint.seed)
        rows.append({
            "first": names[first], "second": names[second], "difference": typical_difference(difference),
            "first_ahead": float(np.sum(losses.ahead_by_mean[:, first, second])),
            "within_margin": float(np.mean(np.abs(difference) <= standpoint.margin + TIE)),
            "chance_if_equal": signed_rank_chance(difference),
            "p_first_better": better[0], "p_equal": better[1], "p_second_better": better[2]})
    frame = pd.DataFrame(rows, columns=list(PAIR_COLUMNS))
    frame["chance_all_pairs"] = holm(frame["chance_if_equal"].to_numpy(dtype=np.float64))
    has_enough = losses.n_sources >= fewest_sources(len(names), standpoint.alpha)
    frame["decision"] = [_decide(row, has_enough, standpoint.alpha) for row in frame.itertuples()]
    return frame


def fewest_sources(approaches: int, alpha: float) -> int:
    """Below this many sources no pair could be decided, even if one approach were ahead everywhere.

    If two are equal, one of them is ahead on all of S tables with probability 2 / 2**S; Holm multiplies that by the number
    of pairs.

    >>> fewest_sources(2, 0.05), fewest_sources(4, 0.05), fewest_sources(10, 0.05)
    (6, 8, 11)
    """
    pairs = approaches * (approaches - 1) // 2
    return math.ceil(math.log2(2 * max(pairs, 1) / alpha))


def outcome_over(losses: TableLosses, pairs: pd.DataFrame, standpoint: Standpoint) -> TablesOutcome:
    """The decision over the tables in `losses`, failed runs standing in them with the constant predictor's loss."""
    names = losses.approaches
    if len(names) < 2:
        return TablesOutcome("none", "no_pair")
    rank = dict(zip(names, -losses.by_source(losses.ahead_by_mean).mean(axis=0).sum(axis=1), strict=True))
    ranked = sorted(names, key=lambda name: (rank[name], standpoint.cost_rank(name)))
    if losses.n_sources < fewest_sources(len(names), standpoint.alpha):
        return TablesOutcome("none", "one_source" if losses.n_sources == 1 else "few_sources", best=ranked[0])
    beaten = _beaten_by(names, pairs)
    top = tuple(name for name in ranked if not beaten[name])
    if not all(beaten[name] for name in names if name in standpoint.baselines):
        return TablesOutcome("none", "constant", best=ranked[0])
    if not top:
        return TablesOutcome("none", "circle", best=ranked[0])
    is_winner = all(top[0] in beaten[name] for name in names if name != top[0])
    return TablesOutcome("winner" if is_winner else "top_set", "", top, top[0], _recommended(top, pairs, standpoint))


def settled(counted: TablesOutcome, without: TablesOutcome, losses: TableLosses) -> TablesOutcome:
    """The decision where something failed, from the one over all tables and the one without the tables on which it did.

    There is none where more than a fifth of the runs failed, or where the two differ.
    """
    if counted.reason in {"no_pair", "one_source", "few_sources"}:
        return counted
    if losses.by_source(losses.imputed).mean() > MOST_FAILED:
        return TablesOutcome("none", "failed", best=counted.best)
    if (counted.decision, set(counted.approaches)) != (without.decision, set(without.approaches)):
        return TablesOutcome("none", "disagree", best=counted.best)
    return counted


def _decide(row: Any, has_enough: bool, alpha: float) -> str:
    if row.chance_all_pairs <= alpha and row.difference != 0:
        return "first" if row.difference < 0 else "second"
    is_equal = has_enough and row.p_equal >= EQUAL_PROBABILITY and row.within_margin > 0.5
    return "equal" if is_equal else "undecided"


def _beaten_by(names: Collection[str], pairs: pd.DataFrame) -> dict[str, set[str]]:
    beaten: dict[str, set[str]] = {name: set() for name in names}
    for row in pairs.itertuples():
        if row.decision == "first":
            beaten[row.second].add(row.first)
        elif row.decision == "second":
            beaten[row.first].add(row.second)
    return beaten


def _recommended(top: tuple[str, ...], pairs: pd.DataFrame, standpoint: Standpoint) -> str:
    behind = {row.second if row.first == top[0] else row.first: abs(row.difference) for row in pairs.itertuples()
              if top[0] in (row.first, row.second)}
    near = [name for name in top if behind.get(name, 0.0) <= standpoint.margin]
    return min(near, key=standpoint.cost_rank)
