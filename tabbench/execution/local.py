"""Supervised local workers: hands out batches, takes in results, and survives whatever happens to a worker.

A worker that is killed, runs out of memory or hangs costs only its own batch: finished cells are kept, the others get
one more try each on its own and then become rows with a reason. Which worker runs what never changes a number.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import psutil

from tabbench.core.cell import Batch, Cell, Result, Status
from tabbench.core.errors import BadOption, TabbenchError
from tabbench.core.executor import EXECUTORS, LOCAL, ExecutorKind, Keeping, Needs, Observer
from tabbench.execution.calls import CallingExecutor
from tabbench.execution.machine import machine_memory_bytes
from tabbench.execution.processes import quick_to_import, used_before
from tabbench.execution.run import distribution_of
from tabbench.execution.running import Running
from tabbench.execution.work import InFlight, Work
from tabbench.execution.worker import POLICE_SECONDS, Event, Worker, end_orphan
from tabbench.store.database import Store

POLL_SECONDS = 0.1
DISPLAY_SECONDS = 0.25
EARLY_WORKERS = 2
"""Workers that start while the table is being read; more start when it is known that there is work for them."""
TRIES = 2
"""A cell whose worker was killed gets one more try, on its own."""
FRUITLESS_STARTS = 3
"""Workers that die before their first cell, in a row: the environment is broken, not a cell."""
HANG_FACTOR = 20.0
SHORTEST_HANG_SECONDS = 600.0
"""A hang detector, not a budget: a cell may take 20 times its forecast and at least ten minutes."""
HANGS = "it did not end in many times the time that was expected"
MOST_OWN_WORKERS = 4
"""Idle workers that are kept for own estimators: each takes a hundred megabytes."""
OF_OWN = frozenset({"tabbench.approaches.own", "sklearn.pipeline", "sklearn.linear_model"})
"""What an own estimator needs, as nearly all of them are scikit-learn's."""
MEMORY_SHARE = 0.9
"""Without a limit of the user's, workers may fill this share of the machine before the system would kill at random."""


