"""Tables with a known truth, cut into splits and predicted by least squares, as evidence."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from tabbench.core.metric import Metric
from tabbench.core.split import Split, SplitPlan
from tabbench.core.task import Task
from tabbench.verdict.evidence import LossEvidence, build_evidence, training_overlap
from tabbench.verdict.scoring import Question

SQUARED_ERROR = Metric(
    "mse",
    ("regression",),
    higher_is_better=False,
    score=lambda truth, prediction, weight: float(np.average((truth - prediction) ** 2, weights=weight)),
    row_loss=lambda truth, prediction, weight: (truth - prediction) ** 2,
)

REGRESSION = Task("regression", (), "mse", ("mse",))


def random_folds(rows: int, folds: int, repeats: int, seed: int) -> SplitPlan:
    """Plain repeated K-fold splits with one shuffled training order each."""
    random = np.random.default_rng(seed)
    splits = []
    for repeat in range(repeats):
        order = random.permutation(rows)
        for fold in range(folds):
            is_test = np.zeros(rows, dtype=bool)
            is_test[order[fold::folds]] = True
            splits.append(Split(repeat, fold, random.permutation(np.flatnonzero(~is_test)), np.flatnonzero(is_test)))
    full = min(len(split.train) for split in splits)
    return SplitPlan("stratified", tuple(splits), folds, repeats, full, np.arange(rows))


def least_squares_evidence(features, target, columns, sizes, plan, metric=SQUARED_ERROR, margin=0.0) -> LossEvidence:
    """Evidence of one least-squares fit for each list of columns; the first two stand for their families."""
    names = [f"ols{place}" for place in range(len(columns))]

    def predict(name: str, size: int, index: int) -> np.ndarray:
        split, chosen = plan.splits[index], columns[names.index(name)]
        train = split.train[:size]
        cross = features[train][:, chosen]
        slopes = np.linalg.solve(cross.T @ cross + 1e-9 * np.eye(len(chosen)), cross.T @ target[train])
        return features[split.test][:, chosen] @ slopes

    return build_evidence(
        Question(REGRESSION, target, plan),
        metric,
        predict,
        [(name, size) for name in names for size in sizes],
        approaches=names,
        families=dict.fromkeys(names, "linear"),
        cost_ranks={name: place for place, name in enumerate(names)},
        representatives=names[:2],
        margin=margin,
    )


def mirror_twins(seed: int, *, twins: int = 2, rows: int = 300, repeats: int = 3, sizes=(15, 30, 60, 120, 240)) -> LossEvidence:
    """G1: every approach sees its own five of exchangeable columns, so that no two differ at any size."""
    random = np.random.default_rng([1, seed])
    features = random.standard_normal((rows, 5 * twins))
    target = 0.5 * features.sum(axis=1) + random.standard_normal(rows)
    columns = [np.arange(5 * twin, 5 * twin + 5) for twin in range(twins)]
    return least_squares_evidence(features, target, columns, sizes, random_folds(rows, 5, repeats, seed))


def crossing_pair(seed: int, *, rows: int = 600, repeats: int = 3, tau: float = 0.45) -> tuple[LossEvidence, float]:
    """G2: five columns against all twenty; the truth is that they change places at n* (closed form)."""
    few, many = 5, 20
    random = np.random.default_rng([2, seed])
    features = random.standard_normal((rows, many))
    slopes = np.concatenate([np.full(few, 0.5), np.full(many - few, tau / np.sqrt(many - few))])
    target = features @ slopes + random.standard_normal(rows)
    sizes = (30, 45, 68, 101, 152, 228, 300, int(rows * 0.8))
    plan = random_folds(rows, 5, repeats, seed)
    evidence = least_squares_evidence(features, target, [np.arange(few), np.arange(many)], sizes, plan)
    return evidence, many + 1 + (many - few) / tau**2


def evidence_of(row_loss, *, folds=5, repeats=1, seed=0, **changes) -> LossEvidence:
    """Evidence from (approach, size) -> row losses; an array (N,) is looked up by row, one (J, N) by split and row.

    The family of "dummy" is the baseline; every approach represents its family unless said otherwise.
    """
    first = np.asarray(next(iter(row_loss.values())))
    rows = first.shape[-1]
    plan = random_folds(rows, folds, repeats, seed)
    test = np.concatenate([split.test for split in plan.splits])
    split = np.repeat(np.arange(len(plan.splits)), [len(each.test) for each in plan.splits])
    by_row = {cell: each[split, test] if each.ndim == 2 else each[test] for cell, each in row_loss.items()}
    names = tuple(dict.fromkeys(name for name, _ in row_loss))
    sizes = tuple(sorted({size for _, size in row_loss}))
    evidence = LossEvidence(
        metric=SQUARED_ERROR,
        approaches=names,
        families={name: "baseline" if name == "dummy" else name for name in names},
        cost_ranks={name: place for place, name in enumerate(names)},
        representatives=names,
        sizes=sizes,
        pool_rows=rows,
        split_kind="stratified",
        folds=folds,
        repeats=repeats,
        split=split,
        unit=test,
        weight=None,
        loss={cell: np.bincount(split, weights=each) / np.bincount(split) for cell, each in by_row.items()},
        row_loss=by_row,
        imputed={cell: np.zeros(len(plan.splits), dtype=bool) for cell in row_loss},
        margin=0.1,
        overlap={size: training_overlap(plan.splits, min(size, plan.full_size), rows) for size in sizes},
        test_ratio=1 / (folds - 1),
    )
    return replace(evidence, **changes)


class Noted:
    """Implements `Observer`: notes the keys of the cells that have a result."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def learn(self, cell, result) -> None:
        self.keys.append(cell.key)

    def show(self, running, seconds_left) -> None:
        pass


def generators() -> SimpleNamespace:
    """All of them, for a fixture."""
    return SimpleNamespace(
        mirror_twins=mirror_twins,
        crossing_pair=crossing_pair,
        random_folds=random_folds,
        least_squares_evidence=least_squares_evidence,
        metric=SQUARED_ERROR,
        task=REGRESSION,
        evidence_of=evidence_of,
    )
