"""A comparison of approaches on the rows that an estimator was given, in a temporary run.

The main job from typed rows on. Nothing is left out or merged on the way: what is compared is what is fitted.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tabbench.checks.running import run_checks
from tabbench.comparison.compare import measured_costs
from tabbench.comparison.completed import judged
from tabbench.comparison.plan import Contestants
from tabbench.comparison.planner import SIDE_BY_SIDE_GAIN, all_contestants
from tabbench.comparison.prepare import Prepared
from tabbench.comparison.progress import Clock
from tabbench.comparison.result import FinishedComparison, as_finished
from tabbench.comparison.resume import freeze
from tabbench.comparison.running import Ran, run_missing
from tabbench.core.approach import BASELINE
from tabbench.core.cell import Cell, Result
from tabbench.core.check import CheckedTable
from tabbench.core.errors import TabbenchError
from tabbench.core.progress import Display, Progress
from tabbench.core.setup import Setup
from tabbench.core.table import Column, Table
from tabbench.estimators.base import TrainingRows
from tabbench.estimators.features import fingerprint, tie_digests
from tabbench.execution.local import Keeping, LocalExecutor
from tabbench.execution.run import execute, why_it_does_not_load
from tabbench.execution.schedule import Schedule, Skip
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.splitting.sizes import size_grid
from tabbench.splitting.splits import make_splits, splits_fingerprint
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder

SAFE_FACTOR, CROWDED_FACTOR = 1.5, 2.2
"""A fit that can't be broken off is chosen so that it may take so many times as long as expected, the second number of times
where something else keeps the machine busy."""
MOST_ROWS_IN_PROCESS = 1000
"""Up to here the cells of a run take about as long as a child takes to start, so one job without a time limit needs no child."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A comparison, its best approach, and the effort with which that is fitted on all rows."""

    comparison: FinishedComparison
    best: str
    effort: float


def compare_rows(rows: TrainingRows, columns: Sequence[Column], options: Options) -> Compared:
    """Compare the approaches that the options name at the full size.

    The run's folder lives as long as what is given back: reports and `save_winner` work until then.

    Raises
    ------
    TabbenchError : no approach could be judged.
    """
    place = tempfile.mkdtemp(prefix="tabbench-")
    try:
        compared = _run(_prepared(rows, columns, options), replace(options, out=place))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(compared.comparison, shutil.rmtree, place, ignore_errors=True)
    return compared


def best_of(comparison: FinishedComparison, options: Options) -> str:
    """The approach of the lowest mean loss at the full size.

    Raises
    ------
    TabbenchError : there is none, or only the baseline, which the options do not name: nobody asked for a constant.
    """
    best = comparison.winners["best"].dropna()
    judged = set(comparison.scores.loc[comparison.scores["failed"] < comparison.scores["splits"], "approach"])
    if best.empty or not (is_named(BASELINE, options) or judged - {BASELINE}):
        reasons = [*comparison.failures["reason"].unique(), *comparison.skipped["reason"].unique()]
        why = "; ".join(reasons) or comparison.sentence
        raise TabbenchError(f"no approach could be judged ({why}); allow more time, or name other approaches")
    return str(best.iloc[-1])


def is_named(name: str, options: Options) -> bool:
    """Whether the options name an approach."""
    return name in (options.approaches or ())


def device_of(comparison: FinishedComparison) -> str:
    """Where the approaches that can use a GPU ran: "cpu" or "cuda"."""
    with Store(comparison.folder) as store:
        return str(store.recall("device"))


def _prepared(rows: TrainingRows, columns: Sequence[Column], options: Options) -> Prepared:
    table = _table(rows, columns)
    splits, findings = make_splits(table, rows.target, rows.task, folds=options.folds, repeats=options.repeats, seed=options.seed)
    checked = run_checks(CheckedTable(table, rows.task, rows.target, options.seed))
    setup = Setup(table, rows.task, rows.target, splits, splits_fingerprint(splits), options.seed)
    return Prepared(setup, tuple(dict.fromkeys((*findings, *checked))))


def _table(rows: TrainingRows, columns: Sequence[Column]) -> Table:
    tie = tie_digests(rows.features, rows.target)
    roles = {role: values for role, values in (("weight", rows.weight), ("group", rows.group)) if values is not None}
    if rows.task.is_regression:
        target = pd.Series(rows.target)
    else:
        target = pd.Series(np.array(rows.task.classes, dtype=object)[rows.target], dtype="str")
    return Table(name="X", features=rows.features, columns=tuple(columns), target=target, target_name="y",
                 target_is_integer=rows.task.is_regression and bool((np.floor(rows.target) == rows.target).all()),
                 rows=np.arange(len(rows)), tie=tie, fingerprint=fingerprint(rows.features, columns, tie, roles),
                 weight=rows.weight, group=rows.group, roles={role: role for role in roles})


