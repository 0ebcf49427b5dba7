"""The approach `blend`: the families' representatives, weighted by what is best on rows that none of them learnt from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from tabbench.approaches.sharing import fit_once
from tabbench.core.approach import (
    APPROACHES,
    Approach,
    FittedApproach,
    HeldOut,
    Settings,
    TrainingSet,
    ViewName,
    Workload,
)
from tabbench.core.errors import TabbenchError
from tabbench.core.finding import Incident
from tabbench.core.matrices import FamiliesMatrix
from tabbench.core.parts import Parts

MEMBERS = ("linear", "boosting", "mlp")
"""One a family. Their fits are those of the approaches of these names, and cost nothing where these run anyway."""


@dataclass(frozen=True, eq=False)
class BlendedMember:
    """A member of a blend."""

    name: str
    weight: float
    view: ViewName
    fitted: FittedApproach


@dataclass(frozen=True, eq=False)
class Blend:
    """Implements `FittedApproach`: the weighted mean of its members' predictions."""

    members: tuple[BlendedMember, ...]
    tuned: dict[str, Any]
    incidents: tuple[Incident, ...] = ()

    def predict(self, features: FamiliesMatrix) -> np.ndarray:
        """Float64 (m, n_classes) probabilities or (m,) numbers."""
        return np.asarray(sum(member.weight * member.fitted.predict(features.views[member.view]) for member in self.members))

    def to_parts(self) -> Parts:
        """The members' own parts."""
        values = {"tuned": self.tuned, "members": [{"name": member.name, "weight": member.weight} for member in self.members]}
        return Parts(values, children={member.name: member.fitted.to_parts() for member in self.members})


def restore_blend(parts: Parts) -> Blend:
    """From `to_parts`."""
    members = []
    for record in parts.values["members"]:
        approach = APPROACHES.get(record["name"])
        if approach.restore is None:
            raise TabbenchError(f"the blend's member {approach.name!r} cannot be restored")
        members.append(BlendedMember(approach.name, record["weight"], approach.view,
                                     approach.restore(parts.children[approach.name])))
    return Blend(tuple(members), parts.values["tuned"])


def blend_settings(workload: Workload) -> Settings:
    """Exactly what the approaches of these names do: their fits are shared; their settings and versions belong into this key."""
    members = [APPROACHES.get(name) for name in MEMBERS]
    return {"members": {member.name: member.settings(workload) for member in members},
            "versions": {member.name: member.version for member in members}}


def fit_blend(training: TrainingSet) -> Blend:
    """Fit the members or take their fits from the batch, and weigh them on the rows that all of them held out."""
    from tabbench.boosting.objective import Objective
    from tabbench.boosting.weights import choose_weights

    approaches = [APPROACHES.get(name) for name in MEMBERS]
    fits = [fit_once(approach, _for_member(training, approach)) for approach in approaches]
    held_out = [fitted.held_out for fitted in fits if fitted.held_out is not None]
    rows = reduce(np.intersect1d, [each.rows for each in held_out])
    weight = None if training.weight is None else training.weight[rows]
    weights = choose_weights([_predictions(each, rows) for each in held_out], training.target[rows], weight,
                             Objective.of(training.task).loss)
    members = tuple(BlendedMember(approach.name, share, approach.view, fitted)
                    for approach, share, fitted in zip(approaches, weights, fits, strict=True) if share > 0)
    tuned = {"weights": {member.name: round(member.weight, 4) for member in members}}
    return Blend(members, tuned, tuple(incident for fitted in fits for incident in fitted.incidents))


def _for_member(training: TrainingSet, approach: Approach) -> TrainingSet:
    return replace(training, features=training.features.views[approach.view],
                   settings=training.settings["members"][approach.name],
                   device=training.device if approach.uses_device else "cpu")


def _predictions(held_out: HeldOut, rows: np.ndarray) -> np.ndarray:
    predictions: np.ndarray = held_out.predictions[np.searchsorted(held_out.rows, rows)]
    return predictions


APPROACHES.register(Approach(
    name="blend", version=3, family="blend", cost_rank=60, view="families",
    summary="linear, boosting and mlp, weighted by what is best on inner held-out rows",
    settings=blend_settings, fit=fit_blend, restore=restore_blend,
    requires=("sklearn.linear_model", "xgboost", "lightgbm", "torch"), uses_device=True, from_effort=0.0))
