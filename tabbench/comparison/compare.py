"""The main job, readable from top to bottom: read, check, plan, run what is missing, judge, report."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import scipy.linalg  # noqa: F401 - what is to be told its threads must be loaded
from threadpoolctl import threadpool_limits

from tabbench.comparison.assess import Run
from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.completed import judged
from tabbench.comparison.dry_run import ExpectedRun
from tabbench.comparison.plan import Contestants
from tabbench.comparison.planner import all_contestants
from tabbench.comparison.prepare import Prepared, prepare, read_and_split, resolve_source
from tabbench.comparison.progress import Clock
from tabbench.comparison.refit import Refit
from tabbench.comparison.result import FinishedComparison, best_of, finish, renew
from tabbench.comparison.resume import freeze, recall_options, recall_prepared, resumable, say_how_to_continue
from tabbench.comparison.running import Ran, expect_plan, make_planner, run_missing
from tabbench.comparison.sensitivity import repeat_changed
from tabbench.core.progress import Display
from tabbench.costs.prior import PriorCosts
from tabbench.execution.local import LocalExecutor
from tabbench.execution.machine import usable_cores
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.splitting.sizes import size_grid
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder, require_run

COMPARISON_SHARE = 0.5
"""Of a time limit, where `--what-if` repeats the comparison's largest size once to three times."""


def compare(data: Any, target: str | None = None, *, approaches: str | Sequence[str] | Mapping[str, Any] | None = None,
            sizes: str | Sequence[int | str] = "auto", folds: int = 5, repeats: int | None = None,
            use_folds: int | None = None, splits: Sequence[tuple[Any, Any]] | None = None, fold: str | None = None,
            test: Any = None, preset: str | None = None, effort: float | str | None = None, task: str = "auto",
            metric: str | None = None,
            group: str | None = None, time: str | None = None, weight: str | None = None, drop: str | Sequence[str] = (),
            margin: float | None = None, seed: int = 0, time_limit: str | float | None = None,
            memory_limit: str | float | None = None, jobs: int | None = None, device: str = "auto",
            out: str | os.PathLike[str] | None = None, fresh: bool = False,
            save_winner: bool = False, race: bool = False, extrapolate: bool = False, what_if: bool = False, quiet: bool = False,
            dry_run: bool = False) -> FinishedComparison | ExpectedRun:
    """Which approach wins on this table, at which size, and how sure that is.

    Parameters
    ----------
    data : a file's path, a data set's name, "-" for standard input, or a pandas or polars frame.
    target : the column to predict; without it one called target, label, y or class.
    approaches : names; or a dict that is the whole list: name -> a registered name, "default", or any scikit-learn
        estimator or pipeline, which gets the raw frame and the original labels.
    splits : your own (training positions, test positions) pairs into the rows as given.
    out : folder of the run, continued if it holds one; None is a fresh temporary run.

    The other parameters are the command's options by the same names; see `tabbench compare --help`.

    Returns
    -------
    FinishedComparison : frames with result.json's columns, `winner(size)`, `report(path)`, `save_winner(path)`.
    ExpectedRun : with `dry_run`, the plan and its expected time and memory; nothing is fitted or written.

    Raises
    ------
    UserMistake : for anything that you can cure; nothing has been fitted by then.
    """
    given = {name: value for name, value in locals().items() if name not in ("data", "splits")}
    options, display = Options(**given).checked(), make_display(quiet=quiet, to_json=False)
    with threadpool_limits(1):  # as for the command: the children take the cores
        return _compare(data, options, splits, display)


def _compare(data: Any, options: Options, splits: Sequence[tuple[Any, Any]] | None, display: Display
             ) -> FinishedComparison | ExpectedRun:
    if options.dry_run:
        return forecast(data, options, positions=splits, display=display)
    if options.out is not None:
        return _uninterrupted(run_comparison(data, options, positions=splits, display=display))
    place = tempfile.mkdtemp(prefix="tabbench-")
    try:
        finished = _uninterrupted(run_comparison(data, replace(options, out=place), positions=splits, display=display))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(finished, shutil.rmtree, place, ignore_errors=True)
    return finished


def _uninterrupted(finished: FinishedComparison) -> FinishedComparison:
    """A script that is interrupted ends, however far the comparison came: its reports are in its folder by then."""
    if finished.is_interrupted:
        raise KeyboardInterrupt
    return finished


def run_comparison(data: Any, options: Options, *, display: Display, positions: Sequence[tuple[Any, Any]] | None = None,
                   is_command: bool = False) -> FinishedComparison:
    """Compare with checked options, in the folder `options.out`; see `compare`. A command's clock began with its process."""
    clock = Clock.start(options.limit_seconds, with_process=is_command)
    data, options = resolve_source(data, options)
    contestants = all_contestants(options)
    with RunFolder.open(Path(options.out), is_fresh=options.fresh) as folder, Store(folder.path) as store:
        prior = measured_costs(options)
        with resumable(store, display), _children(store, contestants, options) as executor:
            prepared = read_and_split(data, options, display, positions)
            sizes = size_grid(prepared.setup.splits, prepared.setup.target, prepared.setup.task, options.sizes)
            freeze(folder, store, prepared, options)
            ran = run_missing(store, executor, prepared, contestants, sizes, options, _of_comparison(clock, options), display,
                              prior, checking=Checking(prepared))
            finished = _answer(ran, store, executor, options, clock, display)
        return _varied(finished, ran.run, store, replace(prepared, findings=tuple(ran.run.findings)), contestants, options, clock,
                       display, prior)


