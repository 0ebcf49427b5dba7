"""A run of a suite while its cells run: tables are begun in turn, each in its share of the time, and judged when they end."""

from __future__ import annotations

import time
from collections.abc import Callable

from tabbench.core.cell import Cell, Result
from tabbench.core.errors import TabbenchError
from tabbench.core.executor import Executor
from tabbench.core.phrases import counted
from tabbench.core.progress import Display, Progress, TablesProgress
from tabbench.execution.work import Work
from tabbench.suite.freezing import Common, Frozen, left_out, started_already
from tabbench.suite.judging import Judging
from tabbench.suite.schedule import Begun, SuiteSchedule, Waiting
from tabbench.suite.sharing import Need, share_out
from tabbench.suite.stores import SuiteStores
from tabbench.suite.table_run import TableRun
from tabbench.wording.numbers import duration

MOST_CLOSING_SHARE = 0.4
"""Of a time limit, kept for verdicts and reports: with less for cells there would be nothing to report."""
HOPELESS_SHARE = 0.5
"""A table is begun as long as there is this share of the least that it is expected to need: forecasts may be off by so much."""


class SuiteInProgress:
    """Runs the cells of all tables; implements `Observer`.

    Parameters
    ----------
    frozen : dict[str, Frozen]
        Every table by name; those that turn out to be unusable get their `problem` here.
    note : Callable[[], None]
        Writes down what has become of the tables.
    is_stopped : Callable[[], bool]
        Whether the run was interrupted.
    """

    def __init__(self, frozen: dict[str, Frozen], common: Common, executor: Executor[Work], stores: SuiteStores,
                 judging: Judging, display: Display, *, note: Callable[[], None], is_stopped: Callable[[], bool]) -> None:
        self.frozen = frozen
        self.unfinished: list[str] = []
        self._common, self._executor, self._stores = common, executor, stores
        self._judging, self._display, self._note, self._is_stopped = judging, display, note, is_stopped
        usable = [each for each in frozen.values() if not each.problem]
        self._total, self._done = sum(each.cells for each in usable), sum(each.settled for each in usable)
        self._failed = 0
        shares = self._shares([each.table.name for each in usable], self._last_cell(0, 0))
        ready = sorted(usable, key=lambda each: (each.need.least, each.need.most))
        waiting = [Waiting(each.table.name, each.cells, each.need.most if shares is None else shares.get(each.table.name, 0.0))
                   for each in ready]
        self._schedule = SuiteSchedule(waiting, self._begin, self._end, self._deadline)

    def run_cells(self) -> None:
        """Run all cells that are missing; every table that was begun is handed over to be judged."""
        try:
            self._executor.run(self._schedule, self, is_stopped=self._is_stopped)
            self._schedule.drop_rest()
            self.unfinished += [each.name for each in self._schedule.given_up]
            for each in self._schedule.begun:
                self._conclude(each, is_interrupted=self._is_stopped())
        except BaseException:
            for each in self._schedule.begun:
                each.close()
            raise

    def finish(self) -> None:
        """Wait until all tables are judged."""
        if self._judging.waiting:
            self._display.say(f"all cells have ended; {counted(self._judging.waiting, 'table')} to be judged and reported")
        self._judging.finish()
        self._display.say("writing the report of the suite")

    # time ------------------------------------------------------------------------------------------------------------

    def _deadline(self) -> float | None:
        """When cells must have ended, as things stand."""
        begun = len(self._schedule.begun)
        return self._last_cell(begun, begun + self._schedule.tables_done)

    def _last_cell(self, begun: int, reported: int) -> float | None:
        """When cells must have ended, so that the tables begun by then are judged, and all of them reported, in time."""
        clock = self._common.clock
        if clock.deadline is None or clock.limit_seconds is None:
            return None
        return clock.deadline - min(self._judging.closing_seconds(begun, reported), MOST_CLOSING_SHARE * clock.limit_seconds)

    def _shares(self, names: list[str], deadline: float | None) -> dict[str, float] | None:
        if deadline is None:
            return None
        least = self._judging.table_seconds  # tables are judged one by one, so that none goes by in less time than that
        needs = {name: self.frozen[name].need for name in names}
        return share_out(deadline - time.monotonic(),
                         {name: Need(max(need.least, least), max(need.most, least)) for name, need in needs.items()})

    def _seconds_of(self, name: str) -> float | None:
        """A table's time: its share of what is left, since others may have used less or more than theirs."""
        begun = len(self._schedule.begun) + 1
        deadline = self._last_cell(begun, begun + self._schedule.tables_done)
        shares = self._shares([name, *(other.name for other in self._schedule.todo)], deadline)
        if deadline is None or shares is None:
            return None
        # What is kept for judging is planned for with a command of its own in mind; here that has been started long ago.
        return shares.get(name, deadline - time.monotonic()) + started_already(self._common.prior)

    # tables ----------------------------------------------------------------------------------------------------------

    def _begin(self, waiting: Waiting) -> Begun | None:
        frozen, seconds = self.frozen[waiting.name], self._seconds_of(waiting.name)
        least = frozen.need.least
        is_first = not self._schedule.tables_done and not self._schedule.begun  # without any table there would be no result
        left = None if seconds is None else seconds - started_already(self._common.prior)
        if least and not is_first and left is not None and left < HOPELESS_SHARE * least:
            self.unfinished.append(waiting.name)
            self._display.say(f"{waiting.name} is not begun: it needs at least {duration(least)}, more than is left")
            return None
        try:
            begun = TableRun.begin(frozen, self._common, self._executor, self._stores, seconds)
        except TabbenchError as error:
            self.frozen[waiting.name] = left_out(frozen, error.typed, self._display)
            self._note()
            return None
        self._done += begun.settled - frozen.settled
        return begun

    def _end(self, begun: Begun) -> None:
        self._conclude(begun, is_interrupted=False)

    def _conclude(self, begun: Begun, *, is_interrupted: bool) -> None:
        assert isinstance(begun, TableRun)
        if is_interrupted:
            self.unfinished.append(begun.name)
        judge = begun.conclude(is_interrupted=is_interrupted)
        if judge is not None:
            self._judging.submit(judge)

    # what an executor reports ----------------------------------------------------------------------------------------

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has its result."""
        owner = self._schedule.owner(cell)
        assert isinstance(owner, TableRun)
        owner.learn(cell, result)
        self._done += 1
        self._failed += result.status != "ok"

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """What runs now."""
        self._schedule.end_done()
        names = tuple(each.name for each in self._schedule.begun)
        tables = TablesProgress(self._schedule.tables_done, sum(not each.problem for each in self.frozen.values()), names)
        clock = self._common.clock
        if seconds_left is not None:
            seconds_left += self._judging.closing_seconds(len(names), len(self.frozen))
        if seconds_left is not None and clock.limit_seconds is not None:
            seconds_left = min(seconds_left, clock.limit_seconds - clock.elapsed_seconds)
        self._display.update(Progress(self._done, self._failed, self._total, running, {}, clock.elapsed_seconds, seconds_left,
                                      tables=tables))
