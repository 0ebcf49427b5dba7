"""Logistic regression over a grid of C x {l1, l2}, or elastic net, each tuned by inner cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from tabbench.approaches.tuning import deciding_loss, restricted, tuning_rows, unit_weight
from tabbench.core.approach import APPROACHES, Approach, HeldOut, Settings, TrainingSet, Workload
from tabbench.core.finding import Incident
from tabbench.core.matrices import LinearMatrix
from tabbench.core.parts import Parts
from tabbench.data.inner_splits import inner_folds
from tabbench.data.target_scale import TargetScale
from tabbench.linear.elastic_net import ElasticNetGrid, LinearModel, choose_elastic_net, fit_elastic_net
from tabbench.linear.logistic import LogisticGrid, LogisticPath, choose_logistic, fit_logistic
from tabbench.linear.rows import Rows
from tabbench.linear.walker import LogisticModel


def _powers(low: float, high: float, points: int) -> list[float]:
    """10^low to 10^high, rounded so that they read well."""
    return [float(f"{strength:.3g}") for strength in np.logspace(low, high, points)]


GRIDS: dict[str, Settings] = {
    "fast": {"C": {"l2": _powers(-4, 2, 7), "l1": _powers(-2, 1, 4)}, "few_C": {"l2": _powers(-3, 1, 3), "l1": [0.1, 1.0]},
             "inner_folds": 3, "few_folds": 2, "l1_ratios": [0.0, 1.0], "alphas": 20, "tuning_cells": 70_000},
    "balanced": {"C": {"l2": _powers(-4, 2, 13), "l1": _powers(-2, 1, 7)},
                 "few_C": {"l2": _powers(-4, 2, 7), "l1": _powers(-2, 0.5, 6)},
                 "inner_folds": 5, "few_folds": 4, "l1_ratios": [0.0, 0.5, 1.0], "alphas": 40, "tuning_cells": 300_000},
    "thorough": {"C": {"l2": _powers(-5, 3, 17), "elastic net": _powers(-3, 2, 11), "l1": _powers(-3, 2, 11)},
                 "few_C": {"l2": _powers(-4, 3, 15), "elastic net": _powers(-2, 1, 4), "l1": _powers(-2, 1, 7)},
                 "inner_folds": 8, "few_folds": 5, "l1_ratios": [0.0, 0.1, 0.5, 0.9, 1.0], "alphas": 60,
                 "tuning_cells": 1_500_000}}
"""A preset's work; the few_ values hold where a point of the grid is expensive. `tuning_cells` (rows x columns x outputs)
bounds the rows that the grid is searched on, since C, a prior's width, carries over to more rows."""
L1_RATIOS = {"l2": 0.0, "elastic net": 0.5, "l1": 1.0}
MOST_CHEAP_COLUMNS = 300
"""With more columns, or more than two classes, each point of the grid costs so much that a coarser grid has to do."""
FEWEST_TUNING_ROWS = 5000
"""A blend learns its weights from the predictions for these rows."""
SMALLEST_ALPHA = 1e-6
"""As a share of the penalty that empties the model: next to no penalty."""
TOLERANCE = 1e-7
"""Of a unit of weight's loss: what it leaves open moves a log loss in the fifth digit."""
NEWTON_STEPS = 20
"""Rarely more than ten are needed, so the cap only bounds what is degenerate."""


