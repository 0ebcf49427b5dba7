"""Contracts that everything registered with tabbench keeps, as functions that raise `AssertionError` where one is broken.

Offered to other packages as `tabbench.testing`. Knows no test runner.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.approach import APPROACHES, Approach, Workload
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.check import Check, CheckedTable
from tabbench.core.executor import ExecutorKind, Needs
from tabbench.core.finding import Finding
from tabbench.core.metric import Metric
from tabbench.core.setup import Setup
from tabbench.core.table import Column, Table
from tabbench.core.task import Task, TaskKind

__all__ = ["check_approach", "check_check", "check_executor", "check_metric"]

KINDS: tuple[TaskKind, ...] = ("binary", "multiclass", "regression")
CLASSES: dict[TaskKind, tuple[str, ...]] = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}
ROWS, TRAINING_ROWS = 150, 110
SMALL_EFFORT = 0.02


def check_approach(approach: Approach, kinds: tuple[TaskKind, ...] = KINDS) -> None:
    """Fit and restore an approach on small tables with gaps, unseen levels, dates and text.

    Parameters
    ----------
    approach : Approach
        As it is registered.
    kinds : tuple[str, ...], default all
        Kinds of tasks to try.

    Raises
    ------
    AssertionError
        Settings are not plain JSON or depend on more than the workload; predictions have another shape, are not finite, no
        probabilities, or depend on the rows beside; the same seed gives another model; the restored model predicts otherwise.
    """
    workload = Workload(1.0, 5000, 12, 3)
    settings = approach.settings(workload)
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings == approach.settings(workload), "settings"
    for kind in kinds:
        _check_fitted(approach, kind)


def _check_fitted(approach: Approach, kind: TaskKind) -> None:
    view, fitted = _fitted(approach, kind)
    rows = view.transform(_table(kind).features)
    predicted = fitted.predict(rows)
    n_classes = len(CLASSES[kind])
    assert predicted.dtype == np.float64 and np.isfinite(predicted).all(), "predictions are finite float64"
    assert predicted.shape == ((ROWS, n_classes) if n_classes else (ROWS,)), "predictions have a row each, a column a class"
    if n_classes:
        assert (predicted >= 0).all() and np.allclose(predicted.sum(axis=1), 1, atol=1e-6), "predictions are probabilities"
    alone = fitted.predict(view.transform(_table(kind).features[-1:]))
    np.testing.assert_allclose(alone[0], predicted[-1], rtol=1e-5, err_msg="a row's prediction depends on that row alone")
    again = _fitted(approach, kind)[1].predict(rows)
    assert again.tobytes() == predicted.tobytes(), "the same seed gives the same model"
    if approach.restore is not None:
        assert approach.restore(fitted.to_parts()).predict(rows).tobytes() == predicted.tobytes(), "restored bit for bit"


def _fitted(approach: Approach, kind: TaskKind) -> tuple[Any, Any]:
    """View and model of the first rows, without those with an unseen level."""
    from tabbench.execution.run import AllRows

    setup = _setup(kind, TRAINING_ROWS)
    settings = approach.settings(Workload(SMALL_EFFORT, TRAINING_ROWS, len(setup.table.columns), setup.task.n_classes))
    return AllRows(setup, approach, seed=7).fit(dict(settings))


def check_check(check: Check) -> None:
    """Run a check of the data on small tables of every kind.

    Parameters
    ----------
    check : Check
        As it is registered.

    Raises
    ------
    AssertionError
        It changes the table, answers differently the second time, or its findings are not plain, not among those that it says it
        looks for, or about a column that there is not.
    """
    assert check.summary and check.says, "a check says what it looks for"
    for kind in KINDS:
        table = _table(kind)
        checked = CheckedTable(table, Task(kind, CLASSES[kind], "m", ("m",)), table.target.to_numpy())
        before = table.features.copy(deep=True)
        findings = check.run(checked)
        assert findings == check.run(checked), "the same answer twice"
        pd.testing.assert_frame_equal(table.features, before)
        for finding in findings:
            assert Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False))) == finding, "plain values"
            assert (finding.code, finding.severity) in {(each.code, each.severity) for each in check.says}, "a code it declares"
            assert finding.message and "\n" not in finding.message and not finding.message.endswith("."), "one clause"
            assert finding.subject == "rows" or finding.subject in [*before, *CLASSES[kind]], "about what there is"


def check_metric(metric: Metric) -> None:
    """Score random predictions with a metric, for each kind of task that it is for.

    Parameters
    ----------
    metric : Metric
        As it is registered.

    Raises
    ------
    AssertionError
        A score is no finite number inside the bounds, changes with the order of rows or with weights that are all the same, is
        not the mean of the row losses, changes its inputs, or the perfect prediction has another score than the better bound.
    """
    for kind in metric.tasks:
        truth, predicted, weight = _scored(kind)
        copies = truth.copy(), predicted.copy(), weight.copy()
        value = metric.score(truth, predicted, weight)
        assert isinstance(value, float) and np.isfinite(value) and metric.bounds[0] <= value <= metric.bounds[1], "within bounds"
        order = np.random.default_rng(1).permutation(ROWS)
        assert np.isclose(metric.score(truth[order], predicted[order], weight[order]), value, atol=1e-9), "order does not count"
        assert np.isclose(metric.score(truth, predicted, np.full(ROWS, 2.5)), metric.score(truth, predicted, None), atol=1e-9)
        if metric.row_loss is not None:
            losses = metric.row_loss(truth, predicted, weight)
            assert losses.shape == (ROWS,) and np.isclose(np.average(losses, weights=weight), metric.loss(value)), "mean row loss"
        perfect = np.eye(len(CLASSES[kind]))[truth] if CLASSES[kind] else truth
        assert np.isclose(metric.score(truth, perfect, None), metric.bounds[metric.higher_is_better], atol=1e-9), "perfect"
        assert all(map(np.array_equal, copies, (truth, predicted, weight))), "inputs stay as they are"


def _scored(kind: TaskKind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator, n_classes = np.random.default_rng(0), len(CLASSES[kind])
    weight = generator.integers(1, 4, ROWS).astype(np.float64)
    if not n_classes:
        truth = 5 + generator.normal(size=ROWS)  # above 0, as some metrics want it
        return truth, truth + generator.normal(size=ROWS), weight
    codes = np.arange(ROWS) % n_classes
    odds = np.exp(generator.normal(size=(ROWS, n_classes)))
    return codes, odds / odds.sum(axis=1, keepdims=True), weight


def check_executor(kind: ExecutorKind) -> None:
    """Run a few cells of the constant predictor with an executor, in a folder for temporary files.

    Parameters
    ----------
    kind : ExecutorKind
        As it is registered.

    Raises
    ------
    AssertionError
        A cell has no result or is reported another number of times than once, it goes on when it is asked to stop, or the
        predictions are not those that the approach gives by itself.
    """
    from tabbench.store.database import Store
    from tabbench.store.folder import RunFolder
    from tabbench.store.setups import save_setup

    setup = _setup("binary")
    cells = [Cell(setup.table.fingerprint, "k", setup.splits_digest, "dummy", APPROACHES.get("dummy").version, {}, 60,
                  split.repeat, split.fold, 0, "cpu") for split in setup.splits.splits]
    with TemporaryDirectory() as place, RunFolder.open(Path(place, "run")) as folder, Store(folder.path) as store:
        save_setup(setup, folder.path)
        batches = [Batch((cell,)) for cell in cells]
        store.declare(batches)
        _run(kind, store, batches, stops_after=1)
        first = store.finished()
        assert first and len(first) < len(cells), "it stops when it is asked to, and what is done stays"
        _run(kind, store, [batch for batch in batches if batch.cells[0].key not in first])
        assert store.finished() == {cell.key for cell in cells}, "every cell has a result"
        for cell, split in zip(cells, setup.splits.splits, strict=True):
            shares = np.bincount(setup.target[split.train[:60]], minlength=2) / 60
            result = store.result(cell.key)
            assert result is not None and result.predictions is not None, "every cell has predictions"
            expected = np.tile(shares, (len(split.test), 1)).astype(np.float32)
            np.testing.assert_allclose(result.predictions, expected, rtol=1e-6, err_msg="the numbers are the approach's")


def _run(kind: ExecutorKind, store: Any, batches: list[Batch], stops_after: float = math.inf) -> None:
    from tabbench.execution.schedule import Schedule

    noted = _Noted()
    with kind.make(store, jobs=1, needs=Needs()) as executor:
        executor.open_setup()
        executor.run(Schedule(batches, jobs=1), noted, is_stopped=lambda: len(noted.keys) >= stops_after)
    assert len(noted.keys) == len(set(noted.keys)), "a result is reported once"


class _Noted:
    """Implements `core.executor.Observer`: remembers what was reported."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def learn(self, cell: Cell, result: Result) -> None:
        self.keys.append(result.key)

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        pass


