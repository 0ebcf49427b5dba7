"""The fitted net: one network an inner fold, averaged; predicts and takes itself apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import TabbenchError
from tabbench.core.finding import Incident
from tabbench.core.matrices import NetMatrix
from tabbench.core.parts import Parts
from tabbench.data.inner_splits import inner_folds, inner_holdout
from tabbench.data.target_scale import TargetScale
from tabbench.nets.loss import Loss
from tabbench.nets.network import Network, Shape
from tabbench.nets.training import Recipe, Rows, Trained, forward, train

HELD_OUT = 0.2
"""Share of the rows that early stopping looks at when there is one net."""


@dataclass(frozen=True, eq=False)
class NetModel:
    """Implements `FittedApproach`. `low` and `high` bound a numeric prediction to what was seen, on the standardised scale."""

    networks: tuple[Network, ...]
    loss: Loss
    scale: TargetScale | None
    low: float
    high: float
    tuned: dict[str, Any]
    incidents: tuple[Incident, ...]

    def predict(self, features: NetMatrix) -> np.ndarray:
        """Float64 (m, classes) probabilities inside (0, 1), or (m,) numbers.

        Raises
        ------
        TabbenchError : when a prediction is not finite, which no finite features can cause.
        """
        with threads_limited_to(1):
            numbers, codes = torch.from_numpy(features.numbers), torch.from_numpy(features.codes)
            each = [self.loss.predictions(forward(network, numbers, codes).numpy()) for network in self.networks]
        mean = np.mean(each, axis=0)
        if not np.isfinite(mean).all():
            raise TabbenchError("the net's prediction is not finite, as a feature is missing or infinite; use the view `net`")
        return np.asarray(mean if self.scale is None else self.scale.restored(np.clip(mean, self.low, self.high)))

    def to_parts(self) -> Parts:
        """The parameters as arrays, one child a network."""
        values = {"loss": self.loss.to_json(), "scale": self.scale and self.scale.to_json(), "low": self.low, "high": self.high,
                  "shape": self.networks[0].shape.to_json(), "tuned": self.tuned,
                  "incidents": [incident.to_json() for incident in self.incidents]}
        children = {f"{number:04}": Parts(arrays={name: parameter.numpy() for name, parameter in network.parameters.items()})
                    for number, network in enumerate(self.networks)}
        return Parts(values, children=children)


def restore_net(parts: Parts) -> NetModel:
    """The model that `to_parts` took apart."""
    values, shape = parts.values, Shape.from_json(parts.values["shape"])
    networks = tuple(Network(shape, {name: torch.from_numpy(np.array(array)) for name, array in child.arrays.items()})
                     for _, child in sorted(parts.children.items()))
    scale = TargetScale(**values["scale"]) if values["scale"] else None
    incidents = tuple(Incident(**incident) for incident in values["incidents"])
    return NetModel(networks, Loss(**values["loss"]), scale, values["low"], values["high"], values["tuned"], incidents)


def fit_net(training: TrainingSet) -> NetModel:
    """Train one network an inner fold; the learning rate is the best of those tried on the first fold."""
    loss = Loss.of(training.task)
    scale = TargetScale.of(training.target, training.weight) if training.task.is_regression else None
    target = scale.standardised(training.target) if scale else training.target
    with threads_limited_to(training.threads):
        fitting = _Fitting(training, loss, target)
        folds = _folds(training)
        rates = training.settings["learning_rates"]
        tried = [fitting.trained(0, folds[0], rate) for rate in rates]
        best = min(tried, key=lambda trained: trained.loss)
        rate = rates[tried.index(best)]
        nets = [best, *(fitting.trained(number, fold, rate) for number, fold in enumerate(folds[1:], start=1))]
    tuned = {"learning_rate": rate, "nets": len(nets), "epochs": [net.best_epoch for net in nets]}
    incidents = tuple(incident for net in [*tried, *nets[1:]] for incident in net.incidents)
    low, high = (float(target.min()), float(target.max())) if scale else (0.0, 1.0)
    return NetModel(tuple(net.network for net in nets), loss, scale, low, high, tuned, incidents)


def _folds(training: TrainingSet) -> list[tuple[np.ndarray, np.ndarray]]:
    """(fit, validation) positions; one hold-out for rows ordered in time, whose other folds are older and smaller."""
    if training.settings["nets"] == 1 or training.time is not None:
        return [inner_holdout(training, HELD_OUT, training.seed)]
    return inner_folds(training, training.settings["nets"], training.seed)


class _Fitting:
    """The training rows on the device, and how a network is trained on some of them."""

    def __init__(self, training: TrainingSet, loss: Loss, target: np.ndarray) -> None:
        matrix: NetMatrix = training.features
        self.training, self.loss, self.target = training, loss, target
        self.shape = Shape(matrix.numbers.shape[1], matrix.cardinalities, tuple(training.settings["hidden"]), loss.outputs)
        device = training.device
        labels = torch.from_numpy(target if loss.classes else target.astype(np.float32))
        weight = None
        if training.weight is not None:
            weight = torch.from_numpy((training.weight / training.weight.mean()).astype(np.float32)).to(device)
        self.rows = Rows(torch.from_numpy(matrix.numbers).to(device), torch.from_numpy(matrix.codes).to(device),
                         labels.to(device), weight)

    def trained(self, number: int, fold: tuple[np.ndarray, np.ndarray], learning_rate: float) -> Trained:
        """A network trained on a fold, its parameters back in ordinary memory."""
        fit, valid = (torch.from_numpy(np.sort(rows)).to(self.training.device) for rows in fold)
        settings = self.training.settings
        recipe = Recipe(settings["epochs"], settings["batch_rows"], learning_rate, settings["weight_decay"], settings["dropout"])
        generator = torch.Generator(device=self.training.device)
        generator.manual_seed(self.training.seed * 1009 + number)
        weight = None if self.training.weight is None else self.training.weight[fold[0]]
        network = Network.drawn(self.shape, self.loss.start(self.target[fold[0]], weight), generator)
        trained = train(network, self.rows.take(fit), self.rows.take(valid), self.loss, recipe, generator, f"net {number + 1}")
        parameters = {name: parameter.detach().cpu() for name, parameter in network.parameters.items()}
        return replace(trained, network=Network(self.shape, parameters))


@contextmanager
def threads_limited_to(threads: int) -> Iterator[None]:
    """Let torch use this many threads for a while; the caller's number comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
