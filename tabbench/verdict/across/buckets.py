"""Buckets of training rows: what tables show together at sizes up to 500, 2,000, 10,000, 50,000 rows and beyond.

A table counts once in a bucket, at its largest size within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tabbench.core.suite_result import ALL
from tabbench.verdict.across.cliques import cliques
from tabbench.verdict.across.decision import Standpoint
from tabbench.verdict.across.judge import Overview, judge_tables
from tabbench.verdict.across.losses import TableLosses

LEAST_SHARE = 0.8
"""An approach is compared where so many of a bucket's tables have it and all others that are compared: one table that lacks an
approach must not take the approach out, nor one approach that few tables have take out the tables."""


@dataclass(frozen=True)
class SizeBucket:
    """Training rows above `above` and up to `up_to`; None is without a limit."""

    name: str
    above: float
    up_to: float

    def holds(self, sizes: pd.Series) -> pd.Series:
        """Which sizes lie in it."""
        return (sizes > self.above) & (sizes <= self.up_to)


EVERYTHING = SizeBucket(ALL, 0, math.inf)
SIZE_BUCKETS = (SizeBucket("up to 500", 0, 500), SizeBucket("501 to 2,000", 500, 2_000),
                SizeBucket("2,001 to 10,000", 2_000, 10_000), SizeBucket("10,001 to 50,000", 10_000, 50_000),
                SizeBucket("over 50,000", 50_000, math.inf))


def bucket_of(size: float) -> str:
    """The name of a size's bucket.

    >>> bucket_of(500), bucket_of(501), bucket_of(1e6)
    ('up to 500', '501 to 2,000', 'over 50,000')
    """
    return next(bucket.name for bucket in SIZE_BUCKETS if bucket.above < size <= bucket.up_to)


@dataclass(frozen=True, eq=False)
class BucketVerdict:
    """The verdict over the tables of a bucket; `cliques` are sets of approaches in order of mean rank without a decided pair."""

    bucket: SizeBucket
    overview: Overview
    cliques: list[tuple[str, ...]]


def judge_buckets(losses: pd.DataFrame, standpoint: Standpoint) -> list[BucketVerdict]:
    """The verdict over all tables, then over each bucket that holds any.

    Parameters
    ----------
    losses : DataFrame
        The columns of `TableLosses.gather`.
    """
    found = []
    for bucket in (EVERYTHING, *SIZE_BUCKETS):
        within = losses[bucket.holds(losses["size"])]
        if len(within):
            overview = judge_tables(_gather(within), standpoint)
            found.append(BucketVerdict(bucket, overview, cliques(list(overview.ranks["approach"]), overview.pairs)))
    return found


def widely_run(losses: pd.DataFrame) -> tuple[str, ...]:
    """The approaches to compare, in listing order: those on most tables first, as long as enough tables have all of them."""
    names = list(dict.fromkeys(losses["approach"]))
    run = losses.groupby(["table", "size"])["approach"].agg(frozenset)
    counts = losses.groupby("approach")["table"].nunique()
    chosen: set[str] = set()
    for name in sorted(names, key=lambda name: (-counts[name], names.index(name))):
        wanted = chosen | {name}
        having = run.index[[wanted <= there for there in run]].get_level_values("table").nunique()
        if having >= LEAST_SHARE * losses["table"].nunique():
            chosen = wanted
    return tuple(name for name in names if name in chosen)


def mean_win_rates(ranks: pd.DataFrame) -> np.ndarray:
    """Share of the other approaches that each is ahead of on average, from its mean rank; NaN for a single approach.

    >>> mean_win_rates(pd.DataFrame({"mean_rank": [1.0, 2.5, 2.5]})).tolist()
    [1.0, 0.25, 0.25]
    """
    others = len(ranks) - 1
    behind: np.ndarray = len(ranks) - ranks["mean_rank"].to_numpy(dtype=np.float64)
    return behind / others if others else np.full(len(ranks), np.nan)


def _gather(losses: pd.DataFrame) -> TableLosses:
    chosen = widely_run(losses)
    absent = tuple(name for name in dict.fromkeys(losses["approach"]) if name not in chosen)
    return replace(TableLosses.gather(losses, chosen), absent=absent)
