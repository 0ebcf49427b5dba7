"""The fitted net: members trained on inner folds, averaged; predicts and takes itself apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabbench.core.approach import HeldOut, TrainingSet
from tabbench.core.errors import BadOption, TabbenchError
from tabbench.core.finding import Incident
from tabbench.core.matrices import NetMatrix
from tabbench.core.parts import Parts, require
from tabbench.nets.draws import FIRST_WEIGHTS, Draws
from tabbench.nets.encoding import NetEncoding
from tabbench.nets.initialisation import initialise
from tabbench.nets.looking import curves
from tabbench.nets.loss import Loss
from tabbench.nets.memory import is_out_of_memory
from tabbench.nets.module import Factory, saved_shape
from tabbench.nets.network import Members, NetShape
from tabbench.nets.plan import TrainingPlan
from tabbench.nets.recipe import Recipe
from tabbench.nets.rows import DeviceRows
from tabbench.nets.training import Training
from tabbench.nets.training_options import TrainingOptions
from tabbench.nets.validation import block_rows
from tabbench.splitting.inner_splits import inner_folds, inner_holdout
from tabbench.views.target_scale import TargetScale

HELD_OUT = 0.2
"""Share of the rows that stop the nets early where they are ordered in time."""
MOST_ROWS_LOOKED_AT = 1000
"""Where all rows are learnt from, the loss of so many is written down as the validation loss."""
FARTHEST = 1e4
"""Bound of a robustly standardised target: beyond, Huber's loss has the same slope, and float32 keeps fewer digits."""
DEFAULT_OPTIONS = TrainingOptions()
NO_PLAN = TrainingPlan()
MOST_RESIDENT_NUMBERS = 2**25
"""Up to 128 MB the encoded rows are kept; beyond, each batch is encoded anew."""


@dataclass(frozen=True)
class TrainingRecord:
    """What happened in training: a record an epoch and net, rows left out, roll-backs of all nets, the guard's share of the time
    and each net's validation loss, NaN where nothing validates. `kept_losses` are those that the kept weights were kept for."""

    history: list[dict[str, Any]]
    quarantined: tuple[int, ...]
    rollbacks: int
    guard_overhead: float
    validation_losses: list[float]
    kept_losses: list[float]
    is_interrupted: bool = False
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class NetModel:
    """Implements `BlendableFit`. `low` and `high` bound a numeric prediction to what was seen, on the standardised scale."""

    encoding: NetEncoding
    members: Members
    loss: Loss
    scale: TargetScale | None
    low: float
    high: float
    tuned: dict[str, Any]
    incidents: tuple[Incident, ...]
    held_out: HeldOut | None
    record: TrainingRecord | None = None
    is_exact: bool = False
    """Whether predictions are made in double precision: then a row's does not depend on those beside it, to rounding of 1e-12."""

    def predict(self, features: NetMatrix) -> np.ndarray:
        """Float64 (m, classes) probabilities inside (0, 1), or (m,) numbers.

        Raises
        ------
        TabbenchError
            When a prediction is not finite, which no finite features can cause.
        """
        with torch_with(1):
            members = Members(self.members.shape, self.members.values.double()) if self.is_exact else self.members
            mean = np.mean(_predictions(self.encoding, members, features, self.loss), axis=0)
        if not np.isfinite(mean).all():
            raise TabbenchError("the net's prediction is not finite, as a feature is missing or infinite; use the view `net`")
        return _restored(mean, self.scale, self.low, self.high)

    def bare(self) -> NetModel:
        """Without what belongs to the training rows, predicting in double precision: what an estimator keeps."""
        return replace(self, held_out=None, record=None, is_exact=not self.members.shape.is_module)

    def weights_by_layer(self) -> dict[str, np.ndarray]:
        """Weights of all members by layer, the first to the last."""
        parameters = self.members.parameters
        return {name: parameters[name].numpy().ravel() for name in self.members.shape.matrices()}

    def to_parts(self) -> Parts:
        """The members' parameters and the bins as arrays."""
        values = {"cardinalities": list(self.encoding.cardinalities), "shape": self.members.shape.to_json(),
                  "loss": self.loss.to_json(), "scale": self.scale and self.scale.to_json(), "low": self.low, "high": self.high,
                  "tuned": self.tuned, "incidents": [incident.to_json() for incident in self.incidents],
                  "is_module": self.members.shape.is_module}
        return Parts(values, {"members": self.members.values.numpy(), **self.encoding.to_arrays()})