class LocalExecutor(CallingExecutor):
    """A pool of supervised workers over one run's folder.

    Use as a context manager: workers start warming up at once and are ended on the way out.

    Parameters
    ----------
    store : Store
        The run's store; nobody else writes it.
    jobs : int
        How many workers.
    threads : int, default 1
        threads a cell.
    memory_limit_bytes : float | None, default None
        Of the whole process tree; None for most of the machine.
    needs : Needs
        What to import before the first cell.
    starts_early : bool, default True
        Whether workers start before it is known that there is work for them.
    """

    def __init__(self, store: Store, *, jobs: int, needs: Needs, memory_limit_bytes: float | None = None, threads: int = 1,
                 shortest_hang_seconds: float = SHORTEST_HANG_SECONDS, starts_early: bool = True) -> None:
        super().__init__()
        self._store = store
        self._starts_early = starts_early
        self.jobs = jobs
        self.threads = threads
        self.needs = needs
        self.memory_limit_bytes = memory_limit_bytes or int(MEMORY_SHARE * machine_memory_bytes())
        self._is_memory_limited = memory_limit_bytes is not None
        # What a worker needs before its first cell is to be seen before the first cell.
        self._are_imported_first = needs.are_imported_first or self._is_memory_limited
        self._begins_early = jobs > 1 and not self._is_memory_limited and not needs.is_cuda_wanted
        self.shortest_hang_seconds = shortest_hang_seconds
        self.broken: dict[str, str] = {}
        self._events: queue.Queue[Event] = queue.Queue()
        self._started = 0
        self._fruitless = 0
        self._is_frozen = False
        self._next_police = 0.0
        self._base_mb = 0.0
        self._limiting = threading.Lock()

    def __enter__(self) -> LocalExecutor:
        for pid, created in self._store.children():
            end_orphan(pid, created)
        self._store.forget_children()
        if self._starts_early:
            self._start_workers(min(self.jobs, EARLY_WORKERS))
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.kill()
        self._store.adopt_spooled()
        self._store.forget_children()

    def is_cuda_available(self) -> bool:
        """Whether a worker saw a GPU. Waits until one is warm."""
        self.wait_until_warm(1)
        return any(worker.is_cuda_available for worker in self._shared)

    def wait_until_warm(self, count: int | None = None) -> None:
        """Wait until this many workers, or all, have imported what they need."""
        self._start_workers(count or self.jobs)
        while sum(worker.is_warm for worker in self._shared) < (count or self.jobs):
            self._step(None)

    def starting_seconds(self, startup_seconds: float) -> float:
        """How long the workers are still busy importing, of the seconds that it takes them in all."""
        if not self._workers:
            return startup_seconds
        if any(worker.is_warm for worker in self._workers):
            return 0.0
        return max(startup_seconds - (time.monotonic() - self._workers[0].began), 0.0)

    def await_start(self) -> None:
        """Wait until a worker is warm."""
        self.wait_until_warm(1)

    def open_setup(self) -> None:
        """Have every worker load the run's frozen setup before its first cell asks for it."""
        self._is_frozen = True
        for worker in self._workers:
            worker.order(do="open", folder=str(self._store.folder))

    def run(self, schedule: Work, observer: Observer, *, is_stopped: Callable[[], bool] = lambda: False,
            keeping: Keeping | None = None) -> None:
        """Run what is scheduled until nothing is left, it is stopped or its deadline (by `time.monotonic`) has passed."""
        state, next_display = Running(schedule, observer, keeping), 0.0
        schedule.costs.base_mb = self._base_mb or schedule.costs.base_mb
        self._start_workers(min(self.jobs, schedule.pending_batches))
        while True:
            schedule.drop_approaches(self._broken_approaches())
            self._assign(state)
            if not self._busy and not schedule.pending_batches and not state.alone:
                break
            self._step(state)
            now = time.monotonic()
            if is_stopped() or (schedule.deadline is not None and now >= schedule.deadline):
                self._leave_what_runs(state)
                break
            if now >= next_display:
                observer.show(self._what_runs(), schedule.remaining_seconds(self._in_flight()))
                next_display = now + DISPLAY_SECONDS
        observer.show((), 0.0)

    def _step(self, state: Running | None) -> None:
        """Take in one event if there is one, and look after the workers now and then."""
        with contextlib.suppress(queue.Empty):
            self._take(self._events.get(timeout=POLL_SECONDS), state)
        if time.monotonic() >= self._next_police:
            self._police(state)
            self._store.sync()
            self._next_police = time.monotonic() + POLICE_SECONDS

    # workers --------------------------------------------------------------------------------------------------------

    @property
    def _busy(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.batch is not None]

    @property
    def _shared(self) -> list[Worker]:
        """Workers that no foreign code has been in."""
        return [worker for worker in self._workers if worker.owner is None]

    @property
    def _modules(self) -> set[str]:
        """All that any approach needs."""
        return {module for names in self.needs.modules.values() for module in names}

    def _in_flight(self) -> list[InFlight]:
        return [worker.in_flight() for worker in self._busy]

    def _start_workers(self, count: int) -> None:
        while len(self._shared) < count:
            self._start_worker()

    def _start_worker(self, owner: str | None = None) -> Worker:
        """Start a worker, for the approaches that come with tabbench or for one of the user's own estimators."""
        is_shared = owner is None
        modules, are_first = (self._modules if is_shared else {*OF_OWN}), self._are_imported_first or not is_shared
        imported = modules
        if is_shared and not self._started:
            # The first one begins early, and imports what else its cells need; the others begin when all is imported.
            early = quick_to_import(modules) if self._begins_early else modules
            imported = early | used_before(modules) if are_first else used_before(modules)
        worker = Worker(self._started, self._store.folder, self._events, threads=self.threads, owner=owner, imported=imported)
        worker.imported_first = imported if are_first else set()
        self._started += 1
        self._workers.append(worker)
        worker.order(do="warm", modules=sorted(imported if are_first else modules), are_imported_first=are_first,
                     ask_cuda=self.needs.is_cuda_wanted and is_shared)
        if self._is_frozen:
            worker.order(do="open", folder=str(self._store.folder))
        own = {name: pickled for name, pickled in self.needs.own.items() if name == owner}
        if own or (self.needs.aliases and is_shared):
            worker.learn(own, self.needs.aliases if is_shared else {})
        return worker

    def _owner_of(self, cell: Cell) -> str | None:
        """The name of the user's own estimator that a cell runs; None for what comes with tabbench."""
        return cell.approach if cell.approach in self.needs.own else None

    def _part_of_one_owner(self, batch: Batch, state: Running) -> Batch:
        """What one worker may run of a batch; the rest waits for another one."""
        owner = self._owner_of(batch.cells[0])
        rest = tuple(cell for cell in batch.cells if self._owner_of(cell) != owner)
        if not rest:
            return batch
        state.schedule.again(Batch(rest))
        return Batch(tuple(cell for cell in batch.cells if cell not in rest))

    def _worker_for(self, owner: str | None) -> Worker | None:
        """A worker that may run what belongs to this owner; one is started for a user's own estimator that has none."""
        idle = [worker for worker in self._workers if worker.batch is None and worker.ended_for is None]
        mine = [worker for worker in idle if worker.owner == owner and (worker.is_free or owner is not None)]
        if mine or owner is None:
            return mine[0] if mine else None
        kept = [worker for worker in idle if worker.owner is not None]
        if len(kept) >= max(self.jobs, MOST_OWN_WORKERS):
            kept[0].kill()
            self._workers.remove(kept[0])
        return self._start_worker(owner)

    def _broken_approaches(self) -> dict[str, str]:
        return {name: f"{module} does not load ({self.broken[module]}); reinstall it: pip install "
                      f"--force-reinstall {distribution_of(module)}"
                for name, modules in self.needs.modules.items() for module in modules if module in self.broken}

    def _unready(self, worker: Worker) -> set[str]:
        """Approaches that a worker which has begun early had better leave to those that begin later, but with all modules."""
        later = [each for each in self._shared if each is not worker and each.imported_first >= self._modules]
        lacking = self._modules - worker.loaded if later and worker.owner is None else set()
        return {name for name, needed in self.needs.modules.items() if lacking & {*needed}}

    def _renew_early(self) -> None:
        """Fork a free worker that has begun early anew once others have all modules: importing them would take it seconds."""
        if any(each.imported_first >= self._modules for each in self._shared if each.is_warm):
            for worker in [each for each in self._shared if each.is_free and not each.loaded >= self._modules]:
                worker.kill()
                self._workers.remove(worker)
                self._start_worker()

    def _assign(self, state: Running) -> None:
        self._renew_early()
        while len(self._busy) < self.jobs and (free := next((each for each in self._shared if each.is_free), None)) is not None:
            batch = self._next_batch(free, state)
            if batch is None:
                return
            batch = self._part_of_one_owner(batch, state)
            state.cells |= {cell.key: cell for cell in batch.cells}
            if (why := state.given_up.get(batch.cells[0].approach)) is not None:
                for cell in batch.cells:
                    self._record(Result(cell.key, "timed_out", why), state)
                continue
            worker = self._worker_for(self._owner_of(batch.cells[0]))
            assert worker is not None  # `free` at least
            modules = {cell.approach: self.needs.modules.get(cell.approach, ()) for cell in batch.cells}
            side_by_side = state.schedule.side_by_side(batch, self._in_flight())
            worker.run(batch, self._store.folder_of(batch), modules, self.threads, side_by_side, state.kept_effort(batch))

    def _next_batch(self, worker: Worker, state: Running) -> Batch | None:
        if state.exclusive and any(other.batch.key in state.exclusive for other in self._workers if other.batch is not None):
            return None  # a cell that ran out of memory gets its second try with the machine to itself
        batch = next(filter(state.schedule.is_exhausted, state.alone), None)
        if batch is not None:
            if self._busy:
                return None
            state.alone.remove(batch)
            state.exclusive.add(batch.key)
            return batch
        room_mb, now = self._room_mb(worker, state.schedule), time.monotonic()
        unready = self._unready(worker)
        fitting = state.schedule.next(now, self._in_flight(), room_mb, unready)
        if fitting is None and not self._busy and not unready and state.schedule.has_waiting:
            state.schedule.drop_too_large(room_mb, f"it would have needed about {{need}}; {self._limit_and_cure()}")
            return state.schedule.next(now)  # alone it may fit, or the police will see that it does not
        return fitting

    def _what_runs(self) -> tuple[str, ...]:
        return tuple(f"{cell.approach} at {cell.size:,}, repeat {cell.repeat + 1}, fold {cell.fold + 1}"
                     for worker in self._workers if (cell := worker.cell) is not None)

    # events ----------------------------------------------------------------------------------------------------------

    def _take(self, event: Event, state: Running | None) -> None:
        worker, values = event.worker, event.values
        if worker not in self._workers:
            return
        if values is None:
            self._bury(worker, state)
        elif values.keys() & {"pid", "warm", "loaded", "broken", "refused"}:
            self._take_readiness(worker, values, state)
        elif "started" in values:
            worker.begin(values["started"])
        elif "finished" in values and state is not None:
            self._fruitless = 0
            self._adopt([values["finished"]], state, worker.in_flight())
        elif "idle" in values and state is not None:
            worker.cell = None
            self._settle(worker, "crashed", "its result was damaged on the way to the store", state)
            worker.batch = None
        elif "called" in values:
            self._note_returned(values["called"])
        elif "stuck" in values:
            raise BadOption(f"{values['stuck']}; nothing finished is lost: free some space, then run the same command again")

    def _take_readiness(self, worker: Worker, values: dict[str, Any], state: Running | None) -> None:
        """It has begun, or has imported what it needs."""
        if "pid" in values:
            self._note_begin(values["pid"])
        elif "warm" in values:
            worker.is_warm, worker.is_cuda_available = True, values["cuda"]
            worker.loaded |= worker.imported_first
            self._learn_base(worker, state)
            self._require_memory(worker)
        elif "loaded" in values:
            if worker.note_loaded(values["loaded"]):
                self._learn_base(worker, state)
        elif "broken" in values:
            self.broken.update(values["broken"])
        elif worker.batch is not None and state is not None:
            # Without the approaches whose library does not load.
            state.schedule.again(Batch(tuple(cell for cell in worker.batch.cells if cell.key not in state.done)))
            worker.batch = worker.cell = None

    def _learn_base(self, worker: Worker, state: Running | None) -> None:
        """What a worker has in memory before its first cell, once it is one that has imported all that cells need."""
        if worker.owner is None and worker.loaded >= self._modules:
            self._base_mb = max(self._base_mb, worker.resident_bytes() / 1e6)
            if state is not None:
                state.schedule.costs.base_mb = self._base_mb

    def _note_begin(self, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended already
            self._store.note_child(pid, psutil.Process(pid).create_time())

    def _adopt(self, keys: list[str], state: Running, running: InFlight | None = None) -> set[str]:
        results = self._store.adopt_spooled(keys) if keys else []
        for result in results:
            state.learn(result, running)
        return {result.key for result in results}

    def _bury(self, worker: Worker, state: Running | None) -> None:
        status, why = worker.why_it_died()
        worker.kill()  # whatever it had started
        was_called = self._note_death(worker, why)
        self._workers.remove(worker)
        if worker.cell is None and not was_called and worker.owner is None:
            self._fruitless += 1
            if self._fruitless >= FRUITLESS_STARTS * self.jobs:
                raise TabbenchError(self._why_no_worker_lives(worker, why))
        if state is not None:
            self._settle(worker, status, why, state)
        if worker.owner is None:
            self._start_worker()

    def _why_no_worker_lives(self, worker: Worker, why: str) -> str:
        if worker.was_killed:
            return (f"{self._fruitless} workers in a row were killed from outside before their first cell ({why}): by a person, "
                    "a batch system, or for want of memory. Nothing finished is lost; continue with "
                    f"`tabbench resume {self._store.folder}`")
        return f"workers die before their first cell: {why}; the last log ends: …{worker.last_words()}"

    def _settle(self, worker: Worker, status: Status, why: str, state: Running) -> None:
        """Keep what a batch has finished; try the rest again, each cell on its own, or record how it ended."""
        if worker.batch is None:
            return
        self._adopt([cell.key for cell in worker.batch.cells if cell.key not in state.done], state)
        left = [cell for cell in worker.batch.cells if cell.key not in state.done]
        if worker.owner is not None and status == "timed_out" and state.schedule.deadline is not None:
            state.given_up[worker.owner] = why  # its next cell would take the others' time again
        blamed = {worker.cell.key} if worker.cell is not None else {cell.key for cell in left}
        for cell in left:
            if cell.key in blamed:
                state.tries[cell.key] += 1 if worker.owner not in state.given_up else TRIES
                self._store.note_attempt([cell], status, f"{why}; its log ends: …{worker.last_words()}")
                if state.tries[cell.key] >= TRIES:
                    self._record(Result(cell.key, status, why), state)
                    continue
            if status == "out_of_memory":
                state.alone.append(Batch((cell,)))
            else:
                state.schedule.again(Batch((cell,)))

    def _record(self, result: Result, state: Running) -> None:
        self._store.put([result])
        state.learn(result)

    # limits ----------------------------------------------------------------------------------------------------------

    def _police(self, state: Running | None) -> None:
        for worker in [each for each in self._workers if each.process.poll() is not None]:
            # What it had started may keep its answers open, so that their end would never be seen.
            self._take(Event(worker, None), state)
        self._limit_memory()
        for worker in self._workers:
            worker.shorten_log()
            limit, why = self._longest_seconds(worker, state)
            if worker.awaited_seconds > limit:
                worker.end("timed_out", why)

    def _longest_seconds(self, worker: Worker, state: Running | None) -> tuple[float, str]:
        """How long a worker may be at what it is at, and why not longer."""
        if worker.cell is None or state is None:
            return SHORTEST_HANG_SECONDS, HANGS
        # Fits that go on side by side are all announced as the first cell.
        limit = max(HANG_FACTOR * state.schedule.costs.seconds(worker.in_flight().left), self.shortest_hang_seconds)
        if worker.owner is not None and (share := state.own_cell_seconds) < limit:
            return share, (f"it took {share:.0f} s, the longest that a cell of an own estimator may take under this time limit, "
                           "so that the others get theirs; give more time")
        return limit, HANGS

    def _limit_memory(self) -> None:
        with self._limiting:  # so that one excess never ends two workers
            used = {worker: worker.resident_bytes() for worker in self._workers}
            at_work = {*self._busy, *([self._called] if self._is_calling else [])}
            busy = [worker for worker in used if worker in at_work and worker.ended_for is None]
            if busy and sum(used.values()) + psutil.Process().memory_info().rss > self.memory_limit_bytes:
                worst = max(busy, key=lambda worker: used[worker])
                worst.end("out_of_memory", f"the run needed too much memory; {self._limit_and_cure()}")

    def _room_mb(self, worker: Worker, schedule: Work) -> float:
        """What a worker may grow to, beside this process, the idle workers and what the busy ones are expected to need."""
        others = sum(max(each.seen_bytes / 1e6, schedule.costs.peak_mb(each.in_flight().left).median if each.batch else 0.0)
                     for each in self._workers if each is not worker)
        return float(self.memory_limit_bytes - psutil.Process().memory_info().rss) / 1e6 - others

    def _limit_and_cure(self) -> str:
        limit = f"{self.memory_limit_bytes / 1e9:.1f} GB"
        if self._is_memory_limited:
            return f"--memory-limit is {limit} for everything: give more, or lower --jobs"
        return f"{limit} may be used on this machine: lower --jobs, or use a larger one"

    def _require_memory(self, worker: Worker) -> None:
        """Refuse a limit that the first warm worker shows to be impossible."""
        workers = len(self._shared)
        require_memory(self.memory_limit_bytes, workers, psutil.Process().memory_info().rss + worker.resident_bytes() * workers)

    def _leave_what_runs(self, state: Running) -> None:
        """End the busy workers: what they had finished is kept. The idle ones stay for what comes after."""
        unfinished = [cell for worker in self._busy if worker.batch for cell in worker.batch.cells if cell.key not in state.done]
        state.schedule.drop_rest()
        state.alone.clear()
        for worker in self._busy:
            worker.kill()
            self._workers.remove(worker)
        if not self._shared:
            self._start_worker()  # to be warm for what may come after
        self._adopt([cell.key for cell in unfinished], state)


def require_memory(limit_bytes: float, workers: int, needed_bytes: float) -> None:
    """Refuse a limit below what this process and its workers need before the first cell.

    Raises
    ------
    BadOption
        It is.
    """
    if needed_bytes > limit_bytes:
        lower = ", or lower --jobs" if workers > 1 else ""
        raise BadOption(f"--memory-limit is {limit_bytes / 1e6:,.0f} MB, but tabbench and {workers} "
                        f"{'worker' if workers == 1 else 'workers'} need {needed_bytes / 1e6:,.0f} MB before the first cell; "
                        f"give more{lower}")


EXECUTORS.register(ExecutorKind(LOCAL, "supervised worker processes on this machine", LocalExecutor, keeps_limits=True))
