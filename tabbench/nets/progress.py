"""How far a training is, and its best losses so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tabbench.core.finding import Incident
from tabbench.nets.network import Members


@dataclass(frozen=True, eq=False)
class Trained:
    """Members that were not given up, their validation losses, best epochs (from 1; 0 is the start) and what happened.

    `places` (members,) are their positions among the folds; `history` has a record an epoch and member; `quarantined` are rows;
    `layers` says what there is to see of their weights; `rates` are those of the end, before schedules.
    """

    members: Members
    places: list[int]
    losses: list[float]
    best_epochs: list[int]
    incidents: tuple[Incident, ...]
    history: list[dict[str, Any]]
    quarantined: tuple[int, ...]
    rollbacks: int
    guard_overhead: float
    layers: list[dict[str, Any]]
    is_interrupted: bool = False
    rates: tuple[float, ...] = ()


@dataclass
class TrainingProgress:
    """How far a training is: what a checkpoint holds beside the members' state.

    `best` is what is kept, the last epoch where that is wanted; `lowest` is when there was an improvement at last.
    `update_ratios` (measurements, members, layers).
    """

    epoch: int = 0
    best_losses: list[float] = field(default_factory=list)
    best_epochs: list[int] = field(default_factory=list)
    lowest_losses: list[float] = field(default_factory=list)
    lowest_epochs: list[int] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    update_ratios: list[list[list[float]]] = field(default_factory=list)

    def begin(self, losses: list[float]) -> None:
        """Nothing is better yet than each member's start."""
        self.best_losses, self.best_epochs = list(losses), [0] * len(losses)
        self.lowest_losses, self.lowest_epochs = list(losses), [0] * len(losses)

    def restore(self, values: Mapping[str, Any]) -> None:
        """From a checkpoint's values."""
        for name in vars(self):
            setattr(self, name, values[name])
