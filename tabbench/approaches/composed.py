"""Learners joined with feature selectors by `+`, and the list of all approaches.

How many features are kept is chosen on inner splits whose selector never saw the validation rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from tabbench.approaches.sharing import fit_once
from tabbench.approaches.tuning import Trial
from tabbench.core.approach import (
    APPROACHES,
    SELECTORS,
    Approach,
    FittedApproach,
    FittedSelection,
    Selector,
    Settings,
    SharedWork,
    TrainingSet,
    ViewName,
    Workload,
)
from tabbench.core.cell import digest
from tabbench.core.effort import POINTS, counted, nearest
from tabbench.core.errors import BadOption, UnknownName
from tabbench.core.finding import Incident
from tabbench.core.matrices import LinearMatrix, NetMatrix, TreeMatrix
from tabbench.core.parts import Parts
from tabbench.selection.columns import ColumnMatrix, all_columns

COMPOSED_VERSION = 4
"""Raised when the way in which learner and selector are joined changes a number."""
MOST_CHEAP_RANK = 20
"""A learner with a higher cost rank is too dear for many trials: it gets few shares, fewer rows and one hold-out."""
SHARES = {"fast": [0.05, 0.2, 0.5, 1.0], "balanced": [0.03, 0.08, 0.2, 0.5, 1.0],
          "thorough": [0.01, 0.02, 0.04, 0.07, 0.12, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0]}
FEW_SHARES = {"fast": [0.1, 1.0], "balanced": [0.06, 0.25, 1.0], "thorough": [0.03, 0.1, 0.25, 0.5, 1.0]}
"""Shares of the features that are tried. All of them is among them: selection has to earn its place."""
TRIAL_FOLDS = {"fast": 2, "balanced": 3, "thorough": 5}
TRIAL_CELLS = {"fast": 140_000, "balanced": 400_000, "thorough": 1_500_000}
"""Bounds rows x columns x outputs on which the number of features is chosen."""
FEWEST_TRIAL_ROWS = 1500
HOLDOUT = 0.3
MANY_COLUMNS, ENOUGH_ROWS = 300, 1000
"""From so many columns on one hold-out does for a cheap learner, too, where there are rows for it: half of the time."""
TOLERATED_ERRORS = 0.25
"""Fewer features are taken if their loss is within so many standard errors of the lowest."""
LONGEST_NAME = 80
"""Characters of a selected feature's name that are kept in the store."""
MOST_NAMES = 2000
"""Of more features no names are kept."""


def find_approach(name: str) -> Approach:
    """The approach called `name`: a registered one, or a learner and selectors joined by `+`.

    Selectors work in the order written: `linear+forest+pca` takes principal components of the features that the forest chose.

    Raises
    ------
    UnknownName
        No such learner or selector, or none beside a `+`; near names are suggested.
    BadOption
        The learner has no use for selected features.
    """
    if name in APPROACHES:
        return APPROACHES.get(name)
    learner_name, *selector_names = [part.strip() for part in name.split("+")]
    if not all([learner_name, *selector_names]):
        missing = "a learner before" if not learner_name else "a selector after"
        raise UnknownName(f"no approach {name!r}: the name of {missing} + is missing; write it as in linear+forest")
    if learner_name not in APPROACHES:
        raise UnknownName.among("approach", learner_name, [each.name for each in listed_approaches()])
    learner = APPROACHES.get(learner_name)
    if learner.view in ("raw", "families"):
        raise BadOption(f"{name}: {learner_name!r} cannot take selected features; name a learner such as 'linear'")
    for selector in reversed([SELECTORS.get(each) for each in selector_names]):
        learner = _compose(learner, selector)
    return replace(learner, name="+".join([learner_name, *selector_names]))


def listed_approaches() -> list[Approach]:
    """All registered approaches and the composed ones that a balanced effort runs by default, the cheapest first."""
    return _with_composed(POINTS["balanced"])


def default_approaches(effort: float) -> tuple[str, ...]:
    """What is compared when nothing is named, the cheapest first."""
    return tuple(each.name for each in _with_composed(effort) if each.from_effort is not None and each.from_effort <= effort)


def _with_composed(effort: float) -> list[Approach]:
    composed = [find_approach(f"{learner.name}+{selector}") for learner in APPROACHES
                for selector, least in learner.joined.items() if least <= effort]
    return sorted([*APPROACHES, *composed], key=lambda approach: (approach.cost_rank, approach.name))


