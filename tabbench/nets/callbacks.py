"""What a user's callback sees of a training that is under way, and may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tabbench.core.errors import BadOption
from tabbench.core.finding import Incident

if TYPE_CHECKING:
    from tabbench.nets.training import Training


class CallbackState:
    """What a callback sees and may change: `learning_rate`, and `stop()`. `history` and `incidents` are for reading."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.is_stopped = False

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self._training.standing.epoch

    @property
    def history(self) -> list[dict[str, Any]]:
        """A record an epoch and member."""
        return self._training.standing.history

    @property
    def incidents(self) -> list[Incident]:
        """Those so far."""
        named = self._training.options.named
        return [each if named is None else named(each) for each in self._training.recovery.incidents]

    @property
    def learning_rate(self) -> float:
        """Of the first member, before its schedule, after the guard's cuts."""
        training = self._training
        return training.recipe.learning_rate * float(training.rate_factors[0] * training.recovery.cuts[0])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        if not isinstance(rate, int | float):
            raise BadOption(f"learning_rate must be a number, not {rate!r}")
        cuts = self._training.recovery.cuts
        wanted = torch.where(cuts > 0, rate / self._training.recipe.learning_rate / cuts, 0.0)  # who was given up rests
        self._training.rate_factors.copy_(wanted)

    def stop(self) -> None:
        """End the training after this epoch."""
        self.is_stopped = True
