"""What is only worth a word once training is over: nothing was learnt, much was clipped, all rows get the same prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from tabbench.core.faults import incident
from tabbench.nets.recovery import SMALLEST_LOSS

if TYPE_CHECKING:
    from tabbench.nets.training import Training

LEARNT = 0.999
"""A training loss below this share of the constant predictor's has learnt something."""
FEWEST_EPOCHS_TO_LEARN = 5
MANY_CLIPPED = 0.1


def note_at_the_end(training: Training) -> None:
    """Write down what a finished training came to, where that is not what one hopes for."""
    recovery = training.recovery
    for member in range(len(training.members)):
        losses = [record["training_loss"] for record in training.standing.history if record["net"] == member + 1]
        constant = training.constant_losses[member]
        finite = [loss for loss in losses if math.isfinite(loss)]
        is_learnt = finite and min(finite) <= LEARNT * constant
        if len(losses) >= FEWEST_EPOCHS_TO_LEARN and constant > SMALLEST_LOSS and not is_learnt:
            least = min(finite, default=math.nan)
            evidence = f"least training loss {least:.4g} where the constant predictor has {constant:.4g}"
            recovery.note(incident("O07", recovery.where(member, len(losses)), evidence, action="none", outcome="reported only"))
        clipped = float(training.stepper.clipping.state["clipped"][member])
        if clipped > MANY_CLIPPED * training.step and isinstance(training.recipe.clip, str):
            recovery.note(incident("O03", recovery.where(member, len(losses)), f"{clipped:.0f} of {training.step} steps clipped",
                                   action="clipped", outcome="reported only"))
    _note_constant(training)


def _note_constant(training: Training) -> None:
    """Whether what will be predicted is the same for all rows, of nets that are not known to have learnt nothing."""
    recovery = training.recovery
    places = [place for place in recovery.survivors() if training.constant_losses[place] > SMALLEST_LOSS]
    if not places or any(each.code == "O07" for each in recovery.incidents):
        return
    one = training.members.take(places)
    with torch.no_grad():
        outputs = one.outputs(one.inputs(*training.sample(places)))
    outputs = outputs.view(len(places), -1, one.shape.heads, one.shape.outputs)
    if outputs.shape[1] > 1 and bool((outputs == outputs[:, :1]).all()):
        recovery.note(incident("O08", "after training", f"{len(places)} nets say the same for {outputs.shape[1]} different rows",
                               action="none", outcome="reported only"))
