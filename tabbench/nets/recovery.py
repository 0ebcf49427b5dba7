"""What is done about a member in trouble: causes by experiment, cures in order, each with a budget, all written down.

Rows to blame are left out; a loss without a number costs the step; weights that went astray go back to their last proven state
at a lower rate. Nothing is tried for ever, and no other member is touched.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabbench.core.errors import TrainingFailed
from tabbench.core.faults import IncidentOutcome, incident
from tabbench.core.finding import BEFORE_TRAINING, Incident, Moment
from tabbench.nets.diagnosis import (
    REPEATS,
    Diagnosis,
    RowLosses,
    Weights,
    diagnose,
    first_operation,
    said_of,
    unsound_blockwise,
    weights_of,
)
from tabbench.nets.draws import FIRST_WEIGHTS, OTHER_WEIGHTS
from tabbench.nets.guard import EARLY_STEPS, UNLEARNT, Trouble
from tabbench.nets.initialisation import initialise
from tabbench.nets.journal import moment_of
from tabbench.nets.looking import dead_shares
from tabbench.nets.network import Members
from tabbench.nets.state import TrainingState

MOST_ROLLBACKS = 8
"""Eight tenths of a rate are 1e-8 of it: what still diverges then is not cured by a lower rate."""
TENTH, HALF = 0.1, 0.5
ABOVE = 1.5
"""A rate is above the moderate one that is more than so many times that."""
MOST_DIRTY_ROWS, MOST_DIRTY_SHARE = 5, 0.01
"""So many rows, or this share of all, may be left out; with more the table or the loss is at fault."""
MOST_BLAME = 3
"""Windows in which a row may cost steps before it is left out."""
FRESH_MODULES = 3
SHIFTS = (-30.0, 30.0)
"""Of the outputs, beyond any standardised target."""
LIKELY_IN_A_BATCH = 3.0
"""Unsound rows of a batch on average, from which on hardly a batch is without one."""
DEAD_SHARE = 0.5
DEAD_CHECK_EPOCHS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Units die early if they do; looking costs a pass over the validation rows."""
OSCILLATION_EPOCHS, SIGN_CHANGES, LEAST_SWING = 10, 0.8, 0.1
"""In so many epochs that gained nothing the loss changed direction nearly always, by this share of its level."""


