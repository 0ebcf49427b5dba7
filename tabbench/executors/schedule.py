"""Which batch comes next, and what a limit drops: whole sizes or whole approaches, never part of a size.

Knows batches, what they are expected to cost and the clock's readings that it is given; no process and no file.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tabbench.core.cell import Batch, Cell
from tabbench.executors.cost_model import CostModel
from tabbench.executors.forecast import members

BEGIN_QUANTILE, GO_ON_QUANTILE = 0.75, 0.5
"""A size is begun if it will be done in time with this probability; once begun, it goes on while that is as likely as not. The
first size has to be begun: what proves too much then goes later."""
LEAST_SHARE_SAVED = 0.01
"""Dropping an approach that saves less of a size is pointless: another one needs its fits."""
LEAST_SHARE_LEFT = 0.05
"""A cell that runs longer than expected is thought to need this share of its expected time still."""
MOST_REFIT_SHARE = 0.5
"""The winner's refit is planned for as far as it leaves half of the time to find the winner."""
MOST_CLOSING_SHARE = 0.3
"""What judging and reporting take is planned for up to this share of the time; on a busy machine its forecast may be far off."""
ROOM_DEVIATIONS = 0.8
"""A batch that runs beside others gets the memory that suffices four times in five."""

BASELINE, REPRESENTATIVE, OTHER = 100, 2, 1
"""How important an approach is: a baseline is never dropped alone, a family's representative after all others; of those, whose
importance is this or more, the least important goes first."""

TIME_LIMIT = "the time limit (--time-limit) would have been exceeded"
"""The reason of a skip. No figures: what comes from a clock must not stand among what is the same in every run."""


@dataclass(frozen=True)
class Skip:
    """An approach that will not run at a size, and why."""

    approach: str
    size: int
    reason: str
    is_raced_out: bool = False


@dataclass(frozen=True)
class InFlight:
    """A batch that a child has begun: the cells left, those done before them, and how long it has been at the first of them."""

    left: tuple[Cell, ...]
    done: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class GivenUp:
    """What was dropped together at a size for lack of time."""

    size: int
    names: frozenset[str]
    batches: tuple[Batch, ...]

    def without(self, name: str) -> GivenUp:
        """The same without one of them."""
        rest = (_without(batch, {name}) for batch in self.batches)
        return GivenUp(self.size, self.names - {name}, tuple(batch for batch in rest if batch.cells))


