"""Finds out by experiment whether a training at a low rate was too slow: from its weights, some steps at the usual rate."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from torch import Tensor

from tabbench.core.faults import incident
from tabbench.core.finding import AFTER_TRAINING
from tabbench.nets.state import TrainingState

LOW = 0.34
"""A rate is low that is less than a third of the optimiser's usual one."""
FEWEST_STEPS, STEPS_SHARE = 40, 0.05
WORTH_SAYING = 0.05
"""What the few steps must gain, as a share of the spread of the constant predictor's losses."""


def note_low_rate(state: TrainingState, place: int, further_steps: Iterable[Tensor]) -> None:
    """Record that a rate was too low, if so, after training; the members are as before then.

    Parameters
    ----------
    place : int
        The member that is judged.
    further_steps : Iterable[Tensor]
        Takes a step of all members each time it is asked for the next losses.
    """
    usual = state.options.safe_rate / state.recipe.learning_rate
    if not state.progress.epoch or float(state.rate_factors[place] * state.cuts[place]) > LOW * usual:
        return
    before, values = state.validation.losses()[place], state.members.values.clone()
    state.fits[0] = state.fits[place]  # all members see the rows of the first one
    for member in range(len(state.members)):
        state.stepper.optimiser.forget(member)
    state.rate_factors.fill_(usual)
    steps = max(FEWEST_STEPS, round(STEPS_SHARE * state.step))
    for _ in islice(further_steps, steps):
        pass
    after = state.validation.losses()[place]
    state.members.values.copy_(values)
    if before - after > WORTH_SAYING * state.constants[place].spread:
        evidence = (f"loss {before:.4g} at the end; {steps} steps at a rate of {state.options.safe_rate:g} lower it to "
                    f"{after:.4g}")
        state.journal.note(incident("O10", AFTER_TRAINING, evidence, action="none", outcome="reported only"))
