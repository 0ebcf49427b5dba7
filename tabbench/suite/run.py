"""`run_suite`: read and freeze every table, run all cells in one pool of workers, judge each table, and report them together."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tabbench.comparison.plan import Contestants
from tabbench.comparison.planner import all_contestants
from tabbench.comparison.progress import Clock
from tabbench.comparison.resume import hardware
from tabbench.comparison.session import measured_costs
from tabbench.comparison.stopping import Stop, stopping
from tabbench.core.cell import Cell, Result
from tabbench.core.errors import BadOption, OptionMention, TabbenchError
from tabbench.core.executor import EXECUTORS, Executor
from tabbench.core.files import write_atomically
from tabbench.core.progress import Display, Progress, TablesProgress
from tabbench.core.versions import versions
from tabbench.execution.machine import usable_cores
from tabbench.execution.schedule import Work
from tabbench.options import Options
from tabbench.store.database import Store
from tabbench.suite.definition import OF_A_SUITE, Suite, read_suite, write_suite
from tabbench.suite.freezing import (
    Common,
    Frozen,
    freeze_table,
    plain_values,
    refuse_doubles,
    started_already,
)
from tabbench.suite.layout import MANIFEST, SUITE, owned_suite, require_suite, table_folder
from tabbench.suite.schedule import Begun, SuiteSchedule, Waiting
from tabbench.suite.sharing import share_out
from tabbench.suite.stores import SuiteStores
from tabbench.suite.table_run import TableRun
from tabbench.wording.numbers import duration

CLOSING_SHARE, LEAST_CLOSING_SECONDS = 0.05, 5.0
"""What of a time limit is kept for the last tables' reports and that of the suite."""
HOPELESS_SHARE = 0.5
"""A table is begun as long as there is this share of the least that it is expected to need: forecasts may be off by so much."""

EXCLUDING = (frozenset({"effort", "preset"}), frozenset({"use_folds", "repeats"}))
"""Options that say the same in two ways."""


@dataclass(frozen=True)
class SuiteRun:
    """What a run of a suite has left.

    Parameters
    ----------
    folder : Path
        The run's folder.
    unread : dict[str, str]
        Tables that could not be used, and why.
    unfinished : tuple[str, ...]
        Tables that lack results.
    is_interrupted : bool
        Whether it was ended early.
    """

    folder: Path
    unread: Mapping[str, str]
    unfinished: tuple[str, ...]
    is_interrupted: bool


def run_options(suite: Suite, given: Mapping[str, Any]) -> Options:
    """The options of a suite's run: those that are given, else the suite's own.

    Raises
    ------
    BadOption
        One of them is wrong.
    """
    values, own = {name: value for name, value in given.items() if value is not None}, dict(suite.options)
    for excluding in EXCLUDING:
        if values.keys() & excluding:  # one of them given replaces both of the suite's
            own = {name: value for name, value in own.items() if name not in excluding}
    options = Options(**own | values).checked()
    return options if options.out is not None else replace(options, out=f"tabbench-suite-{suite.name}")


def run_definition(suite: Suite, options: Options, display: Display, *, is_command: bool = False) -> SuiteRun:
    """Run what is missing of a suite, in the folder `options.out`; the reports of the tables are written, not the suite's.

    Raises
    ------
    BadOption
        No table can be used, or the folder holds something else.
    """
    clock, folder = Clock.start(options.limit_seconds, with_process=is_command), Path(options.out)
    contestants, prior = all_contestants(options), measured_costs(options)
    with owned_suite(folder) as workers, Store(workers.path) as store:
        is_again = (folder / SUITE).is_file() and not options.fresh
        if is_again:
            _require_same_suite(folder, suite)
        stores = SuiteStores(store)
        executor = EXECUTORS.get(options.executor).make(
            stores, jobs=options.jobs or usable_cores(), needs=contestants.needs(options.device),
            memory_limit_bytes=options.limit_bytes, starts_early=True)
        try:
            with stopping() as stop, executor:
                going = _Going(folder, suite, options, contestants, clock, display, executor, stores, stop)
                with _written(replace(suite, options=_kept(options)), folder / SUITE):
                    going.freeze(Common(contestants, prior, executor.jobs, "cpu", clock), is_again=is_again)
                going.run()
        finally:
            display.close()
        return going.outcome