def _run(prepared: Prepared, options: Options) -> Compared:
    clock, display = Clock.start(options.limit_seconds), make_display(quiet=True, to_json=False)
    contestants = all_contestants(options)
    setup = prepared.setup
    with (RunFolder.open(Path(options.out)) as folder, Store(folder.path) as store,
          _executor(store, setup, contestants, options) as executor):
        sizes = size_grid(setup.splits, setup.target, setup.task, options.sizes)
        freeze(folder, store, prepared, options)
        prior = None if options.limit_seconds is None else measured_costs(options)
        ran = run_missing(store, executor, prepared, contestants, sizes, options, clock, display, prior)
        if ran.run.limited is not None and ran.run.limited.is_interrupted:
            raise KeyboardInterrupt
        comparison = replace(judged(ran.run, store), timing=clock.timing({}))
        finished = as_finished(comparison, folder.path)
        best = best_of(finished, options)
        store.remember(best=best, timing=comparison.timing)
    return Compared(finished, best, _last_effort(ran, best, clock))


def _last_effort(ran: Ran, best: str, clock: Clock) -> float:
    """The amount of work of the fit on all rows: the comparison's, or under a limit what the rest of the time allows."""
    if clock.deadline is None or best in ran.planner.contestants.own:
        return ran.plan.effort
    # Here fits that an ensemble is made of go on one after the other.
    safe = SIDE_BY_SIDE_GAIN * (CROWDED_FACTOR if ran.planner.prior.is_crowded else SAFE_FACTOR)
    most_seconds = (clock.deadline - time.monotonic()) / safe
    return max(effort for effort, seconds in ran.planner.refit_steps(best, ran.plan.effort)
               if effort == ran.plan.effort or seconds <= most_seconds)


def _executor(store: Store, setup: Setup, contestants: Contestants, options: Options) -> AbstractContextManager[Any]:
    is_modest = options.jobs == 1 and options.limit_seconds is None and options.device != "cuda"
    if is_modest and len(setup.table) <= MOST_ROWS_IN_PROCESS:
        return nullcontext(InProcess(store, setup, contestants))
    return LocalExecutor(store, jobs=options.jobs or 1, needs=contestants.needs(options.device))


class InProcess:
    """Runs batches one after the other in this process: same numbers as in children, without their start and their safety net.

    Parameters
    ----------
    store : the run's store.  setup : what children would load from the run's folder.  contestants : who takes part.
    """

    jobs = 1

    def __init__(self, store: Store, setup: Setup, contestants: Contestants) -> None:
        self._store = store
        self._setup = setup
        self._contestants = {approach.name: approach for approach in contestants.approaches}

    def is_cuda_available(self) -> bool:
        """So few rows are not worth a GPU."""
        return False

    def starting_seconds(self, startup_seconds: float) -> float:
        """This process has started."""
        return 0.0

    def open_setup(self) -> None:
        """It is open already."""

    def run(self, schedule: Schedule, *, display: Display, on_result: Callable[[Cell, Result], None],
            progress: Callable[[tuple[str, ...], float | None], Progress], is_stopped: Callable[[], bool] = lambda: False,
            keeping: Keeping | None = None) -> list[Skip]:
        """Run all that is scheduled; there is no deadline, since nothing here could end a fit that goes on beyond it.

        Without one nothing has to be kept.
        """
        assert keeping is None
        schedule.drop_approaches(self._broken())
        while not is_stopped() and (batch := schedule.next(time.monotonic())) is not None:
            with threadpool_limits(1), warnings.catch_warnings():  # as in a child, whose warnings go to its log
                warnings.simplefilter("ignore")
                # The user's terminal is no log; the reasons are among the comparison's failures.
                results = list(execute(self._setup, batch, own=self._contestants, log=io.StringIO()))
            self._store.put(results)
            for cell, result in zip(batch.cells, results, strict=True):
                on_result(cell, result)
        return schedule.skips

    def _broken(self) -> dict[str, str]:
        """Approaches whose library does not load, and why; the others' are loaded, so that they can be told their threads."""
        modules = [(approach.name, module) for approach in self._contestants.values() for module in approach.requires]
        reasons = {(name, module): why_it_does_not_load(module) for name, module in modules}
        return {name: f"{module} does not load ({why})" for (name, module), why in reasons.items() if why is not None}
