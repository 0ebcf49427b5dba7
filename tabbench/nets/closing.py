"""What is only worth a word once training is over: nothing was learnt, much was clipped, all rows get the same prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from tabbench.core.faults import incident
from tabbench.core.finding import AFTER_TRAINING
from tabbench.nets.journal import moment_of
from tabbench.nets.state import TrainingState

UNLEARNT_SHARE = 1e-3
"""A training loss that is lower than the constant predictor's by more than this share of it has learnt something."""
NOISE_DEVIATIONS = 3.0
"""An epoch leaves out the few rows that make no whole batch, so that its mean moves though nothing is learnt."""
FEWEST_EPOCHS_TO_LEARN = 5
MANY_CLIPPED = 0.1


def note_at_the_end(state: TrainingState, kept: Sequence[int]) -> None:
    """Record what went wrong by the end of a training; `kept` are the members that are used."""
    for member in range(len(state.members)):
        losses = state.training_losses(member)
        constant = state.constant_losses[member]
        least = min((loss for loss in losses if math.isfinite(loss)), default=math.nan)
        noise = NOISE_DEVIATIONS * state.constants[member].noise_of(state.batches * state.batch_rows)
        is_learnt = least <= constant - UNLEARNT_SHARE * state.unit(member) - noise
        if len(losses) >= FEWEST_EPOCHS_TO_LEARN and state.may_learn(member) and not is_learnt:
            evidence = f"least training loss {least:.4g} where the constant predictor has {constant:.4g}"
            state.journal.note(incident("O07", moment_of(member, len(losses)), evidence, action="none", outcome="reported only"))
        clipped = float(state.stepper.clipping.state["clipped"][member])
        if clipped > MANY_CLIPPED * state.step and isinstance(state.recipe.clip, str):
            state.journal.note(incident("O03", moment_of(member, len(losses)), f"{clipped:.0f} of {state.step} steps clipped",
                                        action="clipped", outcome="reported only"))
    _note_constant(state, kept)


def _note_constant(state: TrainingState, kept: Sequence[int]) -> None:
    """Whether what will be predicted is the same for all rows, of nets that are not known to have learnt nothing."""
    places = [place for place in kept if state.may_learn(place)]
    if not places or state.journal.of("O07"):
        return
    one = state.members.take(places)
    with torch.no_grad():
        outputs = one.outputs(one.inputs(*state.sample(places)))
    outputs = outputs.view(len(places), -1, one.shape.heads, one.shape.outputs)
    if outputs.shape[1] > 1 and bool((outputs == outputs[:, :1]).all()):
        evidence = f"{len(places)} nets say the same for {outputs.shape[1]} different rows"
        state.journal.note(incident("O08", AFTER_TRAINING, evidence, action="none", outcome="reported only"))