def forecast_definition(suite: Suite, options: Options, display: Display) -> list[Frozen]:
    """Every table as it would be run, with its expected seconds; fits nothing and leaves nothing."""
    common = Common(all_contestants(options), measured_costs(options), options.jobs or usable_cores(), "cpu", Clock.start(None))
    found = []
    with tempfile.TemporaryDirectory() as place:
        for table in suite.tables:
            found.append(freeze_table(table, options, table_folder(Path(place), table.name), common, is_again=False))
            display.update(Progress(0, 0, 0, (), {}, common.clock.elapsed_seconds, None,
                                    tables=TablesProgress(len(found), len(suite.tables), ())))
    display.close()
    refuse_doubles(found)
    return found


def resume_folder(path: Path, display: Display, *, is_command: bool = False, **limits: Any) -> SuiteRun:
    """Run what an earlier call left undone, with its options but for `limits` (jobs, time_limit, memory_limit)."""
    folder = require_suite(path)
    suite = read_suite(folder / SUITE)
    _refuse_own(folder)
    options = replace(run_options(suite, {}), out=folder, **limits).checked()
    return run_definition(suite, options, display, is_command=is_command)


@contextlib.contextmanager
def _written(suite: Suite, path: Path) -> Iterator[None]:
    """The definition is there before the first table is read; the earlier one comes back if this one is refused."""
    earlier = path.read_bytes() if path.is_file() else None
    write_suite(suite, path)
    try:
        yield
    except TabbenchError:
        if earlier is not None:
            write_atomically(path, earlier)
        raise


def _require_same_suite(folder: Path, suite: Suite) -> None:
    there = read_suite(folder / SUITE).name
    if there != suite.name:
        raise BadOption.about(f"{folder} holds a run of the suite {there}, not of {suite.name}; choose another folder with ",
                              OptionMention("out"), ", or start over with ", OptionMention("fresh"))


def _refuse_own(folder: Path) -> None:
    manifest = folder / MANIFEST
    own = json.loads(manifest.read_bytes())["own_approaches"] if manifest.is_file() else []
    if own:
        raise BadOption(f"the run in {folder} has approaches of your own ({', '.join(own)}); "
                        "continue it from Python by the same call of run_suite")


def _kept(options: Options) -> dict[str, Any]:
    """The options that a run's definition holds, as plain values; the user's own estimators can't be among them."""
    kept = {name: getattr(options, name) for name in OF_A_SUITE}
    defaults = {each.name: each.default for each in fields(Options)}
    if isinstance(kept["approaches"], Mapping):
        kept["approaches"] = [name for name, value in kept["approaches"].items() if value in (name, "default")]
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    return {name: value for name, value in plain.items() if value not in (None, [], defaults[name])}


