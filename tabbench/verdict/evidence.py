"""What a verdict is made of: the deciding metric's losses of every approach at every size, split by split and row by row.

Knows no interval and no decision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tabbench.core.errors import BadData
from tabbench.core.metric import Metric
from tabbench.core.split import Split
from tabbench.verdict.scoring import (
    CellScores,
    Predictions,
    Question,
    ScoreCell,
    constant_loss,
    margin_value,
    score_cell,
)

MOST_OVERLAP = 0.95
"""Splits whose training rows overlap more than this (20 folds and up) cannot show the luck of their training rows;
the correction for it, overlap / (1 - overlap), is kept from growing without bound."""


DEGREES_OF_ONE = 0.1
"""A class of one unit shows nothing of its spread. Not quite none, so that a class that hardly counts takes nothing away."""


@dataclass(frozen=True, eq=False)
class LossEvidence:
    """The deciding metric's losses, lower is better, with failed cells imputed by the constant predictor.

    Parameters
    ----------
    approaches : tuple[str, ...]
        Names in listing order.
    families, cost_ranks
        By name.
    representatives : tuple[str, ...]
        The approaches present that stand for their family in the claims over all sizes.
    sizes : tuple[int, ...]
        sizes with any evidence, ascending.
    pool_rows : int
        N, the rows that the splits were cut from.
    split : ndarray
        int64 (M,), index 0..J-1 of the split of each scored row.
    unit : ndarray
        int64 (M,), the independent unit it belongs to.
    weight : ndarray | None
        (M,) or None.
    loss : Mapping[tuple[str, int], ndarray]
        (approach, size) -> (J,) loss of each split. What is absent was not run.
    row_loss : Mapping[tuple[str, int], ndarray]
        (approach, size) -> (M,) row-level loss; empty for a metric that has none.
    imputed : Mapping[tuple[str, int], ndarray]
        (approach, size) -> boolean (J,), true where the cell failed.
    margin : float
        What is practically equal, in the metric's own units.
    overlap : Mapping[int, float]
        Size -> mean share of their training rows that two splits have in common.
    test_ratio : float
        Mean over the splits of test rows to training rows; 1 / (K - 1) for K folds.
    class_degrees, class_step : ndarray | None
        (J,) each, of a metric made of means over classes, else None: the degrees of freedom of the variance that a split's units
        show, and by how much one unit can change its score.
    """

    metric: Metric
    approaches: tuple[str, ...]
    families: Mapping[str, str]
    cost_ranks: Mapping[str, int]
    representatives: tuple[str, ...]
    sizes: tuple[int, ...]
    pool_rows: int
    split_kind: str
    folds: int
    repeats: int
    split: np.ndarray
    unit: np.ndarray
    weight: np.ndarray | None
    loss: Mapping[tuple[str, int], np.ndarray]
    row_loss: Mapping[tuple[str, int], np.ndarray]
    imputed: Mapping[tuple[str, int], np.ndarray]
    margin: float
    overlap: Mapping[int, float]
    test_ratio: float
    class_degrees: np.ndarray | None = None
    class_step: np.ndarray | None = None

    @property
    def n_splits(self) -> int:
        """J, the number of splits that are scored."""
        return int(self.split.max()) + 1

    def present(self, size: int) -> list[str]:
        """The approaches that were run at `size`, in listing order."""
        return [name for name in self.approaches if (name, size) in self.loss]

    def mean(self, approach: str, size: int) -> float:
        """Unweighted mean loss over the splits."""
        return float(np.mean(self.loss[approach, size]))


def build_evidence(
    question: Question,
    metric: Metric,
    predictions: Predictions,
    present: Collection[tuple[str, int]],
    *,
    approaches: Sequence[str],
    families: Mapping[str, str],
    cost_ranks: Mapping[str, int],
    representatives: Collection[str] = (),
    margin: float | None = None,
    score: ScoreCell = score_cell,
) -> LossEvidence:
    """Score every cell of the deciding metric.

    Parameters
    ----------
    predictions : Predictions
        Asked once for each split of each of `present`; None means that the cell failed.
    present : Collection[tuple[str, int]]
        The (approach, size) pairs that were run over all splits; skipped ones are left out.
    approaches : Sequence[str]
        Names in listing order.
    margin : float | None, default None
        As in `margin_value`.
    score : ScoreCell, default score_cell
        What scores a cell.

    Raises
    ------
    BadData
        When the metric is undefined in every split (AUC with one class in each test part).
    BadOption
        When the margin is negative or not finite.
    """
    cells = {(name, size): score(question, metric, predictions, name, size) for name, size in sorted(present)}
    evidence = gather_evidence(question, metric, cells, approaches=approaches, families=families, cost_ranks=cost_ranks,
                               representatives=representatives, margin=np.nan)
    lowest = min(evidence.mean(name, evidence.sizes[-1]) for name in evidence.present(evidence.sizes[-1]))
    return replace(evidence, margin=margin_value(metric, margin, constant_loss(question, metric), lowest))


def gather_evidence(
    question: Question,
    metric: Metric,
    cells: Mapping[tuple[str, int], CellScores],
    *,
    approaches: Sequence[str],
    families: Mapping[str, str],
    cost_ranks: Mapping[str, int],
    representatives: Collection[str],
    margin: float,
) -> LossEvidence:
    """The evidence in cells that are scored already; a split in which the metric is undefined is left out for all.

    Raises
    ------
    BadData
        When the metric is undefined in every split.
    """
    plan, rows = question.plan, len(question.target)
    defined = np.all([np.isfinite(each.score) for each in cells.values()], axis=0)
    if not defined.any():
        raise BadData(f"{metric.name} is undefined in every test part of this table; choose another one with --metric")
    kept = [split for split, is_defined in zip(plan.splits, defined, strict=True) if is_defined]
    test = np.concatenate([split.test for split in kept])
    present_names = tuple(name for name in approaches if any(name == cell[0] for cell in cells))
    sizes = tuple(sorted({size for _, size in cells}))
    return LossEvidence(
        metric=metric, approaches=present_names, families=dict(families), cost_ranks=dict(cost_ranks),
        representatives=tuple(name for name in present_names if name in representatives),
        sizes=sizes, pool_rows=rows, split_kind=plan.kind, folds=plan.folds, repeats=plan.repeats,
        split=np.repeat(np.arange(len(kept)), [len(split.test) for split in kept]),
        unit=plan.unit[test],
        weight=None if question.weight is None else question.weight[test],
        loss={cell: -each.score[defined] if metric.higher_is_better else each.score[defined] for cell, each in cells.items()},
        row_loss={cell: np.concatenate([part for part, is_kept in zip(each.rows, defined, strict=True) if is_kept])
                  for cell, each in cells.items() if each.rows},
        imputed={cell: each.imputed[defined] for cell, each in cells.items()},
        margin=margin,
        overlap={size: training_overlap(kept, size, rows) for size in sizes},
        test_ratio=_test_ratio(plan.kind, kept, rows),
        **_of_classes(question, metric, kept),
    )


def _of_classes(question: Question, metric: Metric, splits: Sequence[Split]) -> dict[str, np.ndarray]:
    """`class_degrees` and `class_step`, by Satterthwaite as if all classes spread alike.

    Groups are units, but with one of them in each split only what lies between splits tells how they spread: rows are counted
    then.
    """
    if metric.classes is None:
        return {}
    by_unit, step = zip(*(_degrees_and_step(*metric.classes(*_by_unit(question, split))) for split in splits), strict=True)
    if len(splits) == 1 or sum(by_unit) >= question.plan.repeats:
        return {"class_degrees": np.array(by_unit), "class_step": np.array(step)}
    by_row = [_degrees_and_step(*metric.classes(*question.truth(split)))[0] for split in splits]
    return {"class_degrees": np.array(by_row), "class_step": np.array(step)}


def _by_unit(question: Question, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """The split's test rows with those of one class in one unit put together: classes and weights."""
    truth, weight = question.truth(split)
    classes = int(truth.max()) + 1
    together, place = np.unique(question.plan.unit[split.test] * classes + truth, return_inverse=True)
    return together % classes, np.bincount(place, weights=weight)


