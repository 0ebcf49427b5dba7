"""What is done about a member in trouble: causes by experiment, cures in order, each with a budget, all written down.

Rows to blame are left out; a loss without a number costs the step; weights that went astray go back to their last proven state
at a lower rate. Nothing is tried for ever, and no other member is touched.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabbench.core.errors import TrainingFailed
from tabbench.core.faults import Outcome, incident
from tabbench.core.finding import Incident
from tabbench.nets.diagnosis import Diagnosis, Weights, diagnose, said_of, unsound_rows, weights_of
from tabbench.nets.draws import FIRST_WEIGHTS, OTHER_WEIGHTS
from tabbench.nets.guard import EARLY_STEPS, UNLEARNT, Trouble
from tabbench.nets.initialisation import initialise
from tabbench.nets.looking import dead_shares
from tabbench.nets.network import Members

if TYPE_CHECKING:
    from tabbench.nets.training import Training

MOST_ROLLBACKS = 8
"""Eight tenths of a rate are 1e-8 of it: what still diverges then is not cured by a lower rate."""
TENTH, HALF = 0.1, 0.5
MOST_DIRTY_ROWS, MOST_DIRTY_SHARE = 5, 0.01
"""So many rows, or this share of all, may be left out; with more the table or the loss is at fault."""
MOST_BLAME = 3
"""Windows in which a row may cost steps before it is left out."""
MOST_RECORDS = 20
"""Incidents of one class and member that are written down one by one."""
AUDIT_ROWS = 4096
DEAD_SHARE = 0.5
DEAD_CHECK_EPOCHS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Units die early if they do; looking costs a pass over the validation rows."""
OSCILLATION_EPOCHS, SIGN_CHANGES, LEAST_SWING = 10, 0.8, 0.1
"""In so many epochs that gained nothing the loss changed direction nearly always, by this share of its level."""
SMALLEST_LOSS = 1e-6
"""Of the constant predictor: below, there is nothing to learn."""


