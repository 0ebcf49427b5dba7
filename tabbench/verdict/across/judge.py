"""All that can be decided and described over many tables at once, from their losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.verdict.across.answer import TablesAnswer
from tabbench.verdict.across.decision import Standpoint, TablesOutcome, compare_pairs, outcome_over, settled
from tabbench.verdict.across.descriptions import elo_ratings, improvabilities, mean_ranks, win_rates
from tabbench.verdict.across.losses import TableLosses


@dataclass(frozen=True, eq=False)
class Overview:
    """The frames as `mean_ranks`, `compare_pairs`, `elo_ratings`, `improvabilities` and `win_rates` describe them.

    Parameters
    ----------
    answer : TablesAnswer
        The decision.
    counted : TablesOutcome
        The same with failed runs counted as constant predictions, whatever they decide.
    without_failures : TablesAnswer | None
        The answer without the tables on which something failed, of no table where that is all of them; None where nothing did.
    absent : tuple[str, ...]
        Approaches that some table lacks.
    left_out : tuple[str, ...]
        Tables that lack an approach.
    smaller : int
        The number of tables that count at a smaller size than their largest.
    """

    answer: TablesAnswer
    counted: TablesOutcome
    without_failures: TablesAnswer | None
    absent: tuple[str, ...]
    left_out: tuple[str, ...]
    smaller: int
    ranks: pd.DataFrame
    pairs: pd.DataFrame
    elo: pd.DataFrame
    improvability: pd.DataFrame
    win_rates: pd.DataFrame


def judge_tables(losses: TableLosses, standpoint: Standpoint) -> Overview:
    """Decide over the tables, each at its largest size; `losses` may hold smaller sizes for the win rates by size."""
    largest, seed = losses.at_largest_size(), standpoint.seed
    pairs = compare_pairs(largest, standpoint)
    counted = outcome_over(largest, pairs, standpoint)
    without = None if largest.is_clean.all() else _without_failures(largest, standpoint)
    outcome = counted if without is None else settled(counted, without.outcome, largest)
    return Overview(
        TablesAnswer.of(outcome, largest, pairs, standpoint), counted, without, largest.absent, largest.left_out,
        int(np.sum(largest.size < largest.largest)), _ranks(largest, seed), pairs,
        elo_ratings(largest, seed).sort_values("elo", ascending=False, kind="stable", ignore_index=True),
        improvabilities(largest, seed), win_rates(losses, seed))


def _without_failures(losses: TableLosses, standpoint: Standpoint) -> TablesAnswer:
    clean = losses.where(losses.is_clean)
    if not clean.n_tables:
        return TablesAnswer(TablesOutcome("none", "failed"))
    pairs = compare_pairs(clean, standpoint)
    return TablesAnswer.of(outcome_over(clean, pairs, standpoint), clean, pairs, standpoint)


def _ranks(losses: TableLosses, seed: int) -> pd.DataFrame:
    """Mean ranks, the best first, beside those on the tables on which nothing failed."""
    clean, ranks = losses.where(losses.is_clean), mean_ranks(losses, seed)
    ranks["mean_rank_without_failures"] = mean_ranks(clean, seed)["mean_rank"] if clean.n_tables else float("nan")
    return ranks.sort_values("mean_rank", kind="stable", ignore_index=True)
