"""Fit times of approaches over tables as multiples of a reference's on the same table, size and machine. Descriptions only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.verdict.across.buckets import EVERYTHING, SIZE_BUCKETS
from tabbench.verdict.across.descriptions import bootstrap_interval

REFERENCE = "linear"
"""The approach whose fit on the same table, at the same size and on the same splits is the unit: machines differ in speed by half
and more, and a ratio of two fits that ran side by side does not."""


def relative_costs(cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Geometric mean over tables of fit time by the reference's fit time, with its bootstrap interval over tables.

    A table counts once in a bucket, at its largest size within it; tables without the reference are left out.

    Parameters
    ----------
    cells : DataFrame
        Columns table, approach, size and fit_seconds, one row a cell.
    """
    means = cells.astype({"fit_seconds": "float64"}).groupby(["table", "size", "approach"], sort=False)["fit_seconds"].mean()
    wide = means.unstack("approach")
    rows: list[tuple[str, str, int, float, float, float]] = []
    if REFERENCE in wide:
        ratios = wide.div(wide[REFERENCE], axis=0)[wide[REFERENCE] > 0]
        for bucket in (EVERYTHING, *SIZE_BUCKETS):
            sizes = ratios.index.get_level_values("size").to_series(index=ratios.index)
            rows += _of_bucket(bucket.name, ratios[bucket.holds(sizes)], seed)
    return pd.DataFrame(rows, columns=["bucket", "approach", "tables", "fit_time", "low", "high"])


def _of_bucket(name: str, ratios: pd.DataFrame, seed: int) -> list[tuple[str, str, int, float, float, float]]:
    largest = ratios.sort_index().groupby(level="table").last()
    rows = []
    for approach in ratios.columns:
        logs = np.log(largest[approach][largest[approach] > 0].to_numpy(dtype=np.float64))
        if len(logs):
            low, high = np.exp(bootstrap_interval(logs[:, None], seed))
            rows.append((name, str(approach), len(logs), float(np.exp(logs.mean())), float(low[0]), float(high[0])))
    return rows