@dataclass(eq=False)
class _Going:
    """A run of a suite while it goes on; implements `Observer`."""

    folder: Path
    suite: Suite
    options: Options
    contestants: Contestants
    clock: Clock
    display: Display
    executor: Executor[Work]
    stores: SuiteStores
    stop: Stop
    frozen: dict[str, Frozen] = field(default_factory=dict)
    judging: list[Future[None]] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def freeze(self, common: Common, *, is_again: bool) -> None:
        """Read every table; say which of them cannot be used."""
        self.common = common
        for table in self.suite.tables:
            if self.stop.is_requested:
                raise KeyboardInterrupt
            place = table_folder(self.folder, table.name)
            self.frozen[table.name] = each = freeze_table(table, self.options, place, common, is_again=is_again)
            if each.problem:
                self._fail(table.name, each.problem)
            else:
                self.display.say(f"{table.name}: {each.summary}")
        if len(self.failed) == len(self.frozen):
            first = next(iter(self.failed.values()))
            raise BadOption(f"no table of the suite {self.suite.name} can be used; the first one: {first}")
        refuse_doubles(list(self.frozen.values()))
        self._write_manifest()

    def run(self) -> None:
        """Run all cells that are missing, and judge every table."""
        self.shares = self._shares()
        usable = [each for each in self.frozen.values() if not each.problem]
        ready = sorted(usable, key=lambda each: (each.need.least, each.need.most))
        waiting = [Waiting(each.table.name, each.cells, self._expected(each)) for each in ready]
        self.total = sum(each.cells for each in ready)
        self.done, self.n_failed = sum(each.settled for each in ready), 0
        self.schedule = SuiteSchedule(waiting, self._begin, self._end, self._deadline)
        with ThreadPoolExecutor(1, "judging") as self.judges:
            try:
                self._run_cells()
                wait(self.judging)
            except BaseException:
                self.judges.shutdown(wait=False, cancel_futures=True)  # a second Ctrl-C does not wait for all reports
                raise
        for future in self.judging:
            future.result()  # what went wrong in a thread is told here

    def _run_cells(self) -> None:
        try:
            self.executor.run(self.schedule, self, is_stopped=lambda: self.stop.is_requested)
            self.schedule.drop_rest()
            self.unfinished += [each.name for each in self.schedule.given_up]
            for each in self.schedule.begun:
                self._conclude(each, is_interrupted=self.stop.is_requested)
        except BaseException:
            for each in self.schedule.begun:
                each.close()
            raise

    @property
    def outcome(self) -> SuiteRun:
        """What there is now."""
        return SuiteRun(self.folder, self.failed, tuple(self.unfinished), self.stop.is_requested)

    # tables ----------------------------------------------------------------------------------------------------------

    @property
    def _deadline(self) -> float | None:
        limit = self.clock.limit_seconds
        if self.clock.deadline is None or limit is None:
            return None
        return self.clock.deadline - max(min(LEAST_CLOSING_SECONDS, limit / 4), CLOSING_SHARE * limit)

    def _shares(self) -> dict[str, float] | None:
        if self._deadline is None:
            return None
        return share_out(self._deadline - time.monotonic(),
                         {name: each.need for name, each in self.frozen.items() if not each.problem})

    def _expected(self, frozen: Frozen) -> float:
        return frozen.need.most if self.shares is None else self.shares.get(frozen.table.name, 0.0)

    def _seconds_of(self, name: str) -> float | None:
        """A table's time: its share of what is left, since others may have used less or more than theirs."""
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        shares = share_out(left, {each: self.frozen[each].need for each in (name, *(other.name for other in self.schedule.todo))})
        # What is kept for judging is planned for with a command of its own in mind; here that has been started long ago.
        return shares.get(name, left) + started_already(self.common.prior)

    def _begin(self, waiting: Waiting) -> Begun | None:
        least = self.frozen[waiting.name].need.least
        if self._deadline is not None and self._deadline - time.monotonic() < HOPELESS_SHARE * least:
            self.unfinished.append(waiting.name)
            self.display.say(f"{waiting.name} is not begun: the time limit leaves less than the {duration(least)} that it needs")
            return None
        try:
            begun = TableRun.begin(self.frozen[waiting.name], self.common, self.executor, self.stores,
                                   self._seconds_of(waiting.name))
        except TabbenchError as error:
            self._fail(waiting.name, error.typed)
            self._write_manifest()
            return None
        self.done += begun.settled - self.frozen[waiting.name].settled
        return begun

    def _end(self, begun: Begun) -> None:
        self._conclude(begun, is_interrupted=False)

    def _conclude(self, begun: Begun, *, is_interrupted: bool) -> None:
        assert isinstance(begun, TableRun)
        if is_interrupted:
            self.unfinished.append(begun.name)
        judge = begun.conclude(is_interrupted=is_interrupted)
        if judge is None:
            return
        if EXECUTORS.get(self.options.executor).uses_this_process:
            judge()
        else:
            self.judging.append(self.judges.submit(judge))

    def _fail(self, name: str, problem: str) -> None:
        self.failed[name] = problem
        self.frozen[name] = replace(self.frozen[name], problem=problem)
        self.display.say(f"{name} is left out: {problem}")

    # what an executor reports ----------------------------------------------------------------------------------------

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has its result."""
        owner = self.schedule.owner(cell)
        assert isinstance(owner, TableRun)
        owner.learn(cell, result)
        self.done += 1
        self.n_failed += result.status != "ok"

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """What runs now."""
        self.schedule.end_done()
        names = tuple(each.name for each in self.schedule.begun)
        tables = TablesProgress(self.schedule.tables_done, len(self.frozen) - len(self.failed), names)
        self.display.update(Progress(self.done, self.n_failed, self.total, running, {}, self.clock.elapsed_seconds, seconds_left,
                                     tables=tables))

    # -----------------------------------------------------------------------------------------------------------------

    def _write_manifest(self) -> None:
        threads = {name: os.environ[name] for name in sorted(os.environ) if name.endswith("_NUM_THREADS")}
        values = {"suite": self.suite.name, "title": self.suite.title, "options": _kept(self.options),
                  "own_approaches": [*self.contestants.own, *self.contestants.aliases], "seed": self.options.seed,
                  "versions": versions(), "hardware": hardware(), "jobs": self.executor.jobs, "threads": threads,
                  "approaches": list(self.contestants.names),
                  "tables": [plain_values(each) for each in self.frozen.values()]}
        write_atomically(self.folder / MANIFEST, json.dumps(values, indent=1, allow_nan=False).encode())
