"""Learners joined with feature selectors by `+`, and the list of all approaches.

How many features are kept is chosen on an inner hold-out whose selector never saw the validation rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

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
from tabbench.core.errors import BadOption, UnknownName
from tabbench.core.finding import Incident
from tabbench.core.matrices import LinearMatrix, NetMatrix, TreeMatrix
from tabbench.core.parts import Parts

COMPOSED_VERSION = 1
"""Raised when the way in which learner and selector are joined changes a number."""
DEFAULT_COMPOSED = ("linear+forest", "linear+pca")
SHARES = {"fast": [0.2, 0.5, 1.0], "balanced": [0.05, 0.1, 0.2, 0.4, 0.7, 1.0],
          "thorough": [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1.0]}
"""Shares of the features that are tried. All of them is among them: selection has to earn its place."""
TRIAL_CELLS = {"fast": 140_000, "balanced": 500_000, "thorough": 1_500_000}
"""Bounds rows x columns x outputs on which the number of features is chosen."""
FEWEST_TRIAL_ROWS = 1500
HOLDOUT = 0.3


def find_approach(name: str) -> Approach:
    """The approach called `name`: a registered one, or a learner and selectors joined by `+`.

    Selectors work in the order written: `linear+forest+pca` takes principal components of the features that the forest chose.

    Raises
    ------
    UnknownName : no such learner or selector; near names are suggested.
    BadOption : the learner has no use for selected features.
    """
    if name in APPROACHES:
        return APPROACHES.get(name)
    learner_name, *selector_names = [part.strip() for part in name.split("+")]
    if learner_name not in APPROACHES:
        raise UnknownName.among("approach", learner_name, [each.name for each in listed_approaches()])
    learner = APPROACHES.get(learner_name)
    if learner.view == "raw":
        raise BadOption(f"{name}: {learner_name!r} cannot take selected features; name a learner such as 'linear'")
    for selector in reversed([SELECTORS.get(each) for each in selector_names]):
        learner = _compose(learner, selector)
    return replace(learner, name="+".join([learner_name, *selector_names]))


def listed_approaches() -> list[Approach]:
    """All registered approaches and the usual composed ones, the cheapest first."""
    approaches = [*APPROACHES, *(find_approach(name) for name in DEFAULT_COMPOSED)]
    return sorted(approaches, key=lambda approach: (approach.cost_rank, approach.name))


def _compose(learner: Approach, selector: Selector) -> Approach:
    return Approach(
        name=f"{learner.name}+{selector.name}",
        # One number that changes when any part of it does.
        version=(COMPOSED_VERSION * 100 + selector.version) * 1000 + learner.version,
        family=learner.family,
        cost_rank=learner.cost_rank + selector.cost_rank,
        view="linear",
        summary=f"{learner.name} on {selector.summary}",
        settings=partial(_composed_settings, learner, selector),
        fit=partial(_fit_composed, learner, selector),
        restore=None if learner.restore is None else partial(_restore_composed, learner, selector),
        requires=tuple(dict.fromkeys([*learner.requires, *selector.requires])),
        uses_device=learner.uses_device)


def _composed_settings(learner: Approach, selector: Selector, workload: Workload) -> Settings:
    rows = max(FEWEST_TRIAL_ROWS, TRIAL_CELLS[workload.preset] // (workload.columns * workload.outputs))
    trial = replace(workload, preset="fast", rows=min(rows, workload.rows))
    return {"selection": selector.settings(workload), "shares": SHARES[workload.preset], "trial_rows": rows,
            "trial": learner.settings(trial), "learner": learner.settings(workload)}


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

    def predict(self, features: LinearMatrix) -> np.ndarray:
        """Probabilities (m, n_classes) or numbers (m,)."""
        return self.learner.predict(_in_view(self.view, self.selection.transform(features, self.n_features)))

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts({"n_features": self.n_features, "tuned": self.tuned},
                     children={"selection": self.selection.to_parts(), "learner": self.learner.to_parts()})


def _fit_composed(learner: Approach, selector: Selector, training: TrainingSet) -> FittedComposed:
    """Choose the number of features, select on all rows, fit the learner on what was selected."""
    settings = training.settings
    share, losses = _choose_share(learner, selector, training)
    key = ("selection", selector.name, selector.version, digest(settings["selection"]))
    selection = training.shared.once(key, lambda: selector.fit(training.features, _with_settings(training, "selection")))
    n_features = _count(share, selection.n_features)
    features = _in_view(learner.view, selection.transform(training.features, n_features))
    fitted = learner.fit(replace(_with_settings(training, "learner"), features=features, shared=SharedWork()))
    tuned = {"share": share, "features": n_features, "share_losses": losses, "learner": fitted.tuned}
    return FittedComposed(selection, n_features, learner.view, fitted, tuned)


def _restore_composed(learner: Approach, selector: Selector, parts: Parts) -> FittedComposed:
    if learner.restore is None:
        raise BadOption(f"{learner.name!r} cannot be saved; choose another approach")
    return FittedComposed(
        selector.restore(parts.children["selection"]), parts.values["n_features"], learner.view,
        learner.restore(parts.children["learner"]), parts.values["tuned"])


def _choose_share(learner: Approach, selector: Selector, training: TrainingSet) -> tuple[float, list[float]]:
    """The share of the features with the lowest loss on the hold-out, the smallest of equal ones; and all losses.

    Where the metric is undefined on the hold-out, all features are kept.
    """
    settings = training.settings
    trial = Trial.of(training, settings["trial_rows"], HOLDOUT)
    selection = selector.fit(trial.training.features, replace(trial.training, settings=settings["selection"]))
    counts = [_count(share, selection.n_features) for share in settings["shares"]]
    losses = {}
    for n_features in dict.fromkeys(counts):
        features = _in_view(learner.view, selection.transform(trial.training.features, n_features))
        fitted = learner.fit(replace(trial.training, features=features, settings=settings["trial"], shared=SharedWork()))
        losses[n_features] = trial.loss(fitted.predict(_in_view(learner.view, selection.transform(trial.features, n_features))))
    by_share = [losses[n_features] for n_features in counts]
    if np.isnan(by_share).any():
        return 1.0, []
    return settings["shares"][int(np.argmin(by_share))], by_share


def _with_settings(training: TrainingSet, part: str) -> TrainingSet:
    return replace(training, settings=training.settings[part])


def _count(share: float, n_features: int) -> int:
    return max(1, round(share * n_features))


def _in_view(view: ViewName, matrix: LinearMatrix) -> LinearMatrix | TreeMatrix | NetMatrix:
    """Selected features, all of them numbers, in the learner's own type of matrix."""
    if view == "linear":
        return matrix
    values = matrix.values if isinstance(matrix.values, np.ndarray) else matrix.values.toarray()
    numbers = np.ascontiguousarray(values, dtype=np.float32)
    if view == "trees":
        return TreeMatrix(numbers, (0,) * numbers.shape[1], matrix.names)
    return NetMatrix(numbers, np.zeros((len(numbers), 0), dtype=np.int64), (), matrix.names)
