"""What a cell is expected to cost before anything ran: seconds and peak memory by approach, effort and shape of the table.

Log-linear models whose coefficients `tools/measure_costs.py` writes to costs.json, scaled to this machine by a short probe.
Knows cells and shapes; no process, no clock but the probe's, no table.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tabbench.core.effort import POINTS

COSTS = Path(__file__).with_name("costs.json")

ROW_KNOTS = (1_000, 10_000)
COLUMN_KNOT = 50
"""Slopes change here: fixed costs hide growth at small sizes, and work that is bounded flattens it at large ones."""
FEATURES = ("one", "rows", "rows_from_1000", "rows_from_10000", "columns", "columns_from_50", "width", "outputs", "regression")
LOWER = (-np.inf, 0, 0, 0, 0, 0, 0, 0, -np.inf)
UPPER = (np.inf, 1.2, 1.4, 1.2, 1.5, 1.5, 1.5, 1.3, np.inf)
"""Nothing becomes cheaper with more rows, columns or classes, nor grows much faster than in proportion to the rows."""

PROBE_PIECES = 8
LEAST_CROWDING = 1.15
"""Wall time a processor second; less is the clock's own noise."""
LEAST_SPREAD = 0.1
"""Two runs of the same cell differ by as much."""
COMPOSED_SPREAD, UNKNOWN_SPREAD = 0.7, 1.5
OTHER_VERSION_SPREAD = 0.4
"""Standard deviations of the logarithm where an approach was put together from others, was never measured, or was measured in
another version."""
UNKNOWN_WORK_MB = 200.0
DEFAULT_EXPONENT = 0.8
"""Seconds grow with this power of the effort where one preset alone was measured: the presets are sized for work in proportion,
of which rows, rounds or folds that are bounded leave a part undone. Memory holds the table rather than the work, and stays."""
SPREAD_BEYOND = 0.3
"""Of the logarithm, a factor of e in effort beyond what was measured: by so much the slopes between the measured presets differ
from one shape of table to another."""
SMALLEST_SHARE_OF_FAST = 0.1
"""Seconds at most that less effort saves: what is left is reading and predicting the rows."""


@dataclass(frozen=True)
class Shape:
    """What a cost depends on.

    `width` is the number of columns after one-hot encoding, `classes` is 0 for regression; `test_rows` are predicted.
    """

    rows: int
    columns: int
    width: int
    classes: int
    test_rows: int = 0

    def vector(self) -> np.ndarray:
        """(9,) features in the order of `FEATURES`: logarithms, so that slopes are exponents."""
        low, high = (math.log(knot) for knot in ROW_KNOTS)
        rows, columns = math.log(max(self.rows, 1)), math.log(max(self.columns, 1))
        knot = math.log(COLUMN_KNOT)
        return np.array([1.0, min(rows, low) - low, min(max(rows, low), high) - low, max(rows, high) - high,
                         min(columns, knot) - knot, max(columns, knot) - knot,
                         math.log(max(self.width / max(self.columns, 1), 1.0)),
                         math.log(self.classes if self.classes > 2 else 1), float(self.classes == 0)])


@dataclass(frozen=True)
class Expected:
    """A quantity that is known up to a factor: its median and the standard deviation of its logarithm."""

    median: float
    spread: float


@dataclass(frozen=True)
class CellCost:
    """One cell's expected seconds and the memory that its work adds to a worker's.

    `known` is measured, composed (of what was measured) or unknown.
    """

    seconds: Expected
    work_mb: Expected
    known: str

    def drawn_to(self, seconds: float) -> CellCost:
        """Half way, by its logarithm, to what an approach sets out to spend.

        Generated tables, on which costs were measured, let boosters stop early; real ones often do not.
        """
        return replace(self, seconds=replace(self.seconds, median=math.sqrt(self.seconds.median * seconds)))