class Schedule:
    """Batches in order, smallest size first, all approaches of a split together.

    At the largest size the longest batches come first, so that no child is left with one at the end.

    Parameters
    ----------
    batches : what is missing; cells that already have results are not among them.
    jobs : how many children share the work.
    costs : what cells are expected to cost.
    deadline : the clock's reading at which everything must have ended, or None.
    closing : seconds that judging and reporting take after the last cell, by the number of these cells that have a result.
    refit_rows : rows on which the winner will be fitted once more before the deadline, 0 for no refit.
    importance : approach -> BASELINE, REPRESENTATIVE and more, or OTHER, which is also that of those not named.
    is_continued : whether an earlier call has finished a size, so that none of these has to be kept.
    race : asked once before a size is begun, when all smaller ones have ended: approach -> why it stops; None for no race.
    """

    def __init__(self, batches: Iterable[Batch], *, jobs: int, costs: CostModel | None = None, deadline: float | None = None,
                 closing: Callable[[int], float] = lambda cells: 0.0, refit_rows: int = 0,
                 importance: Mapping[str, int] | None = None, is_continued: bool = False,
                 race: Callable[[int], Mapping[str, str]] | None = None) -> None:
        self.costs = CostModel() if costs is None else costs
        self.skips: list[Skip] = []
        self._jobs = jobs
        self._deadline = deadline
        self._closing = closing
        self._handed_out = 0
        self._refit_rows = refit_rows
        self._importance = dict(importance or {})
        self._queues: dict[int, deque[Batch]] = defaultdict(deque)
        self._begun: set[int] = set()
        self._given_up: list[GivenUp] = []
        self._first_reading: float | None = None
        batches = list(batches)
        self._smallest = min((batch.cells[0].size for batch in batches), default=0)
        self._must_keep = None if is_continued else self._smallest
        self._examples = {cell.approach: cell for batch in batches for cell in batch.cells}
        self._race = race
        self._open_up_to = 0
        self._fill(batches)
        for size in sorted(self._queues):  # what an earlier call has stopped may be all that is missing
            self._open(size)
            if self._queues[size]:
                break

    def _fill(self, batches: list[Batch]) -> None:
        for batch in sorted(batches, key=lambda batch: (batch.cells[0].size, batch.cells[0].repeat, batch.cells[0].fold)):
            self._queues[batch.cells[0].size].append(batch)
        if self._deadline is not None and self._queues:
            # An estimator that never ends must not keep the others from ending in time.
            self._sort(self._smallest, lambda batch: not all(map(self.costs.is_known, batch.cells)))
        if self._jobs > 1 and self._queues:
            self._sort(max(self._queues), lambda batch: -self.costs.seconds(batch.cells))
            self._sort(max(self._queues), lambda batch: -max(self._rank(cell.approach) == BASELINE for cell in batch.cells))

    def _sort(self, size: int, key: Callable[[Batch], float]) -> None:
        self._queues[size] = deque(sorted(self._queues[size], key=key))

    @property
    def waiting(self) -> list[Cell]:
        """Cells that have not been handed out."""
        return [cell for queue in self._queues.values() for batch in queue for cell in batch.cells]

    @property
    def deadline(self) -> float | None:
        """The clock's reading at which cells must have ended, so that the winner can be refitted and all be judged in time."""
        if self._deadline is None:
            return None
        return self._deadline - self.refit_seconds - self.closing_seconds()

    def closing_seconds(self, more: int = 0) -> float:
        """What judging and reporting take if nothing but so many more cells is handed out."""
        return min(self._closing(self._handed_out + more), MOST_CLOSING_SHARE * self._whole_seconds)

    def next(self, now: float, running: Sequence[InFlight] = (), room_mb: float = np.inf) -> Batch | None:
        """The next batch that has room, or None; what cannot be finished in time is dropped on the way."""
        self._first_reading = now if self._first_reading is None else self._first_reading
        if not any(self._queues.values()):
            self._take_back(now, running)
        for size in sorted(self._queues):
            if self._queues[size] and not self._open(size, running):
                return None
            if self._queues[size]:
                self._make_it_fit(size, now, running)
                self._begun.add(size)
            for batch in self._queues[size]:
                if np.isinf(room_mb) or self.costs.upper_peak_mb(batch.cells, ROOM_DEVIATIONS) <= room_mb:
                    self._queues[size].remove(batch)
                    self._handed_out += len(batch.cells)
                    return batch
            if self._queues[size]:
                return None
        return None

    @property
    def is_held_back(self) -> bool:
        """Whether what waits has to wait until everything that was handed out has its result."""
        waiting = [size for size, queue in self._queues.items() if queue]
        return self._race is not None and bool(waiting) and min(waiting) > self._open_up_to

    def again(self, batch: Batch) -> None:
        """Put a batch back in front of its size."""
        self._queues[batch.cells[0].size].appendleft(batch)
        self._handed_out -= len(batch.cells)

    def drop_rest(self, reason: str, running: Iterable[Cell] = ()) -> None:
        """Give up everything that is waiting, and the sizes of what was running."""
        for approach, size in sorted({(cell.approach, cell.size) for cell in [*self.waiting, *running]}):
            self._skip(approach, size, reason)
        self._queues.clear()

    def drop_approaches(self, reasons: Mapping[str, str]) -> None:
        """Take approaches out of every size."""
        for name, reason in reasons.items():
            for size in list(self._queues):
                self._drop(name, size, reason)

    def drop_too_large(self, room_mb: float, reason: str) -> bool:
        """Take out what needs more memory than one child can have; `reason` has a place for the megabytes needed."""
        needs: dict[tuple[str, int], float] = {}
        for cell in self.waiting:
            if (cell.approach, cell.size) not in needs:
                needs[cell.approach, cell.size] = self.costs.cell_peak_mb(cell).median
        too_large = {pair: need for pair, need in needs.items() if need > room_mb}
        for (approach, size), need in too_large.items():
            self._drop(approach, size, reason.format(need=in_round_numbers(need)))
        return bool(too_large)

    def remaining_seconds(self, running: Sequence[InFlight] = ()) -> float | None:
        """Expected seconds until the last cell has ended, or None as long as nothing is known of an approach."""
        if not all(self.costs.is_known(cell) for cell in [*self.waiting, *(cell for each in running for cell in each.left)]):
            return None
        waiting = [batch for size in sorted(self._queues) for batch in self._queues[size]]
        return float(np.mean(self._wall_seconds(waiting, running)))

    # race ------------------------------------------------------------------------------------------------------------

    def _open(self, size: int, running: Sequence[InFlight] = ()) -> bool:
        """Whether a size may be begun; in a race nothing else may run then, and who is stopped leaves it and all larger ones."""
        if self._race is None or size <= self._open_up_to:
            return True
        if running:
            return False
        for name, reason in self._race(size).items():
            for later in [each for each in self._queues if each >= size]:
                self._drop(name, later, reason, is_raced_out=True)
            left = (each.without(name) if each.size >= size else each for each in self._given_up)
            self._given_up = [each for each in left if each.batches]
        self._open_up_to = size
        return True

    # time ------------------------------------------------------------------------------------------------------------

    def _make_it_fit(self, size: int, now: float, running: Sequence[InFlight]) -> None:
        """Drop approaches until this size can be done in time, or the size and all larger ones."""
        if self._deadline is None:
            return
        quantile = GO_ON_QUANTILE if size in self._begun or size == self._must_keep else BEGIN_QUANTILE
        while (left := self._left(now, self._queues[size])) <= 0 or np.quantile(
                self._wall_seconds(list(self._queues[size]), running), quantile) > left:
            must_keep = size == self._must_keep and left > 0
            names = self._least_missed(size, left, running, must_keep=must_keep)
            if names is None and must_keep:
                return
            everything = {cell.approach for cell in self.waiting if cell.size >= size}
            for later in sorted(each for each in self._queues if each >= size):
                self._give_up(everything if names is None else names, later)
            if not self._queues[size]:
                return

    def _left(self, now: float, batches: Iterable[Batch]) -> float:
        """Seconds for cells, if these are the last."""
        deadline = np.inf if self._deadline is None else self._deadline
        return deadline - now - self.refit_seconds - self.closing_seconds(sum(len(batch.cells) for batch in batches))

    def _give_up(self, names: set[str], size: int) -> None:
        taken = [Batch(tuple(cell for cell in batch.cells if cell.approach in names)) for batch in self._queues[size]]
        for name in sorted(names):
            self._drop(name, size, TIME_LIMIT)
        if batches := [batch for batch in taken if batch.cells]:
            self._given_up.append(GivenUp(size, frozenset(names), tuple(batches)))

    def _take_back(self, now: float, running: Sequence[InFlight]) -> None:
        """Nothing waits: what was given up last comes back if there is time for it after all, the smallest sizes first."""
        if self._deadline is None:
            return
        for _, _, each in sorted((each.size, -order, each) for order, each in enumerate(self._given_up)):
            is_next = not any(other.size < each.size and other.names & each.names for other in self._given_up)
            seconds = self._wall_seconds(each.batches, running)
            if is_next and np.quantile(seconds, BEGIN_QUANTILE) <= self._left(now, each.batches):
                self._given_up.remove(each)
                back = {(cell.approach, cell.size) for batch in each.batches for cell in batch.cells}
                self.skips = [skip for skip in self.skips if (skip.approach, skip.size) not in back]
                self._queues[each.size].extend(each.batches)
                return

    def _least_missed(self, size: int, left: float, running: Sequence[InFlight], *, must_keep: bool) -> set[str] | None:
        """The approaches to drop next, or None when the size must go or stay as it is.

        Others first: the cheapest whose loss is enough, else the costliest. Then, only where the size must be kept,
        representatives, the least important first and never the last. What reuses a dropped approach's fits goes with it. A
        representative that is made of others' fits leaves its place to one of them, as long as that saves anything.
        """
        queue = list(self._queues[size])
        present = {cell.approach: cell for batch in queue for cell in batch.cells}
        total = float(np.median(self._wall_seconds(queue, running)))
        rivals = {name for name in present if self._rank(name) != BASELINE}
        needed = total - left
        for rank in sorted({OTHER, *map(self._rank, rivals)}) if must_keep else (OTHER,):
            groups = {name: self._going_together(name, present) for name in sorted(rivals) if self._rank(name) == rank}
            groups = {name: group for name, group in groups.items()
                      if max(map(self._rank, group)) == rank and not (must_keep and group >= rivals)}
            savings = self._savings(groups, queue, running, total)
            if savings and rank == OTHER:
                return groups[_choose(savings, needed)]
            if savings:
                name = _choose(savings, np.inf)
                without_heir = self._all_but_an_heir(present[name], groups[name])
                heir = _choose(self._savings(without_heir, queue, running, total), needed)
                self._importance |= {heir: rank} if heir else {}
                return without_heir.get(heir, groups[name])
        return None

    def _all_but_an_heir(self, representative: Cell, group: set[str]) -> dict[str, set[str]]:
        """Each approach that can take the place of a representative made of others' fits -> the rest of what goes with it."""
        return {name: group - {name} for name in members(representative.settings) if name in group}

    def _savings(self, groups: Mapping[str, set[str]], queue: list[Batch], running: Sequence[InFlight],
                 total: float) -> dict[str, float]:
        """Seconds that the rest of a size takes less without each of these groups, where it is worth it."""
        rests = {name: [batch for batch in (_without(each, group) for each in queue) if batch.cells]
                 for name, group in groups.items()}
        saved = {name: total - float(np.median(self._wall_seconds(rest, running))) for name, rest in rests.items()}
        return {name: seconds for name, seconds in saved.items() if seconds > LEAST_SHARE_SAVED * total}

    def _going_together(self, name: str, present: Mapping[str, Cell]) -> set[str]:
        """An approach with those that need its fits and, for a representative, with those whose fits only it needs."""
        group = {name, *(each for each, cell in present.items() if name in members(cell.settings))}
        if self._rank(name) >= REPRESENTATIVE:
            group |= {each for each in members(present[name].settings) if each in present and self._rank(each) == OTHER}
        return group

    def _rank(self, approach: str) -> int:
        return self._importance.get(approach, OTHER)

    def _wall_seconds(self, batches: Sequence[Batch], running: Sequence[InFlight]) -> np.ndarray:
        busy = [self._busy(each) for each in running]
        return self.costs.work(batches).wall_seconds(self._jobs, np.array(busy) if busy else None)

    def _busy(self, running: InFlight) -> np.ndarray:
        whole = self.costs.work([Batch(running.left)], running.done).seconds[0]
        current = self.costs.work([Batch(running.left[:1])], running.done).seconds[0]
        return np.asarray(whole - np.minimum(running.seconds, (1 - LEAST_SHARE_LEFT) * current))

    @property
    def refit_seconds(self) -> float:
        """What fitting the winner on all rows may take: the costliest approach that is still in the race, alone."""
        if not self._refit_rows or self._deadline is None:
            return 0.0
        lost = {skip.approach for skip in self.skips if skip.size == self._smallest or skip.is_raced_out}
        cells = [replace(cell, size=self._refit_rows) for name, cell in self._examples.items() if name not in lost]
        most = max((self.costs.alone(cell) for cell in cells), default=0.0)
        return min(most, MOST_REFIT_SHARE * self._whole_seconds)

    @property
    def _whole_seconds(self) -> float:
        """From the first reading to the deadline."""
        return 0.0 if self._deadline is None or self._first_reading is None else max(self._deadline - self._first_reading, 0.0)

    # ------------------------------------------------------------------------------------------------------------------

    def _drop(self, approach: str, size: int, reason: str, *, is_raced_out: bool = False) -> None:
        before = list(self._queues[size])
        after = [_without(batch, {approach}) for batch in before]
        self._queues[size] = deque(batch for batch in after if batch.cells)
        if after != before:
            self._skip(approach, size, reason, is_raced_out=is_raced_out)

    def _skip(self, approach: str, size: int, reason: str, *, is_raced_out: bool = False) -> None:
        if not any((skip.approach, skip.size) == (approach, size) for skip in self.skips):
            self.skips.append(Skip(approach, size, reason, is_raced_out))


def _choose(savings: Mapping[str, float], needed: float) -> str:
    """The least that is enough, else the most; nothing of nothing."""
    enough = [name for name, saved in savings.items() if saved >= needed]
    return min(enough, key=savings.__getitem__) if enough else max(savings, key=savings.__getitem__, default="")


def in_round_numbers(megabytes: float) -> str:
    """An amount of memory as coarse as an estimate is.

    >>> in_round_numbers(340), in_round_numbers(2600)
    ('400 MB', '3 GB')
    """
    return f"{np.ceil(megabytes / 100) * 100:.0f} MB" if megabytes < 950 else f"{np.ceil(megabytes / 500) / 2:g} GB"


def _without(batch: Batch, names: set[str]) -> Batch:
    return Batch(tuple(cell for cell in batch.cells if cell.approach not in names))
