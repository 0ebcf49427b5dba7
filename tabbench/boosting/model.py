"""The fitted ensemble of boosters: weighted members, each the mean of its models; predicts and takes itself apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from tabbench.boosting.encoding import AS_THEY_ARE, TreeEncoding
from tabbench.boosting.importances import shares_of_gain
from tabbench.boosting.libraries import LIBRARIES, library
from tabbench.boosting.members import EncodedTrees, LibraryFit, Member, fit_library, mean_prediction, on_common_rows
from tabbench.boosting.objective import Objective
from tabbench.boosting.weights import choose_weights
from tabbench.core.approach import HeldOut, TrainingSet
from tabbench.core.finding import Incident
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import Parts, require
from tabbench.views.target_scale import TargetScale


@dataclass(frozen=True, eq=False)
class WeightedTrees:
    """A member of a fitted ensemble."""

    library: str
    weight: float
    models: tuple[EncodedTrees, ...]


@dataclass(frozen=True, eq=False)
class BoostedModel:
    """Implements `BlendableFit` for `xgboost`, `lightgbm` and `boosting`."""

    objective: Objective
    scale: TargetScale | None
    members: tuple[WeightedTrees, ...]
    tuned: dict[str, Any]
    incidents: tuple[Incident, ...] = field(default=())
    held_out: HeldOut | None = None

    def predict(self, features: TreeMatrix) -> np.ndarray:
        """Float64 (m, classes) probabilities inside (0, 1), or (m,) numbers."""
        total = sum(member.weight * mean_prediction(member.models, features, self.objective) for member in self.members)
        return np.asarray(total if self.scale is None else self.scale.restored(np.asarray(total)))

    def importances(self, columns: int) -> np.ndarray:
        """Shares of the total gain (p,) of the view's columns, the members by weight; zeros where no tree splits."""
        total = np.asarray(sum(member.weight * shares_of_gain(member.models, columns) for member in self.members))
        return np.asarray(total / total.sum()) if total.any() else total

    def to_parts(self) -> Parts:
        """The libraries' own text, one blob a model."""
        values = {"objective": self.objective.to_json(), "scale": self.scale and self.scale.to_json(), "tuned": self.tuned,
                  "members": [{"library": member.library, "weight": member.weight, "models": len(member.models)}
                              for member in self.members]}
        models = [model for member in self.members for model in member.models]
        encodings = {f"{number:04}": model.encoding.to_parts() for number, model in enumerate(models)
                     if model.encoding is not AS_THEY_ARE}
        blobs = {f"{number:04}": model.trees.to_blob() for number, model in enumerate(models)}
        return Parts(values, blobs=blobs, children=encodings)


def restore_boosted(parts: Parts) -> BoostedModel:
    """The model that `to_parts` took apart."""
    values, blobs = parts.values, iter(sorted(parts.blobs.items()))
    records = values["members"]
    require(bool(records) and all(record["models"] > 0 for record in records)
            and sum(record["models"] for record in records) == len(parts.blobs), "it has another number of models than it says")
    members = []
    for record in records:
        require(record["library"] in LIBRARIES, "its library is unknown")
        numbers, texts = zip(*islice(blobs, record["models"]), strict=True)
        encodings = [TreeEncoding.restore(parts.children[number]) if number in parts.children else AS_THEY_ARE
                     for number in numbers]
        models = map(EncodedTrees, encodings, library(record["library"]).restore(texts))
        members.append(WeightedTrees(record["library"], record["weight"], tuple(models)))
    scale = TargetScale(**values["scale"]) if values["scale"] else None
    return BoostedModel(Objective(**values["objective"]), scale, tuple(members), values["tuned"])


def fit_single(name: str, training: TrainingSet) -> BoostedModel:
    """The best configuration of one library by its loss on held-out rows."""
    fit = fit_library(name, training, training.settings)
    best = min(fit.members, key=lambda member: member.loss)
    tuned = {"configuration": best.configuration, "rounds": best.rounds, "models": len(best.models)}
    return _model(fit, [(best, 1.0)], tuned)


def fit_ensemble(training: TrainingSet) -> BoostedModel:
    """Configurations of several libraries, weighted by what is best on held-out rows.

    `training.settings` maps each library's name to its settings, so that the members are those of the approaches
    `xgboost` and `lightgbm`.
    """
    fits = on_common_rows([fit_library(name, training, settings) for name, settings in training.settings["members"].items()])
    members = [member for fit in fits for member in fit.members]
    weights = choose_weights([member.validation for member in members], fits[0].target, fits[0].weight, fits[0].objective.loss)
    kept = [(member, weight) for member, weight in zip(members, weights, strict=True) if weight > 0]
    tuned = {"members": [{"library": member.library, "configuration": member.configuration, "rounds": member.rounds,
                          "weight": round(weight, 4)} for member, weight in kept]}
    return _model(fits[0], kept, tuned)


def _model(fit: LibraryFit, kept: Sequence[tuple[Member, float]], tuned: dict[str, Any]) -> BoostedModel:
    weighted = tuple(WeightedTrees(member.library, weight, member.models) for member, weight in kept)
    validation = np.asarray(sum(weight * member.validation for member, weight in kept))
    held_out = HeldOut(fit.rows, validation if fit.scale is None else fit.scale.restored(validation))
    return BoostedModel(fit.objective, fit.scale, weighted, tuned, held_out=held_out)
