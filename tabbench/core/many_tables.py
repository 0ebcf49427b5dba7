"""What can be said over many tables: frames and plain values, all that a report of it may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class TablesComparison:
    """The answer over many tables; every source of tables counts once.

    Parameters
    ----------
    sentence : str
        The verdict in words.
    decision : str
        Winner, top_set or none.
    reason : str
        Why none, else empty.
    approaches : tuple[str, ...]
        Those that no other is shown to be better than, the best mean rank first.
    best, recommended : str | None
        Of them, by mean rank, and the cheapest of those as good as it; None without a verdict.
    without_failures : dict[str, Any] | None
        The same six values without the tables on which something failed; None where nothing did.
    protocol : dict[str, Any]
        Margin (in units of each table's default margin), alpha and seed.
    tables : DataFrame
        Table, source, metric, size, preset (or effort), failed (share of the runs).
    ranks : DataFrame
        Approach, mean_rank, low, high, failed, mean_rank_without_failures; the best first.
    pairs : DataFrame
        First, second, difference (in margins), first_ahead (tables), within_margin (share of sources), chance_if_equal,
        chance_all_pairs, p_first_better, p_equal, p_second_better, decision (first, second, equal, undecided).
    elo : DataFrame
        Approach, elo, low, high.
    improvability : DataFrame
        Metric, tables, approach, improvability, low, high.
    win_rates : DataFrame
        from_rows, to_rows, tables, approach, win_rate, low, high.
    """

    sentence: str
    decision: str
    reason: str
    approaches: tuple[str, ...]
    best: str | None
    recommended: str | None
    without_failures: dict[str, Any] | None
    protocol: dict[str, Any]
    tables: pd.DataFrame
    ranks: pd.DataFrame
    pairs: pd.DataFrame
    elo: pd.DataFrame
    improvability: pd.DataFrame
    win_rates: pd.DataFrame


FRAMES = ("tables", "ranks", "pairs", "elo", "improvability", "win_rates")
"""The frames' names, in the order in which they are shown."""
