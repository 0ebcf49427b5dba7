"""Fit times of approaches over tables as multiples of a reference's on the same table, size and machine. Descriptions only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tabbench.verdict.across.buckets import EVERYTHING, SIZE_BUCKETS
from tabbench.verdict.across.descriptions import bootstrap_interval

REFERENCE = "linear"
"""The approach whose fit on the same table, at the same size and on the same splits is the unit: machines differ in speed by half
and more, and a ratio of two fits that ran side by side does not."""


def relative_costs(cells: pd.DataFrame, sources: Mapping[str, str], seed: int) -> pd.DataFrame:
    """Geometric mean over sources of fit time by the reference's fit time, with its bootstrap interval over sources.

    A table counts once in a bucket, at the largest size within it at which the approach and the reference were both run. Tables
    of one source count once together.

    Parameters
    ----------
    cells : DataFrame
        Columns table, approach, size and fit_seconds, one row a cell.
    sources : Mapping[str, str]
        Table to source.
    seed : int
        Seed of the bootstrap.
    """
    means = cells.astype({"fit_seconds": "float64"}).groupby(["table", "size", "approach"], sort=False)["fit_seconds"].mean()
    wide = means.unstack("approach")
    rows: list[tuple[str, str, int, float, float, float]] = []
    if REFERENCE in wide:
        ratios = wide.div(wide[REFERENCE], axis=0)[wide[REFERENCE] > 0]
        for bucket in (EVERYTHING, *SIZE_BUCKETS):
            sizes = ratios.index.get_level_values("size").to_series(index=ratios.index)
            rows += _of_bucket(bucket.name, ratios[bucket.holds(sizes)], sources, seed)
    return pd.DataFrame(rows, columns=["bucket", "approach", "tables", "fit_time", "low", "high"])


def _of_bucket(name: str, ratios: pd.DataFrame, sources: Mapping[str, str], seed: int
               ) -> list[tuple[str, str, int, float, float, float]]:
    largest = ratios.sort_index().groupby(level="table").last()  # of each column, where it is known
    rows = []
    for approach in ratios.columns:
        known = np.log(largest[approach][largest[approach] > 0].astype("float64"))
        if len(known):
            logs = known.groupby(known.index.map(sources)).mean().to_numpy()
            low, high = np.exp(bootstrap_interval(logs[:, None], seed))
            rows.append((name, str(approach), len(known), float(np.exp(logs.mean())), float(low[0]), float(high[0])))
    return rows
