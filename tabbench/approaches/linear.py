"""Logistic regression over a grid of C x {l1, l2}, or elastic net, each tuned by inner cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tabbench.approaches.tuning import deciding_loss, tuning_rows, unit_weight
from tabbench.core.approach import APPROACHES, Approach, Settings, TrainingSet, Workload
from tabbench.core.finding import Incident
from tabbench.core.matrices import LinearMatrix
from tabbench.core.parts import Parts
from tabbench.data.inner_splits import inner_folds
from tabbench.data.target_scale import TargetScale
from tabbench.linear.elastic_net import ElasticNetGrid, LinearModel, choose_elastic_net, fit_elastic_net
from tabbench.linear.logistic import LogisticGrid, LogisticModel, choose_logistic, logistic_path
from tabbench.linear.rows import Rows


def _powers(low: int, high: int, points: int) -> list[float]:
    """10^low to 10^high, rounded so that they read well."""
    return [float(f"{strength:.3g}") for strength in np.logspace(low, high, points)]


GRIDS: dict[str, Settings] = {
    "fast": {"C": {"l2": _powers(-3, 1, 5), "l1": _powers(-2, 1, 4)}, "few_C": {"l2": _powers(-3, 1, 3), "l1": [0.1, 1.0]},
             "inner_folds": 3, "few_folds": 2, "most_epochs": 40, "epoch_cells": 400_000_000,
             "l1_ratios": [0.1, 1.0], "alphas": 20, "tuning_cells": 70_000},
    "balanced": {"C": {"l2": _powers(-4, 2, 13), "l1": _powers(-2, 1, 7)},
                 "few_C": {"l2": _powers(-3, 2, 6), "l1": _powers(-2, 1, 4)},
                 "inner_folds": 4, "few_folds": 3, "most_epochs": 80, "epoch_cells": 1_200_000_000,
                 "l1_ratios": [0.05, 0.5, 1.0], "alphas": 40, "tuning_cells": 300_000},
    "thorough": {"C": {"l2": _powers(-5, 3, 17), "l1": _powers(-3, 2, 11)},
                 "few_C": {"l2": _powers(-4, 3, 8), "l1": _powers(-2, 2, 5)},
                 "inner_folds": 5, "few_folds": 4, "most_epochs": 300, "epoch_cells": 20_000_000_000,
                 "l1_ratios": [0.01, 0.1, 0.5, 0.9, 1.0], "alphas": 60, "tuning_cells": 1_500_000}}
"""A preset's work; the few_ values hold where a point of the grid is expensive. `tuning_cells` (rows x columns x outputs)
bounds the rows that the grid is searched on, since C, a prior's width, carries over to more rows; `epoch_cells` likewise
bounds the stochastic solver's last fit."""
MOST_CHEAP_COLUMNS = 300
"""With more columns, or more than two classes, each point of the grid costs so much that a coarser grid has to do."""
FEWEST_TUNING_ROWS = 1500
SMALLEST_ALPHA = 1e-4
ITERATION_CELLS = 4_000_000_000
"""Bounds rows x columns x outputs x iterations of the last fit: about a minute."""
FEWEST_ITERATIONS = 40
MOST_ITERATIONS = 200
NEWTON_STEPS = 20
"""Rarely more than ten are needed, so the cap only bounds what is degenerate."""
FEWEST_EPOCHS = 8


