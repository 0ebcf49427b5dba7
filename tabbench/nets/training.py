"""Trains members side by side, each on its own inner fold, under a guard; keeps the best epoch's weights.

A member that meets a fault is dealt with alone (`recovery`), and no other member notices. Knows nothing of approaches and folds
beyond the rows it is handed.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tabbench.core.faults import incident
from tabbench.core.finding import Incident
from tabbench.nets.callbacks import CallbackState
from tabbench.nets.checkpoint import Checkpoint, clear, open_folder, read_checkpoint, write_checkpoint
from tabbench.nets.closing import note_at_the_end
from tabbench.nets.draws import Draws
from tabbench.nets.guard import Guard, Limits, Snapshots, State
from tabbench.nets.looking import dead_shares, is_measured, layer_summaries, update_ratios
from tabbench.nets.loss import Loss
from tabbench.nets.memory import is_out_of_memory
from tabbench.nets.network import Members
from tabbench.nets.recipe import Recipe
from tabbench.nets.recovery import Recovery
from tabbench.nets.rows import Rows
from tabbench.nets.schedules import DECAY_SCHEDULES, RATE_SCHEDULES
from tabbench.nets.standing import Standing, Trained
from tabbench.nets.steps import STEPS_BEFORE_CAPTURE, CapturedStep, Stepper, accept_all, accept_finite
from tabbench.nets.validation import Validation

MOST_PARTS = 64
"""A batch is divided into so many parts at most where memory is short."""
PROBED_ROWS = 8
PLATEAU_PATIENCE, PLATEAU_FACTOR = 0.1, 0.1
"""Share of all epochs without improvement after which the schedule `plateau` divides the rate by ten."""


@dataclass(frozen=True)
class Options:
    """What of a training is no matter of numbers.

    Parameters
    ----------
    is_guarded : without a guard nothing is refused or restored; predictions that are not finite are still never returned.
    safe_rate : the recipe's own learning rate, which a rate that proves far too high goes down to.
    callbacks : objects with any of `on_fit_start`, `on_epoch_end`, `on_incident` and `on_fit_end`.
    checkpoint, resume_from : folders to write to, and to continue from.  identity : what a checkpoint must have been written for.
    named : an incident as the user knows its rows, for those who hear of it while it happens.
    """

    is_guarded: bool = True
    safe_rate: float = 0.05
    callbacks: Sequence[Any] = ()
    checkpoint: Path | None = None
    resume_from: Path | None = None
    identity: str = ""
    named: Callable[[Incident], Incident] | None = None


class Training:
    """One training from start to end."""

    def __init__(self, members: Members, rows: Rows, folds: list[tuple[Tensor, Tensor]], loss: Loss, recipe: Recipe,
                 draws: Draws, options: Options) -> None:
        self.members, self.rows, self.loss, self.recipe, self.draws, self.options = members, rows, loss, recipe, draws, options
        self.fits = [fit for fit, _ in folds]
        owner = weakref.proxy(self)  # no cycle: the device's memory is free as soon as a training is over

        def note_smaller_blocks(rows: int) -> None:
            owner.note_smaller_blocks(rows)

        self.validation = Validation(members, rows, loss, [valid for _, valid in folds], note_smaller_blocks)
        fewest = min(len(fit) for fit in self.fits)
        self.batches = max(1, round(fewest / recipe.batch_rows))
        self.batch_rows = fewest // self.batches
        self.stepper = Stepper(members, rows, loss, recipe, draws, recipe.epochs * self.batches)
        self.rate_factors = torch.ones_like(members.values[:, 0])
        self.state: State = {"values": members.values, "rate_factors": self.rate_factors, **self.stepper.optimiser.state,
                             **self.stepper.clipping.state, **self.stepper.precision.state}
        self.snapshots = Snapshots(self.state)
        self.best = members.values.clone()
        self.standing = Standing()
        self.recovery = Recovery(owner)
        self.guard_seconds = 0.0
        self.orders = torch.zeros((len(members), 0), dtype=torch.int64, device=members.values.device)
        self.epoch_start = 0
        self._needs_norms = options.is_guarded or recipe.clip is not None or self.stepper.precision.is_scaled
        self._is_captured = self.stepper.may_be_captured
        self._graph: CapturedStep | None = None
        if loss.is_own:
            self._probe_loss()

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.stepper.number

    @property
    def path(self) -> str:
        """How steps are taken: one net, several side by side, or as a graph on a GPU."""
        return "captured" if self._is_captured else "stacked" if len(self.members) > 1 else "plain"

    def run(self) -> Trained:
        """Train from start to end.

        Raises
        ------
        TrainingFailed : when no member is left that could be trained, or more rows are dirty than may be left out.
        """
        self.begin()
        return self.finish()

    def finish(self) -> Trained:
        """Train, restore the best epoch, make sure that it is what it was."""
        started = time.perf_counter()
        callback_state = CallbackState(self)
        self._tell("on_fit_start", callback_state)
        while self.standing.epoch < self.recipe.epochs and not self._is_over() and not callback_state.is_stopped:
            self.take_epoch(self.standing.epoch + 1)
            self._tell("on_epoch_end", callback_state)
            self._save()
        trained = self._kept(time.perf_counter() - started)
        self._tell("on_fit_end", callback_state)
        return trained

    def begin(self) -> None:
        """Leave out rows that nothing can be learnt from, judge the start, or take up a checkpoint."""
        if self.options.checkpoint is not None:
            open_folder(self.options.checkpoint)
        self.recovery.audit()
        constants = self.validation.of_constants(self.fits, self.recipe.label_smoothing)
        self.constant_losses = [constant.loss for constant in constants]
        self.guard = Guard(Limits.of(self.constant_losses, [constant.spread for constant in constants], self.batch_rows,
                                     is_own=self.loss.is_own or bool(self.loss.parts)), self.members.values.is_cuda)
        standing, losses = self.standing, self.validation.losses()
        standing.best_losses, standing.best_epochs = list(losses), [0] * len(losses)
        standing.lowest_losses, standing.lowest_epochs = list(losses), [0] * len(losses)
        if self.options.resume_from is not None:
            self._resume(self.options.resume_from)
        elif self.options.checkpoint is not None:
            clear(self.options.checkpoint)
            self._save()

    def _probe_loss(self) -> None:
        """Compute a loss of the user's own once, so that what is wrong with it is said before training."""
        rows = self.fits[0][:PROBED_ROWS]
        outputs = torch.linspace(-1.0, 1.0, len(rows), device=rows.device, dtype=self.members.values.dtype)[None, :, None]
        target = self.rows.target[rows][None]
        if not self.loss.classes:  # near the target, so that it matters which output belongs to which
            outputs = target[:, :, None] + 0.1 * outputs
        probe = self.loss.probe(outputs.expand(1, len(rows), self.members.shape.outputs), target,
                                is_weighted=self.rows.weight is not None)
        self.validation.gives_mean = probe.gives_mean
        if self.options.is_guarded and not probe.is_mean_of_rows:
            evidence = f"{probe.together:.4g} for {len(rows)} rows together, {probe.apart:.4g} on average for one after another"
            self.recovery.note(incident("L04", "before training", evidence, action="none", outcome="reported only"))

    def take_epoch(self, epoch: int) -> None:
        """One pass of every member over its rows in a fresh order, and what it came to."""
        used = self.batches * self.batch_rows
        self.orders = self.draws.order(self.fits, epoch, used)
        self.epoch_start = self.step
        total = torch.zeros(len(self.members), device=self.orders.device, dtype=self.members.values.dtype)
        refused = torch.zeros_like(total)
        for batch in range(self.batches):
            is_last = batch + 1 == self.batches
            before = self.members.learnt.clone() if is_last and is_measured(epoch, self.recipe.epochs) else None
            losses, accepted = self._step(self.batch(batch))
            if accepted is not None:
                losses, refused = torch.where(accepted, losses, 0.0), refused + ~accepted
            total += losses
            if before is not None:
                self.standing.update_ratios.append(update_ratios(self.members, before).tolist())
            self._look(epoch, at_the_end=is_last)
        self.standing.epoch = epoch
        self._judge(epoch, _numbers(total / (self.batches - refused)))

    def bare_steps(self) -> Iterator[Tensor]:
        """Losses (members,) of one step after the other without end, at whatever the rates are.

        All members see the first one's rows; nothing is judged or kept.
        """
        epoch = 0
        while True:
            epoch += 1
            order = self.draws.order(self.fits[:1], epoch, self.batches * self.batch_rows)
            self.orders = order.expand(len(self.members), -1)
            for batch in range(self.batches):
                losses, accepted = self.stepper.take(self.batch(batch), None, self.rate_factors, 0.0, accept_finite,
                                                     needs_norms=True)
                self.stepper.number += 1
                yield losses if accepted is None else torch.where(accepted, losses, torch.nan)

    def clip_from_now_on(self, member: int) -> None:
        """Limit this member's gradients; a graph that was captured without limits is of no more use."""
        self.stepper.clipping.turn_on(member)
        self._graph = None

    def leave_low_precision(self) -> None:
        """Compute with all bits from now on."""
        self.stepper.precision.leave()
        self._graph = None

    def sample(self, members: list[int]) -> tuple[Tensor, Tensor]:
        """Encoded inputs and codes of some fit rows of these members."""
        return self.rows.sample([self.fits[member] for member in members])

    def replace_in_orders(self, bad: Tensor) -> None:
        """Put sound rows in the place of bad ones in what is left of this epoch."""
        for order, fit in zip(self.orders, self.fits, strict=True):
            places = torch.isin(order, bad).nonzero()[:, 0]
            order[places] = fit[places % len(fit)]

    def batch(self, number: int) -> Tensor:
        """Rows (members, m) of a batch of the present epoch."""
        return self.orders[:, number * self.batch_rows:(number + 1) * self.batch_rows]

    def _step(self, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        """One step of every member; their losses (members,), and which were accepted."""
        factors = self.rate_factors * self.recovery.cuts * RATE_SCHEDULES[self.recipe.schedule](self.stepper.share)
        decay = DECAY_SCHEDULES[self.recipe.decay_schedule](self.stepper.share)
        if self._is_captured:
            losses, accepted = self._replayed(batch, factors, decay)
        else:
            losses, accepted = self._taken(batch, factors, decay)
        self.stepper.number += 1
        return losses, accepted

    def _taken(self, batch: Tensor, factors: Tensor, decay: float) -> tuple[Tensor, Tensor | None]:
        """A step as it is written, in as many parts as memory asks for."""
        while True:
            try:
                return self.stepper.take(batch, self.stepper.dropout(batch.shape[1]), factors, decay,
                                         self._judged if self.options.is_guarded else accept_all, needs_norms=self._needs_norms)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.stepper.parts >= min(MOST_PARTS, batch.shape[1]):
                    raise
            self.stepper.parts *= 2
            self.recovery.note_less_memory("R01", f"a batch is computed in {self.stepper.parts} parts", self.standing.epoch + 1)

    def _judged(self, losses: Tensor, norms: Tensor) -> Tensor | None:
        start = time.perf_counter()
        accepted = self.guard.note(losses, norms)
        self.guard_seconds += time.perf_counter() - start
        return accepted

    def _replayed(self, batch: Tensor, factors: Tensor, decay: float) -> tuple[Tensor, Tensor | None]:
        """A step as a graph, once some were taken as they are written."""
        if self.stepper.number < STEPS_BEFORE_CAPTURE:
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                taken = self._taken(batch, factors, decay)
            torch.cuda.current_stream().wait_stream(stream)
            return taken
        dropout = self.stepper.dropout(batch.shape[1])
        if self._graph is None or not self._graph.fits(dropout):
            self._graph = CapturedStep(self.stepper, batch, dropout, factors, needs_norms=self._needs_norms)
        noted = self._graph.replay(batch, dropout, factors, decay)
        return noted[0], self._judged(noted[0], noted[1]) if self.options.is_guarded else None

    def _look(self, epoch: int, *, at_the_end: bool) -> None:
        """Let the guard judge the last steps, where it is time to."""
        if not self.options.is_guarded or not (self.guard.is_due or (at_the_end and self.guard.has_news)):
            return
        start = time.perf_counter()
        troubles = self.guard.look(self.step)
        self.guard_seconds += time.perf_counter() - start
        is_sound = [trouble is None or self.recovery.treat(member, trouble, epoch) for member, trouble in enumerate(troubles)]
        if self.recovery.wants_all_bits and self.stepper.precision.is_low:
            self.leave_low_precision()
        start = time.perf_counter()
        self.snapshots.prove(is_sound)
        self.guard_seconds += time.perf_counter() - start

    def _judge(self, epoch: int, training_losses: list[float]) -> None:
        """Keep each member's best weights; NaN is never an improvement."""
        standing = self.standing
        losses = self.validation.losses()
        if self.options.is_guarded and not all(map(math.isfinite, losses)) and self.recovery.clean_validation(epoch):
            losses = self.validation.losses()
        for member, loss in enumerate(losses):
            if not math.isfinite(loss):
                continue
            is_improved = not loss >= standing.lowest_losses[member]
            if is_improved:
                standing.latest, standing.lowest_losses[member], standing.lowest_epochs[member] = epoch, loss, epoch
            if is_improved or loss == standing.best_losses[member] or not self.recipe.keeps_best:
                standing.best_losses[member], standing.best_epochs[member] = loss, epoch
                self.best[member] = self.members.values[member]
        self._record(epoch, training_losses, losses)
        if self.options.is_guarded:
            self.recovery.after_epoch(epoch)
        if self.recipe.schedule == "plateau":
            self._leave_plateaus(epoch)

    def _record(self, epoch: int, training_losses: list[float], losses: list[float]) -> None:
        factor = RATE_SCHEDULES[self.recipe.schedule](min(self.stepper.share, 1.0))
        rates = _numbers(self.rate_factors * self.recovery.cuts * self.recipe.learning_rate * factor)
        norms = self.guard.last_norms.tolist() if self.options.is_guarded else [math.nan] * len(losses)
        clipped = _numbers(self.stepper.clipping.state["clipped"])
        self.standing.history += [
            {"epoch": epoch, "net": member + 1, "training_loss": training_losses[member], "validation_loss": losses[member],
             "learning_rate": rates[member], "gradient_norm": norms[member], "clipped_steps": int(clipped[member]),
             "refused_steps": self.recovery.refused[member], "path": self.path}
            for member in range(len(losses))]

    def _leave_plateaus(self, epoch: int) -> None:
        patience = max(1, math.ceil(PLATEAU_PATIENCE * self.recipe.epochs))
        for member, best in enumerate(self.standing.lowest_epochs):
            since = epoch - max(best, self.recovery.last_cut[member])
            if since >= patience:
                self.rate_factors[member] *= PLATEAU_FACTOR
                self.recovery.last_cut[member] = epoch

    def _is_over(self) -> bool:
        patience = self.recipe.patience
        is_patient = patience is None or self.standing.epoch - max(self.standing.latest, self.recovery.latest) <= patience
        return not is_patient or all(self.recovery.is_given_up(member) for member in range(len(self.members)))

    def _kept(self, seconds: float) -> Trained:
        """The members that learnt something or at least never diverged, with their best weights."""
        self.members.values.copy_(self.best)
        places = self.recovery.survivors()
        standing, kept = self.standing, self.members.take(places)
        if self.options.is_guarded:
            note_at_the_end(self)
            if changed := self.validation.repeat({place: standing.best_losses[place] for place in places}):
                self.recovery.note(incident("L03", "after training", changed, action="none", outcome="reported only"))
        return Trained(kept, places, [standing.best_losses[place] for place in places],
                       [standing.best_epochs[place] for place in places], tuple(self.recovery.incidents), standing.history,
                       self.recovery.left_out, sum(self.recovery.rollbacks), self.guard_seconds / seconds,
                       self._layers(kept, places))

    def _layers(self, kept: Members, places: list[int]) -> list[dict[str, Any]]:
        ratios = [measured[place] for measured in self.standing.update_ratios for place in places]
        return layer_summaries(kept, ratios, dead_shares(kept, *self.sample(places)).tolist())

    def note_smaller_blocks(self, rows: int) -> None:
        """Validation found too little memory for all rows at once."""
        self.recovery.note_less_memory("R02", f"rows are judged {rows} at a time", self.standing.epoch)

    def tell_incident(self, record: Incident) -> None:
        """Callbacks hear of incidents as they happen."""
        self._tell("on_incident", record if self.options.named is None else self.options.named(record))

    def _tell(self, event: str, state: CallbackState | Incident) -> None:
        for callback in self.options.callbacks:
            if hasattr(callback, event):
                getattr(callback, event)(state)

    def _save(self) -> None:
        if self.options.checkpoint is None:
            return
        snapshots = {f"good/{name}": value for name, value in self.snapshots.good.items()}
        candidate = {f"candidate/{name}": value for name, value in self.snapshots.candidate.items()}
        checkpoint = Checkpoint(
            self.options.identity, {**self.state, **snapshots, **candidate, "best": self.best, "cuts": self.recovery.cuts},
            {**vars(self.standing), "parts": self.stepper.parts, "guard": self.guard.to_json(), **self.recovery.to_json()})
        try:
            write_checkpoint(self.options.checkpoint, checkpoint)
        except OSError as error:
            self.recovery.note(incident("R04", f"epoch {self.standing.epoch}", f"it could not be written: {error.strerror}",
                                        action="the one before stays, the next epoch tries again", outcome="training went on"))

    def _resume(self, folder: Path) -> None:
        """Go on from the newest checkpoint that is whole."""
        found = read_checkpoint(folder, self.options.identity)
        live = {**self.state, "best": self.best, "cuts": self.recovery.cuts,
                **{f"good/{name}": value for name, value in self.snapshots.good.items()},
                **{f"candidate/{name}": value for name, value in self.snapshots.candidate.items()}}
        for name, value in live.items():
            value.copy_(found.checkpoint.tensors[name])
        values = dict(found.checkpoint.values)
        self.stepper.parts = values.pop("parts")
        self.guard.restore(values.pop("guard"))
        self.standing = Standing(**{name: values.pop(name) for name in vars(Standing())})
        self.stepper.number = self.standing.epoch * self.batches
        self.recovery.restore(values)
        if self.recovery.wants_all_bits:
            self.leave_low_precision()
        if found.trouble:
            self.recovery.note(incident("R04", f"epoch {self.standing.epoch}", found.trouble,
                                        action="the checkpoint before it is used", outcome="healed"))


def _numbers(values: Tensor) -> list[float]:
    return [float(value) for value in values.tolist()]
