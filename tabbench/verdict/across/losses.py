"""The losses of the same approaches on many tables, brought to one scale so that tables can be compared.

Knows no test and no decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tabbench.core.errors import BadData, UnknownName
from tabbench.core.metric import Metric
from tabbench.verdict.evidence import LossEvidence

COLUMNS = ("table", "source", "metric", "size", "split", "approach", "loss", "imputed", "scale", "perfect")
"""One row a split of an approach at a size of a table; see `TableLosses.gather`."""

TIE = 1e-9
"""Losses that differ by less than this part of a margin differ by rounding."""


@dataclass(frozen=True, eq=False)
class TableLosses:
    """k approaches on T tables, each at one training size or more.

    Parameters
    ----------
    approaches : tuple[str, ...]
        (k,) names.
    absent : tuple[str, ...]
        approaches that some table lacks, and which are not compared for that reason.
    left_out : tuple[str, ...]
        tables that lack one of the approaches requested.
    tables, sources, metrics : ndarray
        (T,) names; tables of one source are variants of one another and count once together.
    size : ndarray
        int64 (T,) training rows.
    largest : ndarray
        int64 (T,) the most training rows that anything was run with on the table.
    loss : ndarray
        (T, k) mean over the splits, in units of the table's margin, so that 1 matters just as little on every table.
    error : ndarray
        (T, k) mean distance from a perfect score in the metric's units; NaN where the metric has no such thing.
    imputed : ndarray
        (T, k) share of the splits on which the approach failed and the constant predictor stands in.
    ahead : ndarray
        (T, k, k) share of the splits on which the one of the row is ahead of the one of the column, ties counting half.
    """

    approaches: tuple[str, ...]
    absent: tuple[str, ...]
    left_out: tuple[str, ...]
    tables: np.ndarray
    sources: np.ndarray
    metrics: np.ndarray
    size: np.ndarray
    largest: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    imputed: np.ndarray
    ahead: np.ndarray

    @classmethod
    def gather(cls, frame: pd.DataFrame, approaches: Sequence[str] | None = None) -> TableLosses:
        """Every size of every table at which all the compared approaches were run.

        Parameters
        ----------
        frame : DataFrame
            The columns `COLUMNS`. `loss` is the deciding metric's, lower is better, with the constant predictor's where
            `imputed`; `scale` is what counts as practically equal on the table; `perfect` the lowest loss possible, or NaN.
        approaches : Sequence[str] | None, default None
            Those to compare; tables that lack one are left out. None is all that were run on every table.

        Raises
        ------
        BadData
            When a column is missing, a cell occurs twice, a loss is not finite or a scale is not positive, or where no approach
            was run on all tables, no table has all that were requested.
        UnknownName
            When no table has an approach that was requested.
        """
        _require_sound(frame)
        chosen, absent = _compared(frame, approaches)
        wide = _side_by_side(frame, chosen)
        if wide.empty:
            raise BadData("no approach was run on all of these tables; name those to compare with approaches="
                          if approaches is None else f"no table has all of {', '.join(chosen)}; compare fewer of them")
        places = [(table, size, part) for (table, size), part in wide.groupby(level=["table", "size"], sort=True)]
        tables = np.array([table for table, _, _ in places], dtype=object)
        about = frame.groupby("table").agg({"source": "first", "metric": "first", "scale": "first", "perfect": "first",
                                            "size": "max"}).loc[tables]
        scale, perfect = (about[column].to_numpy(dtype=np.float64)[:, None] for column in ("scale", "perfect"))
        by_split = [part["loss"].to_numpy(dtype=np.float64) for _, _, part in places]
        loss = np.stack([each.mean(axis=0) for each in by_split])
        return cls(
            approaches=chosen, absent=absent,
            left_out=tuple(name for name in dict.fromkeys(frame["table"]) if name not in set(tables)),
            tables=tables, sources=about["source"].to_numpy(dtype=object), metrics=about["metric"].to_numpy(dtype=object),
            size=np.array([size for _, size, _ in places], dtype=np.int64), largest=about["size"].to_numpy(dtype=np.int64),
            loss=loss / scale, error=loss - perfect,
            imputed=np.stack([part["imputed"].to_numpy(dtype=np.float64).mean(axis=0) for _, _, part in places]),
            ahead=np.stack([is_ahead(each / own).mean(axis=0) for each, own in zip(by_split, scale, strict=True)]))

    def where(self, chosen: np.ndarray) -> TableLosses:
        """The rows that the boolean (T,) `chosen` picks."""
        names = ("tables", "sources", "metrics", "size", "largest", "loss", "error", "imputed", "ahead")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def at_largest_size(self) -> TableLosses:
        """Each table once, at the largest size at which all the compared approaches were run."""
        largest = pd.Series(self.size).groupby(self.tables).transform("max")
        return self.where(self.size == largest.to_numpy())

    def by_source(self, values: np.ndarray) -> np.ndarray:
        """Means (S, ...) over each source's tables of `values` (T, ...), a table's sizes averaged first."""
        tables, table = np.unique(self.tables.astype(str), return_inverse=True)
        of_table = _group_means(values, table, len(tables))
        first = np.array([np.flatnonzero(table == each)[0] for each in range(len(tables))], dtype=np.int64)
        sources, source = np.unique(self.sources[first].astype(str), return_inverse=True)
        return _group_means(of_table, source, len(sources))

    @property
    def ahead_by_mean(self) -> np.ndarray:
        """(T, k, k): as `ahead`, judged by the mean over the splits: 1, 1/2 or 0."""
        return is_ahead(self.loss)

    @property
    def is_clean(self) -> np.ndarray:
        """(T,): nothing failed there."""
        return np.asarray(np.all(self.imputed == 0, axis=1))

    @property
    def n_sources(self) -> int:
        """S, the number of tables that are not variants of one another."""
        return len(set(self.sources))

    @property
    def n_tables(self) -> int:
        """The number of tables, however many sizes they have."""
        return len(set(self.tables))


def is_ahead(loss: np.ndarray) -> np.ndarray:
    """(..., k, k): 1 where the loss (..., k) of the row is lower than that of the column, 1/2 where they tie, itself included.

    >>> is_ahead(np.array([0.2, 0.3]))
    array([[0.5, 1. ],
           [0. , 0.5]])
    """
    gap = loss[..., None, :] - loss[..., :, None]
    return np.where(np.abs(gap) <= TIE, 0.5, (gap > 0).astype(np.float64))


def loss_rows(evidence: LossEvidence, *, table: str, source: str) -> pd.DataFrame:
    """The rows of one table for `TableLosses.gather`; the evidence's margin is the table's scale."""
    parts = [pd.DataFrame({
        "table": table, "source": source, "metric": evidence.metric.name, "size": size,
        "split": np.arange(evidence.n_splits), "approach": name, "loss": evidence.loss[name, size],
        "imputed": evidence.imputed[name, size], "scale": evidence.margin, "perfect": perfect_loss(evidence.metric),
    }) for name in evidence.approaches for size in evidence.sizes if (name, size) in evidence.loss]
    return pd.concat(parts, ignore_index=True)


def perfect_loss(metric: Metric) -> float:
    """The lowest loss that is possible at all; NaN for a metric whose range is not known."""
    bound = metric.bounds[metric.higher_is_better]
    return metric.loss(bound) if np.isfinite(bound) else float("nan")


def _require_sound(frame: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise BadData(f"the losses lack the column {missing[0]!r}; they need {', '.join(COLUMNS)}")
    cell = ["table", "size", "split", "approach"]
    twice = frame[frame.duplicated(cell)]
    if len(twice):
        found = twice.iloc[0]
        raise BadData(f"{found['approach']} occurs twice on split {found['split']} of table {found['table']!r} at "
                      f"{found['size']:,} rows; give every table a name of its own")
    for column, is_good, needed in (("loss", np.isfinite(frame["loss"]), "finite"), ("scale", frame["scale"] > 0, "positive")):
        if not is_good.all():
            raise BadData(f"the {column} of table {frame.loc[~is_good, 'table'].iloc[0]!r} is not {needed}, so that it cannot be "
                          "compared with others; leave the table out")


def _side_by_side(frame: pd.DataFrame, approaches: Sequence[str]) -> pd.DataFrame:
    """Loss and imputed of each approach in columns, a row a split, where all were run."""
    kept = frame[frame["approach"].isin(approaches)]
    wide = kept.pivot(index=["table", "size", "split"], columns="approach", values=["loss", "imputed"])
    return wide.reindex(columns=pd.MultiIndex.from_product([["loss", "imputed"], approaches])).dropna()


def _compared(frame: pd.DataFrame, requested: Sequence[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The approaches to compare and those that some table lacks."""
    known = tuple(dict.fromkeys(frame["approach"]))
    if requested is not None:
        unknown = [name for name in requested if name not in known]
        if unknown:
            raise UnknownName.among("approach", unknown[0], known)
        return tuple(dict.fromkeys(requested)), ()
    common = set(known)
    for _, of_table in frame.groupby("table"):
        run = of_table.groupby("size")["approach"].agg(set)
        common &= max(run.items(), key=lambda item: (len(item[1]), item[0]))[1]
    return tuple(name for name in known if name in common), tuple(name for name in known if name not in common)


def _group_means(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    total = np.zeros((groups, *values.shape[1:]))
    np.add.at(total, group, values)
    return total / np.bincount(group, minlength=groups).reshape(-1, *(1,) * (values.ndim - 1))