def linear_settings(workload: Workload) -> Settings:
    """Grids, folds and caps for a workload."""
    grid = GRIDS[workload.preset]
    tuning = {"tuning_rows": max(FEWEST_TUNING_ROWS, grid["tuning_cells"] // (workload.columns * workload.outputs))}
    if workload.classes == 0:
        return tuning | {"inner_folds": grid["inner_folds"], "l1_ratios": grid["l1_ratios"], "alphas": grid["alphas"],
                         "smallest_alpha": SMALLEST_ALPHA}
    is_costly = workload.outputs > 1 or workload.columns > MOST_CHEAP_COLUMNS
    return tuning | {"C": grid["few_C" if is_costly else "C"], "inner_folds": grid["few_folds" if is_costly else "inner_folds"],
                     "newton_steps": NEWTON_STEPS}


@dataclass(frozen=True, eq=False)
class FittedLinear:
    """A logistic or linear model, what tuning chose, and what the chosen point predicted on the inner folds."""

    model: LogisticModel | LinearModel
    tuned: dict[str, Any] = field(default_factory=dict)
    held_out: HeldOut | None = None
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
    with _thread_pools().limit(limits=training.threads):
        return _fit_elastic_net(training) if training.task.is_regression else _fit_logistic(training)


@cache
def _thread_pools() -> Any:
    # Once for all: finding the libraries takes longer than many a fit. SciPy brings one of its own.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _fit_logistic(training: TrainingSet) -> FittedLinear:
    settings = training.settings
    paths = tuple(LogisticPath(L1_RATIOS[penalty], tuple(strengths)) for penalty, strengths in settings["C"].items())
    grid = LogisticGrid(paths, settings["newton_steps"], TOLERANCE)
    sample, positions = _sample(training)
    folds = inner_folds(sample, settings["inner_folds"], training.shared_seed)
    chosen = choose_logistic(_rows(sample), sample.task.n_classes, folds, grid, deciding_loss(sample))
    point = chosen.point
    # Newton steps reach a solution with l1 far from empty sooner along the path than directly.
    model = fit_logistic(_rows(training), point, grid, along=point.l1_ratio > 0)
    penalty = next(name for name, ratio in L1_RATIOS.items() if ratio == point.l1_ratio)
    tuned = {"penalty": penalty, "C": point.strength, "inner_loss": _finite(chosen.loss), "converged": model.has_converged,
             "nonzero": int(np.count_nonzero(model.coefficients))}
    return FittedLinear(model, tuned, _held_out(positions, folds, chosen.predictions))


def _fit_elastic_net(training: TrainingSet) -> FittedLinear:
    settings = training.settings
    scale = TargetScale.of(training.target, training.weight)
    scaled = replace(training, target=scale.standardised(training.target))
    sample, positions = _sample(scaled)
    grid = ElasticNetGrid.spanning(_rows(sample), settings["l1_ratios"], settings["alphas"], settings["smallest_alpha"])
    folds = inner_folds(sample, settings["inner_folds"], training.shared_seed)
    point, inner_loss, predictions = choose_elastic_net(_rows(sample), folds, grid, deciding_loss(sample))
    model = fit_elastic_net(_rows(scaled), grid, point)
    model = LinearModel(model.coefficients * scale.spread, float(scale.restored(np.array(model.intercept))))
    tuned = {"l1_ratio": point.l1_ratio, "alpha": point.alpha, "scaled_inner_loss": _finite(inner_loss),
             "nonzero": int(np.count_nonzero(model.coefficients))}
    return FittedLinear(model, tuned, _held_out(positions, folds, scale.restored(predictions)))


def _sample(training: TrainingSet) -> tuple[TrainingSet, np.ndarray]:
    """The rows that the grid is searched on, and their positions."""
    numbered = LinearMatrix(np.arange(len(training))[:, None], ("row",))
    drawn = tuning_rows(replace(training, features=numbered, seed=training.shared_seed), training.settings["tuning_rows"])
    positions = drawn.features.values[:, 0]
    return restricted(training, positions)[0], positions


def _held_out(positions: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]], predictions: np.ndarray) -> HeldOut:
    rows = positions[np.concatenate([valid for _, valid in folds])]
    order = np.argsort(rows, kind="stable")
    return HeldOut(rows[order], predictions[order])


def _rows(training: TrainingSet) -> Rows:
    return Rows(training.features.values, training.target, unit_weight(training))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


APPROACHES.register(Approach(
    name="linear", version=3, family="linear", cost_rank=10, view="linear",
    summary="logistic regression over C x {l1, l2}, or elastic net and ridge",
    settings=linear_settings, fit=fit_linear, restore=restore_linear, represents=True, blends=True,
    requires=("sklearn.linear_model",)))
