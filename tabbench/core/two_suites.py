"""Two runs of a suite beside each other, as frames and plain values: all that its reports may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, eq=False)
class TwoSuites:
    """What differs between two results of suites.

    Parameters
    ----------
    first, second : str
        What the two are called.
    sentence : str
        The answer in words.
    protocol : dict[str, Any]
        Margin, alpha and seed.
    conditions : tuple[str, ...]
        What was different about how they were run, a sentence each.
    approaches : DataFrame
        One row an approach in both: the difference over tables and the Elo gap, with intervals.
    cells : DataFrame
        One row a table and approach in both.
    """

    first: str
    second: str
    sentence: str
    protocol: dict[str, Any]
    conditions: tuple[str, ...]
    approaches: pd.DataFrame
    cells: pd.DataFrame
