"""Which table's batch comes next: one schedule made of the tables' own, for one pool of workers.

A table is begun when those before it have nothing left to hand out, so that no worker waits for a table's last cells. What a look
at the schedule costs does not depend on how many tables or cells wait. Knows no table's content and no file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tabbench.core.cell import Batch, Cell
from tabbench.costs.cost_model import CostModel
from tabbench.costs.prior import Expected
from tabbench.execution.schedule import Schedule
from tabbench.execution.work import InFlight

PRIOR_SECONDS = 5.0
"""As long as tables together take less, it may be the start of the workers that took so long."""


@dataclass(frozen=True)
class Waiting:
    """A table that has not been begun: how many cells it may have, and how many seconds they may take."""

    name: str
    cells: int
    seconds: float


class Begun(Protocol):
    """A table that has been begun."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def schedule(self) -> Schedule:
        """What is left of it."""

    @property
    def learned(self) -> int:
        """How many of the cells that were handed out have a result."""

    def assign(self, batch: Batch) -> None:
        """A batch of it is handed out."""

    @property
    def is_ready(self) -> bool:
        """Whether it can be ended without waiting for anything but its cells."""

    def close(self) -> None:
        """Nothing more comes of it."""


class SuiteCosts:
    """What cells are expected to cost, as the model of their own table says."""

    def __init__(self, begun: Sequence[Begun]) -> None:
        self._begun, self._base_mb = begun, 0.0
        # Kept when a table has ended: a worker may still be busy with what comes after its last result.
        self._models: dict[str, CostModel] = {}

    def of(self, cell: Cell) -> CostModel:
        """The model of the table of a cell that was handed out."""
        return self._models[cell.key]

    def assign(self, batch: Batch, model: CostModel) -> None:
        """A batch is handed out whose table has this model."""
        self._models |= dict.fromkeys((cell.key for cell in batch.cells), model)

    @property
    def base_mb(self) -> float:
        """Memory of a worker before its first cell."""
        return self._base_mb

    @base_mb.setter
    def base_mb(self, value: float) -> None:
        self._base_mb = value
        for each in self._begun:
            each.schedule.costs.base_mb = value

    def learn(self, cell: Cell, seconds: float, done: Sequence[str] = ()) -> None:
        """See `CostModel.learn`."""
        self.of(cell).learn(cell, seconds, done)

    def learn_peak(self, cell: Cell, peak_mb: float, done: Sequence[str] = ()) -> None:
        """See `CostModel.learn_peak`."""
        self.of(cell).learn_peak(cell, peak_mb, done)

    def seconds(self, cells: Sequence[Cell]) -> float:
        """See `CostModel.seconds`."""
        return self.of(cells[0]).seconds(cells)

    def peak_mb(self, cells: Sequence[Cell]) -> Expected:
        """See `CostModel.peak_mb`."""
        return self.of(cells[0]).peak_mb(cells)


class Pace:
    """How many times longer tables take than was forecast, from the beginning of one to that of the next."""

    def __init__(self) -> None:
        self._taken = self._expected = PRIOR_SECONDS
        self._last: tuple[float, float] | None = None

    @property
    def factor(self) -> float:
        """As the tables so far say; the forecast counts as much as `PRIOR_SECONDS` of them."""
        return self._taken / self._expected

    def begin(self, now: float, seconds: float) -> None:
        """A table is begun that was forecast to take so many seconds; the one before has nothing left to hand out."""
        if self._last is not None:
            began, expected = self._last
            self._taken, self._expected = self._taken + now - began, self._expected + expected
        self._last = now, seconds


