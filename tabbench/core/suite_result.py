"""The result of a suite, as frames and plain values: all that its reports may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

SUITE_SCHEMA = 1
"""The number of the schema of a suite's result.json: additions are free, changes of meaning raise it."""

ALL = "all"
"""The bucket of every table at its largest size."""


@dataclass(frozen=True, eq=False)
class SuiteResult:
    """What a suite's finished runs say together.

    Parameters
    ----------
    suite : dict[str, Any]
        Name and title.
    protocol : dict[str, Any]
        Margin (in units of each table's default margin), alpha, seed, the share of tables that an approach must have been run on,
        the approach whose fit time is the unit of cost, and the versions of libraries.
    tables, approaches, verdicts, ranks, pairs, cliques, elo, improvability, means, crossovers, crossed : DataFrame
    failures, splits, scores : DataFrame
        With the columns that `SUITE_COLUMNS` names, in that order. All are deterministic.
    cell_costs, relative_costs : DataFrame
        What comes from clocks.
    """

    suite: dict[str, Any]
    protocol: dict[str, Any]
    tables: pd.DataFrame
    approaches: pd.DataFrame
    verdicts: pd.DataFrame
    ranks: pd.DataFrame
    pairs: pd.DataFrame
    cliques: pd.DataFrame
    elo: pd.DataFrame
    improvability: pd.DataFrame
    means: pd.DataFrame
    crossovers: pd.DataFrame
    crossed: pd.DataFrame
    failures: pd.DataFrame
    splits: pd.DataFrame
    scores: pd.DataFrame
    cell_costs: pd.DataFrame
    relative_costs: pd.DataFrame

    @property
    def families(self) -> dict[str, str]:
        """Approach to family, in listing order."""
        return dict(zip(self.approaches["name"], self.approaches["family"], strict=True))

    @property
    def finished(self) -> pd.DataFrame:
        """The tables that have scores."""
        return self.tables[self.tables["state"].isin(["finished", "partial"])]


SUITE_COLUMNS: dict[str, tuple[str, ...]] = {
    "tables": ("name", "state", "reason", "task", "metric", "direction", "rows", "columns", "classes", "full_size", "size",
               "bucket", "effort", "split_kind", "folds", "splits", "seed", "margin", "decision", "top_set", "best",
               "recommended", "family", "best_score", "baseline_score", "failed", "suspect", "sentence", "fingerprint",
               "origin", "report"),
    "approaches": ("name", "family", "version", "cost_rank"),
    "verdicts": ("bucket", "tables", "sources", "decision", "reason", "approaches", "best", "recommended", "sentence",
                 "without_failures"),
    "ranks": ("bucket", "approach", "mean_rank", "low", "high", "win_rate", "failed", "mean_rank_without_failures"),
    "pairs": ("bucket", "first", "second", "difference", "first_ahead", "within_margin", "chance_if_equal", "chance_all_pairs",
              "p_first_better", "p_equal", "p_second_better", "decision"),
    "cliques": ("bucket", "approaches"),
    "elo": ("bucket", "approach", "elo", "low", "high"),
    "improvability": ("bucket", "metric", "tables", "approach", "improvability", "low", "high"),
    "means": ("table", "approach", "size", "metric", "score", "baseline_score", "behind_best", "splits", "failed"),
    "crossovers": ("table", "from_family", "to_family", "state", "from_size", "to_size", "ahead", "point"),
    "crossed": ("from_family", "to_family", "size", "tables", "ahead", "behind", "open"),
    "failures": ("table", "approach", "size", "repeat", "fold", "status", "reason"),
    "splits": ("table", "repeat", "fold", "training_rows", "test_rows", "fingerprint"),
    "scores": ("table", "approach", "size", "repeat", "fold", "score", "baseline_score", "failed"),
    "cell_costs": ("table", "approach", "size", "repeat", "fold", "fit_seconds", "predict_us_per_row", "one_row_us",
                   "peak_mb"),
    "relative_costs": ("bucket", "approach", "tables", "fit_time", "low", "high"),
}
"""The columns of each frame."""

CLOCKED = ("cell_costs", "relative_costs")
"""The frames that come from clocks and differ from run to run."""
