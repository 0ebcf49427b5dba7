"""Logistic regression over a grid of C x {l1, l2}, or elastic net, each tuned by inner cross-validation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from tabbench.approaches.tuning import deciding_loss, restricted, tuning_rows, unit_weight
from tabbench.core.approach import APPROACHES, Approach, HeldOut, Settings, TrainingSet, Workload
from tabbench.core.effort import POINTS, bounded, counted, nearest
from tabbench.core.finding import Incident
from tabbench.core.matrices import LinearMatrix
from tabbench.core.parts import Parts
from tabbench.linear.elastic_net import (
    PATIENCE as ELASTIC_NET_PATIENCE,
)
from tabbench.linear.elastic_net import (
    ElasticNetGrid,
    FoldSquares,
    LinearModel,
    choose_elastic_net,
    fit_elastic_net,
    squares_of,
)
from tabbench.linear.logistic import LogisticGrid, LogisticPath, choose_logistic, fit_logistic
from tabbench.linear.rows import Rows, lowest
from tabbench.linear.walker import LogisticModel, SharedCurvatures, Walker
from tabbench.splitting.inner_splits import inner_folds
from tabbench.views.target_scale import TargetScale

Powers = dict[str, tuple[float, float, int]]
"""By preset the lowest and the highest power of ten of a grid of C, and its points."""

L2: Powers = {"fast": (-4, 2, 7), "balanced": (-4, 2, 13), "thorough": (-5, 3, 17)}
L1: Powers = {"fast": (-2, 1, 4), "balanced": (-2, 1, 7), "thorough": (-3, 2, 11)}
FEW_L2: Powers = {"fast": (-3, 1, 3), "balanced": (-4, 2, 7), "thorough": (-4, 3, 15)}
FEW_L1: Powers = {"fast": (-1, 0, 2), "balanced": (-2, 0.5, 6), "thorough": (-2, 1, 7)}
FEWEST_L2_POINTS = 3
ELASTIC_NET, FEW_ELASTIC_NET = (-3.0, 2.0, 11), (-2.0, 1.0, 4)
FEWEST_ELASTIC_NET_POINTS = 3
"""Of the thorough preset alone: from the balanced one on its points grow from none, and with fewer it is left out."""
FOLDS = {"fast": 3, "balanced": 5, "thorough": 8}
FEW_FOLDS = {"fast": 2, "balanced": 4, "thorough": 5}
"""The few_ values hold where a point of the grid is expensive."""
NET_RATIOS = {"fast": [0.0, 1.0], "balanced": [0.0, 0.5, 1.0], "thorough": [0.0, 0.1, 0.5, 0.9, 1.0]}
ALPHAS = {"fast": 20, "balanced": 40, "thorough": 60}
TUNING_CELLS = {"fast": 70_000, "balanced": 300_000, "thorough": 1_500_000}
"""Rows x columns x outputs: bounds the rows that the grid is searched on, since C, a prior's width, carries over to more."""
MOST_FIT_CELLS = 20_000_000
"""Rows x columns x outputs of the last fit, of the fast preset and in proportion below it: with less work a long table is fitted
on some of its rows, since a linear model has few coefficients to learn. From the fast preset on there is no bound."""
L1_RATIOS = {"l2": 0.0, "elastic net": 0.5, "l1": 1.0}
MOST_CHEAP_COLUMNS = 300
"""With more columns, or more than two classes, each point of the grid costs so much that a coarser grid has to do."""
FEWEST_TUNING_ROWS = 5000
"""A blend learns its weights from the predictions for these rows."""
SMALLEST_ALPHA = 1e-6
"""As a share of the penalty that empties the model: next to no penalty."""
TOLERANCE, SEARCH_TOLERANCE = 1e-7, 1e-4
"""Of a unit of weight's loss, as the last Newton step promised it: what that leaves open moves a log loss in the fifth digit or
later, also while candidates are compared, since steps are then quadratically shorter."""
NEWTON_STEPS = 20
"""Rarely more than ten are needed, so the cap only bounds what is degenerate."""


