"""Which batch comes next, and what is not begun because it would not end in time.

Knows batches, what they are expected to cost and the clock's readings that it is given; no process and no file.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from tabbench.core.approach import BASELINE
from tabbench.core.cell import Batch, Cell
from tabbench.core.skip import Skip, SkipKind
from tabbench.costs.cost_model import CostModel
from tabbench.costs.forecast import members
from tabbench.execution.agenda import Agenda, Place, Stage
from tabbench.execution.alike import Alike, Kind, count_alike, kind_of
from tabbench.execution.work import InFlight

BEGIN_QUANTILE, GO_ON_QUANTILE = 0.75, 0.5
"""A stage is begun if it will be done in time with this probability; once begun, it goes on while that is as likely as not."""
LEAST_SECONDS_TO_SPLIT = 1.0
"""A shorter batch is not worth the overhead of threads."""
LEAST_SHARE_LEFT = 0.05
"""A cell that runs longer than expected is thought to need this share of its expected time still."""
MOST_CLOSING_SHARE = 0.3
"""What judging and reporting take is planned for up to this share of the time; on a busy machine its forecast may be far off."""
ROOM_DEVIATIONS = 0.8
"""A batch that runs beside others gets the memory that suffices four times in five."""


class Schedule:
    """Batches stage by stage as an agenda has them; within a stage the longest first, so that workers end together.

    Parameters
    ----------
    batches : Iterable[Batch]
        What is missing; cells that already have results are not among them.
    jobs : int
        How many workers share the work.
    agenda : Agenda | None, default None
        The order of the stages; by default all splits and sizes of the batches, the largest size first.
    costs : CostModel | None, default None
        What cells are expected to cost.
    deadline : float | None, default None
        The clock's reading at which everything must have ended, or None: then optional stages are not begun.
    closing : Callable[[int], float]
        Seconds that judging and reporting take after the last cell, by the number of these cells that have a result.
    reserve_seconds : float, default 0.0
        Kept free before the deadline besides, for fitting the winner once more. The first stage may use it.
    expendable : Sequence[frozenset[str]]
        Approaches to be dropped together, in this order, where not even the first split can be done in time.
    precious : Sequence[frozenset[str]]
        The same, dropped only after the reserve was given up.
    race : Callable[[int], Mapping[str, str]] | None, default None
        Asked once before a size is begun, when all smaller ones have ended: approach -> why it stops; None for no race.
    """

    def __init__(self, batches: Iterable[Batch], *, jobs: int, agenda: Agenda | None = None, costs: CostModel | None = None,
                 deadline: float | None = None, closing: Callable[[int], float] = lambda cells: 0.0,
                 reserve_seconds: float = 0.0, expendable: Sequence[frozenset[str]] = (),
                 precious: Sequence[frozenset[str]] = (), race: Callable[[int], Mapping[str, str]] | None = None) -> None:
        batches = list(batches)
        self.costs = CostModel() if costs is None else costs
        self.skips: list[Skip] = []
        self._jobs = jobs
        self._agenda = agenda_of(batches, is_ascending=race is not None) if agenda is None else agenda
        self._deadline = deadline
        self._closing = closing
        self._reserve_seconds = reserve_seconds
        self._is_reserve_given_up = False
        self._expendable, self._precious = list(expendable), list(precious)
        self._handed_out = 0
        self._first_reading: float | None = None
        self._race = race
        self._open_up_to = 0
        self._stage: Stage | None = None
        self._queue: deque[Batch] = deque()
        self._left: dict[Place, list[Batch]] = defaultdict(list)
        for batch in batches:
            self._left[place_of(batch)].append(batch)
        self._planned = set(self._agenda.planned())
        self._waiting: dict[Kind, Alike] = {}
        self._count_anew()
        self._pass_what_is_done()

    @property
    def waiting(self) -> list[Cell]:
        """Planned cells that have not been handed out."""
        later = (batch for place, batches in self._left.items() if place in self._planned for batch in batches)
        return [cell for batch in (*self._queue, *later) for cell in batch.cells]

    @property
    def has_waiting(self) -> bool:
        """Whether there are planned cells that have not been handed out."""
        return any(alike.count for alike in self._waiting.values())

    @property
    def handed_out(self) -> int:
        """How many cells have been handed out."""
        return self._handed_out

    @property
    def pending_batches(self) -> int:
        """How many batches may still be handed out: under a limit the optional ones, too."""
        if self._deadline is None:
            return sum(alike.count for alike in self._waiting.values())
        return len(self._queue) + sum(map(len, self._left.values()))

    @property
    def deadline(self) -> float | None:
        """The clock's reading at which cells must have ended, so that the winner can be refitted and all be judged in time.

        What the first stage has begun may end later: a family is worth more than a better winner.
        """
        if self._deadline is None:
            return None
        return self._deadline - (0.0 if self._agenda.is_at_first else self._reserve_seconds) - self.closing_seconds()

    def closing_seconds(self, more: int = 0) -> float:
        """What judging and reporting take if nothing but so many more cells is handed out."""
        return min(self._closing(self._handed_out + more), MOST_CLOSING_SHARE * self._whole_seconds)

    @property
    def cells(self) -> list[Cell]:
        """Every cell that has not been handed out, the optional ones too."""
        return [cell for batch in (*self._queue, *(each for batches in self._left.values() for each in batches))
                for cell in batch.cells]

    def next(self, now: float, running: Sequence[InFlight] = (), room_mb: float = np.inf, unready: Collection[str] = ()
             ) -> Batch | None:
        """The next batch that has room, or None; what cannot be finished in time is not begun.

        What holds none of the `unready` approaches comes first, what begins with one is left.
        """
        self._first_reading = now if self._first_reading is None else self._first_reading
        self._refill(now, running)
        while self._is_late(now, running) and self._shed():
            self._refill(now, running)
        for batch in _ready_first(self._queue, unready):
            if np.isinf(room_mb) or self.costs.upper_peak_mb(batch.cells, ROOM_DEVIATIONS) <= room_mb:
                self._queue.remove(batch)
                self._count(batch, -1)
                self._handed_out += len(batch.cells)
                return batch
        return None

    @property
    def is_held_back(self) -> bool:
        """Whether what waits has to wait until everything that was handed out has its result."""
        stage = next(self._agenda.candidates(), None)
        return self._race is not None and not self._queue and stage is not None and stage.places[0][0] > self._open_up_to

    def is_exhausted(self, batch: Batch) -> bool:
        """Whether nothing waits that could be run before this batch."""
        return not self.has_waiting or self.is_held_back

    def side_by_side(self, batch: Batch, running: Sequence[InFlight] = ()) -> int:
        """How many fits of a batch may go on at the same time: all jobs where the others would else wait for it at the end."""
        seconds = self.costs.seconds(batch.cells)
        if self._jobs == 1 or len(batch.cells) == 1 or seconds < LEAST_SECONDS_TO_SPLIT:
            return 1
        rest = self.remaining_seconds(running)
        return self._jobs if rest is not None and seconds > rest else 1

    def keep_free(self, seconds: float) -> None:
        """Lower what is kept free for the winner's last fit, once it is known that less will do."""
        self._reserve_seconds = min(self._reserve_seconds, seconds)

    def again(self, batch: Batch) -> None:
        """Put a batch back in front."""
        self._queue.appendleft(batch)
        self._count(batch, 1)
        self._handed_out -= len(batch.cells)

    def drop_rest(self) -> None:
        """Give up everything that is waiting."""
        self._queue.clear()
        self._left.clear()
        self._count_anew()

    def drop_approaches(self, reasons: Mapping[str, str]) -> None:
        """Take approaches whose library does not load out of every size."""
        for name, reason in reasons.items():
            self._drop({pair for pair in self._pairs() if pair[0] == name}, SkipKind.LIBRARY, reason)

    def drop_too_large(self, room_mb: float, reason: str) -> bool:
        """Take out what needs more memory than one worker can have; `reason` has a place for the megabytes needed."""
        needs = {(cell.approach, cell.size): self.costs.cell_peak_mb(cell).median for cell in self.cells}
        too_large = {pair: need for pair, need in needs.items() if need > room_mb}
        for pair, need in too_large.items():
            self._drop({pair}, SkipKind.MEMORY, reason.format(need=in_round_numbers(need)))
        return bool(too_large)

    def remaining_seconds(self, running: Sequence[InFlight] = ()) -> float | None:
        """Expected seconds until the last planned cell has ended, or None as long as nothing is known of an approach."""
        waiting = (cell for alike in self._waiting.values() if alike.count for cell in alike.batch.cells)
        if not all(self.costs.is_known(cell) for cell in (*waiting, *(cell for each in running for cell in each.left))):
            return None
        return float(np.mean(self._wall_seconds(self._waiting, running)))

    # stages ----------------------------------------------------------------------------------------------------------

    def _pass_what_is_done(self) -> None:
        """Begin stages as long as they hold nothing that is missing: an earlier call has run them, or its race stopped them."""
        while (stage := next(self._agenda.candidates(), None)) is not None and not stage.is_optional:
            if self._race is not None and any(self._left.get(place) for place in stage.places):
                self._open(stage.places[0][0], ())
            if any(self._left.get(place) for place in stage.places):
                return
            self._agenda.begin(stage)

    def _next_stage(self, now: float, running: Sequence[InFlight]) -> Stage | None:
        """The first stage that can be done in time; the first split has to be begun, whatever it takes."""
        for stage in list(self._agenda.candidates()):
            if stage.is_optional and self._deadline is None:
                return None
            if self._race is not None and not self._open(stage.places[0][0], running):
                return None
            if not any(self._left.get(place) for place in stage.places):
                return stage
            if not self._agenda.has_begun or self._is_in_time(
                    self._batches(stage), now, running, BEGIN_QUANTILE, self._reserve_seconds):
                return stage
            if stage.kind == "split":
                self._agenda.give_up(stage)
                return self._next_stage(now, running)
        return None

    def _begin(self, stage: Stage) -> None:
        self._agenda.begin(stage)
        self._stage = stage
        batches = self._batches(stage)
        for place in stage.places:
            self._left.pop(place, None)
        seconds = {kind: self.costs.seconds(alike.batch.cells) for kind, alike in count_alike(batches).items()}
        # The constant predictor is needed for every answer, and a user's estimator that never ends must not block the others.
        self._queue.extend(sorted(batches, key=lambda batch: (
            not _has_baseline(batch), not all(map(self.costs.is_known, batch.cells)), -seconds[kind_of(batch)])))
        if stage.is_optional:
            self._count_anew()

    def _batches(self, stage: Stage) -> list[Batch]:
        return [batch for place in stage.places for batch in self._left.get(place, ())]

    def _refill(self, now: float, running: Sequence[InFlight]) -> None:
        """Begin the next stage where nothing waits any more; where none can be begun, the rest is left."""
        while not self._queue and (stage := self._next_stage(now, running)) is not None:
            self._begin(stage)
        if not self._queue and not running and self._left:
            self._left.clear()
            self._count_anew()

    def _is_late(self, now: float, running: Sequence[InFlight]) -> bool:
        is_given_up = self._is_reserve_given_up and self._agenda.is_at_first
        reserve = 0.0 if is_given_up else self._reserve_seconds
        return bool(self._queue) and not self._is_in_time(list(self._queue), now, running, GO_ON_QUANTILE, reserve)

    def _shed(self) -> bool:
        """Break off a stage that would be late, or drop approaches of the first one; whether anything was left out."""
        if self._agenda.is_at_first or self._stage is None:
            return self._drop_first_of(self._expendable) or self._give_reserve_up() or self._drop_first_of(self._precious)
        self._agenda.give_up(self._stage)
        self._queue.clear()
        self._count_anew()
        return True

    def _drop_first_of(self, expendable: list[frozenset[str]]) -> bool:
        """Drop the next approaches that can be done without; whether there were any."""
        while expendable:
            names = expendable.pop(0)
            if any(cell.approach in names for batch in self._queue for cell in batch.cells):
                needing = {cell.approach for cell in self.cells if names & {cell.approach, *members(cell.settings)}}
                self._drop({pair for pair in self._pairs() if pair[0] in needing}, SkipKind.TIME)
                return True
        return False

    def _give_reserve_up(self) -> bool:
        """Let the first stage have it; whether there was any."""
        had_any = self._reserve_seconds > 0 and not self._is_reserve_given_up
        self._is_reserve_given_up = True
        return had_any

    def _is_in_time(self, batches: Sequence[Batch], now: float, running: Sequence[InFlight], quantile: float, reserve: float
                    ) -> bool:
        if self._deadline is None:
            return True
        left = self._deadline - now - reserve - self.closing_seconds(sum(len(batch.cells) for batch in batches))
        return left > 0 and bool(np.quantile(self._wall_seconds(count_alike(batches), running), quantile) <= left)

    def _open(self, size: int, running: Sequence[InFlight]) -> bool:
        """Whether a size may be begun.

        In a race nothing else may run then, and approaches that are stopped leave this size and all larger ones.
        """
        if self._race is None or size <= self._open_up_to:
            return True
        if running:
            return False
        for name, reason in self._race(size).items():
            self._drop({pair for pair in self._pairs() if pair[0] == name and pair[1] >= size}, SkipKind.RACE, reason)
        self._open_up_to = size
        return True

    # seconds ---------------------------------------------------------------------------------------------------------

    def _wall_seconds(self, waiting: Mapping[Kind, Alike], running: Sequence[InFlight]) -> np.ndarray:
        busy = [self._busy(each) for each in running]
        work = self.costs.work([alike.batch for alike in waiting.values()])
        return work.wall_seconds(self._jobs, np.array(busy) if busy else None, [alike.count for alike in waiting.values()])

    def _busy(self, running: InFlight) -> np.ndarray:
        whole = self.costs.work([Batch(running.left)], running.done).seconds[0]
        current = self.costs.work([Batch(running.left[:1])], running.done).seconds[0]
        return np.asarray(whole - np.minimum(running.seconds, (1 - LEAST_SHARE_LEFT) * current))

    @property
    def _whole_seconds(self) -> float:
        """From the first reading to the deadline."""
        return 0.0 if self._deadline is None or self._first_reading is None else max(self._deadline - self._first_reading, 0.0)

    # what waits -------------------------------------------------------------------------------------------------------

    def _count(self, batch: Batch, more: int) -> None:
        self._waiting.setdefault(kind_of(batch), Alike(batch)).count += more

    def _count_anew(self) -> None:
        """How many planned batches of each kind wait. Kept, so that a look at what is left costs the same however much it is."""
        later = (batch for place in sorted(self._planned) for batch in self._left.get(place, ()))
        self._waiting = count_alike((*self._queue, *later))

    def _pairs(self) -> set[tuple[str, int]]:
        return {(cell.approach, cell.size) for cell in self.cells}

    def _drop(self, pairs: set[tuple[str, int]], kind: SkipKind, reason: str = "") -> None:
        """Take approaches out at sizes, where they still wait, and record it."""
        dropped = pairs & self._pairs()
        self._queue = deque(_without(self._queue, dropped))
        self._left = defaultdict(list, {place: _without(batches, dropped) for place, batches in self._left.items()})
        self._count_anew()
        known = {(skip.approach, skip.size) for skip in self.skips}
        self.skips += [Skip(*pair, kind, reason) for pair in sorted(dropped - known)]


