"""Compares what was learnt with the constant predictor on the training rows; the constant stands in where the net is worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabbench.core.approach import TrainingSet
from tabbench.core.faults import incident
from tabbench.core.finding import AFTER_TRAINING
from tabbench.core.matrices import NetMatrix
from tabbench.nets.loss import Loss
from tabbench.nets.model import FARTHEST, NetModel, raw_outputs, torch_with
from tabbench.nets.network import Members, NetShape

MOST_COMPARED_ROWS = 20_000
"""Evenly spaced; more would not change the answer."""
MOST_NUMBERS = 2**23
"""Predictions that are compared at once: there may be thousands of classes."""
ROUNDING = 1e-6


def no_worse_than_constant(model: Any, training: TrainingSet, loss: Loss) -> Any:
    """Return the model, or the constant predictor where that has a lower loss on the training rows.

    Parameters
    ----------
    model : NetModel or an ensemble with `models` and `record`
        What was fitted.
    training : TrainingSet
        The rows it was fitted to.
    """
    with torch_with(training.threads):
        return _better(model, training, loss)


def _better(model: Any, training: TrainingSet, loss: Loss) -> Any:
    models: Sequence[NetModel] = getattr(model, "models", (model,))
    start = loss.start(*_target_and_weight(models[0], training))
    rows = _compared(model, training, loss.outputs)
    constant = _mean_of_constant(loss, start, models[0], training, rows)
    learnt = _loss_of(model, models, training, loss, rows)
    if not learnt > constant + ROUNDING * max(abs(constant), 1.0):  # not finite, for some losses of the user's: no answer
        return model
    evidence = f"loss {learnt:.4g} on the training rows where the constant predictor has {constant:.4g}"
    note = incident("O09", AFTER_TRAINING, evidence, action="the constant predictor is returned", outcome="given up")
    standing_in = {"models": (_constant(models[0], start),), "names": ("constant",), "weights": (1.0,)}
    return replace(replace(model, **standing_in) if hasattr(model, "models") else _constant(model, start),
                   incidents=(*model.incidents, note))


def _constant(model: NetModel, start: Tensor) -> NetModel:
    """A net that says the same of every row."""
    shape = NetShape(model.members.shape.encoded, model.members.shape.embedded, (), len(start))
    members = Members.empty(shape, 1, "cpu")
    members.parameters["bias0"].copy_(start)
    return replace(model, members=members, tuned=model.tuned | {"nets": 1})


def _compared(model: Any, training: TrainingSet, outputs: int) -> np.ndarray:
    rows = np.setdiff1d(np.arange(len(training)), np.array(model.record.quarantined, dtype=np.int64))
    most = max(1, min(MOST_COMPARED_ROWS, MOST_NUMBERS // outputs))
    return rows[::-(-len(rows) // most)]


def _target_and_weight(model: NetModel, training: TrainingSet) -> tuple[np.ndarray, np.ndarray | None]:
    """The target as nets learn it, and weights of mean one."""
    weight = None if training.weight is None else training.weight / training.weight.mean()
    if model.scale is None:
        return training.target, weight
    target = model.scale.standardised(training.target)
    return np.clip(target, -FARTHEST, FARTHEST) if model.loss.kind == "huber" else target, weight


def _loss_of(model: Any, models: Sequence[NetModel], training: TrainingSet, loss: Loss, rows: np.ndarray) -> float:
    """The loss of the averaged predictions; of a loss of the user's own, which may not be meant for them, the nets' mean."""
    if loss.is_own:
        features = training.features.take(rows)
        by_model = [_mean(loss, raw_outputs(each.encoding, each.members, features), each, training, rows) for each in models]
        return float(np.average(by_model, weights=getattr(model, "weights", None)))
    blocks = np.array_split(rows, -(-len(rows) * loss.outputs // MOST_NUMBERS))
    by_block = [_mean(loss, _averaged(model, models[0], training.features.take(block)), models[0], training, block)
                for block in blocks]
    return float(np.average(by_block, weights=[len(block) for block in blocks]))


def _averaged(model: Any, one: NetModel, features: NetMatrix) -> Tensor:
    """The averaged predictions as outputs (1, m, outputs) of one net that would make them."""
    predicted = model.predict(features)
    outputs = np.log(predicted) if one.scale is None else one.scale.standardised(predicted)[:, None]
    return torch.from_numpy(outputs)[None]


def _mean_of_constant(loss: Loss, start: Tensor, model: NetModel, training: TrainingSet, rows: np.ndarray) -> float:
    blocks = [rows] if loss.is_own else np.array_split(rows, -(-len(rows) * loss.outputs // MOST_NUMBERS))
    by_block = [_mean(loss, start.expand(1, len(block), -1), model, training, block) for block in blocks]
    return float(np.average(by_block, weights=[len(block) for block in blocks]))


def _mean(loss: Loss, outputs: Tensor, model: NetModel, training: TrainingSet, rows: np.ndarray) -> float:
    """Mean loss of outputs (members, m * heads, outputs) on these rows."""
    target, weight = (None if each is None else torch.from_numpy(each[rows]) for each in _target_and_weight(model, training))
    assert target is not None
    target = target if loss.classes else target.float()
    spread = [None if each is None else each.expand(len(outputs), -1) for each in (target, weight)]
    with torch.no_grad():
        return float(loss.means(outputs.float(), spread[0], spread[1]).mean())  # type: ignore[arg-type]
