"""What executors ask for while they run cells: the work that waits, and what it is expected to cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tabbench.core.cell import Batch, Cell
from tabbench.costs.prior import Expected


@dataclass(frozen=True)
class InFlight:
    """A batch that a worker has begun: the cells left, those done before them, and how long it has been at the first of them.

    Where fits go on side by side, all of them count as the first cell's time.
    """

    left: tuple[Cell, ...]
    done: tuple[str, ...] = ()
    seconds: float = 0.0
    is_side_by_side: bool = False


class Costs(Protocol):
    """What a supervisor learns and asks of what cells cost; see `CostModel`."""

    base_mb: float

    def learn(self, cell: Cell, seconds: float, done: Sequence[str] = ()) -> None:
        """A cell took this long, after `done` had been fitted in its batch."""

    def learn_peak(self, cell: Cell, peak_mb: float, done: Sequence[str] = ()) -> None:
        """A cell's worker held this much at its peak."""

    def seconds(self, cells: Sequence[Cell]) -> float:
        """Expected seconds of a batch of these cells."""

    def peak_mb(self, cells: Sequence[Cell]) -> Expected:
        """Memory of a worker that runs these cells, at its peak."""


class Work(Protocol):
    """What executors ask a schedule for; see `Schedule`. The schedule of a suite answers the same for many tables."""

    @property
    def costs(self) -> Costs:
        """What cells cost."""

    @property
    def deadline(self) -> float | None:
        """The clock's reading at which cells must have ended."""

    @property
    def pending_batches(self) -> int:
        """How many batches may still be handed out."""

    @property
    def has_waiting(self) -> bool:
        """Whether anything that is planned waits."""

    @property
    def is_held_back(self) -> bool:
        """Whether what waits has to wait until everything that was handed out has its result."""

    def is_exhausted(self, batch: Batch) -> bool:
        """Whether of a batch's run nothing waits that could be run before it."""

    def next(self, now: float, running: Sequence[InFlight] = (), room_mb: float = np.inf, unready: Collection[str] = ()
             ) -> Batch | None:
        """The next batch that has room, or None; if possible one without `unready` approaches, none that begins with one."""

    def again(self, batch: Batch) -> None:
        """Put a batch back in front."""

    def side_by_side(self, batch: Batch, running: Sequence[InFlight] = ()) -> int:
        """How many fits of a batch may go on at the same time."""

    def remaining_seconds(self, running: Sequence[InFlight] = ()) -> float | None:
        """Expected seconds until the last planned cell has ended, if known."""

    def drop_approaches(self, reasons: Mapping[str, str]) -> None:
        """Take approaches whose library does not load out."""

    def drop_too_large(self, room_mb: float, reason: str) -> bool:
        """Take out what needs more memory than one worker can have."""

    def drop_rest(self) -> None:
        """Give up everything that is waiting."""
