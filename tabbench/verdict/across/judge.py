"""All that can be said over many tables at once, from their losses: the decision, its sentence, and the descriptions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from tabbench.verdict.across.decision import Outcome, Standpoint, compare_pairs, outcome_over, settled
from tabbench.verdict.across.descriptions import elo_ratings, improvabilities, mean_ranks, win_rates
from tabbench.verdict.across.losses import TableLosses
from tabbench.wording.many_tables import closing_sentence, sentence_over


@dataclass(frozen=True, eq=False)
class Overview:
    """The frames as `mean_ranks`, `compare_pairs`, `elo_ratings`, `improvabilities` and `win_rates` describe them.

    `without_failures` is the decision without the tables on which something failed, with its sentence; None where nothing did.
    """

    outcome: Outcome
    sentence: str
    without_failures: tuple[Outcome, str] | None
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
    largest, seed = losses.at_largest_size(), standpoint.seed
    pairs = compare_pairs(largest, standpoint)
    counted = outcome_over(largest, pairs, standpoint)
    without = None if largest.is_clean.all() else _without_failures(largest, standpoint)
    outcome = counted if without is None else settled(counted, without[0], largest)
    sentence = closing_sentence(largest, pairs, outcome, standpoint, both=(counted, counted if without is None else without[0]),
                                repeated=repeated or {}, presets=presets)
    return Overview(
        outcome, sentence, without, _ranks(largest, seed), pairs,
        elo_ratings(largest, seed).sort_values("elo", ascending=False, kind="stable", ignore_index=True),
        improvabilities(largest, seed), win_rates(losses, seed))


def _without_failures(losses: TableLosses, standpoint: Standpoint) -> tuple[Outcome, str]:
    clean = losses.where(losses.is_clean)
    if not clean.n_tables:
        return Outcome("none", "failed"), "On every table something failed, so that nothing is left without them."
    pairs = compare_pairs(clean, standpoint)
    outcome = outcome_over(clean, pairs, standpoint)
    return outcome, sentence_over(clean, pairs, outcome, standpoint)


def _ranks(losses: TableLosses, seed: int) -> pd.DataFrame:
    """Mean ranks, the best first, beside those on the tables on which nothing failed."""
    clean, ranks = losses.where(losses.is_clean), mean_ranks(losses, seed)
    ranks["mean_rank_without_failures"] = mean_ranks(clean, seed)["mean_rank"] if clean.n_tables else float("nan")
    return ranks.sort_values("mean_rank", kind="stable", ignore_index=True)
