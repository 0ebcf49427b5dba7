"""All that a report may read: frames and plain values with exactly the columns of result.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

SCHEMA = 1
"""The number of result.json's schema: additions are free, changes of meaning raise it."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answer to one question about one table.

    The frames have the columns that `COLUMNS` names, in that order, and result.json holds the same
    records. `timing`, `costs`, `cost_crossovers`, `budget_crossovers`, `cost_limits` and `winner_map` come from clocks;
    everything else is deterministic.

    `what_if` is the sensitivity analysis: the answers by other metrics and on changed data, each beside the verdict at the same
    size; `flips` where the recommended approach is shown to be worse, `holds` where the verdict stands, neither where it is open.
    `cost_limits` has the best under a budget between `below` and `down_to`; `winner_map` the best by rows and seconds.
    """

    table: dict[str, Any]
    protocol: dict[str, Any]
    approaches: pd.DataFrame
    scores: pd.DataFrame
    winners: pd.DataFrame
    pairs: pd.DataFrame
    crossovers: pd.DataFrame
    sentence: str
    findings: pd.DataFrame
    incidents: pd.DataFrame
    failures: pd.DataFrame
    skipped: pd.DataFrame
    costs: pd.DataFrame
    cost_crossovers: pd.DataFrame
    selection: pd.DataFrame
    training: pd.DataFrame
    other_crossovers: pd.DataFrame
    family_crossovers: pd.DataFrame
    budget_crossovers: pd.DataFrame
    extrapolation: pd.DataFrame
    extrapolated_scores: pd.DataFrame
    what_if: pd.DataFrame
    cost_limits: pd.DataFrame
    winner_map: pd.DataFrame
    timing: dict[str, Any]
    reading: tuple[str, ...] = ()
    columns: pd.DataFrame = field(default_factory=lambda: _without_rows("columns"))
    tuned: pd.DataFrame = field(default_factory=lambda: _without_rows("tuned"))


def _without_rows(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(COLUMNS[name]), dtype=object)


COLUMNS: dict[str, tuple[str, ...]] = {
    "approaches": ("name", "family", "version", "settings"),
    "scores": ("approach", "size", "metric", "mean", "low", "high", "splits", "failed"),
    "winners": ("size", "decision", "approaches", "best", "recommended", "score", "corrected_score", "regret", "regret_bound"),
    "pairs": ("first", "second", "size", "difference", "low", "high", "decision", "p_first", "p_equal", "p_second",
              "rows_to_settle"),
    "crossovers": ("first", "second", "kind", "low", "high", "point"),
    "selection": ("approach", "size", "n_selected_mean", "stability", "chosen", "base", "effect"),
    "training": ("approach", "size", "repeat", "fold", "nets", "best_epochs", "curves", "layers"),
    "tuned": ("approach", "size", "repeat", "fold", "tuned", "code"),
    "other_crossovers": ("first", "second", "kind", "low", "high", "point", "ahead_below", "ahead_above"),
    "family_crossovers": ("first", "second", "kind", "low", "high", "point", "ahead_below", "ahead_above"),
    "budget_crossovers": ("first", "second", "kind", "low", "high", "point", "ahead_below", "ahead_above"),
    "extrapolation": ("first", "second", "size", "factor", "difference", "low", "high", "behind", "p_overtakes", "n_star_low",
                      "n_star", "n_star_high", "p_never", "last_share", "refusal"),
    "extrapolated_scores": ("approach", "size", "mean", "low", "high"),
    "findings": ("code", "severity", "subject", "message", "cure", "spoils"),
    "incidents": ("approach", "size", "repeat", "fold", "code", "where", "evidence", "diagnosis", "action", "outcome"),
    "failures": ("approach", "size", "repeat", "fold", "status", "reason"),
    "skipped": ("approach", "size", "reason"),
    "costs": ("approach", "size", "fit_seconds", "predict_us_per_row", "peak_mb", "one_row_us"),
    "cost_crossovers": ("first", "second", "kind", "low", "high", "point"),
    "what_if": ("kind", "subject", "change", "size", "decision", "approaches", "best", "recommended", "flips", "holds",
                "sentence"),
    "cost_limits": ("cost", "below", "down_to", "size", "decision", "approaches", "recommended", "sentence"),
    "columns": ("name", "role", "kind", "examples", "missing", "note", "is_doubtful", "histogram"),
    "winner_map": ("size", "budget_seconds", "approach", "trained_on", "decision", "approaches"),
}
