"""The result over many tables, as frames and plain values: all that its reports may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class TablesComparison:
    """Result over many tables; every source of tables counts once.

    Parameters
    ----------
    sentence : str
        The verdict in words.
    decision : str
        "winner", "top_set" or "none".
    reason : str
        Why there is no verdict; empty if there is one.
    approaches : tuple[str, ...]
        Approaches that no other is shown to be better than, by mean rank.
    best, recommended : str | None
        Of these, the one with the best mean rank, and the cheapest that is as good as it; None without a verdict.
    without_failures : dict[str, Any] | None
        The same six values without the tables on which something failed; None if nothing failed.
    protocol : dict[str, Any]
        Margin (in units of each table's default margin), alpha and seed.
    tables : DataFrame
        Columns table, source, metric, size, preset (or effort) and failed (share of the runs).
    ranks : DataFrame
        Columns approach, mean_rank, low, high, failed and mean_rank_without_failures; the best first.
    pairs : DataFrame
        Columns first, second, difference (in margins), first_ahead (tables), within_margin (share of sources), chance_if_equal,
        chance_all_pairs, p_first_better, p_equal, p_second_better and decision (first, second, equal or undecided).
    elo : DataFrame
        Columns approach, elo, low and high.
    improvability : DataFrame
        Columns metric, tables, approach, improvability, low and high.
    win_rates : DataFrame
        Columns from_rows, to_rows, tables, approach, win_rate, low and high.
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