class Recovery:
    """The cures of one training, and how often each was used.

    Attributes
    ----------
    quarantined : set[int]
        Rows that were left out.
    wants_all_bits
        Whether numbers of fewer bits have proven too small for a member.
    """

    def __init__(self, state: TrainingState) -> None:
        self._state, self._journal = state, state.journal
        count = len(state.members)
        self.quarantined: set[int] = set()
        self.rollbacks, self.refused, self.last_cut = [0] * count, [0] * count, [0] * count
        self.redrawn = [False] * count
        self.latest = 0
        self.wants_all_bits = False
        self._blamed: Counter[int] = Counter()
        self._unjudged: set[int] = set()

    # -- what a look found ------------------------------------------------------------------------------------------------

    def treat(self, member: int, trouble: Trouble, epoch: int) -> bool:
        """Find the cause of a member's trouble and do something about it; whether its weights are sound as they are."""
        if self.is_given_up(member):
            return False
        self.refused[member] += len(trouble.steps)
        if trouble.kind == "vanished":
            self._draw_anew(member, epoch, trouble.evidence)
            return False
        if trouble.kind == "refused" and self._is_settled(member, trouble, epoch):
            return True
        self._roll_back(member, epoch, trouble.evidence)
        return False

    def _is_settled(self, member: int, trouble: Trouble, epoch: int) -> bool:
        """Whether leaving out rows or skipping the refused steps is enough, and the weights are not to blame."""
        diagnosis = self._diagnose(member, trouble)
        if diagnosis.cause == "rows":
            self._leave_out(diagnosis, epoch, trouble.evidence, member)
        elif diagnosis.cause == "precision":
            self._note_overflow(member, epoch, trouble)
        elif trouble.all_refused or diagnosis.cause == "weights":
            return False
        elif diagnosis.cause == "loss":
            self._note_loss(member, diagnosis, epoch, trouble)
        else:
            self._journal.note(incident("L03", moment_of(member, epoch), f"{trouble.evidence}; computed again all is finite",
                                        action="the steps were skipped", outcome="training went on", step=self._state.step))
        return True

    def _diagnose(self, member: int, trouble: Trouble) -> Diagnosis:
        state = self._state
        losses, rows = state.validation.row_losses(member), self._rows_of_steps(member, trouble)
        return diagnose(losses, rows, weights_of(state.members, member), self.sound_weights(member),
                        is_low_precision=state.stepper.precision.is_scaled)

    def _rows_of_steps(self, member: int, trouble: Trouble) -> Tensor:
        """Rows of the refused steps, which are counted from the start of the window that has just ended."""
        state = self._state
        start = state.step - state.epoch_start - state.guard.window_steps
        rows: Tensor = torch.unique(torch.cat([state.batch(start + step)[member] for step in trouble.steps]))
        return rows

    def sound_weights(self, member: int) -> list[Weights]:
        """The proven state of a member, and fresh draws whose outputs differ from row to row, around zero and far to both sides.

        A logarithm of outputs minus target fails at some weights for each row, and a row is dirty that fails at all of them.
        """
        state = self._state
        shape, good = state.members.shape, state.snapshots.good["values"]
        proven = Members(shape, good)
        if shape.is_module:
            return [weights_of(proven, member), *(self._fresh_module(member, number) for number in range(FRESH_MODULES))]
        other = Members.empty(shape, 1, str(good.device), good.dtype)
        start = proven.parameters[f"bias{len(shape.hidden)}"][member:member + 1, 0]
        generator = state.draws.generator(OTHER_WEIGHTS, member)
        initialise(other, "kaiming", start, generator, state.sample([member]))
        last = other.parameters[f"weight{len(shape.hidden)}"]
        last_bias = f"bias{len(shape.hidden)}"
        # Up and down for one output, for one class against the others for several.
        direction = torch.linspace(1.0, -1.0, shape.outputs, device=good.device, dtype=good.dtype).expand(shape.heads, -1)
        last.copy_(torch.randn(last.shape, generator=generator, device=last.device) * last.shape[1] ** -0.5)
        shifted = [{**weights_of(other, 0), last_bias: start[:, None] + shift * direction} for shift in SHIFTS]
        return [weights_of(proven, member), weights_of(other, 0), *shifted]

    def _fresh_module(self, member: int, number: int) -> Weights:
        good = self._state.snapshots.good["values"]
        other = Members.empty(self._state.members.shape, 1, str(good.device), good.dtype)
        generator = self._state.draws.generator(OTHER_WEIGHTS, member + len(good) * number)
        other.shape.begin(other, generator.initial_seed() % 2**62)
        return weights_of(other, 0)

    def _note_loss(self, member: int, diagnosis: Diagnosis, epoch: int, trouble: Trouble) -> None:
        """Rows that keep costing steps are left out as long as that is allowed."""
        self._blamed.update(diagnosis.rows)
        again = [row for row in diagnosis.rows if self._blamed[row] >= MOST_BLAME and row not in self.quarantined]
        if again and len(self.quarantined) + len(again) <= self._allowed:
            self._leave_out(Diagnosis("rows", tuple(again), diagnosis.operation), epoch, trouble.evidence, member)
            return
        self._journal.note(incident(
            "L02", moment_of(member, epoch), f"{trouble.evidence}{said_of(diagnosis.operation)}",
            action="the steps were skipped", outcome="training went on", rows=list(diagnosis.rows),
            operation=diagnosis.operation, step=self._state.step))

    @property
    def _allowed(self) -> int:
        """How many rows may be left out."""
        return max(MOST_DIRTY_ROWS, int(MOST_DIRTY_SHARE * len(self._state.rows.target)))

    def _note_overflow(self, member: int, epoch: int, trouble: Trouble) -> None:
        """The scale was halved with each overflow; where that cannot help, all go on with all bits. The first is worth a word."""
        when, evidence = moment_of(member, epoch), f"{trouble.evidence}; in float32 all is finite"
        if self._state.stepper.precision.is_exhausted(member):
            self.wants_all_bits = True
            self._journal.note(incident("N02", when, evidence, action="training goes on in float32", outcome="healed"))
        elif not any(each.net == when.net for each in self._journal.of("N01")):
            self._journal.note(incident("N01", when, evidence, outcome="healed",
                                        action="the steps were skipped, the losses' scale halved with each"))

    def _roll_back(self, member: int, epoch: int, evidence: str) -> None:
        """Back to the last proven weights at a lower rate; a member that was slowed down too often rests where it is."""
        state = self._state
        state.snapshots.restore(member)
        self.rollbacks[member] += 1
        self.latest = self.last_cut[member] = epoch
        is_early = state.step <= EARLY_STEPS or not state.progress.best_epochs[member]
        before = state.rate(member)
        if self.is_given_up(member):
            state.cuts[member] = 0.0
        else:
            self._slow_down(member, is_early)
            state.stepper.optimiser.forget(member)
            state.snapshots.accept(member)
        state.guard.forget(member)
        after = state.rate(member)
        action = f"rolled back to the last good checkpoint, learning rate lowered from {before:.3g} to {after:.3g}"
        outcome: IncidentOutcome = "training went on"
        if self.is_given_up(member):
            action = "rolled back to the last good checkpoint, no more steps for this net"
            outcome = "stopped with the best weights so far" if state.progress.best_epochs[member] else "given up"
        self._journal.note(incident("O01" if is_early else "O02", moment_of(member, epoch), evidence, action=action,
                                    outcome=outcome, step=state.step, rate_before=before, rate_after=after))

    def _slow_down(self, member: int, is_early: bool) -> None:
        """By ten from the start, the second time to a rate known to be moderate; later by two and clipped, then by ten.

        A rate above the moderate one is not lowered beyond it at once.
        """
        state, nth = self._state, self.rollbacks[member]
        moderate = state.options.safe_rate / state.recipe.learning_rate
        before = float(state.cuts[member] * state.rate_factors[member])
        if not is_early and nth == 1:
            state.cuts[member] *= HALF
            state.clip_from_now_on(member)
        elif before > moderate * ABOVE:
            state.cuts[member] *= moderate / before if nth >= 2 else max(TENTH, moderate / before)
        else:
            state.cuts[member] *= TENTH

    def _draw_anew(self, member: int, epoch: int, evidence: str) -> None:
        """A net that is stuck begins again from weights that fit the data, once."""
        state = self._state
        outcome: IncidentOutcome = "reported only"
        action = "none: it was drawn anew before"
        if not self.redrawn[member]:
            self.redrawn[member] = True
            one = state.members.take([member])
            start = state.first_outputs()[member:member + 1, 0].clone()
            initialise(one, "data", start, state.draws.generator(FIRST_WEIGHTS, 1 + member), state.sample([member]))
            state.members.values[member] = one.values[0]
            state.stepper.optimiser.forget(member)
            state.snapshots.accept(member)
            state.guard.forget(member)
            outcome, action = "training went on", "its weights were drawn anew to fit the data"
        elif any(each.outcome == "reported only" for each in self._journal.of("O04")):
            return
        self._journal.note(incident("O04", moment_of(member, epoch), evidence, action=action, outcome=outcome, step=state.step))

    # -- rows -------------------------------------------------------------------------------------------------------------

    def audit(self) -> None:
        """Before training: leave out rows on which the loss has no value whatever the weights."""
        state = self._state
        if not state.options.is_guarded or not self._may_be_dirty():
            return
        rows = torch.unique(torch.cat([*state.fits, *state.validation.parts]))
        losses, others = state.validation.row_losses(0), self.sound_weights(0)
        at_start = dirty = unsound_blockwise(losses, rows, others[0])
        for weights in others[1:]:
            dirty = unsound_blockwise(losses, torch.tensor(sorted(dirty), device=rows.device), weights) if dirty else dirty
        if len(at_start) - len(dirty) > LIKELY_IN_A_BATCH * len(rows) / state.batch_rows:
            self._refuse_domain(at_start - dirty, len(rows), losses, others)
        if dirty:
            operation = diagnose(losses, torch.tensor(sorted(dirty), device=rows.device), weights_of(state.members, 0),
                                 self.sound_weights(0)).operation
            self._leave_out(Diagnosis("rows", tuple(sorted(dirty)), operation), 0, "loss without a value before training", None)

    def _refuse_domain(self, unsound: set[int], n_rows: int, losses: RowLosses, others: list[Weights]) -> None:
        """A loss without a value where nets start fails in each batch, and only by chance if it has one the next time."""
        rows = torch.tensor(sorted(unsound), device=self._state.rows.target.device)
        for _ in range(REPEATS):
            rows = torch.tensor(sorted(unsound_blockwise(losses, rows, others[0])), device=rows.device, dtype=torch.int64)
        if len(rows) > LIKELY_IN_A_BATCH * n_rows / self._state.batch_rows:
            raise TrainingFailed(
                f"the loss has no finite value or slope for {len(rows)} of {n_rows} rows at the outputs of the constant predictor"
                f"{said_of(first_operation(losses, rows, others[0]))}, though for other outputs it has (L02); write it so that "
                "it is finite for any outputs, with softplus, clamp or a small number under the root",
                tuple(self._journal.incidents))

    def _may_be_dirty(self) -> bool:
        rows = self._state.rows
        given = [rows.encoded, rows.weight, rows.target if rows.target.is_floating_point() else None]
        return self._state.loss.is_own or not all(bool(torch.isfinite(each).all()) for each in given if each is not None)

    def _leave_out(self, diagnosis: Diagnosis, epoch: int, evidence: str, member: int | None) -> None:
        state = self._state
        new = sorted(set(diagnosis.rows) - self.quarantined)
        self.quarantined |= set(new)
        n_rows = len(state.rows.target)
        if len(self.quarantined) > self._allowed:
            raise TrainingFailed(
                f"the loss has no finite value or slope for {len(self.quarantined)} of {n_rows} rows"
                f"{said_of(diagnosis.operation)}, more than the {self._allowed} that may be left out (D08); repair the "
                f"{'module, the ' if state.members.shape.is_module else ''}loss, or the rows that `find_dirty_rows` names",
                tuple(self._journal.incidents))
        state.replace_in_orders(self._take_out())
        when = moment_of(member, epoch) if member is not None else BEFORE_TRAINING
        self._journal.note(incident("D08", when, f"{evidence}{said_of(diagnosis.operation)}", action=f"{len(new)} rows left out",
                                    outcome="healed", rows=new, operation=diagnosis.operation, step=state.step))

    def clean_validation(self, epoch: int) -> bool:
        """Leave out validation rows without a value though the weights are finite; whether there were any."""
        state = self._state
        dirty: set[int] = set()
        for member, valid in enumerate(state.validation.parts):
            if self.is_given_up(member) or not bool(torch.isfinite(state.members.values[member]).all()):
                continue
            losses = state.validation.row_losses(member)
            found = set(valid.tolist())
            for weights in self.sound_weights(member):
                with torch.no_grad():
                    found &= set(valid[~torch.isfinite(losses(weights, valid)[0])].tolist())
            dirty |= found
        if not dirty:
            return False
        self._unjudged |= dirty
        self._take_out()
        self._journal.note(incident("N04", Moment(epoch=epoch), "validation loss is not finite", outcome="healed",
                                    action=f"{len(dirty)} rows left out of validation", rows=sorted(dirty)))
        return True

    def _take_out(self) -> Tensor:
        """Members go on without the rows that are left out; gives those that nothing is learnt from."""
        state = self._state
        bad, unjudged = (torch.tensor(sorted(rows), dtype=torch.int64, device=state.rows.target.device)
                         for rows in (self.quarantined, self.quarantined | self._unjudged))
        state.fits = [fit[~torch.isin(fit, bad)] for fit in state.fits]
        state.validation.parts = [valid[~torch.isin(valid, unjudged)] for valid in state.validation.parts]
        if any(not len(part) for part in [*state.fits, *state.validation.parts]):
            raise TrainingFailed("without the dirty rows nothing is left to learn from or to validate on; `find_dirty_rows` "
                                 "names them", tuple(self._journal.incidents))
        return bad

    # -- once an epoch ----------------------------------------------------------------------------------------------------

    def after_epoch(self, epoch: int) -> None:
        """Faults that build up slowly: dead units, oscillation, an optimiser's memory that is not finite."""
        going_on = [member for member in range(len(self.rollbacks)) if not self.is_given_up(member)]
        memory = self._state.stepper.optimiser.state
        if not all(math.isfinite(float(value.sum())) for value in memory.values()):  # a sum is quicker and misses nothing
            for member in going_on:
                self._mend_optimiser(member, epoch)
        recent = self._state.progress.history[-OSCILLATION_EPOCHS * len(self.rollbacks):]
        for member in going_on:
            if epoch >= OSCILLATION_EPOCHS and epoch - self.last_cut[member] >= OSCILLATION_EPOCHS:
                self._calm(member, epoch, [record["training_loss"] for record in recent[member::len(self.rollbacks)]])
        if epoch in DEAD_CHECK_EPOCHS:
            self._revive(epoch)

    def _mend_optimiser(self, member: int, epoch: int) -> None:
        state = self._state
        memory = state.stepper.optimiser.state
        if bool(torch.isfinite(state.members.values[member]).all()) and not all(
                bool(torch.isfinite(value[member]).all()) for value in memory.values()):
            state.stepper.optimiser.forget(member)
            state.snapshots.accept(member)
            self._journal.note(incident("N03", moment_of(member, epoch), "moments are not finite, weights are",
                                        action="its moments were cleared", outcome="healed"))

    def _calm(self, member: int, epoch: int, losses: list[float]) -> None:
        """Lower the rate where the last epochs' losses go up and down and get nowhere."""
        changes = [after - before for before, after in pairwise(losses)]
        turns = sum((before > 0) != (after > 0) for before, after in pairwise(changes)) / (len(changes) - 1)
        if turns <= SIGN_CHANGES:
            return
        swing = median(map(abs, changes)) / max(median(map(abs, losses)), 1e-12)
        half = OSCILLATION_EPOCHS // 2
        is_stuck = median(losses[half:]) >= max(median(losses[:half]), UNLEARNT * self._state.constant_losses[member])
        if swing > LEAST_SWING and is_stuck:
            self._state.cuts[member] *= HALF
            self.last_cut[member] = epoch
            evidence = f"{turns:.0%} of the losses' changes turned round, by {swing:.0%} of their level"
            self._journal.note(incident("O05", moment_of(member, epoch), evidence, outcome="training went on",
                                        action=f"learning rate halved to {self._state.rate(member):.3g}"))

    def _revive(self, epoch: int) -> None:
        state = self._state
        dead = dead_shares(state.members, *state.sample(list(range(len(state.members)))))
        for member, share in enumerate(dead.mean(dim=1).tolist()):
            losses = state.training_losses(member)
            is_stuck = state.may_learn(member) and losses[-1] >= UNLEARNT * state.constant_losses[member]
            if share > DEAD_SHARE and is_stuck and not self.is_given_up(member):
                self._draw_anew(member, epoch, f"{share:.0%} of the hidden units say the same for all rows")

    def survivors(self) -> list[int]:
        """The members that learnt something or at least never diverged.

        Raises
        ------
        TrainingFailed
            There are none.
        """
        state = self._state
        epochs, losses = state.progress.best_epochs, state.progress.best_losses
        finite = torch.isfinite(state.best).all(dim=1).tolist()
        places = [place for place, epoch in enumerate(epochs)
                  if finite[place] and math.isfinite(losses[place]) and (not self.rollbacks[place] or epoch)]
        if places:
            return places
        incidents = self._journal.incidents
        evidence = incidents[-1].evidence if incidents else "the loss is not finite"
        raise TrainingFailed(
            f"the net cannot be trained: every member still diverges after {max(self.rollbacks)} roll-backs ({evidence}); check "
            "the table for extreme values and lower the learning rate, or leave the net out", tuple(incidents))

    # -- what is left of it -----------------------------------------------------------------------------------------------

    def is_given_up(self, member: int) -> bool:
        """Whether no more is tried for a member."""
        return self.rollbacks[member] > MOST_ROLLBACKS

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"incidents": [each.to_json() for each in self._journal.incidents], "quarantined": sorted(self.quarantined),
                "rollbacks": self.rollbacks, "refused": self.refused, "last_cut": self.last_cut, "redrawn": self.redrawn,
                "latest_cut": self.latest, "unjudged": sorted(self._unjudged),
                "blamed": list(self._blamed.items()), "wants_all_bits": self.wants_all_bits,
                "automatic": self._state.stepper.clipping.is_automatic.tolist()}

    def restore(self, values: dict[str, Any]) -> None:
        """From what `to_json` wrote."""
        state = self._state
        self._journal.incidents = [Incident.from_json(each) for each in values["incidents"]]
        self.quarantined = set(values["quarantined"])
        self.rollbacks, self.refused = values["rollbacks"], values["refused"]
        self.last_cut, self.redrawn, self.latest = values["last_cut"], values["redrawn"], values["latest_cut"]
        self.wants_all_bits, self._unjudged = values["wants_all_bits"], set(values["unjudged"])
        self._blamed = Counter(dict(values["blamed"]))
        for member in np.flatnonzero(values["automatic"]):
            state.stepper.clipping.turn_on(int(member))
        self._take_out()

    @property
    def left_out(self) -> tuple[int, ...]:
        """Rows that were not learnt from, or not judged by."""
        return tuple(sorted(self.quarantined | self._unjudged))