def agenda_of(batches: Sequence[Batch], *, is_ascending: bool = False) -> Agenda:
    """All splits and sizes of these batches, all of them planned."""
    places = [place_of(batch) for batch in batches]
    splits = sorted({split for _, split in places})
    folds = sum(repeat == splits[0][0] for repeat, _ in splits) if splits else 1
    return Agenda(splits, folds, sorted({size for size, _ in places}), is_ascending=is_ascending)


def place_of(batch: Batch) -> Place:
    """The size and the split of a batch's cells."""
    cell = batch.cells[0]
    return cell.size, (cell.repeat, cell.fold)


def _has_baseline(batch: Batch) -> bool:
    return any(cell.approach == BASELINE for cell in batch.cells)


def _ready_first(batches: Sequence[Batch], unready: Collection[str]) -> Sequence[Batch]:
    """The batches in their order, after the others those that hold an unready approach, without those that begin with one."""
    if not unready:
        return batches
    return sorted((batch for batch in batches if batch.cells[0].approach not in unready),
                  key=lambda batch: any(cell.approach in unready for cell in batch.cells))


def _without(batches: Iterable[Batch], pairs: Collection[tuple[str, int]]) -> list[Batch]:
    rest = (Batch(tuple(cell for cell in batch.cells if (cell.approach, cell.size) not in pairs)) for batch in batches)
    return [batch for batch in rest if batch.cells]


def in_round_numbers(megabytes: float) -> str:
    """An amount of memory as coarse as an estimate is.

    >>> in_round_numbers(340), in_round_numbers(2600)
    ('400 MB', '3 GB')
    """
    return f"{np.ceil(megabytes / 100) * 100:.0f} MB" if megabytes < 950 else f"{np.ceil(megabytes / 500) / 2:g} GB"