class PriorCosts:
    """Costs of cells as measured elsewhere, on this machine.

    Parameters
    ----------
    measured : Mapping[str, Any]
        The content of costs.json.
    slowness : float, default 1.0
        How many times longer this machine takes than the one of the measurement.
    is_crowded : bool, default False
        Whether something else kept it busy, of which nobody knows how long it will go on.

    Examples
    --------
    >>> costs = PriorCosts.load()
    >>> small, large = (costs.own("linear", 0.1, Shape(rows, 20, 30, 2)) for rows in (1_000, 100_000))
    >>> small.seconds.median < large.seconds.median
    True
    """

    def __init__(self, measured: Mapping[str, Any], slowness: float = 1.0, *, is_crowded: bool = False) -> None:
        self._measured = measured
        self.is_crowded = is_crowded
        self.slowness = slowness

    @classmethod
    def load(cls, slowness: float = 1.0) -> PriorCosts:
        """From the file in the package."""
        return cls(_measured(), slowness)

    @classmethod
    def on_this_machine(cls, jobs: int, cores: int) -> PriorCosts:
        """Scaled to this machine by a short probe, with so many workers on so many cores and whatever else runs there."""
        seconds, crowding = probe()
        is_crowded = crowding > LEAST_CROWDING
        # The probe was alone against what else runs; the workers will be against each other too.
        share = crowding + (min(jobs, cores) - 1) / cores if is_crowded else 1.0
        return cls(_measured(), seconds / _measured()["machine"]["probe_seconds"] * share, is_crowded=is_crowded)

    def machine(self, name: str) -> float:
        """A plain figure of the measurement: seconds (scaled to this machine) or megabytes."""
        value = float(self._measured["machine"][name])
        return value * self.slowness if name.endswith("_seconds") else value

    def view(self, name: str, shape: Shape) -> float:
        """Seconds that a view of the training and test rows takes to prepare."""
        if f"view:{name}" not in self._measured["models"]:
            return 0.0
        model = self._measured["models"][f"view:{name}"]["any"]
        return _evaluate(model["fit"], replace(shape, rows=shape.rows + shape.test_rows)).median * self.slowness

    def own(self, approach: str, effort: float, shape: Shape, version: int | None = None) -> CellCost:
        """What a cell costs when the views are prepared and the fits that it reuses are there."""
        models = self._measured["models"].get(approach)
        if models is None:
            return self._composed(approach, effort, shape)
        predicted = replace(shape, rows=max(shape.test_rows, 1))
        fit, predict = _seconds(_points(models, "fit", shape), effort), _seconds(_points(models, "predict", predicted), effort)
        work_mb = _along(_points(models, "work_mb", shape), effort, exponent=0.0)
        stale = OTHER_VERSION_SPREAD if version not in (None, self._measured["versions"].get(approach)) else 0.0
        efforts = [POINTS[name] for name in models]
        return CellCost(Expected((fit.median + predict.median) * self.slowness, math.hypot(fit.spread, stale)), work_mb,
                        "measured" if min(efforts) <= effort <= max(efforts) else "composed")

    def _composed(self, approach: str, effort: float, shape: Shape) -> CellCost:
        """`mlp+forest` is mlp and what forest selection costs elsewhere."""
        learner, *selectors = approach.split("+")
        if not selectors or learner not in self._measured["models"]:
            return CellCost(Expected(math.nan, UNKNOWN_SPREAD), Expected(UNKNOWN_WORK_MB, UNKNOWN_SPREAD), "unknown")
        base = self.own(learner, effort, shape)
        seconds, work_mb = base.seconds.median, base.work_mb.median
        for selector in selectors:
            known = f"linear+{selector}"
            other = self.own(known, effort, shape) if known in self._measured["models"] else base
            seconds, work_mb = seconds + other.seconds.median, max(work_mb, other.work_mb.median)
        return CellCost(Expected(seconds, COMPOSED_SPREAD), Expected(work_mb, COMPOSED_SPREAD), "composed")


def _evaluate(model: Mapping[str, Any], shape: Shape) -> Expected:
    value = float(np.dot(model["coefficients"], shape.vector()))
    return Expected(math.exp(value), max(float(model["spread"]), LEAST_SPREAD))


def _points(models: Mapping[str, Any], quantity: str, shape: Shape) -> dict[float, Expected]:
    """What was measured of a quantity, by ascending effort."""
    return {POINTS[name]: _evaluate(models[name][quantity], shape) for name in sorted(models, key=lambda name: POINTS[name])}


