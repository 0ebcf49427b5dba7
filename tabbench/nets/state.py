"""What a training consists of and how far it has come: one object that its parts read and change.

`training` steps it, `recovery` mends it, `closing` looks at it when it is over, and `callbacks` let a user see some of it. It
knows none of them, so that nothing refers to it in a circle and a device's memory is free as soon as a training is over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tabbench.nets.draws import Draws
from tabbench.nets.guard import SMALLEST_LOSS, Guard, Limits, Snapshots, State
from tabbench.nets.journal import Journal
from tabbench.nets.loss import Loss
from tabbench.nets.network import Members
from tabbench.nets.plan import Criterion
from tabbench.nets.progress import TrainingProgress
from tabbench.nets.recipe import Recipe
from tabbench.nets.rows import DeviceRows
from tabbench.nets.steps import CapturedStep, Stepper
from tabbench.nets.training_options import TrainingOptions
from tabbench.nets.validation import Constant, Validation


class TrainingState:
    """Members, the rows they learn from and are judged by, and all that changes from step to step.

    Attributes
    ----------
    fits
        Each member's rows to learn from; may be changed when rows are left out.
    batches, batch_rows
        Steps of an epoch, and rows of a step.
    orders
        (members, used) rows of the present epoch.
    rate_factors
        (members,) on the recipe's rate, as schedules and callbacks have it.
    cuts
        (members,) by which recovery lowered each one's rate; outside the snapshots, which would undo it.
    live : State
        What a snapshot holds.
    best
        (members, numbers) of the best epochs.
    starts : Tensor | None
        (members, outputs) of the constant predictor; None for what the members say before they have learnt.
    warm : Tensor | None
        (members, numbers) to begin with instead of the first weights.
    target
        (n,) class codes, or numbers in the user's units.
    criterion, restored
        What judges epochs in place of the loss, and how predictions get the target's units.
    graph : CapturedStep | None
        The captured step, once there is one.
    epoch_start
        Steps taken before the present epoch.
    constants, constant_losses, start_losses, guard
        What is known once the start was judged.
    """

    constants: list[Constant]
    constant_losses: list[float]
    start_losses: list[float]
    guard: Guard

    def __init__(self, members: Members, rows: DeviceRows, folds: list[tuple[Tensor, Tensor]], loss: Loss, recipe: Recipe,
                 draws: Draws, options: TrainingOptions) -> None:
        self.members, self.rows, self.loss, self.recipe, self.draws, self.options = members, rows, loss, recipe, draws, options
        self.fits = [fit for fit, _ in folds]
        self.journal, self.progress = Journal(options), TrainingProgress()
        self.validation = Validation(members, rows, loss, [valid for _, valid in folds],
                                     partial(_note_smaller_blocks, self.journal, self.progress))
        fewest = min(len(fit) for fit in self.fits)
        self.batches = max(1, round(fewest / recipe.batch_rows))
        self.batch_rows = fewest // self.batches
        self.stepper = Stepper(members, rows, loss, recipe, draws, recipe.epochs * self.batches)
        self.rate_factors, self.cuts = torch.ones_like(members.values[:, 0]), torch.ones_like(members.values[:, 0])
        self.live: State = {"values": members.values, "rate_factors": self.rate_factors, **self.stepper.optimiser.state,
                            **self.stepper.clipping.state, **self.stepper.precision.state}
        self.snapshots = Snapshots(self.live)
        self.best = members.values.clone()
        self.orders = torch.zeros((len(members), 0), dtype=torch.int64, device=members.values.device)
        self.epoch_start = 0
        self.graph: CapturedStep | None = None
        self.warm: Tensor | None = None
        self.starts: Tensor | None = None
        self.criterion: Criterion | None = None
        self.target: np.ndarray = np.zeros(0)
        self.restored: Callable[[np.ndarray], np.ndarray] = np.asarray

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.stepper.number

    def rate(self, member: int) -> float:
        """A member's learning rate before its schedule, after recovery's cuts."""
        return float(self.cuts[member] * self.rate_factors[member]) * self.recipe.learning_rate

    def judge_start(self) -> None:
        """Find out what the constant predictor and the first weights lose."""
        self.constants = self.validation.of_constants(self.fits, self.first_outputs(), self.recipe.label_smoothing)
        self.constant_losses = [constant.loss for constant in self.constants]
        limits = Limits.of(self.constant_losses, [constant.spread for constant in self.constants], self.batch_rows,
                           is_own=self.has_own_zero)
        self.guard = Guard(limits, self.members.values.is_cuda)
        self.start_losses = self.constant_losses if self.members.shape.is_module else self.validation.losses()
        if self.warm is not None:
            self.members.values.copy_(self.warm)
            self.best.copy_(self.warm)
            for member in range(len(self.members)):
                self.snapshots.accept(member)
        self.progress.begin(self.criteria(self.validation.losses()))

    def unit(self, member: int) -> float:
        """What losses are measured in: the constant predictor's, or its spread over rows for a loss of any zero."""
        constant = self.constants[member]
        return constant.spread if self.has_own_zero else constant.loss

    def may_learn(self, member: int) -> bool:
        """Whether the constant predictor leaves something to learn."""
        return self.unit(member) > (0.0 if self.has_own_zero else SMALLEST_LOSS)

    @property
    def has_own_zero(self) -> bool:
        """Whether the loss is the user's, so that it may have any zero and size."""
        return self.loss.is_own or bool(self.loss.parts)

    def first_outputs(self) -> Tensor:
        """Outputs (members, outputs or heads, outputs) of the constant predictor."""
        if self.starts is not None:
            return self.starts[:, None]
        return self.members.parameters[f"bias{len(self.members.shape.hidden)}"][:, :1]

    def criteria(self, losses: list[float]) -> list[float]:
        """What each member is judged by where its validation losses are these."""
        if self.criterion is None:
            return losses
        return [self.criterion(rows.cpu().numpy(), predicted)
                for rows, predicted in zip(self.validation.parts, self.validation_predictions(), strict=True)]

    def validation_predictions(self) -> list[np.ndarray]:
        """Each member's predictions of its validation rows, in the target's units."""
        outputs, heads = self.validation.outputs(), self.members.shape.heads
        return [self.restored(self.loss.predictions(each.cpu().numpy(), heads)) for each in outputs]

    def is_kept(self, member: int, loss: float) -> bool:
        """Whether the last epoch is kept where no epoch is the best: one that loses more than the constant predictor is not."""
        return not self.options.is_guarded or not loss > self.start_losses[member]

    def training_losses(self, member: int) -> list[float]:
        """A member's training loss in each epoch."""
        return [record["training_loss"] for record in self.progress.history if record["net"] == member + 1]

    def begin_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch."""
        self.orders = self.draws.order(self.fits, epoch, self.batches * self.batch_rows)
        self.epoch_start = self.step

    def batch(self, number: int) -> Tensor:
        """Rows (members, m) of a batch of the present epoch."""
        return self.orders[:, number * self.batch_rows:(number + 1) * self.batch_rows]

    def sample(self, members: list[int]) -> tuple[Tensor, Tensor]:
        """Encoded inputs and codes of some fit rows of these members."""
        return self.rows.sample([self.fits[member] for member in members])

    def replace_in_orders(self, bad: Tensor) -> None:
        """Put sound rows in the place of bad ones in what is left of this epoch."""
        for order, fit in zip(self.orders, self.fits, strict=True):
            places = torch.isin(order, bad).nonzero()[:, 0]
            order[places] = fit[places % len(fit)]

    def clip_from_now_on(self, member: int) -> None:
        """Limit this member's gradients; a graph that was captured without limits is of no more use."""
        self.stepper.clipping.turn_on(member)
        self.graph = None

    def leave_low_precision(self) -> None:
        """Compute with all bits from now on."""
        self.stepper.precision.leave()
        self.graph = None


def _note_smaller_blocks(journal: Journal, progress: TrainingProgress, rows: int) -> None:
    """Validation found too little memory for all rows at once."""
    journal.note_less_memory("R02", f"rows are judged {rows} at a time", progress.epoch)