def resume(path: Path, *, display: Display, is_command: bool = False, **limits: Any) -> FinishedComparison:
    """Run what an earlier `compare` left undone, with its options but for `limits` (jobs, time_limit, memory_limit)."""
    with RunFolder.open(require_run(path)) as folder, Store(folder.path) as store:
        options = replace(recall_options(store), out=path, **limits).checked()
        clock = Clock.start(options.limit_seconds, with_process=is_command)
        contestants, prior = all_contestants(options), measured_costs(options)
        with resumable(store, display), _children(store, contestants, options) as executor:
            prepared = recall_prepared(store)
            sizes = size_grid(prepared.setup.splits, prepared.setup.target, prepared.setup.task, options.sizes)
            ran = run_missing(store, executor, prepared, contestants, sizes, options, _of_comparison(clock, options), display,
                              prior, checking=None if store.recall("is_checked") else Checking(prepared))
            finished = _answer(ran, store, executor, options, clock, display)
        return _varied(finished, ran.run, store, prepared, contestants, options, clock, display, prior)


def _answer(ran: Ran, store: Store, executor: LocalExecutor, options: Options, clock: Clock, display: Display
            ) -> FinishedComparison:
    """Judge and report; under a limit the winner is fitted on all rows meanwhile."""
    comparison = judged(ran.run, store)
    best = best_of(comparison)
    store.remember(best=best)
    is_interrupted = ran.run.limited is not None and ran.run.limited.is_interrupted
    if is_interrupted:
        display.close()
        say_how_to_continue(store)
    refit, deadline = None, _of_comparison(clock, options).deadline
    if options.save_winner and not is_interrupted and deadline is not None and best not in (None, *ran.planner.contestants.own):
        refit = Refit.begin(executor, store.folder, ran.planner, str(best), ran.plan.effort, deadline)
    return finish(comparison, store, options, clock, display, refit, is_interrupted=is_interrupted)


def _varied(finished: FinishedComparison, run: Run, store: Store, prepared: Prepared, contestants: Contestants, options: Options,
            clock: Clock, display: Display, prior: PriorCosts) -> FinishedComparison:
    """With `--what-if`, the comparison repeated with one thing changed at a time."""
    if not options.what_if or finished.winners.empty or finished.is_interrupted:
        return finished
    # The question is what changes with the data, so the amount of work stays.
    options = replace(options, effort=run.effort, preset=None, approaches=options.approaches or tuple(
        name for name in contestants.names if name in set(finished.scores["approach"])))

    def repeat(changed: Prepared, options: Options, clock: Clock) -> FinishedComparison:
        with (RunFolder.open(Path(options.out)) as folder, Store(folder.path) as nested,
              _children(nested, contestants, options) as executor):
            sizes = size_grid(changed.setup.splits, changed.setup.target, changed.setup.task, options.sizes)
            freeze(folder, nested, changed, options)
            ran = run_missing(nested, executor, changed, contestants, sizes, options, clock, display, prior, effort=run.effort)
            finished = _answer(ran, nested, executor, options, clock, display)
            if finished.is_interrupted:
                raise KeyboardInterrupt
            return finished

    with resumable(store, display):
        outcomes = repeat_changed(finished, prepared, options, clock, display.say, repeat)
    store.remember(what_if=[each.to_json() for each in outcomes])
    return renew(finished, judged(run, store))


def forecast(data: Any, options: Options, *, display: Display, positions: Sequence[tuple[Any, Any]] | None = None,
             is_command: bool = False) -> ExpectedRun:
    """What a comparison with checked options would do and cost. Reads, checks, splits and plans; writes and fits nothing."""
    clock = Clock.start(options.limit_seconds, with_process=is_command)
    data, options = resolve_source(data, options)
    contestants, prior = all_contestants(options), measured_costs(options)
    prepared, clock = prepare(data, options, display, positions), _of_comparison(clock, options)
    sizes = size_grid(prepared.setup.splits, prepared.setup.target, prepared.setup.task, options.sizes)
    device = "cpu" if options.device == "auto" else options.device
    planner = make_planner(prepared, contestants, sizes, options, prior, options.jobs or usable_cores(), device)
    display.close()
    return expect_plan(planner, prepared, clock)


def _of_comparison(clock: Clock, options: Options) -> Clock:
    """The comparison's own time; the repetitions of `--what-if` have the rest."""
    return clock.part(COMPARISON_SHARE) if options.what_if else clock


def measured_costs(options: Options) -> PriorCosts:
    """What cells cost, scaled to this machine as it is now, before children of ours keep it busy."""
    return PriorCosts.on_this_machine(options.jobs or usable_cores(), usable_cores())


def _children(store: Store, contestants: Contestants, options: Options) -> LocalExecutor:
    # A run that is there already may lack nothing; then no child is started.
    return LocalExecutor(store, jobs=options.jobs or usable_cores(), needs=contestants.needs(options.device),
                         memory_limit_bytes=options.limit_bytes, starts_early=store.recall("planned") is None)