class Recovery:
    """The record of one training, and its cures.

    Attributes
    ----------
    cuts : (members,) by which each one's rate was lowered; outside the snapshots, which would undo it.
    quarantined : rows that were left out.  wants_all_bits : whether numbers of fewer bits have proven too small for a member.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        count = len(training.members)
        self.cuts = torch.ones(count, device=training.members.values.device, dtype=training.members.values.dtype)
        self.incidents: list[Incident] = []
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
            self.note(incident("L03", self.where(member, epoch), f"{trouble.evidence}; computed again all is finite",
                               action="the steps were skipped", outcome="training went on", step=self._training.step))
        return True

    def _diagnose(self, member: int, trouble: Trouble) -> Diagnosis:
        training = self._training
        losses, rows = training.validation.row_losses(member), self._rows_of_steps(member, trouble)
        return diagnose(losses, rows, weights_of(training.members, member), self.sound_weights(member),
                        is_low_precision=training.stepper.precision.is_scaled)

    def _rows_of_steps(self, member: int, trouble: Trouble) -> Tensor:
        """Rows of the refused steps, which are counted from the start of the window that has just ended."""
        training = self._training
        start = training.step - training.epoch_start - training.guard.window_steps
        rows: Tensor = torch.unique(torch.cat([training.batch(start + step)[member] for step in trouble.steps]))
        return rows

    def sound_weights(self, member: int) -> list[Weights]:
        """The proven state of a member, and a fresh draw whose outputs differ from row to row."""
        training = self._training
        shape, good = training.members.shape, training.snapshots.good["values"]
        proven = Members(shape, good)
        other = Members.empty(shape, 1, str(good.device), good.dtype)
        start = proven.parameters[f"bias{len(shape.hidden)}"][member:member + 1, 0]
        generator = training.draws.generator(OTHER_WEIGHTS, member)
        initialise(other, "kaiming", start, generator, training.sample([member]))
        last = other.parameters[f"weight{len(shape.hidden)}"]
        last.copy_(torch.randn(last.shape, generator=generator, device=last.device) * last.shape[1] ** -0.5)
        return [weights_of(proven, member), weights_of(other, 0)]

    def _note_loss(self, member: int, diagnosis: Diagnosis, epoch: int, trouble: Trouble) -> None:
        """Rows that keep costing steps are left out as long as that is allowed."""
        self._blamed.update(diagnosis.rows)
        again = [row for row in diagnosis.rows if self._blamed[row] >= MOST_BLAME and row not in self.quarantined]
        if again and len(self.quarantined) + len(again) <= self._allowed:
            self._leave_out(Diagnosis("rows", tuple(again), diagnosis.operation), epoch, trouble.evidence, member)
            return
        self.note(incident(
            "L02", self.where(member, epoch), f"{trouble.evidence}{said_of(diagnosis.operation)}",
            action="the steps were skipped", outcome="training went on", rows=list(diagnosis.rows),
            operation=diagnosis.operation, step=self._training.step))

    @property
    def _allowed(self) -> int:
        """How many rows may be left out."""
        return max(MOST_DIRTY_ROWS, int(MOST_DIRTY_SHARE * len(self._training.rows.target)))

    def _note_overflow(self, member: int, epoch: int, trouble: Trouble) -> None:
        """The scale was halved with each overflow; where that cannot help, all go on with all bits. The first is worth a word."""
        where, evidence = self.where(member, epoch), f"{trouble.evidence}; in float32 all is finite"
        if self._training.stepper.precision.is_exhausted(member):
            self.wants_all_bits = True
            self.note(incident("N02", where, evidence, action="training goes on in float32", outcome="healed"))
        elif not any(each.code == "N01" and each.where.startswith(f"net {member + 1},") for each in self.incidents):
            self.note(incident("N01", where, evidence, outcome="healed",
                               action="the steps were skipped, the losses' scale halved with each"))

    def _roll_back(self, member: int, epoch: int, evidence: str) -> None:
        """Back to the last proven weights at a lower rate; a member that was slowed down too often rests where it is."""
        training = self._training
        training.snapshots.restore(member)
        self.rollbacks[member] += 1
        self.latest = self.last_cut[member] = epoch
        is_early = training.step <= EARLY_STEPS or not training.standing.best_epochs[member]
        before = self._rate(member)
        if self.is_given_up(member):
            self.cuts[member] = 0.0
        else:
            self._slow_down(member, is_early)
            training.stepper.optimiser.forget(member)
            training.snapshots.accept(member)
        training.guard.forget(member)
        after = self._rate(member)
        action = f"proven weights restored, learning rate lowered from {before:.3g} to {after:.3g}"
        outcome: Outcome = "training went on"
        if self.is_given_up(member):
            action = "proven weights restored, no more steps for this net"
            outcome = "stopped with the best weights so far" if training.standing.best_epochs[member] else "given up"
        self.note(incident("O01" if is_early else "O02", self.where(member, epoch), evidence, action=action, outcome=outcome,
                           step=training.step, rate_before=before, rate_after=after))

    def _slow_down(self, member: int, is_early: bool) -> None:
        """By ten from the start, the second time to a rate known to be moderate; later by two and clipped, then by ten."""
        moderate = self._training.options.safe_rate / self._training.recipe.learning_rate
        nth = self.rollbacks[member]
        if not is_early and nth == 1:
            self.cuts[member] *= HALF
            self._training.clip_from_now_on(member)
        else:
            self.cuts[member] *= TENTH
            if nth >= 2 and float(self.cuts[member]) > moderate:
                self.cuts[member] = moderate

    def _draw_anew(self, member: int, epoch: int, evidence: str) -> None:
        """A net that is stuck begins again from weights that fit the data, once."""
        training = self._training
        outcome: Outcome = "reported only"
        action = "none: it was drawn anew before"
        if not self.redrawn[member]:
            self.redrawn[member] = True
            one = training.members.take([member])
            start = one.parameters[f"bias{len(one.shape.hidden)}"][:, 0].clone()
            initialise(one, "data", start, training.draws.generator(FIRST_WEIGHTS, 1 + member), training.sample([member]))
            training.members.values[member] = one.values[0]
            training.stepper.optimiser.forget(member)
            training.snapshots.accept(member)
            training.guard.forget(member)
            outcome, action = "training went on", "its weights were drawn anew to fit the data"
        elif any(each.code == "O04" and each.outcome == "reported only" for each in self.incidents):
            return
        self.note(incident("O04", self.where(member, epoch), evidence, action=action, outcome=outcome, step=training.step))

    # -- rows -------------------------------------------------------------------------------------------------------------

    def audit(self) -> None:
        """Before training: leave out rows on which the loss has no value whatever the weights."""
        training = self._training
        if not training.options.is_guarded or not self._may_be_dirty():
            return
        rows = torch.unique(torch.cat([*training.fits, *training.validation.parts]))
        dirty: set[int] = set(rows.tolist())
        losses = training.validation.row_losses(0)
        for weights in self.sound_weights(0):
            dirty &= {row for block in torch.split(rows, AUDIT_ROWS) for row in unsound_rows(losses, block, weights)}
        if dirty:
            operation = diagnose(losses, torch.tensor(sorted(dirty), device=rows.device), weights_of(training.members, 0),
                                 self.sound_weights(0)).operation
            self._leave_out(Diagnosis("rows", tuple(sorted(dirty)), operation), 0, "loss without a value before training", None)

    def _may_be_dirty(self) -> bool:
        rows = self._training.rows
        given = [rows.encoded, rows.weight, rows.target if rows.target.is_floating_point() else None]
        return self._training.loss.is_own or not all(bool(torch.isfinite(each).all()) for each in given if each is not None)

    def _leave_out(self, diagnosis: Diagnosis, epoch: int, evidence: str, member: int | None) -> None:
        training = self._training
        new = sorted(set(diagnosis.rows) - self.quarantined)
        self.quarantined |= set(new)
        n_rows = len(training.rows.target)
        if len(self.quarantined) > self._allowed:
            raise TrainingFailed(
                f"the loss has no finite value or slope for {len(self.quarantined)} of {n_rows} rows"
                f"{said_of(diagnosis.operation)}, more than the {self._allowed} that may be left out (D08); repair the loss, or "
                "the rows that `find_dirty_rows` names", tuple(self.incidents))
        training.replace_in_orders(self._take_out())
        where = self.where(member, epoch) if member is not None else "before training"
        self.note(incident("D08", where, f"{evidence}{said_of(diagnosis.operation)}", action=f"{len(new)} rows left out",
                           outcome="healed", rows=new, operation=diagnosis.operation, step=training.step))

    def clean_validation(self, epoch: int) -> bool:
        """Leave out validation rows without a value though the weights are finite; whether there were any."""
        training = self._training
        dirty: set[int] = set()
        for member, valid in enumerate(training.validation.parts):
            if self.is_given_up(member) or not bool(torch.isfinite(training.members.values[member]).all()):
                continue
            losses = training.validation.row_losses(member)
            found = set(valid.tolist())
            for weights in self.sound_weights(member):
                with torch.no_grad():
                    found &= set(valid[~torch.isfinite(losses(weights, valid)[0])].tolist())
            dirty |= found
        if not dirty:
            return False
        self._unjudged |= dirty
        self._take_out()
        self.note(incident("N04", f"epoch {epoch}", "validation loss is not finite", outcome="healed",
                           action=f"{len(dirty)} rows left out of validation", rows=sorted(dirty)))
        return True

    def _take_out(self) -> Tensor:
        """Members go on without the rows that are left out; gives those that nothing is learnt from."""
        training = self._training
        bad, unjudged = (torch.tensor(sorted(rows), dtype=torch.int64, device=training.rows.target.device)
                         for rows in (self.quarantined, self.quarantined | self._unjudged))
        training.fits = [fit[~torch.isin(fit, bad)] for fit in training.fits]
        training.validation.parts = [valid[~torch.isin(valid, unjudged)] for valid in training.validation.parts]
        if any(not len(part) for part in [*training.fits, *training.validation.parts]):
            raise TrainingFailed("without the dirty rows nothing is left to learn from or to validate on; `find_dirty_rows` "
                                 "names them", tuple(self.incidents))
        return bad

    # -- once an epoch ----------------------------------------------------------------------------------------------------

    def after_epoch(self, epoch: int) -> None:
        """Faults that build up slowly: dead units, oscillation, an optimiser's memory that is not finite."""
        going_on = [member for member in range(len(self.rollbacks)) if not self.is_given_up(member)]
        state = self._training.stepper.optimiser.state
        if not all(math.isfinite(float(value.sum())) for value in state.values()):  # a sum is quicker and misses nothing
            for member in going_on:
                self._mend_optimiser(member, epoch)
        recent = self._training.standing.history[-OSCILLATION_EPOCHS * len(self.rollbacks):]
        for member in going_on:
            if epoch >= OSCILLATION_EPOCHS and epoch - self.last_cut[member] >= OSCILLATION_EPOCHS:
                self._calm(member, epoch, [record["training_loss"] for record in recent[member::len(self.rollbacks)]])
        if epoch in DEAD_CHECK_EPOCHS:
            self._revive(epoch)

    def _mend_optimiser(self, member: int, epoch: int) -> None:
        training = self._training
        state = training.stepper.optimiser.state
        if bool(torch.isfinite(training.members.values[member]).all()) and not all(
                bool(torch.isfinite(value[member]).all()) for value in state.values()):
            training.stepper.optimiser.forget(member)
            training.snapshots.accept(member)
            self.note(incident("N03", self.where(member, epoch), "moments are not finite, weights are",
                               action="its moments were cleared", outcome="healed"))

    def _calm(self, member: int, epoch: int, losses: list[float]) -> None:
        """Lower the rate where the last epochs' losses go up and down and get nowhere."""
        changes = [after - before for before, after in pairwise(losses)]
        turns = sum((before > 0) != (after > 0) for before, after in pairwise(changes)) / (len(changes) - 1)
        if turns <= SIGN_CHANGES:
            return
        swing = median(map(abs, changes)) / max(median(map(abs, losses)), 1e-12)
        half = OSCILLATION_EPOCHS // 2
        is_stuck = median(losses[half:]) >= max(median(losses[:half]), UNLEARNT * self._training.constant_losses[member])
        if swing > LEAST_SWING and is_stuck:
            self.cuts[member] *= HALF
            self.last_cut[member] = epoch
            self.note(incident("O05", self.where(member, epoch), f"{turns:.0%} of the losses' changes turned round, by "
                               f"{swing:.0%} of their level", action=f"learning rate halved to {self._rate(member):.3g}",
                               outcome="training went on"))

    def _revive(self, epoch: int) -> None:
        training = self._training
        dead = dead_shares(training.members, *training.sample(list(range(len(training.members)))))
        for member, share in enumerate(dead.mean(dim=1).tolist()):
            losses = [record["training_loss"] for record in training.standing.history if record["net"] == member + 1]
            constant = training.constant_losses[member]
            is_stuck = constant > SMALLEST_LOSS and losses[-1] >= UNLEARNT * constant
            if share > DEAD_SHARE and is_stuck and not self.is_given_up(member):
                self._draw_anew(member, epoch, f"{share:.0%} of the hidden units say the same for all rows")

    def survivors(self) -> list[int]:
        """The members that learnt something or at least never diverged.

        Raises
        ------
        TrainingFailed : there are none.
        """
        training = self._training
        epochs, losses = training.standing.best_epochs, training.standing.best_losses
        finite = torch.isfinite(training.best).all(dim=1).tolist()
        places = [place for place, epoch in enumerate(epochs)
                  if finite[place] and math.isfinite(losses[place]) and (not self.rollbacks[place] or epoch)]
        if places:
            return places
        evidence = self.incidents[-1].evidence if self.incidents else "the loss is not finite"
        raise TrainingFailed(
            f"the net cannot be trained: every member still diverges after {max(self.rollbacks)} roll-backs ({evidence}); check "
            "the table for extreme values and lower the learning rate, or leave the net out", tuple(self.incidents))

    # -- the record -------------------------------------------------------------------------------------------------------

    def is_given_up(self, member: int) -> bool:
        """Whether no more is tried for a member."""
        return self.rollbacks[member] > MOST_ROLLBACKS

    def note(self, record: Incident) -> None:
        """Write an incident down, up to a number of each kind: the next would say no more."""
        same = sum(each.code == record.code and each.where.split(",")[0] == record.where.split(",")[0] for each in self.incidents)
        if same < MOST_RECORDS:
            self.incidents.append(record)
            self._training.tell_incident(record)

    def note_less_memory(self, code: str, action: str, epoch: int) -> None:
        """Memory ran out, and less is computed at once."""
        self.note(incident(code, f"epoch {epoch}", "the allocator had no room", action=action, outcome="healed"))

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"incidents": [each.to_json() for each in self.incidents], "quarantined": sorted(self.quarantined),
                "rollbacks": self.rollbacks, "refused": self.refused, "last_cut": self.last_cut, "redrawn": self.redrawn,
                "latest_cut": self.latest, "unjudged": sorted(self._unjudged),
                "blamed": list(self._blamed.items()), "wants_all_bits": self.wants_all_bits,
                "automatic": self._training.stepper.clipping.is_automatic.tolist()}

    def restore(self, values: dict[str, Any]) -> None:
        """From what `to_json` wrote."""
        training = self._training
        self.incidents = [Incident(**each) for each in values["incidents"]]
        self.quarantined = set(values["quarantined"])
        self.rollbacks, self.refused = values["rollbacks"], values["refused"]
        self.last_cut, self.redrawn, self.latest = values["last_cut"], values["redrawn"], values["latest_cut"]
        self.wants_all_bits, self._unjudged = values["wants_all_bits"], set(values["unjudged"])
        self._blamed = Counter(dict(values["blamed"]))
        for member in np.flatnonzero(values["automatic"]):
            training.stepper.clipping.turn_on(int(member))
        self._take_out()

    @property
    def left_out(self) -> tuple[int, ...]:
        """Rows that were not learnt from, or not judged by."""
        return tuple(sorted(self.quarantined | self._unjudged))

    def _rate(self, member: int) -> float:
        return float(self.cuts[member] * self._training.rate_factors[member]) * self._training.recipe.learning_rate

    def where(self, member: int, epoch: int) -> str:
        """The place of an incident."""
        return f"net {member + 1}, epoch {epoch}"
