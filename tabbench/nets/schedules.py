"""Learning-rate and decay schedules by name: the factor on the rate after a share of all steps. Knows nothing of training.

The schedule `plateau` is flat here; the trainer divides the rate of a member that stops improving.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]
"""(share of all steps done, in [0, 1)) -> factor."""

WARM_UP = 0.1
"""Share of all steps in which the rate rises."""
RISE = 0.3
"""One-cycle's share of rising steps."""
FIRST_FACTOR = 0.04
"""One-cycle starts at 1/25 of its peak, as in arXiv:1708.07120."""
STEPS, STEP_FACTOR = 3, 0.1
CYCLES = 4


def cosine(share: float) -> float:
    """A short rise, then half a cosine down to zero.

    >>> round(cosine(0.1), 6), round(cosine(1.0), 6)
    (1.0, 0.0)
    """
    if share < WARM_UP:
        return warm_up(share)
    return half_cosine((share - WARM_UP) / (1.0 - WARM_UP))


def warm_up(share: float) -> float:
    """A short linear rise, then constant.

    >>> warm_up(0.5)
    1.0
    """
    return min((share + 0.1 * WARM_UP) / (1.1 * WARM_UP), 1.0)


def one_cycle(share: float) -> float:
    """A long rise and a longer fall, both along cosines (arXiv:1708.07120).

    >>> round(one_cycle(0.0), 6), round(one_cycle(0.3), 6)
    (0.04, 1.0)
    """
    if share < RISE:
        return FIRST_FACTOR + (1.0 - FIRST_FACTOR) * (1.0 - half_cosine(share / RISE))
    return half_cosine((share - RISE) / (1.0 - RISE))


def step(share: float) -> float:
    """Divided by ten twice, at a third and at two thirds.

    >>> [round(step(share), 6) for share in (0.0, 0.5, 0.9)]
    [1.0, 0.1, 0.01]
    """
    return math.pow(STEP_FACTOR, min(math.floor(share * STEPS), STEPS - 1))


def coslog4(share: float) -> float:
    """Four cosine cycles, each about twice as long as the one before, starting and ending at zero (arXiv:2407.04491).

    >>> round(coslog4(0.0), 6), round(coslog4(1 / 15 * (2**0.5 - 1)), 6), round(coslog4(1.0), 6)
    (0.0, 1.0, 0.0)
    """
    return 0.5 * (1.0 - math.cos(2.0 * math.pi * math.log2(1.0 + (2**CYCLES - 1) * share)))


def constant(share: float) -> float:
    """One."""
    return 1.0


def flat_cosine(share: float) -> float:
    """One in the first half of training, then half a cosine down to zero.

    >>> flat_cosine(0.5), round(flat_cosine(1.0), 6)
    (1.0, 0.0)
    """
    return 1.0 if share <= 0.5 else half_cosine(2.0 * share - 1.0)


def late(share: float) -> float:
    """Nothing in the first half, then a rise to one: decay that comes late.

    >>> late(0.5), late(1.0)
    (0.0, 1.0)
    """
    return max(0.0, 2.0 * share - 1.0)


def half_cosine(share: float) -> float:
    """From one down to zero.

    >>> half_cosine(0.0), round(half_cosine(1.0), 6)
    (1.0, 0.0)
    """
    return 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))


RATE_SCHEDULES: dict[str, Schedule] = {"cosine": cosine, "warm-up": warm_up, "one-cycle": one_cycle, "step": step,
                                       "coslog4": coslog4, "constant": constant, "plateau": constant}
DECAY_SCHEDULES: dict[str, Schedule] = {"constant": constant, "flat-cosine": flat_cosine, "late": late}
