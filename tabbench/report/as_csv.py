"""Scores joined with costs as CSV, one row an approach, size and metric, safe to open in a spreadsheet."""

from __future__ import annotations

import pandas as pd

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.wording.safe_text import spreadsheet


def to_csv(comparison: Comparison) -> str:
    """All scores with what they cost. An undefined number is an empty cell; floats are written in full."""
    scores = comparison.scores.loc[:, list(COLUMNS["scores"])]
    costs = comparison.costs.loc[:, list(COLUMNS["costs"])]
    joined = scores.merge(costs, on=["approach", "size"], how="left", sort=False, validate="many_to_one")
    for column in ("approach", "metric"):
        joined[column] = pd.Series([spreadsheet(str(value)) for value in joined[column]], index=joined.index, dtype=object)
    return str(joined.to_csv(index=False, lineterminator="\n"))
