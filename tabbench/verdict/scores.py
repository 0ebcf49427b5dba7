"""The score table: every metric of every approach at every size, with a marginal interval. Not for comparing approaches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.core.metric import Metric
from tabbench.verdict.evidence import LossEvidence, gather_evidence
from tabbench.verdict.row_moments import row_moments
from tabbench.verdict.scoring import Predictions, Question, ScoreCell, score_cell
from tabbench.verdict.variance import make_contrasts, spread


def score_table(
    question: Question, metrics: Sequence[Metric], predictions: Predictions, present: Collection[tuple[str, int]], *,
    approaches: Sequence[str], alpha: float = 0.05, score: ScoreCell = score_cell,
) -> pd.DataFrame:
    """One row a metric, approach and size, with the columns of result.json, in the metric's natural sign.

    `mean` is the unweighted mean over the splits in which the metric is defined (`splits` counts them), the constant predictor
    standing in for the `failed` cells; NaN where it is defined in none. `low` and `high` are the marginal interval
    of one approach alone, NaN where the splits don't show how far the mean may be off (`variance.spread`).
    """
    order = {name: place for place, name in enumerate(approaches)}
    ordered = sorted(present, key=lambda cell: (order[cell[0]], cell[1]))
    tables = [_table_of(question, metric, predictions, ordered, alpha, score) for metric in metrics]
    frame = pd.DataFrame([row for table in tables for row in table], columns=list(COLUMNS["scores"]))
    return frame.astype({"approach": object, "metric": object, "mean": "float64", "low": "float64", "high": "float64"})


def _table_of(
    question: Question, metric: Metric, predictions: Predictions, present: Sequence[tuple[str, int]], alpha: float,
    score: ScoreCell,
) -> list[tuple[Any, ...]]:
    cells = {cell: score(question, metric, predictions, *cell) for cell in present}
    if not any(np.isfinite(each.score).any() for each in cells.values()):
        return [(*cell, metric.name, np.nan, np.nan, np.nan, 0, int(each.imputed.sum())) for cell, each in cells.items()]
    names = list(dict.fromkeys(name for name, _ in present))
    evidence = gather_evidence(
        question, metric, cells, approaches=names, families={}, cost_ranks={}, representatives=(), margin=0.0)
    low, high = _marginal_intervals(evidence, list(cells), alpha)
    rows = []
    for (cell, each), *bounds in zip(cells.items(), low, high, strict=True):
        mean, *natural = (metric.loss(value) for value in (evidence.mean(*cell), *bounds))  # turning the sign twice gives it back
        ends = np.clip(sorted(natural), *metric.bounds)
        rows.append((*cell, metric.name, mean, *ends, evidence.n_splits, int(each.imputed.sum())))
    return rows


def _marginal_intervals(evidence: LossEvidence, cells: list[tuple[str, int]], alpha: float) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import stdtrit  # without scipy.stats, which takes half a second to load

    moments = row_moments(evidence, cells, are_compared=False)
    alone = make_contrasts(evidence, cells, moments, [(place, -1) for place in range(len(cells))])
    errors = spread(evidence, alone)
    half = stdtrit(errors.degrees, 1 - alpha / 2) * errors.standard_error
    half = np.where(np.isfinite(half), half, np.nan)
    return alone.difference - half, alone.difference + half