def _setup(kind: TaskKind, rows: int = ROWS) -> Setup:
    from tabbench.splitting.splits import make_splits, splits_fingerprint

    whole = _table(kind)
    table = replace(whole, features=whole.features[:rows], target=whole.target[:rows], rows=whole.rows[:rows],
                    tie=whole.tie[:rows])
    metric = "log_loss" if CLASSES[kind] else "rmse"
    task, target = Task(kind, CLASSES[kind], metric, (metric,)), table.target.to_numpy()
    plan, _ = make_splits(table, target, task, folds=3, repeats=1)
    return Setup(table, task, target, plan, splits_fingerprint(plan), 0)


def _table(kind: TaskKind) -> Table:
    """Columns of every kind with gaps; the last rows have a level that the first ones lack."""
    generator = np.random.default_rng(0)
    number, level = generator.normal(size=ROWS), generator.choice(["red", "green", "blue"], ROWS).astype(object)
    signal = 2 * number + (level == "red") + generator.normal(size=ROWS)
    number[::7], level[::13], level[-5:] = np.nan, None, "unseen"
    day = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, ROWS), unit="D"))
    features = pd.DataFrame({
        "number": number, "same": 1.0, "level": pd.Categorical(level), "day": day.astype("datetime64[us]"),
        "flag": pd.array(generator.random(ROWS) < 0.5, dtype="boolean"),
        "text": pd.Series([f"note {row % 40} of {row % 7}" for row in range(ROWS)], dtype="str")})
    kinds = {"level": "category", "day": "date", "flag": "boolean", "text": "text"}
    columns = tuple(Column(name, kinds.get(name, "number"),  # type: ignore[arg-type]
                           tuple(features[name].cat.categories) if name == "level" else ()) for name in features)
    cuts = np.quantile(signal, np.arange(1, len(CLASSES[kind])) / max(1, len(CLASSES[kind])))
    target = pd.Series(np.digitize(signal, cuts).astype(np.int64) if CLASSES[kind] else signal)
    return Table("contract", features, columns, target, "answer", False, np.arange(ROWS), np.arange(ROWS, dtype=np.uint64), "f")
