"""`run_suite`: read and freeze every table, run all cells in one pool of workers, judge each table, and report them together."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tabbench.comparison.planner import all_contestants
from tabbench.comparison.progress import Clock
from tabbench.comparison.session import measured_costs
from tabbench.comparison.stopping import stopping
from tabbench.core.errors import BadOption, OptionMention, TabbenchError
from tabbench.core.executor import EXECUTORS
from tabbench.core.files import write_atomically
from tabbench.core.progress import Display, Progress, TablesProgress
from tabbench.costs.prior import PriorCosts
from tabbench.execution.machine import usable_cores
from tabbench.options import Options
from tabbench.store.database import Store
from tabbench.suite.definition import Suite, read_suite, write_suite
from tabbench.suite.freezing import Common, Frozen, freeze_table, freeze_tables, told_apart
from tabbench.suite.in_progress import SuiteInProgress
from tabbench.suite.judging import Judging
from tabbench.suite.layout import SUITE, owned_suite, require_suite, table_folder
from tabbench.suite.manifest import own_approaches, write_manifest
from tabbench.suite.run_options import kept_options, run_options
from tabbench.suite.stores import SuiteStores


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
            stores, jobs=options.jobs or usable_cores(),
            needs=contestants.needs(options.device, is_limited=options.limit_seconds is not None),
            memory_limit_bytes=options.limit_bytes, starts_early=True)
        try:
            with stopping() as stop, _judging(options, prior) as judging:
                with executor:
                    common = Common(contestants, prior, executor.jobs, "cpu", clock)
                    with _written(replace(suite, options=kept_options(options)), folder / SUITE):
                        frozen = freeze_tables(suite, options, folder, common, display, stop, is_again=is_again)
                    note = partial(write_manifest, folder, suite, options, contestants, executor.jobs, frozen.values())
                    note()
                    if clock.deadline is not None:
                        executor.await_start()  # a table's time is its own
                    going = SuiteInProgress(frozen, common, executor, stores, judging, display, note=note,
                                            is_stopped=lambda: stop.is_requested)
                    going.run_cells()
                going.finish()
        finally:
            display.close()
        unread = {name: each.problem for name, each in frozen.items() if each.problem}
        return SuiteRun(folder, unread, tuple(going.unfinished), stop.is_requested)


def _judging(options: Options, prior: PriorCosts) -> Judging:
    return Judging(prior.slowness, in_thread=not EXECUTORS.get(options.executor).uses_this_process)


def forecast_definition(suite: Suite, options: Options, display: Display) -> list[Frozen]:
    """Every table as it would be run, with its expected seconds; fits nothing and leaves nothing."""
    common = Common(all_contestants(options), measured_costs(options), options.jobs or usable_cores(), "cpu", Clock.start(None))
    found: list[Frozen] = []
    with tempfile.TemporaryDirectory() as place:
        for table in suite.tables:
            each = freeze_table(table, options, table_folder(Path(place), table.name), common, is_again=False)
            found.append(told_apart(each, found))
            display.update(Progress(0, 0, 0, (), {}, common.clock.elapsed_seconds, None,
                                    tables=TablesProgress(len(found), len(suite.tables), ())))
    display.close()
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
    own = own_approaches(folder)
    if own:
        raise BadOption(f"the run in {folder} has approaches of your own ({', '.join(own)}); "
                        "continue it from Python by the same call of run_suite")