class SuiteSchedule:
    """The batches of many tables, table by table.

    Parameters
    ----------
    waiting : Iterable[Waiting]
        The tables that lack results, in the order in which they are to be begun.
    begin : Callable[[Waiting], Begun | None]
        Begins a table; None where that fails.
    end : Callable[[Begun], None]
        Takes a table that has all its results.
    deadline : Callable[[], float | None]
        The clock's reading at which all must have ended, as things stand.
    """

    def __init__(self, waiting: Iterable[Waiting], begin: Callable[[Waiting], Begun | None], end: Callable[[Begun], None],
                 deadline: Callable[[], float | None] = lambda: None) -> None:
        self._deadline = deadline
        self.tables_done = 0
        self.given_up: tuple[Waiting, ...] = ()
        self._broken: dict[str, str] = {}
        self._todo = deque(waiting)
        self._begin, self._end = begin, end
        self._begun: list[Begun] = []
        self._cells_todo = sum(each.cells for each in self._todo)
        self._seconds_todo = sum(each.seconds for each in self._todo)
        self._pace = Pace()
        self.costs = SuiteCosts(self._begun)

    def owner(self, cell: Cell) -> Begun:
        """The table of a cell that was handed out and has no result yet."""
        return next(each for each in self._begun if each.schedule.costs is self.costs.of(cell))

    @property
    def begun(self) -> tuple[Begun, ...]:
        """The tables that have been begun and lack results."""
        return tuple(self._begun)

    @property
    def todo(self) -> tuple[Waiting, ...]:
        """The tables that have not been begun."""
        return tuple(self._todo)

    def end_done(self) -> None:
        """Hand over the tables that have all their results, or that nothing more is to be run of."""
        for each in [each for each in self._begun if not each.schedule.pending_batches
                     and each.schedule.handed_out == each.learned and each.is_ready]:
            self._begun.remove(each)
            self.tables_done += 1
            self._end(each)

    # what an executor asks for ---------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """The clock's reading at which all must have ended."""
        return self._deadline()

    @property
    def pending_batches(self) -> int:
        """How many batches may still be handed out; of tables that have not been begun, at most."""
        return self._cells_todo + sum(each.schedule.pending_batches for each in self._begun)

    @property
    def has_waiting(self) -> bool:
        """Whether anything that is planned waits."""
        return bool(self._todo) or any(each.schedule.has_waiting for each in self._begun)

    @property
    def is_held_back(self) -> bool:
        """Whether all that waits has to wait until everything that was handed out has its result."""
        return not self._todo and all(each.schedule.is_held_back for each in self._begun if each.schedule.has_waiting)

    def is_exhausted(self, batch: Batch) -> bool:
        """Whether nothing waits of the table of a batch."""
        return self.owner(batch.cells[0]).schedule.is_exhausted(batch)

    def next(self, now: float, running: Sequence[InFlight] = (), room_mb: float = np.inf, unready: Collection[str] = ()
             ) -> Batch | None:
        """The next batch of the first table that has one; begins a table where the others have none."""
        while True:
            for each in self._begun:
                batch = each.schedule.next(now, self._own(each, running), room_mb, unready)
                if batch is not None:
                    self._hand_out(each, batch)
                    return batch
            self.end_done()
            if not self._todo or any(each.schedule.has_waiting and not each.schedule.is_held_back for each in self._begun):
                return None  # what waits lacks memory, which another table must not take away from it
            self._begin_next(now)

    def again(self, batch: Batch) -> None:
        """Put a batch back in front."""
        self.owner(batch.cells[0]).schedule.again(batch)

    def side_by_side(self, batch: Batch, running: Sequence[InFlight] = ()) -> int:
        """How many fits of a batch may go on at the same time; one where other tables keep the workers busy."""
        owner = self.owner(batch.cells[0])
        if self._todo or any(each.schedule.has_waiting for each in self._begun if each is not owner):
            return 1
        return owner.schedule.side_by_side(batch, running)

    def remaining_seconds(self, running: Sequence[InFlight] = ()) -> float | None:
        """Expected seconds until the last planned cell has ended, or None as long as nothing is known of an approach."""
        each_left = [each.schedule.remaining_seconds(self._own(each, running)) for each in self._begun]
        known = [seconds for seconds in each_left if seconds is not None]
        return self._pace.factor * self._seconds_todo + sum(known) if len(known) == len(each_left) else None

    def drop_approaches(self, reasons: Mapping[str, str]) -> None:
        """Take approaches whose library does not load out of every table."""
        self._broken |= reasons  # it does not load for the tables to come, either
        for each in self._begun if reasons else ():
            each.schedule.drop_approaches(reasons)

    def drop_too_large(self, room_mb: float, reason: str) -> bool:
        """Take out what needs more memory than one worker can have."""
        dropped = [each.schedule.drop_too_large(room_mb, reason) for each in self._begun]
        return any(dropped)

    def drop_rest(self) -> None:
        """Give up everything that is waiting; tables that have not been begun are `given_up`."""
        self.given_up += tuple(self._todo)
        self._todo.clear()
        self._cells_todo, self._seconds_todo = 0, 0.0
        for each in self._begun:
            each.schedule.drop_rest()

    # -----------------------------------------------------------------------------------------------------------------

    def _own(self, begun: Begun, running: Sequence[InFlight]) -> list[InFlight]:
        return [each for each in running if self.costs.of(each.left[0]) is begun.schedule.costs]

    def _hand_out(self, begun: Begun, batch: Batch) -> None:
        begun.assign(batch)
        self.costs.assign(batch, begun.schedule.costs)

    def _begin_next(self, now: float) -> None:
        waiting = self._todo.popleft()
        self._cells_todo -= waiting.cells
        self._seconds_todo -= waiting.seconds
        begun = self._begin(waiting)
        self._pace.begin(now, 0.0 if begun is None else waiting.seconds)
        if begun is None:
            return
        begun.schedule.costs.base_mb = self.costs.base_mb
        begun.schedule.drop_approaches(self._broken)
        self._begun.append(begun)