def _compose(learner: Approach, selector: Selector) -> Approach:
    return Approach(
        name=f"{learner.name}+{selector.name}",
        # One number that changes when any part of it does.
        version=(COMPOSED_VERSION * 100 + selector.version) * 1000 + learner.version,
        family=learner.family,
        cost_rank=learner.cost_rank + selector.cost_rank,
        view=learner.view if learner.view in selector.views else "linear",
        summary=f"{learner.name} on {selector.summary}",
        settings=partial(_composed_settings, learner, selector),
        fit=partial(_fit_composed, learner, selector),
        restore=None if learner.restore is None else partial(_restore_composed, learner, selector),
        requires=tuple(dict.fromkeys([*learner.requires, *selector.requires])),
        uses_device=learner.uses_device,
        from_effort=learner.joined.get(selector.name))


def _composed_settings(learner: Approach, selector: Selector, workload: Workload) -> Settings:
    # A learner that is composed itself has trials within each trial.
    effort, is_cheap = workload.effort, learner.cost_rank <= MOST_CHEAP_RANK and "+" not in learner.name
    has_folds = is_cheap and not (workload.columns > MANY_COLUMNS and workload.rows >= ENOUGH_ROWS)
    rows = max(FEWEST_TRIAL_ROWS, counted(effort, **TRIAL_CELLS) // (workload.columns * workload.outputs))
    trial = replace(workload, effort=min(effort, POINTS["fast"]), rows=min(rows, workload.rows))
    return {"selection": selector.settings(workload), "shares": nearest(effort, SHARES if is_cheap else FEW_SHARES),
            "trial_rows": rows, "trial_folds": counted(effort, **TRIAL_FOLDS, least=2) if has_folds else 1,
            "trial_selection": selector.settings(trial), "trial": learner.settings(trial), "learner": learner.settings(workload)}


@dataclass(frozen=True, eq=False)
class FittedComposed:
    """A selection, how many of its features are used, and the learner that was fitted on them."""

    selection: FittedSelection
    n_features: int
    view: ViewName
    learner: FittedApproach
    tuned: dict[str, Any] = field(default_factory=dict)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """The learner's."""
        return self.learner.incidents

    def predict(self, features: ColumnMatrix) -> np.ndarray:
        """Probabilities (m, n_classes) or numbers (m,)."""
        return self.learner.predict(_in_view(self.view, self.selection.transform(features, self.n_features)))

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts({"n_features": self.n_features, "tuned": self.tuned},
                     children={"selection": self.selection.to_parts(), "learner": self.learner.to_parts()})


def _fit_composed(learner: Approach, selector: Selector, training: TrainingSet) -> FittedComposed:
    """Choose the number of features, select on all rows, fit the learner on what was selected."""
    share, losses = _choose_share(learner, selector, training)
    takes_all = share == 1.0 and selector.orders_columns
    selection = all_columns(training.features) if takes_all else _selection(selector, training)
    n_features = _count(share, selection.n_features)
    selected = selection.transform(training.features, n_features)
    fitted = _fit_learner(learner, _with_settings(training, "learner"), selected)
    tuned = {"share": share, "features": n_features, "selected": _names(selected, training.features), "share_losses": losses,
             "learner": fitted.tuned}
    return FittedComposed(selection, n_features, learner.view, fitted, tuned)


def _selection(selector: Selector, training: TrainingSet) -> FittedSelection:
    """The selection on all rows, from the batch's memo where another approach has made it."""
    settings = training.settings["selection"]
    key = ("selection", selector.name, selector.version, type(training.features), digest(settings))
    selection: FittedSelection = training.shared.once(
        key, lambda: selector.fit(training.features, _with_settings(training, "selection")))
    return selection


def _fit_learner(learner: Approach, training: TrainingSet, selected: ColumnMatrix) -> FittedApproach:
    """The learner on what was selected. Where that is all columns, a linear model's own cell has fitted it, or will take it."""
    if learner.blends and learner.view == "linear" and selected.names == training.features.names:
        return fit_once(learner, training)
    return learner.fit(replace(training, features=_in_view(learner.view, selected), shared=SharedWork()))


def _names(selected: ColumnMatrix, features: ColumnMatrix) -> list[str] | None:
    """Names of the selected columns; None where they are no columns of the table (components), or too many."""
    if len(selected.names) > MOST_NAMES or not set(selected.names) <= set(features.names):
        return None
    return [name[:LONGEST_NAME] for name in selected.names]


def _restore_composed(learner: Approach, selector: Selector, parts: Parts) -> FittedComposed:
    if learner.restore is None:
        raise BadOption(f"{learner.name!r} cannot be saved; choose another approach")
    return FittedComposed(
        selector.restore(parts.children["selection"]), parts.values["n_features"], learner.view,
        learner.restore(parts.children["learner"]), parts.values["tuned"])


def _choose_share(learner: Approach, selector: Selector, training: TrainingSet) -> tuple[float, list[float]]:
    """The smallest share of the features whose loss is as low as any up to noise; and all losses.

    Where the metric is undefined on validation rows, all features are kept.
    """
    settings = training.settings
    rows, folds = settings["trial_rows"], settings["trial_folds"]
    trials = Trial.folds_of(training, rows, folds) if folds > 1 else [Trial.of(training, rows, HOLDOUT)]
    by_share = _predictions_by_share(learner, selector, trials, settings)
    losses = np.array([_mean_loss(trials, predictions) for predictions in by_share])
    if np.isnan(losses).any():
        return 1.0, []
    by_row = [[trial.row_losses(predictions[place]) for predictions in by_share] for place, trial in enumerate(trials)]
    weight = np.concatenate([trial.weight for trial in trials])
    return settings["shares"][smallest_as_good(losses, by_row, weight)], losses.tolist()


def _mean_loss(trials: Sequence[Trial], predictions: Sequence[np.ndarray]) -> float:
    return float(np.mean([trial.loss(each) for trial, each in zip(trials, predictions, strict=True)]))


def _predictions_by_share(learner: Approach, selector: Selector, trials: Sequence[Trial],
                          settings: Settings) -> list[list[np.ndarray]]:
    """For each share of the features what the learner predicts for the validation rows of each trial."""
    selections = [selector.fit(trial.training.features, replace(trial.training, settings=settings["trial_selection"]))
                  for trial in trials]
    counts = [tuple(_count(share, selection.n_features) for selection in selections) for share in settings["shares"]]
    predicted = {}
    for each in dict.fromkeys(counts):
        selected = [_selected_trial(learner, trial, selection, n_features, settings["trial"])
                    for trial, selection, n_features in zip(trials, selections, each, strict=True)]
        if learner.predict_best is None:
            predicted[each] = [learner.fit(training).predict(features) for training, features in selected]
        else:
            predicted[each] = learner.predict_best(selected, partial(_mean_loss, trials))
    return [predicted[each] for each in counts]


def _selected_trial(learner: Approach, trial: Trial, selection: FittedSelection, n_features: int,
                    settings: Settings) -> tuple[TrainingSet, ColumnMatrix]:
    """A trial's training set and its validation rows with the selected features alone."""
    features, held_out = (_in_view(learner.view, selection.transform(each, n_features))
                          for each in (trial.training.features, trial.features))
    return replace(trial.training, features=features, settings=settings, shared=SharedWork()), held_out


def smallest_as_good(losses: np.ndarray, by_row: Sequence[Sequence[np.ndarray | None]], weight: np.ndarray) -> int:
    """Position of the first of `losses` (s,) that is as low as the lowest up to `TOLERATED_ERRORS` of their difference's error.

    Parameters
    ----------
    by_row : Sequence[Sequence[ndarray | None]]
        For each trial the s losses by validation row; where the metric has none, the lowest loss is taken.
    weight : ndarray
        The validation rows' weights, trial after trial.

    >>> smallest_as_good(np.array([0.6, 0.5, 0.5]), [[None, None, None]], np.ones(3))
    1
    """
    best = int(np.argmin(losses))
    parts = [[each for each in trial if each is not None] for trial in by_row]
    if len(parts[0]) < len(losses):
        return best
    rows = np.concatenate([np.stack(each) for each in parts], axis=1)
    difference = rows - rows[best]
    share = weight / weight.sum()
    centred = difference - (difference @ share)[:, None]
    errors = np.sqrt((centred**2) @ share**2)
    return int(np.argmax(losses - losses[best] <= TOLERATED_ERRORS * errors))


def _with_settings(training: TrainingSet, part: str) -> TrainingSet:
    return replace(training, settings=training.settings[part])


def _count(share: float, n_features: int) -> int:
    return max(1, round(share * n_features))


def _in_view(view: ViewName, matrix: ColumnMatrix) -> ColumnMatrix:
    """Selected features in the learner's own type of matrix: as they are, or the linear view's numbers."""
    if view == "linear" or not isinstance(matrix, LinearMatrix):
        return matrix
    values = matrix.values if isinstance(matrix.values, np.ndarray) else matrix.values.toarray()
    numbers = np.ascontiguousarray(values, dtype=np.float32)
    if view == "trees":
        return TreeMatrix(numbers, (0,) * numbers.shape[1], matrix.names)
    return NetMatrix(numbers, np.zeros((len(numbers), 0), dtype=np.int64), (), matrix.names)
