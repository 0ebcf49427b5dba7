"""Several recipes of the net, weighted: what the thorough preset of the estimators fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from tabbench.core.finding import Incident
from tabbench.core.matrices import NetMatrix
from tabbench.core.parts import Parts
from tabbench.nets.model import NetModel, restore_net


@dataclass(frozen=True, eq=False)
class NetEnsemble:
    """Fitted nets by recipe and their weights, with the interface of one fitted net."""

    names: tuple[str, ...]
    models: tuple[NetModel, ...]
    weights: tuple[float, ...]
    tuned: dict[str, Any] = field(default_factory=dict)
    record: Any = None
    incidents: tuple[Incident, ...] = ()

    def predict(self, features: NetMatrix) -> np.ndarray:
        """The weighted mean of the recipes' predictions."""
        return np.asarray(sum(weight * model.predict(features) for weight, model in zip(self.weights, self.models, strict=True)))

    def weights_by_layer(self) -> dict[str, np.ndarray]:
        """The weights by layer of the recipe with the largest weight."""
        return self.models[int(np.argmax(self.weights))].weights_by_layer()

    def bare(self) -> Self:
        """Without what belongs to the training rows."""
        return replace(self, models=tuple(model.bare() for model in self.models), record=None)

    def to_parts(self) -> Parts:
        """The recipes' parts by name."""
        values = {"recipes": list(self.names), "weights": list(self.weights), "tuned": self.tuned}
        return Parts(values, children={name: model.to_parts() for name, model in zip(self.names, self.models, strict=True)})


def restore_fitted(parts: Parts, module: Callable[[int, int], Any] | None = None) -> NetModel | NetEnsemble:
    """The net, or the ensemble of some, that `to_parts` took apart; `module` makes the user's own architecture.

    Raises
    ------
    BadOption
        The net has an architecture of the user's own, and `module` does not make it.
    """
    if "recipes" not in parts.values:
        return restore_net(parts, module)
    names, weights = tuple(parts.values["recipes"]), tuple(parts.values["weights"])
    return NetEnsemble(names, tuple(restore_net(parts.children[name]) for name in names), weights, parts.values["tuned"])
