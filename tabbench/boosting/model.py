"""The fitted ensemble of boosters: weighted members, each the mean of its models; predicts and takes itself apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tabbench.boosting.booster import Trees, library
from tabbench.boosting.members import LibraryFit, Member, fit_library, mean_prediction
from tabbench.boosting.objective import Objective
from tabbench.boosting.weights import choose_weights
from tabbench.core.approach import TrainingSet
from tabbench.core.finding import Incident
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import Parts
from tabbench.data.target_scale import TargetScale


@dataclass(frozen=True, eq=False)
class WeightedTrees:
    """A member of a fitted ensemble."""

    library: str
    weight: float
    models: tuple[Trees, ...]


@dataclass(frozen=True, eq=False)
class BoostedModel:
    """Implements `FittedApproach` for `xgboost`, `lightgbm` and `boosting`."""

    objective: Objective
    scale: TargetScale | None
    members: tuple[WeightedTrees, ...]
    tuned: dict[str, Any]
    incidents: tuple[Incident, ...] = field(default=())

    def predict(self, features: TreeMatrix) -> np.ndarray:
        """Float64 (m, classes) probabilities inside (0, 1), or (m,) numbers."""
        total = sum(member.weight * mean_prediction(member.models, features, self.objective) for member in self.members)
        return np.asarray(total if self.scale is None else self.scale.restored(np.asarray(total)))

    def to_parts(self) -> Parts:
        """The libraries' own text, one blob a model."""
        values = {"objective": self.objective.to_json(), "scale": self.scale and self.scale.to_json(), "tuned": self.tuned,
                  "members": [{"library": member.library, "weight": member.weight, "models": len(member.models)}
                              for member in self.members]}
        models = [model for member in self.members for model in member.models]
        return Parts(values, blobs={f"{number:04}": model.to_blob() for number, model in enumerate(models)})


def restore_boosted(parts: Parts) -> BoostedModel:
    """The model that `to_parts` took apart."""
    values, blobs = parts.values, iter(sorted(parts.blobs.items()))
    members = []
    for record in values["members"]:
        source = library(record["library"])
        models = tuple(source.restore(next(blobs)[1]) for _ in range(record["models"]))
        members.append(WeightedTrees(record["library"], record["weight"], models))
    scale = TargetScale(**values["scale"]) if values["scale"] else None
    return BoostedModel(Objective(**values["objective"]), scale, tuple(members), values["tuned"])


def fit_single(name: str, training: TrainingSet) -> BoostedModel:
    """The best configuration of one library by its loss on held-out rows."""
    fit = fit_library(name, training, training.settings)
    best = min(fit.members, key=lambda member: member.loss)
    tuned = {"configuration": best.configuration, "rounds": best.rounds, "models": len(best.models)}
    return BoostedModel(fit.objective, fit.scale, (WeightedTrees(name, 1.0, best.models),), tuned)


def fit_ensemble(training: TrainingSet) -> BoostedModel:
    """All configurations of both libraries, weighted by what is best on held-out rows.

    `training.settings` maps each library's name to its settings, so that the members are those of the approaches
    `xgboost` and `lightgbm`.
    """
    fits = [fit_library(name, training, settings) for name, settings in training.settings["members"].items()]
    members = [member for fit in fits for member in fit.members]
    weights = choose_weights([member.validation for member in members], fits[0].target, fits[0].weight, fits[0].objective)
    kept = [(member, weight) for member, weight in zip(members, weights, strict=True) if weight > 0]
    return _ensemble(fits[0], kept)


def _ensemble(fit: LibraryFit, kept: Sequence[tuple[Member, float]]) -> BoostedModel:
    tuned = {"members": [{"library": member.library, "configuration": member.configuration, "rounds": member.rounds,
                          "weight": round(weight, 4)} for member, weight in kept]}
    weighted = tuple(WeightedTrees(member.library, weight, member.models) for member, weight in kept)
    return BoostedModel(fit.objective, fit.scale, weighted, tuned)
