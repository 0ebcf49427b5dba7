"""One step of all members: their losses on a batch, flat gradients, what is refused, the update.

On a GPU the whole step is captured once as a graph and replayed, so that no step waits for the host; what cannot be captured runs
as it is written. Knows nothing of epochs, guards' looks and cures.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor

from tabbench.core.side_by_side import SideBySide
from tabbench.nets.backward import WrittenBackward, is_plain
from tabbench.nets.draws import MASKS, NOISE, Draws
from tabbench.nets.dropout import LEVELS, DrawnDropout
from tabbench.nets.guard import Clipping
from tabbench.nets.halves import FEWEST_PRODUCTS, Halves
from tabbench.nets.loss import Loss
from tabbench.nets.network import Batches, Members, named_views
from tabbench.nets.optimisers import OPTIMISERS, FlatOptimiser
from tabbench.nets.precision import Precision
from tabbench.nets.recipe import Recipe
from tabbench.nets.rows import DeviceRows
from tabbench.nets.schedules import flat_cosine

BIAS_RATE, INPUT_SCALE_RATE, EMBEDDING_RATE = 0.1, 3.0, 0.3
"""Shares of the learning rate; a matrix takes one over the square root of its inputs (neural tangent parametrisation)."""
NO_DROPOUT = 0.5 / LEVELS
"""A smaller share is rounded to nothing."""
STEPS_BEFORE_CAPTURE = 3
"""Taken as written on a stream of their own, as torch asks, before the graph is captured."""

Judge = Callable[[Tensor, Tensor | None], Tensor | None]
"""(losses, gradient norms or None), each (members,) -> which steps are accepted (members,), or None for all."""


def accept_finite(losses: Tensor, norms: Tensor | None) -> Tensor:
    """Accept what is finite, without asking the device for an answer."""
    return torch.isfinite(losses if norms is None else losses + norms)


def accept_all(losses: Tensor, norms: Tensor | None) -> None:
    """Accept everything."""


class Stepper:
    """Members, their optimiser, and how a batch becomes a step.

    Attributes
    ----------
    number
        Steps taken.
    parts
        A batch is computed in so many, where memory is short.
    """

    def __init__(self, members: Members, rows: DeviceRows, loss: Loss, recipe: Recipe, draws: Draws, steps: int) -> None:
        self.members, self.rows, self.loss, self.recipe, self.draws = members, rows, loss, recipe, draws
        self.number, self.steps, self.parts = 0, steps, 1
        self.leaves = {name: view.detach().requires_grad_(True) for name, view in members.parameters.items()}
        self.optimiser: FlatOptimiser = OPTIMISERS[recipe.optimiser](members.learnt, *_rates(members, recipe), betas=recipe.betas,
                                                                      momentum=recipe.momentum)
        self.clipping = Clipping(recipe.clip, len(members), members.values.device, members.values.dtype)
        self.precision = Precision(recipe.precision, len(members), members.values.device, members.values.dtype)
        self._written = WrittenBackward(members, loss, recipe.label_smoothing) if is_plain(recipe, loss) and not (
            members.shape.is_module) else None
        self._halves: Halves | None = None
        dropouts = [recipe.dropouts[place % len(recipe.dropouts)] for place in range(len(members))]
        self._dropouts = torch.tensor(dropouts, device=members.values.device, dtype=members.values.dtype)
        self._largest_dropout = max(dropouts)
        self._penalised = _matrices(members) if recipe.l1 or recipe.l2 else None

    @property
    def share(self) -> float:
        """Share of all steps that was taken."""
        return self.number / self.steps

    @property
    def shows_by_losses(self) -> bool:
        """Whether a gradient without a value leaves weights whose loss has none, which no host waits for: plain nets on a CPU."""
        return self._written is not None and not self.members.values.is_cuda

    @property
    def may_be_captured(self) -> bool:
        """Whether a step is the same sequence of kernels each time, with nothing of the host's in between."""
        recipe = self.recipe
        is_own = self.loss.is_own or self.members.shape.is_module
        return (self.members.values.is_cuda and not is_own and not recipe.batch_norm and not recipe.mixup
                and not recipe.noise and self.rows.encoded is not None)

    def divide(self, turns: SideBySide) -> None:
        """Compute a batch in two halves from now on, side by side where there are turns for both, if that pays."""
        members, is_on_cpu = self.members, not self.members.values.is_cuda
        products = self.recipe.batch_rows * members.learnt.numel()
        if self._written is not None and is_on_cpu and not self.recipe.noise and products >= FEWEST_PRODUCTS:
            self._halves = Halves(turns, self._written, WrittenBackward(members, self.loss, self.recipe.label_smoothing))

    def dropout(self, rows: int) -> DrawnDropout | None:
        """What the present step drops, or None where nothing is dropped."""
        factor = flat_cosine(self.share)
        if factor * self._largest_dropout < NO_DROPOUT:
            return None
        return DrawnDropout.draw(rows * self.members.shape.heads, self.members.shape.hidden, self._dropouts * factor,
                                 self.draws.generator(MASKS, self.number))

    def take(self, batch: Tensor, dropout: DrawnDropout | None, factors: Tensor, decay_factor: float | Tensor, judge: Judge,
             *, needs_norms: bool) -> tuple[Tensor, Tensor | None]:
        """One update of all members; their losses and which were accepted.

        Parameters
        ----------
        batch : Tensor
            Rows (members, m).
        factors : Tensor
            (members,) on the learning rates.
        """
        with self.precision.products():
            losses, gradients, seen = self.gradients(batch, dropout)
        norms = torch.linalg.vector_norm(gradients, dim=1) if needs_norms or self.clipping.is_on else None
        accepted = self._accepted(losses, norms, judge)
        if norms is not None and self.clipping.is_on:
            gradients = gradients * self.clipping.factors(norms)[:, None]
        self.optimiser.step(gradients, factors, decay_factor, accepted)
        seen.fold_into(self.members, accepted)
        return losses, accepted

    def _accepted(self, losses: Tensor, norms: Tensor | None, judge: Judge) -> Tensor | None:
        accepted = judge(losses, norms)
        if not self.precision.is_scaled:
            return accepted
        is_finite = accept_finite(losses, norms)  # guarded or not, an overflow costs the step
        self.precision.learn(is_finite)
        return is_finite if accepted is None else accepted & is_finite

    def gradients(self, batch: Tensor, dropout: DrawnDropout | None) -> tuple[Tensor, Tensor, Batches]:
        """Losses (members,) and flat gradients (members, parameters), added up over the parts of a batch."""
        seen = Batches()
        if self.parts == 1 and self._halves is not None:
            losses, gradients = self._halves.gradients(batch.shape[1], lambda written, start, end: self._written_losses(
                written, batch[:, start:end], None if dropout is None else dropout.masks(start, end)))
            return losses, self._with_penalties(gradients), seen
        if self.parts == 1:
            losses, gradients = self._of_part(batch, None if dropout is None else dropout.masks(), seen)
            return losses, self._with_penalties(gradients), seen
        losses, gradients = torch.zeros_like(self.members.values[:, 0]), torch.zeros_like(self.members.learnt)
        rows, heads = batch.shape[1], self.members.shape.heads
        for start, end in pairwise(rows * part // self.parts for part in range(self.parts + 1)):
            masks = None if dropout is None else dropout.masks(start * heads, end * heads)
            loss, flat = self._of_part(batch[:, start:end], masks, seen)
            share = (end - start) / rows
            losses, gradients = losses + share * loss, gradients + share * flat
        return losses, self._with_penalties(gradients), seen

    def _of_part(self, batch: Tensor, masks: list[Tensor] | None, seen: Batches) -> tuple[Tensor, Tensor]:
        """Losses, and gradients that the next call may overwrite."""
        if self._written is None:
            loss = self._training_loss(batch, masks, seen)
            found = torch.autograd.grad(self.precision.scaled(loss).sum(), list(self.leaves.values()))
            return loss.detach(), self.precision.unscaled(torch.cat([each.flatten(1) for each in found], dim=1))
        return self._written_losses(self._written, batch, masks), self._written.gradients

    def _written_losses(self, written: WrittenBackward, batch: Tensor, masks: list[Tensor] | None) -> Tensor:
        encoded, codes = self.rows.inputs(batch)
        inputs = self._noisy(self.members.inputs(encoded, codes))
        return written.losses(inputs, codes, self.rows.target[batch], self.rows.weight_of(batch), masks)

    def _noisy(self, inputs: Tensor) -> Tensor:
        if not self.recipe.noise:
            return inputs
        drawn = torch.randn(inputs.shape, generator=self.draws.generator(NOISE, self.number), device=inputs.device)
        return inputs + self.recipe.noise * drawn

    def _training_loss(self, batch: Tensor, masks: list[Tensor] | None, seen: Batches) -> Tensor:
        """Each member's loss (members,) on rows (members, m), with whatever makes training harder than judging."""
        recipe, target, weight = self.recipe, self.rows.target[batch], self.rows.weight_of(batch)
        inputs = self._noisy(self.members.inputs(*self.rows.inputs(batch), self.leaves))
        if not recipe.mixup:
            outputs = self._outputs(inputs, masks, seen)
            return self.loss.means(outputs, target, weight, smoothing=recipe.label_smoothing)
        shares = self.draws.mixing_shares(self.number, len(self.members), recipe.mixup)
        # Neighbours in a random order are a random pair.
        inputs = torch.lerp(inputs.roll(1, dims=1), inputs, shares[:, None, None])
        outputs = self._outputs(inputs, masks, seen)
        own, other = (self.loss.means(outputs, target.roll(turn, dims=1), None if weight is None else weight.roll(turn, dims=1),
                                      smoothing=recipe.label_smoothing) for turn in (0, 1))
        return torch.lerp(other, own, shares)

    def _outputs(self, inputs: Tensor, masks: list[Tensor] | None, seen: Batches) -> Tensor:
        with self.precision.computing(), self._own_draws():
            outputs = self.members.outputs(inputs, self.leaves, masks, seen)
        return outputs.to(self.members.values.dtype)  # losses have all their bits

    @contextmanager
    def _own_draws(self) -> Iterator[None]:
        """Inside, dropout of a module of the user's draws what depends on the step alone."""
        if not self.members.shape.is_module:
            yield
            return
        with torch.random.fork_rng(devices=[self.members.values.device] if self.members.values.is_cuda else []):
            torch.manual_seed(self.draws.generator(MASKS, self.number).initial_seed())
            yield

    def _with_penalties(self, gradients: Tensor) -> Tensor:
        if self._penalised is None:
            return gradients
        weights = self.members.learnt * self._penalised
        return gradients + self.recipe.l1 * torch.sign(weights) + self.recipe.l2 * weights


class CapturedStep:
    """A step of a `Stepper` as a CUDA graph: batch, random bytes and factors are copied into its own buffers and it is replayed.

    The bytes are drawn before, by a generator whose state depends on the step alone, so that a step can be drawn again.
    """

    def __init__(self, stepper: Stepper, batch: Tensor, dropout: DrawnDropout | None, factors: Tensor, *,
                 needs_norms: bool) -> None:
        self._batch, self._factors = batch.clone(), factors.clone()
        self._dropout = None if dropout is None else dropout.clone()
        self._decay = torch.zeros((), device=factors.device, dtype=factors.dtype)
        self._noted: list[Tensor] = []
        self._graph = torch.cuda.CUDAGraph()
        with _no_collection(), torch.cuda.graph(self._graph):
            self.losses, _ = stepper.take(self._batch, self._dropout, self._factors, self._decay, self._note,
                                          needs_norms=needs_norms)

    def _note(self, losses: Tensor, norms: Tensor | None) -> Tensor | None:
        if norms is None:
            return None
        self._noted = [losses, norms]
        return accept_finite(losses, norms)

    def replay(self, batch: Tensor, dropout: DrawnDropout | None, factors: Tensor, decay_factor: float) -> list[Tensor]:
        """Take the step; copies of losses and gradient norms, each (members,)."""
        self._batch.copy_(batch)
        self._factors.copy_(factors)
        self._decay.fill_(decay_factor)
        if self._dropout is not None and dropout is not None:
            self._dropout.copy_(dropout)
        self._graph.replay()
        return [each.clone() for each in (self._noted or [self.losses])]

    def fits(self, dropout: DrawnDropout | None) -> bool:
        """Whether the graph was captured with, or without, dropout as it is now: late in training nothing is dropped."""
        return (dropout is None) == (self._dropout is None)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without garbage collection: the graph of an earlier training, if it is freed during a capture, makes that one invalid."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _rates(members: Members, recipe: Recipe) -> tuple[Tensor, Tensor | None]:
    """Learning rates and weight decay's share of a step, if there is any, each (members, parameters)."""
    rates, decays = torch.zeros_like(members.learnt), torch.zeros_like(members.learnt)
    sizes = members.shape.parameters()
    decayed = named_views(sizes, decays)
    matrices = members.shape.matrices()
    for name, view in named_views(sizes, rates).items():
        if name in matrices:
            view.fill_(recipe.learning_rate * max(members.shape.fan_in(name), 1) ** -0.5)
            decayed[name].copy_(view * recipe.weight_decay)
        elif name == "embedding":
            view.fill_(recipe.learning_rate * EMBEDDING_RATE)
            decayed[name].copy_(view * recipe.weight_decay)
        else:
            view.fill_(recipe.learning_rate * (INPUT_SCALE_RATE if name == "input_scale" else BIAS_RATE))
    return rates, decays if recipe.weight_decay else None


def _matrices(members: Members) -> Tensor:
    """Ones where a parameter belongs to a matrix, else zeros (1, parameters)."""
    marks = torch.zeros((1, members.shape.n_learnt), device=members.values.device, dtype=members.values.dtype)
    for name, view in named_views(members.shape.parameters(), marks).items():
        if name in members.shape.matrices():
            view.fill_(1.0)
    return marks
