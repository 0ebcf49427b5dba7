"""One table of a suite while its cells run: begun, followed, and at the end judged and reported beside the others' cells."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tabbench.comparison.assess import chosen
from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.completed import judged
from tabbench.comparison.concluding import checked, conclude
from tabbench.comparison.in_progress import RunInProgress
from tabbench.comparison.progress import Clock, Watch
from tabbench.comparison.result import finish
from tabbench.comparison.resume import recall_prepared
from tabbench.comparison.run import Run
from tabbench.comparison.running import plan_run, schedule_run, watch_run
from tabbench.comparison.session import Session
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.executor import Executor
from tabbench.execution.schedule import Schedule
from tabbench.execution.work import Work
from tabbench.options import Options
from tabbench.store.database import Store
from tabbench.suite.freezing import QUIET, Common, Frozen
from tabbench.suite.reported import is_reported, note_reported
from tabbench.suite.stores import SuiteStores


@dataclass(eq=False)
class TableRun:
    """A table that has been begun; implements `Begun`."""

    name: str
    running: RunInProgress
    run: Run
    schedule: Schedule
    watch: Watch
    stores: SuiteStores
    closing: ExitStack
    learned: int = 0

    @classmethod
    def begin(cls, frozen: Frozen, common: Common, executor: Executor[Work], stores: SuiteStores, seconds: float | None
              ) -> TableRun:
        """Plan a frozen table, in so many seconds where there is a limit.

        Raises
        ------
        TabbenchError
            Its folder is damaged, or in use.
        """
        clock = Clock.start(seconds)
        with ExitStack() as stack:
            session = stack.enter_context(Session.open(frozen.options, clock, QUIET, contestants=common.contestants,
                                                       prior=common.prior))
            prepared = recall_prepared(session.store)
            checking = None if session.store.recall("is_checked") else Checking(prepared, in_thread=session.leaves_threads)
            running = plan_run(session, executor, prepared, clock, checking=checking, keeps_families=True)
            run, schedule = schedule_run(running)
            return cls(frozen.table.name, running, run, schedule, watch_run(running, run), stores, stack.pop_all())

    @property
    def settled(self) -> int:
        """How many of its cells an earlier call has finished; asked for before the first cell."""
        return len(self.run.planned) - len(self.schedule.cells)

    @property
    def is_ready(self) -> bool:
        """Whether the checks of its data have ended."""
        return self.running.checking is None or self.running.checking.is_ready

    def assign(self, batch: Batch) -> None:
        """A batch is handed out."""
        self.stores.assign(batch, self.running.store)

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has its result."""
        self.watch.learn(cell, result)
        self.stores.release(cell.key)
        self.learned += 1

    @property
    def is_judged(self) -> bool:
        """Whether an earlier call has judged and reported all that there is."""
        return not self.learned and is_reported(self.running.store)

    def conclude(self, *, is_interrupted: bool) -> Callable[[], None] | None:
        """Note what was run and give the run's store free.

        Returns what judges and reports it, to be called in any thread; None where an earlier call has done so.
        """
        running, session = self.running, self.running.session
        is_judged = self.is_judged
        run = replace(self.run, skips=(*self.run.skips, *self.schedule.skips))
        run = checked(conclude(running, run, is_interrupted=is_interrupted)).run
        folder, options, clock = session.store.folder, session.options, running.clock
        self.close()
        return None if is_judged else partial(judge_table, folder, run, options, clock, is_interrupted=is_interrupted)

    def close(self) -> None:
        """Give the run's folder free."""
        self.stores.forget(self.running.store)
        self.closing.close()


def judge_table(folder: Path, run: Run, options: Options, clock: Clock, *, is_interrupted: bool) -> None:
    """Judge a table's run and write its reports."""
    with Store(folder) as store:
        comparison = judged(run, store)
        store.remember(**chosen(comparison))
        finish(comparison, store, options, clock, QUIET, is_interrupted=is_interrupted)
        note_reported(store)
