"""What a user's callback sees of a training that is under way, and may change."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from tabbench.core.errors import BadOption
from tabbench.core.finding import Incident
from tabbench.nets.state import TrainingState


class CallbackState:
    """What a callback sees and may change: `learning_rate`, and `stop()`. `history` and `incidents` are for reading."""

    def __init__(self, state: TrainingState) -> None:
        self._state = state
        self.is_stopped = False

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self._state.progress.epoch

    @property
    def epochs(self) -> int:
        """The number of epochs of the training, if nothing ends it before."""
        return self._state.recipe.epochs

    @property
    def validation_rows(self) -> list[np.ndarray]:
        """Positions of each net's validation rows among the distinct training rows."""
        return [part.cpu().numpy() for part in self._state.validation.parts]

    @property
    def validation_targets(self) -> list[np.ndarray]:
        """Targets of each net's validation rows: class codes, or numbers in the units of y."""
        return [self._state.target[rows] for rows in self.validation_rows]

    @property
    def validation_predictions(self) -> list[np.ndarray]:
        """What each net predicts for its validation rows: probabilities, or numbers in the units of y."""
        return self._state.validation_predictions()

    @property
    def history(self) -> list[dict[str, Any]]:
        """A record an epoch and member."""
        return self._state.progress.history

    @property
    def incidents(self) -> list[Incident]:
        """Those so far."""
        return [self._state.options.as_named(each) for each in self._state.journal.incidents]

    @property
    def learning_rate(self) -> float:
        """Of the first member, before its schedule, after the guard's cuts."""
        return self._state.rate(0)

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        if not isinstance(rate, int | float | np.number) or isinstance(rate, bool) or not 0 <= rate < math.inf:
            raise BadOption(f"learning_rate must be a finite number of 0 or more, not {rate!r}")
        cuts = self._state.cuts
        wanted = torch.where(cuts > 0, float(rate) / self._state.recipe.learning_rate / cuts, 0.0)  # given up: stays
        self._state.rate_factors.copy_(wanted)

    def stop(self) -> None:
        """End the training after this epoch."""
        self.is_stopped = True
