"""The closing sentence over many tables: every outcome has its own plain wording. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from tabbench.core.phrases import listed
from tabbench.verdict.across.decision import Outcome, Standpoint, fewest_sources
from tabbench.verdict.across.losses import TableLosses

RAREST_TOLD = 10_000
"""Luck that is rarer is told as this: nobody has so many collections of tables, and the model is not that exact."""


def closing_sentence(
    losses: TableLosses, pairs: pd.DataFrame, outcome: Outcome, standpoint: Standpoint, *,
    both: tuple[Outcome, Outcome], repeated: Mapping[str, int], presets: Collection[str],
) -> str:
    """One sentence for somebody who reads nothing else.

    `both` are the decisions over all tables and over those on which nothing failed, told where they differ; `repeated` counts
    how often a table was given more than once; `presets` are the amounts of work of the tables' runs.
    """
    clauses = [f"{_where(losses)}, {_disagreement(losses, *both)}" if outcome.reason == "disagree"
               else sentence_over(losses, pairs, outcome, standpoint).removesuffix(".")]
    clauses += [f"{table} was given {_times(count)} and counts once" for table, count in repeated.items()]
    if losses.absent:
        clauses.append(f"{listed(losses.absent)} {_was(losses.absent)} left out, because not every table has "
                       f"{'it' if len(losses.absent) == 1 else 'them'}")
    if losses.left_out:
        clauses.append(f"{_tables(len(losses.left_out))} {_was(losses.left_out)} left out, because not all of these approaches "
                       "were run there")
    smaller = int(np.sum(losses.size < losses.largest))
    if smaller:
        clauses.append(f"{_tables(smaller)} {'counts' if smaller == 1 else 'count'} at a smaller size than the largest, at which "
                       "not all of these approaches were run")
    if len(set(presets)) > 1:
        clauses.append(f"the runs differ in their amount of work ({listed(sorted(set(presets)))})")
    return "; ".join(clauses) + "."


def sentence_over(losses: TableLosses, pairs: pd.DataFrame, outcome: Outcome, standpoint: Standpoint) -> str:
    """The sentence of a decision over the tables in `losses` alone."""
    if outcome.reason == "no_pair":
        return f"There is no verdict over tables, because only {losses.approaches[0]} is compared."
    if outcome.reason == "one_source":
        whole = "One table says" if losses.n_tables == 1 else f"{_tables(losses.n_tables).capitalize()} from one source say"
        return f"{whole} nothing about other tables, so there is no verdict over tables."
    said = {"winner": _winner, "top_set": _top_set, "none": _no_verdict}[outcome.decision](losses, pairs, outcome, standpoint)
    return f"{_where(losses)}, {said}."


def _no_verdict(losses: TableLosses, pairs: pd.DataFrame, outcome: Outcome, standpoint: Standpoint) -> str:
    approaches, share = len(losses.approaches), float(losses.by_source(losses.imputed).mean())
    return {
        "few_sources": f"nothing can be decided between {approaches} approaches: even one that is ahead everywhere could be so "
                       f"by luck; {fewest_sources(approaches, standpoint.alpha)} tables of different sources are needed at least",
        "failed": f"there is no verdict, because {share:.0%} of the runs failed",
        "constant": "nothing is shown to be better than a constant prediction",
        "circle": "there is no order: each approach is shown to be worse than another one",
    }[outcome.reason]


def _disagreement(losses: TableLosses, counted: Outcome, without: Outcome) -> str:
    failed = losses.n_tables - losses.where(losses.is_clean).n_tables
    return (f"there is no verdict, because failed runs would decide it: counted as constant predictions, {_briefly(counted)}; "
            f"without the {_tables(failed)} on which something failed, {_briefly(without)}")


def _briefly(outcome: Outcome) -> str:
    if outcome.decision == "winner":
        return f"{outcome.approaches[0]} wins"
    if outcome.decision == "top_set":
        return f"{listed(outcome.approaches)} {'is' if len(outcome.approaches) == 1 else 'are'} not beaten"
    return "nothing is decided"


def _winner(losses: TableLosses, pairs: pd.DataFrame, outcome: Outcome, standpoint: Standpoint) -> str:
    winner = outcome.approaches[0]
    own = pairs[(pairs["first"] == winner) | (pairs["second"] == winner)]
    closest = max((row for _, row in own.iterrows()), key=lambda row: (row["chance_if_equal"], -abs(row["difference"])))
    is_first = closest["first"] == winner
    other = closest["second"] if is_first else closest["first"]
    ahead = closest["first_ahead"] if is_first else losses.n_tables - closest["first_ahead"]
    named = "a constant prediction" if other in standpoint.baselines else other
    small = ", though typically by too little to matter" if abs(closest["difference"]) <= standpoint.margin else ""
    seen = f"would be seen in {rarity(float(closest['chance_all_pairs']))} such collections of tables"
    closest_of, counted = (", the closest other,", ", all comparisons counted") if len(pairs) > 1 else ("", "")
    return (f"{winner} wins: it is ahead of {named}{closest_of} on {ahead:g} of {_tables(losses.n_tables)}{small}; if the two "
            f"were equal, a lead this consistent {seen}{counted}")


def _top_set(losses: TableLosses, pairs: pd.DataFrame, outcome: Outcome, standpoint: Standpoint) -> str:
    top = outcome.approaches
    if len(top) == 1:
        return f"{top[0]} is ahead, but it is not shown to be better than every other approach; take {top[0]}"
    among = pairs[pairs["first"].isin(top) & pairs["second"].isin(top)]
    alike = "are practically equal" if (among["decision"] == "equal").all() else "cannot be told apart"
    whose = "which has the best mean rank" if outcome.recommended == top[0] else "the simplest of those close to the best"
    return f"no single approach wins: {listed(top)} {alike}; take {outcome.recommended}, {whose}"


def rarity(chance: float) -> str:
    """A chance as one says it, rounded to the careful side.

    >>> rarity(0.0019), rarity(0.049), rarity(1e-9)
    ('at most 1 of 520', 'at most 1 of 20', 'fewer than 1 of 10,000')
    """
    if chance * RAREST_TOLD < 1:
        return f"fewer than 1 of {RAREST_TOLD:,}"
    of = 1 / chance
    digits = 10 ** max(0, math.floor(math.log10(of)) - 1)
    return f"at most 1 of {math.floor(of / digits) * digits:,}"


def _where(losses: TableLosses) -> str:
    tables, sources = losses.n_tables, losses.n_sources
    return f"Over {_tables(tables)}" + (f" from {sources} sources" if sources < tables else "")


def _tables(count: int) -> str:
    return "one table" if count == 1 else f"{count:,} tables"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _was(names: tuple[str, ...]) -> str:
    return "was" if len(names) == 1 else "were"
