"""Families of approaches over sizes: the best of one against the best of another, free of selection bias.

Works on decided pairs; knows neither losses nor how the intervals came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from tabbench.verdict.crossover import Band
from tabbench.verdict.winners import BASELINE


def family_bands(pairs: pd.DataFrame, families: Mapping[str, str]) -> list[Band]:
    """A band over sizes for each two families: the lowest loss in the first minus the lowest in the second.

    Parameters
    ----------
    pairs : DataFrame
        Columns as in result.json, with intervals that hold at once; NaN bounds are unbounded.
    families : Mapping[str, str]
        Approach -> family, in listing order. The constant predictor's is left out.

    Notes
    -----
    Whichever members are truly best, min_a L_a - min_b L_b lies between max_b min_a low(a, b) and min_a max_b high(a, b):
    family A is shown ahead where one member is shown better than every member of B. So nothing is picked by its score, and
    the band holds whenever the pairs' intervals do. Members that were not run at all of its sizes take no part, since a
    member that happens to be missing at a size must not look like a change of places.

    >>> pairs = pd.DataFrame({"first": ["x"] * 2, "second": ["u", "v"], "size": 100, "difference": [-0.2, -0.3],
    ...                       "low": [-0.3, -0.5], "high": [-0.1, 0.1]})
    >>> [(band.first, band.low.tolist(), band.high.tolist())
    ...  for band in family_bands(pairs, {"x": "linear", "u": "trees", "v": "trees"})]
    [('linear', [-0.3], [0.1])]
    """
    names = [family for family in dict.fromkeys(families.values()) if family != BASELINE]
    known = _both_ways(pairs)
    one, other = known["first"].map(families), known["second"].map(families)
    bands = []
    for first, second in combinations(names, 2):
        between = _lasting(known[(one == first) & (other == second)])
        if len(between):
            bands.append(Band(first, second, np.array(sorted(between["size"].unique())), *_best_against_best(between)))
    return bands


def _lasting(between: pd.DataFrame) -> pd.DataFrame:
    """The pairs of members that were run at all sizes, up to the largest at which both families have such members."""
    sizes = sorted(between["size"].unique())
    for count in range(len(sizes), 0, -1):
        kept = between[between["size"].isin(sizes[:count])]
        at_all = [kept.groupby(side)["size"].transform("nunique") == count for side in ("first", "second")]
        if (at_all[0] & at_all[1]).any():
            return kept[at_all[0] & at_all[1]]
    return between


def _both_ways(pairs: pd.DataFrame) -> pd.DataFrame:
    values = pairs.assign(low=pairs["low"].fillna(-np.inf), high=pairs["high"].fillna(np.inf))
    turned = values.assign(first=values["second"], second=values["first"], difference=-values["difference"],
                           low=-values["high"], high=-values["low"])
    return pd.concat([values, turned], ignore_index=True)


def _best_against_best(between: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The difference and its bounds at each size, ascending."""
    by_first, by_second = (between.groupby(["size", side]) for side in ("first", "second"))
    return (by_first["difference"].max().groupby("size").min().to_numpy(),
            by_second["low"].min().groupby("size").max().to_numpy(), by_first["high"].max().groupby("size").min().to_numpy())