def _seconds(points: Mapping[float, Expected], effort: float) -> Expected:
    found, fast = (_along(points, each, DEFAULT_EXPONENT) for each in (effort, POINTS["fast"]))
    return Expected(max(found.median, SMALLEST_SHARE_OF_FAST * fast.median), found.spread)


def _along(points: Mapping[float, Expected], effort: float, exponent: float) -> Expected:
    """The quantity at an effort: on straight lines of the logarithms through the points, and beyond them.

    It never falls with more effort: two presets that were measured the other way round say the same, the mean of both. Through
    one point goes the line of the `exponent`.
    """
    places, place = np.log(list(points)), math.log(effort)
    logs = np.log([each.median for each in points.values()])
    logs = (np.maximum.accumulate(logs) + np.minimum.accumulate(logs[::-1])[::-1]) / 2
    slopes = np.diff(logs) / np.diff(places) if len(points) > 1 else np.array([exponent])
    below, above = max(places[0] - place, 0.0), max(place - places[-1], 0.0)
    value = np.interp(place, places, logs) - slopes[0] * below + slopes[-1] * above
    spread = math.hypot(np.interp(place, places, [each.spread for each in points.values()]), SPREAD_BEYOND * (below + above))
    is_guessed = len(points) == 1 and effort not in points
    return Expected(math.exp(value), max(spread, COMPOSED_SPREAD) if is_guessed else spread)


@cache
def _measured() -> dict[str, Any]:
    return dict(json.loads(COSTS.read_text(encoding="utf-8")))


def fit_costs(shapes: Sequence[Shape], values: np.ndarray, near: Sequence[float], strength: float = 0.3) -> dict[str, Any]:
    """Coefficients of a log-linear model, and how far off it is on shapes that it has not seen.

    Parameters
    ----------
    values : ndarray
        (n,) positive.
    near : Sequence[float]
        (9,) coefficients that are right where the data say nothing.

    Returns
    -------
    dict : dict[str, Any]
        `coefficients` (9,), `spread` (standard deviation of the logarithm, left-out), `cells` n.
    """
    features, logs = np.array([shape.vector() for shape in shapes]), np.log(values)
    coefficients = _bounded_ridge(features, logs, np.asarray(near, dtype=float), strength)
    folds = np.arange(len(logs)) % min(len(logs), 8)
    errors = [logs[folds == fold] - features[folds == fold] @ _bounded_ridge(
        features[folds != fold], logs[folds != fold], coefficients, strength) for fold in np.unique(folds)]
    left_out = np.concatenate(errors) if len(logs) > len(FEATURES) else np.array([COMPOSED_SPREAD])
    return {"coefficients": [round(float(each), 4) for each in coefficients],
            "spread": round(float(np.sqrt(np.mean(left_out**2))), 3), "cells": len(logs)}


def _bounded_ridge(features: np.ndarray, logs: np.ndarray, near: np.ndarray, strength: float) -> np.ndarray:
    from scipy.optimize import lsq_linear

    weights = np.sqrt(np.array([1e-3, *[strength] * (len(FEATURES) - 1)]))
    stacked = np.vstack([features, np.diag(weights)])
    solved = lsq_linear(stacked, np.concatenate([logs, weights * near]), bounds=(LOWER, UPPER))
    return np.asarray(solved.x)


def probe() -> tuple[float, float]:
    """(processor seconds, crowding): the fastest of several pieces of a fixed computation, and wall time a processor second.

    Takes about 0.1 seconds on an ordinary core that is free.
    """
    numbers = np.random.default_rng(0).normal(size=60_000)
    pieces, wall, busy = [], time.perf_counter(), time.thread_time()
    for _ in range(PROBE_PIECES):
        began = time.thread_time()
        order = np.argsort(numbers, kind="stable")
        np.add.reduceat(np.exp(numbers[order]), np.arange(0, len(numbers), 50))
        sum(each * each for each in range(40_000))
        pieces.append(time.thread_time() - began)
    crowding = (time.perf_counter() - wall) / max(time.thread_time() - busy, 1e-9)
    return min(pieces), max(crowding, 1.0)