def restore_net(parts: Parts, module: Factory | None = None) -> NetModel:
    """The model that `to_parts` took apart; `module` makes the user's own architecture.

    Raises
    ------
    BadOption
        The net has an architecture of the user's own, and `module` does not make it.
    """
    values = parts.values
    encoding = NetEncoding.of_arrays(parts.arrays, tuple(values["cardinalities"]))
    shape, stored = NetShape.from_json(values["shape"]), parts.array("members", (None, None))
    require(len(stored) > 0 and stored.dtype == np.float32, "the net's weights are missing or have another type")
    weights = torch.from_numpy(np.array(stored))
    if values.get("is_module"):
        shape = saved_shape(shape, module, weights.shape[1])
    require(weights.shape[1] == shape.n_numbers, "the net's weights do not fit its shape")
    members = Members(shape, weights)
    scale = TargetScale(**values["scale"]) if values["scale"] else None
    incidents = tuple(Incident.from_json(incident) for incident in values["incidents"])
    return NetModel(encoding, members, Loss(**values["loss"]), scale, values["low"], values["high"], values["tuned"],
                    incidents, None)


@dataclass(frozen=True, eq=False)
class PreparedTraining:
    """Training rows as every net sees them: their encoding, and the target on the scale that is learnt."""

    training: TrainingSet
    loss: Loss
    encoding: NetEncoding
    scale: TargetScale | None
    target: np.ndarray
    plan: TrainingPlan = NO_PLAN

    @classmethod
    def of(cls, training: TrainingSet, loss: Loss | None, plan: TrainingPlan = NO_PLAN) -> PreparedTraining:
        """Learn encoding and scale, of rows that are learnt from, or take them from an earlier fit."""
        loss = loss or Loss.of(training.task)
        learnt = slice(plan.learnt_rows)
        numbers, cardinalities = training.features.numbers[learnt], training.features.cardinalities
        encoding = plan.start.encoding if plan.start else NetEncoding.fit(numbers, cardinalities, training.settings["bins"])
        if not training.task.is_regression:
            return cls(training, loss, encoding, None, training.target, plan)
        is_robust = loss.kind == "huber"
        scale = plan.start.scale if plan.start else _scale_of(
            training.target[learnt], None if training.weight is None else training.weight[learnt], is_robust)
        target = scale.standardised(training.target)
        return cls(training, loss, encoding, scale, np.clip(target, -FARTHEST, FARTHEST) if is_robust else target, plan)

    def restored(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions in the target's units, within what was seen."""
        if self.scale is None:
            return predictions
        seen = self.target[:self.plan.learnt_rows]
        return _restored(predictions, self.scale, float(seen.min()), float(seen.max()))

    def begin(self, folds: list[tuple[np.ndarray, np.ndarray]], options: TrainingOptions, **knobs: Any) -> Training:
        """A training on these folds, with some knobs turned."""
        training, loss = replace(self.training, settings=self.training.settings | knobs), self.loss
        device, recipe = training.device, Recipe.of(training.settings)
        weight = None if training.weight is None else training.weight / training.weight.mean()
        embedded = tuple(self.encoding.cardinalities[column] for column in self.encoding.embedded)
        shape = NetShape(self.encoding.width(training.features.numbers.shape[1]), embedded, recipe.hidden, loss.outputs,
                         recipe.activation, recipe.batch_norm, recipe.heads, recipe.embedding_size)
        if self.plan.module is not None:
            shape = self.plan.module.shape(shape, device)
        starts = torch.stack([loss.start(self.target[fit], None if weight is None else weight[fit]) for fit, _ in folds])
        draws, rows = Draws(training.shared_seed, device), _resident(training, self.encoding.on(device), loss, self.target)
        positions = [(torch.from_numpy(fit).to(device), torch.from_numpy(valid).to(device)) for fit, valid in folds]
        members = Members.empty(shape, len(folds), device)
        initialise(members, recipe.initialisation, starts.to(device, torch.float32), draws.generator(FIRST_WEIGHTS),
                   rows.sample([fit for fit, _ in positions]))
        run = Training(members, rows, positions, loss, recipe, draws, options)
        run.state.starts = starts.to(device, torch.float32)
        run.state.restored, run.state.criterion, run.state.target = self.restored, self.plan.criterion, self.training.target
        if training.side_by_side is not None:
            run.state.stepper.divide(training.side_by_side)
        if self.plan.start is not None:
            run.state.warm = _weights_of(self.plan.start, members)
        return run


def _scale_of(target: np.ndarray, weight: np.ndarray | None, is_robust: bool) -> TargetScale:
    return TargetScale.robust(target) if is_robust else TargetScale.of(target, weight)


def fit_net(training: TrainingSet, loss: Loss | None = None, options: TrainingOptions = DEFAULT_OPTIONS,
            plan: TrainingPlan = NO_PLAN) -> NetModel:
    """Train the members of all inner folds side by side; `held_out` is what they predict for rows that stopped them early.

    Parameters
    ----------
    training : TrainingSet
        Its settings hold the recipe's knobs, `bins`, `repeats` and `folds`: 0 for no validation at all, 1 for one hold-out of
        `validation_fraction`, or more, of which `trained_folds` are used.
    loss : Loss | None, default None
        What to minimise; None for what suits the task.
    plan : TrainingPlan
        Rows to validate on and a fitted net to go on from, if they are given.

    Raises
    ------
    TrainingFailed
        No net could be trained.
    """
    folds = (folds_of(training) if plan.folds is None else plan.folds) * training.settings["repeats"]
    with torch_with(training.threads):
        prepared = PreparedTraining.of(training, loss, plan)
        seen = prepared.target[:plan.learnt_rows]
        low, high = (float(seen.min()), float(seen.max())) if prepared.scale else (0.0, 1.0)
        if plan.start is not None:
            low, high = min(low, plan.start.low), max(high, plan.start.high)
        trained = prepared.begin(folds, options).run()
        members = Members(trained.members.shape.on("cpu"), trained.members.values.cpu())
        held_out = None
        if options.predicts_held_out:
            held_out = _held_out(prepared.encoding, members, training.features, [folds[place][1] for place in trained.places],
                                 prepared.loss)
            held_out = HeldOut(held_out.rows, _restored(held_out.predictions, prepared.scale, low, high))
    record = TrainingRecord(trained.history, trained.quarantined, trained.rollbacks, trained.guard_overhead,
                            trained.losses if training.settings["folds"] else [math.nan] * len(trained.losses), trained.losses,
                            trained.is_interrupted, trained.rates)
    tuned = {"nets": len(members), "epochs": trained.best_epochs, "training": curves(trained.history), "weights": trained.layers}
    if training.device != "cpu":
        is_rounded = training.settings.get("precision") == "tf32" or torch.get_float32_matmul_precision() != "highest"
        tuned["tf32"] = is_rounded
    return NetModel(prepared.encoding, members, prepared.loss.without_functions, prepared.scale, low, high, tuned,
                    trained.incidents, held_out, record)


def folds_of(training: TrainingSet) -> list[tuple[np.ndarray, np.ndarray]]:
    """(fit, validation) positions; one hold-out for rows ordered in time, whose other folds are older and smaller.

    Without folds all rows are learnt from, and some of them, evenly spaced, are there to look at.
    """
    settings, rows = training.settings, np.arange(len(training))
    if not settings["folds"]:
        return [(rows, np.unique(np.linspace(0, len(rows) - 1, MOST_ROWS_LOOKED_AT).astype(np.int64)))]
    if settings["folds"] == 1 or training.time is not None:
        return [inner_holdout(training, settings.get("validation_fraction", HELD_OUT), training.shared_seed)]
    return inner_folds(training, settings["folds"], training.shared_seed)[:settings.get("trained_folds", settings["folds"])]


def _weights_of(model: NetModel, members: Members) -> Tensor:
    """The weights of a fitted net's members for as many new ones, in turn.

    Raises
    ------
    BadOption
        They are of another shape.
    """
    if model.members.shape != members.shape:
        raise BadOption("warm_start goes on with the nets of the earlier fit; leave their layers, activation, bins and columns "
                        "as they were, or set warm_start=False")
    return model.members.values[torch.arange(len(members)) % len(model.members)].to(members.values)


def _resident(training: TrainingSet, encoding: NetEncoding, loss: Loss, target: np.ndarray) -> DeviceRows:
    """The training rows on the device."""
    device, matrix, weight = training.device, training.features, training.weight
    numbers, codes = torch.from_numpy(matrix.numbers).to(device), torch.from_numpy(matrix.codes).to(device)
    labels = torch.from_numpy(target if loss.classes else target.astype(np.float32)).to(device)
    unit = None if weight is None else torch.from_numpy((weight / weight.mean()).astype(np.float32)).to(device)
    is_small = len(numbers) * encoding.width(numbers.shape[1]) <= MOST_RESIDENT_NUMBERS
    return DeviceRows(encoding.encoded(numbers, codes) if is_small else None,
                      lambda rows: encoding.encoded(numbers[rows], codes[rows]), codes[:, encoding.embedded], labels, unit)


def _held_out(encoding: NetEncoding, members: Members, matrix: NetMatrix, valid: list[np.ndarray], loss: Loss) -> HeldOut:
    """What the members predict for their validation rows, averaged where several did not learn from a row."""
    n_rows = len(matrix)
    total: np.ndarray = np.zeros((n_rows, loss.classes) if loss.classes else n_rows)
    count = np.zeros(n_rows, dtype=np.int64)
    for place, rows in enumerate(valid):
        total[rows] += _predictions(encoding, members.take([place]), matrix.take(rows), loss)[0]
        count[rows] += 1
    rows = np.flatnonzero(count)
    return HeldOut(rows, (total[rows].T / count[rows]).T)


def _predictions(encoding: NetEncoding, members: Members, matrix: NetMatrix, loss: Loss) -> np.ndarray:
    """Each member's predictions (members, m[, classes]), in blocks of rows."""
    blocks = [np.stack([loss.predictions(each, members.shape.heads) for each in outputs.numpy()])
              for outputs in _blocks_of_outputs(encoding, members, matrix)]
    return np.concatenate(blocks, axis=1)


def raw_outputs(encoding: NetEncoding, members: Members, matrix: NetMatrix) -> Tensor:
    """Outputs (members, m * heads, outputs) of a matrix's rows."""
    return torch.cat(list(_blocks_of_outputs(encoding, members, matrix)), dim=1)


def _blocks_of_outputs(encoding: NetEncoding, members: Members, matrix: NetMatrix) -> Iterator[Tensor]:
    numbers, codes, size = torch.from_numpy(matrix.numbers), torch.from_numpy(matrix.codes), block_rows(members)
    first = 0
    while first < len(numbers):
        block = slice(first, first + size)
        try:
            with torch.no_grad():
                encoded = encoding.encoded(numbers[block], codes[block]).to(members.values.dtype)
                inputs = members.inputs(encoded[None].expand(len(members), -1, -1), codes[None, block, encoding.embedded])
                outputs = members.outputs(inputs)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or size == 1:
                raise
            size //= 2  # less at once is slower and no less right
            continue
        yield outputs
        first += size


def _restored(predictions: np.ndarray, scale: TargetScale | None, low: float, high: float) -> np.ndarray:
    return predictions if scale is None else scale.restored(np.clip(predictions, low, high))


@contextmanager
def torch_with(threads: int) -> Iterator[None]:
    """Torch with so many threads and its own defaults inside the block; the caller's settings come back afterwards."""
    before, kind = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    try:
        with _default_device_is_cpu(), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(kind)
        torch.set_num_threads(before)


def _default_device_is_cpu() -> AbstractContextManager[object]:
    # A default of torch's costs every operation some microseconds, so it is replaced only where the caller has set one.
    return nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