def _degrees_and_step(counts: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    variance = counts**2 / rows
    degrees = variance.sum() ** 2 / np.sum(variance**2 / np.maximum(rows - 1, DEGREES_OF_ONE))
    return float(degrees), float(np.max(counts / rows))


def training_overlap(splits: Sequence[Split], size: int, rows: int) -> float:
    """Mean share of the `size` training rows that two of the splits have in common, at most `MOST_OVERLAP`.

    >>> first, second = (Split(0, fold, np.array(train), np.array([4])) for fold, train in enumerate([[0, 1], [1, 2]]))
    >>> training_overlap([first, second], 2, 5)
    0.5
    """
    if len(splits) < 2:
        return 0.0
    times_used = np.zeros(rows, dtype=np.int64)
    for split in splits:
        times_used[split.train[:size]] += 1
    common = float(np.sum(times_used**2)) - len(splits) * size
    return min(common / (len(splits) * (len(splits) - 1) * size), MOST_OVERLAP)


def _test_ratio(kind: str, splits: Sequence[Split], rows: int) -> float:
    # A large fold is scored on a draw, yet training sets overlap as whole folds make them; only cuts in time and the
    # user's own positions leave rows out of both parts.
    covers_all_rows = kind in {"stratified", "grouped", "fold"}
    ratios = [(rows - len(each.train) if covers_all_rows else len(each.test)) / len(each.train) for each in splits]
    return float(np.mean(ratios))
