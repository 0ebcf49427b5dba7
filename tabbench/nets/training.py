"""Trains members side by side, each on its own inner fold: AdamW, a rate that ends at zero, the best epoch's weights kept.

A member whose loss turns non-finite or explodes loses an epoch, not the fit, and no other member notices: its last good state
comes back and it goes on at a tenth of the rate. Knows nothing of approaches and folds beyond the rows it is handed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tabbench.core.errors import TabbenchError
from tabbench.core.finding import Incident
from tabbench.nets.dropout import dropout_masks
from tabbench.nets.loss import Loss
from tabbench.nets.network import Members, named_views
from tabbench.nets.optimiser import FlatAdamW

WARM_UP = 0.1
"""Share of all steps in which the rate rises, before it falls along a cosine to zero."""
BIAS_RATE, INPUT_SCALE_RATE, EMBEDDING_RATE = 0.1, 3.0, 0.3
"""Shares of the learning rate; a matrix takes one over the square root of its inputs (neural tangent parametrisation)."""
MOST_ROLLBACKS = 8
"""Eight tenths of a rate are 1e-8 of it: what still diverges then is not cured by a lower rate."""
EXPLODED = 20.0
"""An epoch whose mean loss is this many times the constant predictor's has diverged though its numbers are finite."""
PATIENCE = 0.4
"""Share of all epochs without improvement of any member after which training stops."""
FEWEST_PATIENT_EPOCHS = 5
PREDICTION_NUMBERS = 2**22
"""Inputs of one forward pass outside training, all members together: bounds memory."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Resident tensors: encoded inputs (n, e), codes of embedded categories (n, q), target (n,), weight (n,).

    The weight has mean one, or there is none. `encode` stands for the encoded inputs of rows where all of them at once would
    not fit in memory.
    """

    encoded: Tensor | None
    encode: Callable[[Tensor], Tensor]
    codes: Tensor
    target: Tensor
    weight: Tensor | None

    def inputs(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Encoded inputs (members, m, e) and codes (members, m, q) of rows (members, m)."""
        flat = rows.flatten()
        encoded = self.encode(flat) if self.encoded is None else self.encoded.index_select(0, flat)
        codes = self.codes.index_select(0, flat)
        return encoded.view(*rows.shape, encoded.shape[1]), codes.view(*rows.shape, codes.shape[1])

    def weight_of(self, rows: Tensor) -> Tensor | None:
        """Weights (members, m)."""
        return None if self.weight is None else self.weight[rows]


@dataclass(frozen=True)
class Recipe:
    """How members are trained. The learning rate is that of a matrix of one input; members take turns at the dropouts."""

    epochs: int
    batch_rows: int
    learning_rate: float
    weight_decay: float
    dropouts: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Trained:
    """Members that were not given up, their validation losses, best epochs (from 1; 0 is the start) and what happened.

    `places` (members,) are their positions among the folds.
    """

    members: Members
    places: list[int]
    losses: list[float]
    best_epochs: list[int]
    incidents: tuple[Incident, ...]


def train(members: Members, rows: Rows, folds: list[tuple[Tensor, Tensor]], loss: Loss, recipe: Recipe,
          generator: torch.Generator) -> Trained:
    """Train members in place, each on the (fit, validation) positions of its fold, and keep each one's best epoch.

    Raises
    ------
    TabbenchError : when all members still diverge at the lowest rate that there was time to try.
    """
    return _Training(members, rows, folds, loss, recipe, generator).run()


class _Training:
    """One training from start to end."""

    def __init__(self, members: Members, rows: Rows, folds: list[tuple[Tensor, Tensor]], loss: Loss, recipe: Recipe,
                 generator: torch.Generator) -> None:
        self.members, self.rows, self.loss, self.recipe, self.generator = members, rows, loss, recipe, generator
        self.fits, (self.valid, self.valid_share) = [fit for fit, _ in folds], _side_by_side([valid for _, valid in folds])
        fewest = min(len(fit) for fit in self.fits)
        self.batches = max(1, round(fewest / recipe.batch_rows))
        self.batch_rows = fewest // self.batches
        self.step, self.steps = 0, recipe.epochs * self.batches
        self.dropouts = [recipe.dropouts[place % len(recipe.dropouts)] for place in range(len(members))]
        self.incidents: list[Incident] = []
        self.rollbacks = [0] * len(members)
        self.leaves = {name: view.detach().requires_grad_(True) for name, view in members.parameters.items()}
        self.optimiser = FlatAdamW(members.values, *_rates(members, recipe))

    def run(self) -> Trained:
        start = self._validation_losses()
        constant = [max(pair) for pair in zip(start, self._constant_losses(), strict=True)]
        values, places = self.members.values, range(len(self.members))
        best, good, best_losses, best_epochs = values.clone(), values.clone(), start, [0 for _ in places]
        latest = 0
        patience = max(FEWEST_PATIENT_EPOCHS, math.ceil(PATIENCE * self.recipe.epochs))
        for epoch in range(1, self.recipe.epochs + 1):
            losses = list(zip(self._epoch(), self._validation_losses(), strict=True))
            for place in places:
                trouble = _trouble(*losses[place], constant[place])
                if trouble:
                    values[place] = good[place]
                    self._slow_down(place, epoch, *trouble)
                    latest = epoch
                    continue
                good[place] = values[place]
                if losses[place][1] < best_losses[place]:
                    best_losses[place], best_epochs[place], best[place] = losses[place][1], epoch, values[place]
                    latest = epoch
            if epoch - latest > patience or min(self.rollbacks) > MOST_ROLLBACKS:
                break
        values.copy_(best)
        return self._kept(best_losses, best_epochs)

    def _kept(self, losses: list[float], epochs: list[int]) -> Trained:
        """The members that learnt something or at least never diverged."""
        places = [place for place, epoch in enumerate(epochs) if not self.rollbacks[place]
                  or (epoch and self.rollbacks[place] <= MOST_ROLLBACKS)]
        if not places:
            raise TabbenchError(
                f"the net cannot be trained: every member still diverges after {max(self.rollbacks)} roll-backs "
                f"({self.incidents[-1].evidence}); check the table for extreme values or leave the approach `mlp` out")
        kept = self.members.take(places)
        return Trained(kept, places, [losses[place] for place in places], [epochs[place] for place in places],
                       tuple(self.incidents))

    def _epoch(self) -> list[float]:
        """One pass of every member over its rows in a fresh order; each one's mean loss, NaN or infinite when one was."""
        device, count = self.generator.device, len(self.members)
        rows_used = self.batches * self.batch_rows
        orders = torch.stack([fit[torch.randperm(len(fit), generator=self.generator, device=device)[:rows_used]]
                              for fit in self.fits])
        total = torch.zeros(count, device=device)
        for batch in orders.view(count, self.batches, self.batch_rows).unbind(1):
            share = self.step / self.steps
            masks = dropout_masks(self.batch_rows, self.members.shape.hidden,
                                  [dropout * flat_cosine(share) for dropout in self.dropouts], self.generator)
            outputs = self.members.outputs(*self.rows.inputs(batch), self.leaves, masks)
            losses = self.loss.means(outputs, self.rows.target[batch], self.rows.weight_of(batch))
            gradients = torch.autograd.grad(losses.sum(), list(self.leaves.values()))
            self.optimiser.step(torch.cat([each.flatten(1) for each in gradients], dim=1), schedule(share), flat_cosine(share))
            total += losses.detach()
            self.step += 1
        return _numbers(total / self.batches)

    def _validation_losses(self) -> list[float]:
        given = self.rows.weight_of(self.valid)
        weight = self.valid_share if given is None else self.valid_share * given
        outputs = []
        for block in torch.split(self.valid, block_rows(self.members), dim=1):
            with torch.no_grad():
                outputs.append(self.members.outputs(*self.rows.inputs(block)))
        return _numbers(self.loss.means(torch.cat(outputs, dim=1), self.rows.target[self.valid], weight))

    def _constant_losses(self) -> list[float]:
        """What each member loses on its fit rows before it has learnt anything: its last bias alone speaks."""
        losses = []
        for start, fit in zip(self.members.parameters[f"bias{len(self.members.shape.hidden)}"], self.fits, strict=True):
            weight = None if self.rows.weight is None else self.rows.weight[fit][None]
            losses.append(float(self.loss.means(start[None].expand(1, len(fit), -1), self.rows.target[fit][None], weight)))
        return losses

    def _slow_down(self, place: int, epoch: int, code: str, evidence: str) -> None:
        """Go on at a tenth of the rate; a member that has been slowed down too often rests where it is."""
        self.rollbacks[place] += 1
        if self.rollbacks[place] > MOST_ROLLBACKS:
            self.optimiser.restart(place, 0.0)
            return
        self.optimiser.restart(place, 0.1)
        rate = self.recipe.learning_rate * 0.1**self.rollbacks[place]
        self.incidents.append(Incident(
            code, f"net {place + 1}, epoch {epoch}", evidence, "the learning rate is too high for these rows",
            f"last good weights restored, learning rate lowered to {rate:.3g}", "training went on"))


def _rates(members: Members, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Learning rates and weight decay's share of a step, each (members, parameters)."""
    rates, decays = torch.zeros_like(members.values), torch.zeros_like(members.values)
    decayed = named_views(members.shape, decays)
    for name, view in named_views(members.shape, rates).items():
        if name.startswith("weight"):
            view.fill_(recipe.learning_rate * max(view.shape[1], 1) ** -0.5)
            decayed[name].copy_(view * recipe.weight_decay)
        elif name == "embedding":
            view.fill_(recipe.learning_rate * EMBEDDING_RATE)
            decayed[name].copy_(view * recipe.weight_decay)
        else:
            view.fill_(recipe.learning_rate * (INPUT_SCALE_RATE if name == "input_scale" else BIAS_RATE))
    return rates, decays


def _side_by_side(parts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Positions (members, longest) and what each counts so that a mean over them is the mean over the part alone."""
    longest = max(len(part) for part in parts)
    place = torch.arange(longest, device=parts[0].device)
    rows = torch.stack([part[place % len(part)] for part in parts])
    return rows, torch.stack([(place < len(part)) * (longest / len(part)) for part in parts]).float()


def schedule(share: float) -> float:
    """The rate's factor after this share of all steps: a short rise, then half a cosine down to zero.

    >>> round(schedule(0.1), 6), round(schedule(1.0), 6)
    (1.0, 0.0)
    """
    if share < WARM_UP:
        return (share + 0.1 * WARM_UP) / (1.1 * WARM_UP)
    return 0.5 * (1.0 + math.cos(math.pi * (share - WARM_UP) / (1.0 - WARM_UP)))


def flat_cosine(share: float) -> float:
    """Dropout's and decay's factor: one in the first half of training, then half a cosine down to zero.

    >>> flat_cosine(0.5), round(flat_cosine(1.0), 6)
    (1.0, 0.0)
    """
    return 1.0 if share <= 0.5 else 0.5 * (1.0 + math.cos(math.pi * (2.0 * share - 1.0)))


def block_rows(members: Members) -> int:
    """Rows of one forward pass outside training."""
    return max(1, PREDICTION_NUMBERS // (len(members) * max(members.shape.inputs, *members.shape.hidden)))


def _numbers(values: Tensor) -> list[float]:
    return [float(value) for value in values.tolist()]


def _trouble(training_loss: float, validation_loss: float, constant_loss: float) -> tuple[str, str] | None:
    """Code and evidence when an epoch has to be taken back."""
    for name, value in (("training", training_loss), ("validation", validation_loss)):
        if not math.isfinite(value):
            return "non-finite-loss", f"{name} loss is {value}"
    if training_loss > EXPLODED * max(constant_loss, 1e-3):
        return "exploding-loss", f"training loss {training_loss:.3g} against {constant_loss:.3g} at the start"
    return None