def linear_settings(workload: Workload) -> Settings:
    """Grids, folds and caps for a workload."""
    effort, is_costly = workload.effort, workload.outputs > 1 or workload.columns > MOST_CHEAP_COLUMNS
    cells = counted(effort, **TUNING_CELLS)
    tuning = {"tuning_rows": max(FEWEST_TUNING_ROWS, cells // (workload.columns * workload.outputs))} | _fit_rows(workload)
    if workload.classes == 0:
        return tuning | {"inner_folds": counted(effort, **FOLDS, least=2), "l1_ratios": nearest(effort, NET_RATIOS),
                         "alphas": counted(effort, **ALPHAS), "smallest_alpha": SMALLEST_ALPHA}
    return tuning | {"C": _few_strengths(effort) if is_costly else _strengths(effort),
                     "inner_folds": counted(effort, **(FEW_FOLDS if is_costly else FOLDS), least=2),
                     "newton_steps": NEWTON_STEPS}


def _fit_rows(workload: Workload) -> Settings:
    """The bound on the rows of the last fit, where there is one."""
    if workload.effort >= POINTS["fast"]:
        return {}
    cells = MOST_FIT_CELLS * workload.effort / POINTS["fast"]
    return {"fit_rows": max(FEWEST_TUNING_ROWS, int(cells / (workload.columns * workload.outputs)))}


def _strengths(effort: float) -> dict[str, list[float]]:
    return {"l2": _grid(effort, L2, FEWEST_L2_POINTS), **_elastic_net(effort, *ELASTIC_NET), "l1": _grid(effort, L1)}


def _few_strengths(effort: float) -> dict[str, list[float]]:
    return {"l2": _grid(effort, FEW_L2, FEWEST_L2_POINTS), **_elastic_net(effort, *FEW_ELASTIC_NET), "l1": _grid(effort, FEW_L1)}


def _grid(effort: float, powers: Powers, least: int = 1) -> list[float]:
    low, high = (bounded(effort, *(powers[name][end] for name in POINTS)) for end in (0, 1))
    return _powers(low, high, counted(effort, **{name: of_preset[2] for name, of_preset in powers.items()}, least=least))


def _elastic_net(effort: float, low: float, high: float, thorough: int) -> dict[str, list[float]]:
    points = round(thorough * math.log(effort / POINTS["balanced"]) / math.log(POINTS["thorough"] / POINTS["balanced"]))
    return {"elastic net": _powers(low, high, points)} if points >= FEWEST_ELASTIC_NET_POINTS else {}


def _powers(low: float, high: float, points: int) -> list[float]:
    """10^low to 10^high, or what lies between them, rounded so that they read well."""
    powers = np.linspace(low, high, points) if points > 1 else np.array([(low + high) / 2])
    return [float(f"{strength:.3g}") for strength in 10.0**powers]


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
    tuned = parts.values["tuned"]
    if "intercepts" in parts.arrays:
        intercepts = parts.array("intercepts", (None,))
        return FittedLinear(LogisticModel(parts.array("coefficients", (len(intercepts), None)), intercepts), tuned)
    return FittedLinear(LinearModel(parts.array("coefficients", (None,)), float(parts.array("intercept", (1,))[0])), tuned)


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
    chosen = choose_logistic(_rows(sample), sample.task.n_classes, folds, replace(grid, tolerance=SEARCH_TOLERANCE),
                             deciding_loss(sample))
    point = chosen.point
    # Newton steps reach a solution with l1 far from empty sooner along the path than directly.
    model = fit_logistic(_rows(_fitted_rows(training)), point, grid, along=point.l1_ratio > 0)
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
    model = fit_elastic_net(_rows(_fitted_rows(scaled)), grid, point)
    model = LinearModel(model.coefficients * scale.spread, float(scale.restored(np.array(model.intercept))))
    tuned = {"l1_ratio": point.l1_ratio, "alpha": point.alpha, "scaled_inner_loss": _finite(inner_loss),
             "nonzero": int(np.count_nonzero(model.coefficients))}
    return FittedLinear(model, tuned, _held_out(positions, folds, scale.restored(predictions)))


def predict_best_linear(trials: Sequence[tuple[TrainingSet, LinearMatrix]],
                        loss: Callable[[Sequence[np.ndarray]], float]) -> list[np.ndarray]:
    """Predictions for the rows beside each training set by the point of the grid that does best on all of them together."""
    first = trials[0][0]
    with _thread_pools().limit(limits=first.threads):
        paths = _elastic_net_paths(trials) if first.task.is_regression else _logistic_paths(trials)
        patience = ELASTIC_NET_PATIENCE if first.task.is_regression else 1
        found = [_lowest_on_path(path, loss, patience) for path in paths]
    return found[lowest(np.array([each for each, _ in found]))][1]


def _lowest_on_path(path: Iterator[list[np.ndarray]], loss: Callable[[Sequence[np.ndarray]], float],
                    patience: int) -> tuple[float, list[np.ndarray]]:
    """The lowest loss on a path and the predictions that have it; left after so many candidates in a row that were worse."""
    losses: list[float] = []
    best: list[np.ndarray] = []
    for predictions in path:
        losses.append(loss(predictions))
        place = lowest(np.array(losses))
        if place == len(losses) - 1:
            best = predictions
        elif len(losses) - 1 - place >= patience:
            break
    return losses[lowest(np.array(losses))], best


def _logistic_paths(trials: Sequence[tuple[TrainingSet, LinearMatrix]]) -> Iterator[Iterator[list[np.ndarray]]]:
    settings = trials[0][0].settings
    for penalty, strengths in settings["C"].items():
        yield _logistic_path(trials, LogisticPath(L1_RATIOS[penalty], tuple(strengths)), settings["newton_steps"])


def _logistic_path(trials: Sequence[tuple[TrainingSet, LinearMatrix]], path: LogisticPath,
                   most_steps: int) -> Iterator[list[np.ndarray]]:
    """What the models of each training set predict, from the most strongly penalised on."""
    walkers = [Walker.of(_rows(training), path.l1_ratio, False, SharedCurvatures()) if training.task.n_classes > 1 else None
               for training, _ in trials]
    for strength in path.strengths:
        yield [np.ones((len(features), 1)) if walker is None
               else walker.move(strength, SEARCH_TOLERANCE, most_steps).predict(features.values)
               for walker, (_, features) in zip(walkers, trials, strict=True)]


def _elastic_net_paths(trials: Sequence[tuple[TrainingSet, LinearMatrix]]) -> Iterator[Iterator[list[np.ndarray]]]:
    settings = trials[0][0].settings
    scales = [TargetScale.of(training.target, training.weight) for training, _ in trials]
    rows = [_rows(replace(training, target=scale.standardised(training.target)))
            for (training, _), scale in zip(trials, scales, strict=True)]
    folds = [FoldSquares(squares_of(each.values, each.target, each.weight), features.values)
             for each, (_, features) in zip(rows, trials, strict=True)]
    grids = [ElasticNetGrid.spanning(each, settings["l1_ratios"], settings["alphas"], settings["smallest_alpha"])
             for each in rows]
    for ratio in settings["l1_ratios"]:
        walks = [fold.squares.walk(grid.alphas[ratio], ratio) for fold, grid in zip(folds, grids, strict=True)]
        yield ([scale.restored(fold.predict(coefficients)) for scale, fold, coefficients in zip(scales, folds, each, strict=True)]
               for each in zip(*walks, strict=True))


def _fitted_rows(training: TrainingSet) -> TrainingSet:
    """The rows of the last fit: all of them, unless little work is allowed on a long table."""
    return tuning_rows(replace(training, seed=training.shared_seed), training.settings.get("fit_rows", len(training)))


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
    name="linear", version=7, family="linear", cost_rank=10, view="linear",
    summary="logistic regression over C x {l1, l2}, or elastic net and ridge",
    settings=linear_settings, fit=fit_linear, restore=restore_linear, represents=True, blends=True,
    predict_best=predict_best_linear, requires=("scipy.linalg",), from_effort=0.0, joined={"forest": 0.0, "pca": 0.5}))