def linear_settings(workload: Workload) -> Settings:
    """Grids, folds and caps for a workload."""
    grid = GRIDS[workload.preset]
    row_cells = workload.columns * workload.outputs
    tuning = {"tuning_rows": max(FEWEST_TUNING_ROWS, grid["tuning_cells"] // row_cells)}
    if workload.classes == 0:
        return tuning | {"inner_folds": grid["inner_folds"], "l1_ratios": grid["l1_ratios"], "alphas": grid["alphas"],
                         "smallest_alpha": SMALLEST_ALPHA}
    is_costly = workload.outputs > 1 or workload.columns > MOST_CHEAP_COLUMNS
    cells = workload.rows * row_cells
    return tuning | {
        "C": grid["few_C" if is_costly else "C"],
        "inner_folds": grid["few_folds" if is_costly else "inner_folds"],
        "iterations": int(np.clip(ITERATION_CELLS // cells, FEWEST_ITERATIONS, MOST_ITERATIONS)),
        "newton_steps": NEWTON_STEPS,
        "epochs": int(np.clip(grid["epoch_cells"] // cells, FEWEST_EPOCHS, grid["most_epochs"]))}


@dataclass(frozen=True, eq=False)
class FittedLinear:
    """A logistic or linear model and what tuning chose."""

    model: LogisticModel | LinearModel
    tuned: dict[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()

    def predict(self, features: LinearMatrix) -> np.ndarray:
        """Probabilities (m, n_classes) or numbers (m,)."""
        return self.model.predict(features.values)

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        if isinstance(self.model, LinearModel):
            arrays = {"coefficients": self.model.coefficients, "intercept": np.array([self.model.intercept])}
        else:
            arrays = {"coefficients": self.model.coefficients, "intercepts": self.model.intercepts}
        return Parts({"tuned": self.tuned}, arrays)


def restore_linear(parts: Parts) -> FittedLinear:
    """From `to_parts`."""
    arrays = parts.arrays
    if "intercepts" in arrays:
        return FittedLinear(LogisticModel(arrays["coefficients"], arrays["intercepts"]), parts.values["tuned"])
    return FittedLinear(LinearModel(arrays["coefficients"], float(arrays["intercept"][0])), parts.values["tuned"])


def fit_linear(training: TrainingSet) -> FittedLinear:
    """Search the grid on inner folds, then fit all rows at the best point."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(training.threads):
        return _fit_elastic_net(training) if training.task.is_regression else _fit_logistic(training)


def _fit_logistic(training: TrainingSet) -> FittedLinear:
    settings = training.settings
    grid = LogisticGrid({penalty: tuple(strengths) for penalty, strengths in settings["C"].items()},
                        settings["iterations"], settings["newton_steps"], settings["epochs"])
    sample = tuning_rows(training, settings["tuning_rows"])
    folds = inner_folds(sample, settings["inner_folds"], training.seed)
    (penalty, strength), inner_loss = choose_logistic(
        _rows(sample), sample.task.n_classes, folds, grid, deciding_loss(sample))
    # Newton steps reach an L1 solution far from empty sooner along the path than directly.
    walks = penalty == "l1" and training.task.n_classes == 2
    path = [each for each in grid.strengths[penalty] if each <= strength] if walks else [strength]
    model = logistic_path(_rows(training), penalty, path, grid)[-1]
    tuned = {"penalty": penalty, "C": strength, "inner_loss": _finite(inner_loss), "converged": model.has_converged,
             "nonzero": int(np.count_nonzero(model.coefficients))}
    return FittedLinear(model, tuned)


def _fit_elastic_net(training: TrainingSet) -> FittedLinear:
    settings = training.settings
    grid = ElasticNetGrid(tuple(settings["l1_ratios"]), settings["alphas"], settings["smallest_alpha"])
    scale = TargetScale.of(training.target, training.weight)
    scaled = replace(training, target=scale.standardised(training.target))
    sample = tuning_rows(scaled, settings["tuning_rows"])
    folds = inner_folds(sample, settings["inner_folds"], training.seed)
    point, inner_loss = choose_elastic_net(_rows(sample), folds, grid, deciding_loss(sample))
    model = fit_elastic_net(_rows(scaled), grid, point)
    model = LinearModel(model.coefficients * scale.spread, float(scale.restored(np.array(model.intercept))))
    tuned = {"l1_ratio": point.l1_ratio, "alpha_share": point.share, "scaled_inner_loss": _finite(inner_loss),
             "nonzero": int(np.count_nonzero(model.coefficients))}
    return FittedLinear(model, tuned)


def _rows(training: TrainingSet) -> Rows:
    return Rows(training.features.values, training.target, unit_weight(training))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


APPROACHES.register(Approach(
    name="linear", version=1, family="linear", cost_rank=10, view="linear",
    summary="logistic regression over C x {l1, l2}, or elastic net",
    settings=linear_settings, fit=fit_linear, restore=restore_linear, represents=True,
    requires=("sklearn.linear_model",)))
