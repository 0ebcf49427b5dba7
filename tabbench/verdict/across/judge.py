"""All that can be said over many tables at once, from their losses: the decision, its sentence, and the descriptions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from tabbench.verdict.across.decision import Outcome, Standpoint, compare_pairs, decide_over_tables
from tabbench.verdict.across.descriptions import elo_ratings, improvabilities, mean_ranks, win_rates
from tabbench.verdict.across.losses import TableLosses
from tabbench.verdict.across.words import closing_sentence


@dataclass(frozen=True, eq=False)
class Overview:
    """The frames as `mean_ranks`, `compare_pairs`, `elo_ratings`, `improvabilities` and `win_rates` describe them."""

    outcome: Outcome
    without_failures: Outcome | None
    sentence: str
    ranks: pd.DataFrame
    pairs: pd.DataFrame
    elo: pd.DataFrame
    improvability: pd.DataFrame
    win_rates: pd.DataFrame


def judge_tables(
    losses: TableLosses, standpoint: Standpoint, *, repeated: Mapping[str, int] | None = None, presets: Collection[str] = (),
) -> Overview:
    """Decide over the tables, each at its largest size; `losses` may hold smaller sizes for the win rates by size.

    Parameters
    ----------
    repeated : tables that were given more than once, and how often.  presets : the runs' amounts of work. The sentence says
        so where something is given twice or the amounts differ.
    """
    largest = losses.at_largest_size()
    pairs = compare_pairs(largest, standpoint)
    outcome, without = decide_over_tables(largest, pairs, standpoint)
    clean = largest.where(largest.is_clean)
    ranks, seed = mean_ranks(largest, standpoint.seed), standpoint.seed
    ranks["mean_rank_without_failures"] = mean_ranks(clean, seed)["mean_rank"] if clean.n_tables else float("nan")
    return Overview(
        outcome, without, closing_sentence(largest, pairs, outcome, standpoint, repeated=repeated or {}, presets=presets),
        ranks.sort_values("mean_rank", kind="stable", ignore_index=True), pairs,
        elo_ratings(largest, seed).sort_values("elo", ascending=False, kind="stable", ignore_index=True),
        improvabilities(largest, seed), win_rates(losses, seed))
