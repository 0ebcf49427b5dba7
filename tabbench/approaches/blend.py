"""The approach `blend`: the families' representatives, weighted by what is best on rows that none of them learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
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
FEWEST_COMMON_ROWS, LEAST_COMMON_SHARE = 50, 0.05
"""Rows, or a share of all, that tell weights. Of 480,000 rows the linear model holds out 5,000, and of these the others a few."""

NONE_HELD_OUT = HeldOut(np.empty(0, dtype=np.int64), np.empty(0))


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
    """Fit the members or take their fits from the batch, and weigh those that held out enough rows together, on these."""
    from tabbench.boosting.objective import Objective
    from tabbench.boosting.weights import choose_weights

    approaches = [APPROACHES.get(name) for name in MEMBERS]
    fits = [fit_once(approach, _for_member(training, approach)) for approach in approaches]
    held_out = [fitted.held_out or NONE_HELD_OUT for fitted in fits]
    chosen, rows = weighed_together(held_out, len(training))
    weight = None if training.weight is None else training.weight[rows]
    weights = choose_weights([_predictions(held_out[place], rows) for place in chosen], training.target[rows], weight,
                             Objective.of(training.task).loss)
    members = tuple(BlendedMember(approaches[place].name, share, approaches[place].view, fits[place])
                    for place, share in zip(chosen, weights, strict=True) if share > 0)
    tuned = {"weights": {member.name: round(member.weight, 4) for member in members}}
    return Blend(members, tuned, tuple(incident for fitted in fits for incident in fitted.incidents))


def weighed_together(held_out: Sequence[HeldOut], count: int) -> tuple[tuple[int, ...], np.ndarray]:
    """As many members as held out enough rows together, of `count` rows in all: their places, and the rows' positions (v,).

    Where no two have enough, the one that held out most.

    >>> some, few, others = (HeldOut(np.array(rows), np.zeros(len(rows))) for rows in ([0, 1, 2, 3], [7], [2, 3, 4]))
    >>> weighed_together([some, few, others], 8)
    ((0, 2), array([2, 3]))
    """
    enough = min(FEWEST_COMMON_ROWS, max(1, int(LEAST_COMMON_SHARE * count)))
    for size in range(len(held_out), 1, -1):
        sets = list(combinations(range(len(held_out)), size))
        common = [reduce(np.intersect1d, [held_out[place].rows for place in places]) for places in sets]
        best = max(range(len(sets)), key=lambda place: len(common[place]))
        if len(common[best]) >= enough:
            return sets[best], common[best]
    most = max(range(len(held_out)), key=lambda place: len(held_out[place].rows))
    return (most,), held_out[most].rows


def _for_member(training: TrainingSet, approach: Approach) -> TrainingSet:
    return replace(training, features=training.features.views[approach.view],
                   settings=training.settings["members"][approach.name],
                   device=training.device if approach.uses_device else "cpu")


def _predictions(held_out: HeldOut, rows: np.ndarray) -> np.ndarray:
    predictions: np.ndarray = held_out.predictions[np.searchsorted(held_out.rows, rows)]
    return predictions


APPROACHES.register(Approach(
    name="blend", version=4, family="blend", cost_rank=60, view="families",
    summary="linear, boosting and mlp, weighted by what is best on inner held-out rows",
    settings=blend_settings, fit=fit_blend, restore=restore_blend,
    requires=("sklearn.linear_model", "xgboost", "lightgbm", "torch"), uses_device=True, from_effort=0.0))
