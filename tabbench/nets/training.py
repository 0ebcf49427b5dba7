"""Trains members side by side, each on its own inner fold, under a guard; keeps the best epoch's weights.

A member that meets a fault is dealt with alone (`recovery`), and no other member notices. Knows nothing of approaches and folds
beyond the rows it is handed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from tabbench.core.errors import BadOption
from tabbench.core.faults import incident
from tabbench.core.finding import AFTER_TRAINING, BEFORE_TRAINING, Moment
from tabbench.nets.callbacks import CallbackState
from tabbench.nets.closing import note_at_the_end
from tabbench.nets.continuing import prepare_folder, save, start_or_resume
from tabbench.nets.draws import Draws
from tabbench.nets.looking import dead_shares, is_measured, layer_summaries, update_ratios
from tabbench.nets.loss import Loss
from tabbench.nets.memory import is_out_of_memory
from tabbench.nets.network import Members
from tabbench.nets.progress import Trained
from tabbench.nets.rate_trial import note_low_rate
from tabbench.nets.recipe import Recipe
from tabbench.nets.recovery import Recovery
from tabbench.nets.rows import DeviceRows
from tabbench.nets.schedules import DECAY_SCHEDULES, RATE_SCHEDULES
from tabbench.nets.state import TrainingState
from tabbench.nets.steps import STEPS_BEFORE_CAPTURE, CapturedStep, accept_all, accept_finite
from tabbench.nets.training_options import TrainingOptions

MOST_PARTS = 64
"""A batch is divided into so many parts at most where memory is short."""
PROBED_ROWS = 8
FEW_ROWS_TO_NORMALISE = 8
PLATEAU_PATIENCE, PLATEAU_FACTOR = 0.1, 0.1
"""Share of all epochs without improvement after which the schedule `plateau` divides the rate by ten."""


class Training:
    """One training from start to end; what it consists of is its `state`."""

    def __init__(self, members: Members, rows: DeviceRows, folds: list[tuple[Tensor, Tensor]], loss: Loss, recipe: Recipe,
                 draws: Draws, options: TrainingOptions) -> None:
        self.state = TrainingState(members, rows, folds, loss, recipe, draws, options)
        self.recovery = Recovery(self.state)
        self.guard_seconds = 0.0
        self.is_interrupted = False
        self._needs_norms = options.is_guarded or recipe.clip is not None or self.state.stepper.precision.is_scaled
        self._may_skip_norms = options.is_guarded and self.state.stepper.shows_by_losses
        self._is_captured = self.state.stepper.may_be_captured
        if loss.is_own:
            self._probe_loss()
        if recipe.batch_norm:
            self._check_batches()

    @property
    def path(self) -> str:
        """How steps are taken: one net, several side by side, or as a graph on a GPU."""
        return "captured" if self._is_captured else "stacked" if len(self.state.members) > 1 else "plain"

    def run(self) -> Trained:
        """Train from start to end.

        Raises
        ------
        TrainingFailed
            When no member is left that could be trained, or more rows are dirty than may be left out.
        """
        self.begin()
        return self.finish()

    def begin(self) -> None:
        """Leave out rows that nothing can be learnt from, judge the start, or take up a checkpoint."""
        prepare_folder(self.state)
        self.recovery.audit()
        self.state.judge_start()
        start_or_resume(self.state, self.recovery)

    def finish(self) -> Trained:
        """Train, restore the best epoch, make sure that it is what it was."""
        started = time.perf_counter()
        state, seen = self.state, CallbackState(self.state)
        state.options.tell("on_fit_start", seen)
        try:
            while state.progress.epoch < state.recipe.epochs and not self._is_over() and not seen.is_stopped and (
                    not state.progress.epoch or time.perf_counter() < state.options.deadline):
                self.take_epoch(state.progress.epoch + 1)
                state.options.tell("on_epoch_end", seen)
                save(state, self.recovery)
        except KeyboardInterrupt:
            if not state.options.keeps_interrupted:
                raise
            self._note_interrupt()
        trained = self._kept(time.perf_counter() - started)
        state.options.tell("on_fit_end", seen)
        return trained

    def _check_batches(self) -> None:
        """Refuse batches that say nothing about means and variances, and report those that say little."""
        rows = self.state.batch_rows
        if rows == 1:
            raise BadOption("batch_norm needs batches of two rows or more; raise batch_size, or leave batch_norm out")
        if rows < FEW_ROWS_TO_NORMALISE and self.state.options.is_guarded:
            self.state.journal.note(incident("A02", BEFORE_TRAINING, f"batches of {rows} rows", action="none",
                                             outcome="reported only"))

    def _note_interrupt(self) -> None:
        self.is_interrupted = True
        epoch = self.state.progress.epoch
        self.state.journal.note(incident("R05", Moment(epoch=epoch), f"interrupted after {epoch} epochs",
                                         action="the best weights are kept", outcome="stopped with the best weights so far"))

    def _probe_loss(self) -> None:
        """Compute a loss of the user's own once, so that what is wrong with it is said before training."""
        state = self.state
        rows = state.fits[0][:PROBED_ROWS]
        outputs = torch.linspace(-1.0, 1.0, len(rows), device=rows.device, dtype=state.members.values.dtype)[None, :, None]
        target = state.rows.target[rows][None]
        if not state.loss.classes:  # near the target, so that it matters which output belongs to which
            outputs = target[:, :, None] + 0.1 * outputs
        probe = state.loss.probe(outputs.expand(1, len(rows), state.members.shape.outputs), target,
                                 is_weighted=state.rows.weight is not None)
        state.validation.gives_mean = probe.gives_mean
        if state.options.is_guarded and not probe.is_mean_of_rows:
            evidence = f"{probe.together:.4g} for {len(rows)} rows together, {probe.apart:.4g} on average for one after another"
            state.journal.note(incident("L04", BEFORE_TRAINING, evidence, action="none", outcome="reported only"))

    # -- epochs and steps -----------------------------------------------------------------------------------------------------

    def take_epoch(self, epoch: int) -> None:
        """One pass of every member over its rows in a fresh order, and its losses."""
        state, members = self.state, self.state.members
        state.begin_epoch(epoch)
        total = torch.zeros(len(members), device=state.orders.device, dtype=members.values.dtype)
        refused = torch.zeros_like(total)
        for batch in range(state.batches):
            is_last = batch + 1 == state.batches
            before = members.learnt.clone() if is_last and is_measured(epoch, state.recipe.epochs) else None
            losses, accepted = self._step(state.batch(batch))
            if accepted is not None:
                losses, refused = torch.where(accepted, losses, 0.0), refused + ~accepted
            total += losses
            if before is not None:
                state.progress.update_ratios.append(update_ratios(members, before).tolist())
            self._look(epoch, at_the_end=is_last)
        state.progress.epoch = epoch
        self._judge(epoch, _numbers(total / (state.batches - refused)))

    def bare_steps(self) -> Iterator[Tensor]:
        """Losses (members,) of one step after the other without end, at whatever the rates are.

        All members see the first one's rows; nothing is judged or kept.
        """
        state, epoch = self.state, 0
        while True:
            epoch += 1
            order = state.draws.order(state.fits[:1], epoch, state.batches * state.batch_rows)
            state.orders = order.expand(len(state.members), -1)
            for batch in range(state.batches):
                losses, accepted = state.stepper.take(state.batch(batch), None, state.rate_factors, 0.0, accept_finite,
                                                      needs_norms=True)
                state.stepper.number += 1
                yield losses if accepted is None else torch.where(accepted, losses, torch.nan)

    def _step(self, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        """One step of every member; their losses (members,), and which were accepted."""
        state, share = self.state, self.state.stepper.share
        factors = state.rate_factors * state.cuts * RATE_SCHEDULES[state.recipe.schedule](share)
        decay = DECAY_SCHEDULES[state.recipe.decay_schedule](share)
        if self._is_captured:
            losses, accepted = self._replayed(batch, factors, decay)
        else:
            losses, accepted = self._taken(batch, factors, decay)
        state.stepper.number += 1
        return losses, accepted

    def _taken(self, batch: Tensor, factors: Tensor, decay: float) -> tuple[Tensor, Tensor | None]:
        """A step as it is written, in as many parts as memory asks for."""
        state, stepper = self.state, self.state.stepper
        needs_norms = state.guard.wants_norms if self._may_skip_norms else self._needs_norms
        while True:
            try:
                return stepper.take(batch, stepper.dropout(batch.shape[1]), factors, decay,
                                    self._judged if state.options.is_guarded else accept_all, needs_norms=needs_norms)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or stepper.parts >= min(MOST_PARTS, batch.shape[1]):
                    raise
            stepper.parts *= 2
            state.journal.note_less_memory("R01", f"a batch is computed in {stepper.parts} parts", state.progress.epoch + 1)

    def _judged(self, losses: Tensor, norms: Tensor | None) -> Tensor | None:
        start = time.perf_counter()
        accepted = self.state.guard.note(losses, norms)
        self.guard_seconds += time.perf_counter() - start
        return accepted

    def _replayed(self, batch: Tensor, factors: Tensor, decay: float) -> tuple[Tensor, Tensor | None]:
        """A step as a graph, once some were taken as they are written."""
        state = self.state
        if state.stepper.number < STEPS_BEFORE_CAPTURE:
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                taken = self._taken(batch, factors, decay)
            torch.cuda.current_stream().wait_stream(stream)
            return taken
        dropout = state.stepper.dropout(batch.shape[1])
        if state.graph is None or not state.graph.fits(dropout):
            state.graph = CapturedStep(state.stepper, batch, dropout, factors, needs_norms=self._needs_norms)
        noted = state.graph.replay(batch, dropout, factors, decay)
        return noted[0], self._judged(noted[0], noted[1]) if state.options.is_guarded else None

    def _look(self, epoch: int, *, at_the_end: bool) -> None:
        """Let the guard judge the last steps, where it is time to."""
        state = self.state
        if not state.options.is_guarded or not (state.guard.is_due or (at_the_end and state.guard.has_news)):
            return
        start = time.perf_counter()
        troubles = state.guard.look(state.step)
        self.guard_seconds += time.perf_counter() - start
        is_sound = [trouble is None or self.recovery.treat(member, trouble, epoch) for member, trouble in enumerate(troubles)]
        if self.recovery.wants_all_bits and state.stepper.precision.is_low:
            state.leave_low_precision()
        start = time.perf_counter()
        if state.guard.may_prove:
            state.snapshots.prove(is_sound)
            state.guard.begin_proof()
        self.guard_seconds += time.perf_counter() - start

    # -- the result of an epoch ------------------------------------------------------------------------------------------------

    def _judge(self, epoch: int, training_losses: list[float]) -> None:
        """Keep each member's best weights; NaN is never an improvement."""
        state, progress = self.state, self.state.progress
        losses = state.validation.losses()
        if state.options.is_guarded and not all(map(math.isfinite, losses)) and self.recovery.clean_validation(epoch):
            losses = state.validation.losses()
        criteria = state.criteria(losses)
        for member, loss in enumerate(criteria):
            if not math.isfinite(loss):
                continue
            is_improved = not loss >= progress.lowest_losses[member] - state.recipe.min_delta
            if is_improved:
                progress.lowest_losses[member], progress.lowest_epochs[member] = loss, epoch
            is_last = not state.recipe.keeps_best and state.is_kept(member, loss)
            if is_improved or is_last or loss <= progress.best_losses[member]:
                progress.best_losses[member], progress.best_epochs[member] = loss, epoch
                state.best[member] = state.members.values[member]
        self._record(epoch, training_losses, losses, criteria)
        if state.options.is_guarded:
            self.recovery.after_epoch(epoch)
        if state.recipe.schedule == "plateau":
            self._leave_plateaus(epoch)

    def _record(self, epoch: int, training_losses: list[float], losses: list[float], criteria: list[float]) -> None:
        state = self.state
        judged = [{} if state.criterion is None else {"stopping_loss": each} for each in criteria]
        factor = RATE_SCHEDULES[state.recipe.schedule](min(state.stepper.share, 1.0))
        rates = _numbers(state.rate_factors * state.cuts * state.recipe.learning_rate * factor)
        norms = state.guard.last_norms.tolist() if state.options.is_guarded else [math.nan] * len(losses)
        clipped = _numbers(state.stepper.clipping.state["clipped"])
        state.progress.history += [
            {"epoch": epoch, "net": member + 1, "training_loss": training_losses[member],
             "validation_loss": losses[member] if state.recipe.keeps_best else math.nan,
             "learning_rate": rates[member], "gradient_norm": norms[member], "clipped_steps": int(clipped[member]),
             "refused_steps": self.recovery.refused[member], "path": self.path, **judged[member]}
            for member in range(len(losses))]

    def _leave_plateaus(self, epoch: int) -> None:
        patience = max(1, math.ceil(PLATEAU_PATIENCE * self.state.recipe.epochs))
        for member, best in enumerate(self.state.progress.lowest_epochs):
            since = epoch - max(best, self.recovery.last_cut[member])
            if since >= patience:
                self.state.rate_factors[member] *= PLATEAU_FACTOR
                self.recovery.last_cut[member] = epoch

    def _is_over(self) -> bool:
        recipe, progress = self.state.recipe, self.state.progress
        waited_for = sorted(progress.lowest_epochs)[-1 - int(recipe.stragglers * len(progress.lowest_epochs))]
        is_patient = recipe.patience is None or progress.epoch - max(waited_for, self.recovery.latest) <= recipe.patience
        return not is_patient or all(self.recovery.is_given_up(member) for member in range(len(self.state.members)))

    def _kept(self, seconds: float) -> Trained:
        """The members that learnt something or at least never diverged, with their best weights."""
        state, progress = self.state, self.state.progress
        state.members.values.copy_(state.best)
        places = self.recovery.survivors()
        kept = state.members.take(places)
        rates = tuple(state.rate(place) for place in places)
        if state.options.is_guarded:
            note_at_the_end(state, places)
            if not self.is_interrupted and not self.recovery.rollbacks[places[0]]:
                note_low_rate(state, places[0], self.bare_steps())
            recorded = {place: progress.best_losses[place] for place in places if state.criterion is None}
            if changed := state.validation.repeat(recorded):
                state.journal.note(incident("L03", AFTER_TRAINING, changed, action="none", outcome="reported only"))
        return Trained(kept, places, [progress.best_losses[place] for place in places],
                       [progress.best_epochs[place] for place in places], tuple(state.journal.incidents), progress.history,
                       self.recovery.left_out, sum(self.recovery.rollbacks), self.guard_seconds / seconds,
                       self._layers(kept, places), self.is_interrupted,
                       rates)

    def _layers(self, kept: Members, places: list[int]) -> list[dict[str, Any]]:
        ratios = [measured[place] for measured in self.state.progress.update_ratios for place in places]
        return layer_summaries(kept, ratios, dead_shares(kept, *self.state.sample(places)).tolist())


def _numbers(values: Tensor) -> list[float]:
    return [float(value) for value in values.tolist()]
