"""A decision over tables together with the numbers that it rests on, for whoever tells of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.verdict.across.decision import Standpoint, TablesOutcome, fewest_sources
from tabbench.verdict.across.losses import TableLosses


@dataclass(frozen=True)
class TablesLead:
    """A winner against the `other` approach that is closest to it.

    Parameters
    ----------
    ahead : float
        The number of tables on which it has the lower loss, ties counting half.
    chance : float
        In what share of such collections of tables a lead this consistent would be seen if the two were equal, all pairs having
        been looked at.
    """

    other: str
    is_over_constant: bool
    ahead: float
    is_too_little: bool
    chance: float


@dataclass(frozen=True)
class TablesAnswer:
    """The decision over so many tables of so many sources.

    Parameters
    ----------
    compared : tuple[str, ...]
        The approaches.
    failed : float, default 0.0
        Share of their runs, every source counting once.
    fewest_sources : int, default 0
        Below so many nothing could be decided between so many approaches.
    lead : TablesLead | None, default None
        Of a winner.
    are_equal : bool, default False
        Whether those that are not worse than any are shown to be practically equal.
    """

    outcome: TablesOutcome
    compared: tuple[str, ...] = ()
    tables: int = 0
    sources: int = 0
    failed: float = 0.0
    fewest_sources: int = 0
    lead: TablesLead | None = None
    are_equal: bool = False

    @classmethod
    def of(cls, outcome: TablesOutcome, losses: TableLosses, pairs: pd.DataFrame, standpoint: Standpoint) -> TablesAnswer:
        """`pairs` as of `compare_pairs` over the same `losses`."""
        among = pairs[pairs["first"].isin(outcome.approaches) & pairs["second"].isin(outcome.approaches)]
        lead = _lead(outcome.approaches[0], losses, pairs, standpoint) if outcome.decision == "winner" else None
        return cls(outcome, losses.approaches, losses.n_tables, losses.n_sources, float(losses.by_source(losses.imputed).mean()),
                   fewest_sources(len(losses.approaches), standpoint.alpha), lead,
                   len(among) > 0 and bool(np.all(among["decision"] == "equal")))


def _lead(winner: str, losses: TableLosses, pairs: pd.DataFrame, standpoint: Standpoint) -> TablesLead:
    own = pairs[(pairs["first"] == winner) | (pairs["second"] == winner)]
    closest = max((row for _, row in own.iterrows()), key=lambda row: (row["chance_if_equal"], -abs(row["difference"])))
    is_first = closest["first"] == winner
    other = closest["second"] if is_first else closest["first"]
    ahead = closest["first_ahead"] if is_first else losses.n_tables - closest["first_ahead"]
    return TablesLead(other, other in standpoint.baselines, float(ahead), bool(abs(closest["difference"]) <= standpoint.margin),
                      float(closest["chance_all_pairs"]))
