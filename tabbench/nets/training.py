"""Trains one network on one inner fold: AdamW, a rate that ends at zero, the best epoch's weights kept.

A loss that turns non-finite or explodes costs an epoch, not the fit: the last good state comes back and training goes on at a
tenth of the rate. Knows nothing of approaches and folds beyond the rows it is handed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tabbench.core.errors import TabbenchError
from tabbench.core.finding import Incident
from tabbench.nets.loss import Loss
from tabbench.nets.network import Network
from tabbench.nets.optimiser import FlatAdamW

WARM_UP = 0.1
"""Share of all steps in which the rate rises, before it falls along a cosine to zero."""
MOST_ROLLBACKS = 8
"""Eight tenths of a rate are 1e-8 of it: what still diverges then is not cured by a lower rate."""
EXPLODED = 20.0
"""An epoch whose mean loss is this many times the constant predictor's has diverged though its numbers are finite."""
PATIENCE = 0.35
"""Share of all epochs without improvement after which training stops."""
FEWEST_PATIENT_EPOCHS = 4
PREDICTION_ROWS = 32_768
"""Rows of one forward pass outside training: bounds memory."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Resident tensors: numbers (n, p), codes (n, q), target (n,), weight (n,) with mean one or None."""

    numbers: Tensor
    codes: Tensor
    target: Tensor
    weight: Tensor | None

    def take(self, rows: Tensor) -> Rows:
        """These rows."""
        return Rows(self.numbers[rows], self.codes[rows], self.target[rows], None if self.weight is None else self.weight[rows])

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    epochs: int
    batch_rows: int
    learning_rate: float
    weight_decay: float
    dropout: float


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, its best validation loss, the epoch (from 1; 0 is the start) that it comes from, and what happened."""

    network: Network
    loss: float
    best_epoch: int
    learning_rate: float
    incidents: tuple[Incident, ...]


def train(network: Network, fit: Rows, valid: Rows, loss: Loss, recipe: Recipe, generator: torch.Generator,
          where: str) -> Trained:
    """Train in place and give the network back with the weights of its best epoch.

    Raises
    ------
    TabbenchError : when it still diverges at a rate of 1e-8 of the one asked for.
    """
    return _Run(network, fit, valid, loss, recipe, generator, where).run()


class _Run:
    """One training from start to end."""

    def __init__(self, network: Network, fit: Rows, valid: Rows, loss: Loss, recipe: Recipe, generator: torch.Generator,
                 where: str) -> None:
        self.network, self.fit, self.valid, self.loss, self.recipe = network, fit, valid, loss, recipe
        self.generator, self.where = generator, where
        self.rate_factor = 1.0
        self.incidents: list[Incident] = []
        for parameter in network.parameters.values():
            parameter.requires_grad_(True)
        self.optimiser = self._new_optimiser()
        self.step, self.steps = 0, recipe.epochs * math.ceil(len(fit) / recipe.batch_rows)

    def run(self) -> Trained:
        best_loss, best_epoch, best = self._loss_on(self.valid), 0, self._snapshot()
        start_loss, good = max(best_loss, self._loss_on(self.fit)), best
        patience = max(FEWEST_PATIENT_EPOCHS, math.ceil(PATIENCE * self.recipe.epochs))
        epoch = 1
        while epoch <= self.recipe.epochs and epoch - best_epoch <= patience:
            first_step = self.step
            training_loss = self._epoch()
            current = self._loss_on(self.valid)
            trouble = _trouble(training_loss, current, start_loss)
            if trouble:
                self._roll_back(good, first_step, epoch, *trouble)
                continue
            good = self._snapshot()
            if current < best_loss:
                best_loss, best_epoch, best = current, epoch, good
            epoch += 1
        self._restore(best)
        for parameter in self.network.parameters.values():
            parameter.requires_grad_(False)
        return Trained(self.network, best_loss, best_epoch, self.recipe.learning_rate * self.rate_factor, tuple(self.incidents))

    def _epoch(self) -> float:
        """One pass over the rows in a fresh order; the mean of its losses, NaN or infinite when one was."""
        order = torch.randperm(len(self.fit), generator=self.generator, device=self.generator.device)
        size = self.recipe.batch_rows
        batches = [order[first:first + size] for first in range(0, len(order), size)]
        total = torch.zeros((), device=self.generator.device)
        for batch in batches:
            rows = self.fit.take(batch)
            outputs = self.network.outputs(rows.numbers, rows.codes, self.recipe.dropout, self.generator)
            value = self.loss.mean(outputs, rows.target, rows.weight)
            self.optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step(self.recipe.learning_rate * self.rate_factor * schedule(self.step / self.steps))
            total += value.detach()
            self.step += 1
        return float(total) / len(batches)

    def _loss_on(self, rows: Rows) -> float:
        return float(self.loss.mean(forward(self.network, rows.numbers, rows.codes), rows.target, rows.weight))

    def _snapshot(self) -> dict[str, Tensor]:
        return {name: parameter.detach().clone() for name, parameter in self.network.parameters.items()}

    def _restore(self, snapshot: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.network.parameters.items():
                parameter.copy_(snapshot[name])

    def _roll_back(self, good: dict[str, Tensor], first_step: int, epoch: int, code: str, evidence: str) -> None:
        if len(self.incidents) == MOST_ROLLBACKS:
            raise TabbenchError(
                f"the net cannot be trained: {self.where} still diverges after {MOST_ROLLBACKS} roll-backs ({evidence}); "
                "check the table for extreme values or leave the approach `mlp` out")
        self._restore(good)
        self.optimiser = self._new_optimiser()  # its moments hold what made the step explode
        self.step = first_step
        self.rate_factor /= 10.0
        rate = self.recipe.learning_rate * self.rate_factor
        self.incidents.append(Incident(
            code, f"{self.where}, epoch {epoch}", evidence, "the learning rate is too high for these rows",
            f"last good weights restored, learning rate lowered to {rate:.3g}", "training went on"))

    def _new_optimiser(self) -> FlatAdamW:
        return FlatAdamW(self.network.parameters.values(), self.recipe.weight_decay)


def schedule(share: float) -> float:
    """The rate's factor after this share of all steps: a short rise, then half a cosine down to zero.

    >>> round(schedule(0.1), 6), round(schedule(1.0), 6)
    (1.0, 0.0)
    """
    if share < WARM_UP:
        return (share + 0.1 * WARM_UP) / (1.1 * WARM_UP)
    return 0.5 * (1.0 + math.cos(math.pi * (share - WARM_UP) / (1.0 - WARM_UP)))


def forward(network: Network, numbers: Tensor, codes: Tensor) -> Tensor:
    """Outputs (m, outputs) without gradients or dropout, in blocks of rows."""
    with torch.no_grad():
        blocks = [slice(first, first + PREDICTION_ROWS) for first in range(0, len(numbers), PREDICTION_ROWS)]
        return torch.cat([network.outputs(numbers[block], codes[block]) for block in blocks])


def _trouble(training_loss: float, validation_loss: float, start_loss: float) -> tuple[str, str] | None:
    """Code and evidence when an epoch has to be taken back."""
    for name, value in (("training", training_loss), ("validation", validation_loss)):
        if not math.isfinite(value):
            return "non-finite-loss", f"{name} loss is {value}"
    if training_loss > EXPLODED * max(start_loss, 1e-3):
        return "exploding-loss", f"training loss {training_loss:.3g} against {start_loss:.3g} at the start"
    return None
