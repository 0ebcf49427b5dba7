"""Finds a learning rate: all decades side by side from the same weights on the same batches, or one that rises step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from tabbench.nets.training import Training

DECADES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SEARCH_STEPS = 150
REFINED_BY = 3.0
AS_GOOD, AS_LEARNT = 0.05, 0.01
"""A rate is as good as the best whose loss is within 5 % of the best's. Where rows are few and learnt by heart, hardly any
loss is left to compare, so 1 % of what the best has gained is no difference either."""
WORTH_CHOOSING = 0.02
"""Where the best rate gains less than this share of the constant predictor's loss, such short trainings say nothing."""
TAIL = 0.3
"""Share of the last steps whose mean loss is compared."""
FIRST_RATE, LAST_RATE, RANGE_STEPS = 1e-7, 10.0, 100
BLOWN_UP = 4.0
"""The range test ends where the smoothed loss is so many times its least."""
SMOOTHING = 0.8


@dataclass(frozen=True)
class TriedRates:
    """Rates (r,), their losses (r,) after the same steps (NaN: it diverged), the constant predictor's, and the rate to take."""

    rates: list[float]
    losses: list[float]
    constant: float
    best: float | None


def mean_last_losses(training: Training, rates: list[float], steps: int = SEARCH_STEPS) -> list[float]:
    """Each member's mean loss over the last steps of a short training at its own constant rate; NaN where one was not finite."""
    factors = torch.tensor(rates, dtype=training.state.rate_factors.dtype, device=training.state.rate_factors.device)
    training.state.rate_factors.copy_(factors / training.state.recipe.learning_rate)
    losses = [loss for _, loss in zip(range(steps), training.bare_steps(), strict=False)]
    tail = torch.stack(losses[-max(1, round(TAIL * steps)):])
    return [float(loss) for loss in tail.mean(dim=0)]


def chosen_rate(rates: list[float], losses: list[float], constant: float, usual: float) -> float | None:
    """Of the rates that are as good as the best the one nearest to the usual one, which suits whole trainings and dropout.

    None where none gains on the constant predictor.

    >>> chosen_rate([1.0, 0.1, 0.01], [float("nan"), 0.31, 0.30], constant=1.0, usual=0.05)
    0.1
    """
    least = min((loss for loss in losses if np.isfinite(loss)), default=np.inf)
    gain = constant - least
    if not gain > WORTH_CHOOSING * abs(constant):
        return None
    limit = least + AS_GOOD * abs(least) + AS_LEARNT * gain
    as_good = [rate for rate, loss in zip(rates, losses, strict=True) if loss <= limit]
    return min(as_good, key=lambda rate: abs(math.log(rate / usual)))


def range_test(training: Training) -> tuple[np.ndarray, np.ndarray]:
    """Rates and smoothed losses while the rate rises exponentially; ends where the loss blows up (arXiv:1506.01186)."""
    rates = np.geomspace(FIRST_RATE, LAST_RATE, RANGE_STEPS)
    smoothed: list[float] = []
    steps = training.bare_steps()
    for rate in rates:
        training.state.rate_factors.fill_(rate / training.state.recipe.learning_rate)
        loss = float(next(steps)[0])
        before = smoothed[-1] if smoothed else loss
        smoothed.append(SMOOTHING * before + (1 - SMOOTHING) * loss)
        if not np.isfinite(loss) or smoothed[-1] > BLOWN_UP * min(smoothed):
            break
    return rates[:len(smoothed)], np.array(smoothed)
