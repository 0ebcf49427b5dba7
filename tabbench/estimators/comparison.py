"""A comparison of approaches on the rows that an estimator was given, in a temporary run.

The main job from typed rows on. Nothing is left out or merged on the way: what is compared is what is fitted.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tabbench.checks.running import run_checks
from tabbench.comparison.assess import chosen
from tabbench.comparison.completed import judged
from tabbench.comparison.concluding import Ran
from tabbench.comparison.original_rows import as_given, has_own
from tabbench.comparison.planner import SIDE_BY_SIDE_GAIN
from tabbench.comparison.prepare import Prepared
from tabbench.comparison.progress import Clock
from tabbench.comparison.result import FinishedComparison, as_finished
from tabbench.comparison.resume import freeze
from tabbench.comparison.running import run_missing
from tabbench.comparison.session import Session, measured_costs
from tabbench.core.approach import BASELINE
from tabbench.core.check import CheckedTable
from tabbench.core.errors import TabbenchError
from tabbench.core.process_settings import limited_threads
from tabbench.core.setup import Setup
from tabbench.core.table import Column, Table
from tabbench.estimators.base import TrainingRows
from tabbench.estimators.features import fingerprint, tie_digests
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.splitting.splits import make_splits, splits_fingerprint

SAFE_FACTOR, CROWDED_FACTOR = 1.5, 2.2
"""A fit that can't be broken off is chosen so that it may take so many times as long as expected, the second number of times
where something else keeps the machine busy."""
MOST_ROWS_IN_PROCESS = 1000
"""Up to here the cells of a run take about as long as a worker takes to start, so one job without a time limit needs none."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A comparison, the approach that predicts, and the effort with which that is fitted on all rows."""

    comparison: FinishedComparison
    best: str
    effort: float


def compare_rows(rows: TrainingRows, columns: Sequence[Column], options: Options) -> Compared:
    """Compare the approaches that the options name at the full size.

    The folder of the run is deleted with the result; reports and `save_winner` work until then.

    Raises
    ------
    TabbenchError
        No approach could be judged.
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
    """Return the recommended approach; the one with the lowest mean loss where none is recommended.

    Raises
    ------
    TabbenchError
        There is none, or only the baseline, which the options do not name.
    """
    best = comparison.winners["recommended"].fillna(comparison.winners["best"]).dropna()
    judged = set(comparison.scores.loc[comparison.scores["failed"] < comparison.scores["splits"], "approach"])
    if best.empty or not (is_named(BASELINE, options) or judged - {BASELINE}):
        reasons = [*comparison.failures["reason"].unique(), *comparison.skipped["reason"].unique()]
        why = "; ".join(reasons) or comparison.sentence
        raise TabbenchError(f"no approach could be judged ({why}); allow more time, or name other approaches")
    return str(best.iloc[-1])


def is_named(name: str, options: Options) -> bool:
    """Return whether the options name an approach."""
    return name in (options.approaches or ())


def _prepared(rows: TrainingRows, columns: Sequence[Column], options: Options) -> Prepared:
    table = _table(rows, columns)
    splits, findings = make_splits(table, rows.target, rows.task, folds=options.folds, repeats=options.repeats, seed=options.seed)
    # One thread whatever n_jobs: a process that was forked after others had run would wait for them forever.
    with limited_threads(1):
        checked = run_checks(CheckedTable(table, rows.task, rows.target, options.seed))
    given = as_given(rows.given) if has_own(options) else None
    setup = Setup(table, rows.task, rows.target, splits, splits_fingerprint(splits), options.seed, given)
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
    prior = None if options.limit_seconds is None else measured_costs(options)
    options = _where_cells_run(len(prepared.setup.table), options)
    with Session.open(options, clock, display, prior=prior) as session, session.executor() as executor:
        freeze(session.folder, session.store, prepared, options)
        ran = run_missing(session, executor, prepared, clock)
        if ran.run.limited is not None and ran.run.limited.is_interrupted:
            raise KeyboardInterrupt
        comparison = judged(ran.run, session.store)
        comparison = replace(comparison, timing=comparison.timing | clock.timing({}))
        finished = as_finished(comparison, session.folder.path)
        best = best_of(finished, options)
        session.store.remember(**chosen(finished) | {"recommended": best}, timing=comparison.timing)
    return Compared(finished, best, _last_effort(ran, best, clock))


def _last_effort(ran: Ran, best: str, clock: Clock) -> float:
    """Return the effort of the fit on all rows: the comparison's, or under a time limit what the remaining time allows."""
    if clock.deadline is None or best in ran.planner.contestants.own:
        return ran.plan.effort
    # Here fits that an ensemble is made of go on one after the other.
    safe = SIDE_BY_SIDE_GAIN * (CROWDED_FACTOR if ran.planner.prior.is_crowded else SAFE_FACTOR)
    most_seconds = (clock.deadline - time.monotonic()) / safe
    return max(effort for effort, seconds in ran.planner.refit_steps(best, ran.plan.effort)
               if effort == ran.plan.effort or seconds <= most_seconds)


def _where_cells_run(rows: int, options: Options) -> Options:
    """Choose this process if one job has little to do, which is not worth a GPU either; else workers."""
    options = replace(options, jobs=options.jobs or 1)
    is_modest = options.jobs == 1 and options.limit_seconds is None and options.device != "cuda"
    return replace(options, executor="in-process", device="cpu") if is_modest and rows <= MOST_ROWS_IN_PROCESS else options
