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

from tabbench.continuing import freeze, recall_options, recall_prepared, remember, resumable
from tabbench.core.cell import Batch
from tabbench.core.progress import Display
from tabbench.data.sizes import size_grid
from tabbench.executors.costs import PriorCosts
from tabbench.executors.local import LocalExecutor, usable_cores
from tabbench.executors.schedule import Schedule
from tabbench.finished import FinishedComparison, finish, renew
from tabbench.forecasting import ExpectedRun, closing_seconds, expect_run
from tabbench.judging import Race, Run, judge_run
from tabbench.options import Options
from tabbench.plan import (
    Contestants,
    choose_contestants,
    choose_device,
    has_whole_sizes,
    missing_packages,
    plan_batches,
    without,
)
from tabbench.preparing import Prepared, prepare, resolve_source
from tabbench.report.live import make_display
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder, require_run
from tabbench.watching import Clock, Watch
from tabbench.what_if import repeat_changed

COMPARISON_SHARE = 0.5
"""Of a time limit, where `--what-if` repeats the comparison's largest size once to three times."""


def compare(data: Any, target: str | None = None, *, approaches: str | Sequence[str] | Mapping[str, Any] | None = None,
            sizes: str | Sequence[int | str] = "auto", folds: int = 5, repeats: int | None = None,
            splits: Sequence[tuple[Any, Any]] | None = None, fold: str | None = None, test: Any = None,
            preset: str = "balanced", task: str = "auto", metric: str | None = None, group: str | None = None,
            time: str | None = None, weight: str | None = None, drop: str | Sequence[str] = (), margin: float | None = None,
            seed: int = 0, time_limit: str | float | None = None, memory_limit: str | float | None = None,
            jobs: int | None = None, device: str = "auto", out: str | os.PathLike[str] | None = None, fresh: bool = False,
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
    if options.dry_run:
        return forecast(data, options, positions=splits, display=display)
    if out is not None:
        return run_comparison(data, options, positions=splits, display=display)
    place = tempfile.mkdtemp(prefix="tabbench-")
    try:
        finished = run_comparison(data, replace(options, out=place), positions=splits, display=display)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(finished, shutil.rmtree, place, ignore_errors=True)
    return finished


def run_comparison(data: Any, options: Options, *, display: Display, positions: Sequence[tuple[Any, Any]] | None = None,
                   is_command: bool = False) -> FinishedComparison:
    """Compare with checked options, in the folder `options.out`; see `compare`. A command's clock began with its process."""
    clock = Clock.start(options.limit_seconds, with_process=is_command)
    data, options = resolve_source(data, options)
    contestants = choose_contestants(options)
    with RunFolder.open(Path(options.out), is_fresh=options.fresh) as folder, Store(folder.path) as store:
        prior = measured_costs(options)
        with resumable(store, display), _children(store, contestants, options) as executor:
            prepared = prepare(data, options, display, positions)
            sizes = size_grid(prepared.setup.splits, prepared.setup.target, prepared.setup.task, options.sizes)
            freeze(folder, store, prepared, options)
            run = run_missing(store, executor, prepared, contestants, sizes, options, clock, display, prior)
        return _answer(run, store, prepared, contestants, options, clock, display, prior)


def resume(path: Path, *, display: Display, is_command: bool = False, **limits: Any) -> FinishedComparison:
    """Run what an earlier `compare` left undone, with its options but for `limits` (jobs, time_limit, memory_limit)."""
    with RunFolder.open(require_run(path)) as folder, Store(folder.path) as store:
        options = replace(recall_options(store), out=path, **limits).checked()
        clock = Clock.start(options.limit_seconds, with_process=is_command)
        contestants, prior = choose_contestants(options), measured_costs(options)
        with resumable(store, display), _children(store, contestants, options) as executor:
            prepared, sizes = recall_prepared(store), tuple(store.recall("sizes"))
            run = run_missing(store, executor, prepared, contestants, sizes, options, clock, display, prior)
        return _answer(run, store, prepared, contestants, options, clock, display, prior)


def _answer(run: Run, store: Store, prepared: Prepared, contestants: Contestants, options: Options, clock: Clock,
            display: Display, prior: PriorCosts) -> FinishedComparison:
    """Judge, report and, with `--what-if`, repeat it with one thing changed at a time."""
    finished = finish(judge_run(run, store), store, options, clock, display)
    if not options.what_if or finished.winners.empty:
        return finished

    def repeat(changed: Prepared, options: Options, clock: Clock) -> FinishedComparison:
        with RunFolder.open(Path(options.out)) as folder, Store(folder.path) as nested:
            with _children(nested, contestants, options) as executor:
                sizes = size_grid(changed.setup.splits, changed.setup.target, changed.setup.task, options.sizes)
                freeze(folder, nested, changed, options)
                run = run_missing(nested, executor, changed, contestants, sizes, options, clock, display, prior)
            return finish(judge_run(run, nested), nested, options, clock, display)

    with resumable(store, display):
        outcomes = repeat_changed(finished, prepared, options, clock, display.say, repeat)
    store.remember(what_if=[each.to_json() for each in outcomes])
    return renew(finished, judge_run(run, store))


def forecast(data: Any, options: Options, *, display: Display, positions: Sequence[tuple[Any, Any]] | None = None,
             is_command: bool = False) -> ExpectedRun:
    """What a comparison with checked options would do and cost. Reads, checks, splits and plans; writes and fits nothing."""
    clock = Clock.start(options.limit_seconds, with_process=is_command)
    data, options = resolve_source(data, options)
    contestants, prior = choose_contestants(options), measured_costs(options)
    prepared, clock = prepare(data, options, display, positions), _of_comparison(clock, options)
    sizes = size_grid(prepared.setup.splits, prepared.setup.target, prepared.setup.task, options.sizes)
    device = "cpu" if options.device == "auto" else options.device
    run, batches = plan_run(prepared, contestants, sizes, options, device)
    display.close()
    return expect_run(run, batches, contestants, options, prior=prior, clock=clock, device=device)


def run_missing(store: Store, executor: LocalExecutor, prepared: Prepared, contestants: Contestants, sizes: tuple[int, ...],
                options: Options, clock: Clock, display: Display, prior: PriorCosts | None = None) -> Run:
    """Execute the cells that the store lacks; gives what the judgement needs. `prior` None: as on the measuring machine."""
    store.adopt_spooled()
    prior = PriorCosts.load() if prior is None else prior
    clock = _of_comparison(clock, options)
    device = store.recall("device")
    if device is None or options.device not in ("auto", device) or _is_incomplete(
            store, plan_run(prepared, contestants, sizes, options, device)[1]):
        device = choose_device(options.device, contestants, executor)
    run, batches = plan_run(prepared, contestants, sizes, options, device)
    store.declare(batches)
    remember(store, run, options, contestants, device)
    executor.open_setup()
    store.adopt_spooled()
    missing = without(batches, store.settled())
    n_settled = len(run.planned) - sum(len(batch.cells) for batch in missing)
    schedule = Schedule(missing, jobs=executor.jobs, costs=contestants.costs(prepared.setup, options.preset, prior),
                        deadline=clock.deadline, importance=contestants.importance(),
                        closing=lambda more: closing_seconds(run, prior, n_settled + more),
                        refit_rows=len(prepared.setup.table) if options.save_winner else 0,
                        is_continued=has_whole_sizes(batches, missing),
                        race=Race(run, store).stopped_before if options.race else None)
    watch = Watch(run, store, clock, schedule.costs)
    display.say(watch.plan_line(len(schedule.waiting)))
    executor.run(schedule, display=display, on_result=watch.learn, progress=watch.snapshot)
    run = replace(run, skips=(*run.skips, *schedule.skips))
    store.remember(skips=[vars(skip) for skip in run.skips])
    return run


def plan_run(prepared: Prepared, contestants: Contestants, sizes: tuple[int, ...], options: Options, device: str
             ) -> tuple[Run, list[Batch]]:
    """What the judgement needs as far as it is known before the first cell, and all batches."""
    setup, left_out = prepared.setup, missing_packages(contestants, sizes)
    batches = plan_batches(setup, contestants, sizes, preset=options.preset, device=device, left_out=left_out)
    run = Run(setup, contestants.entries(setup, options.preset), sizes, options.preset, options.margin,
              [cell for batch in batches for cell in batch.cells], prepared.findings, tuple(left_out),
              extrapolates=options.extrapolate)
    return run, batches


def _of_comparison(clock: Clock, options: Options) -> Clock:
    """The comparison's own time; the repetitions of `--what-if` have the rest."""
    return clock.part(COMPARISON_SHARE) if options.what_if else clock


def measured_costs(options: Options) -> PriorCosts:
    """What cells cost, scaled to this machine as it is now, before children of ours keep it busy."""
    return PriorCosts.on_this_machine(options.jobs or usable_cores(), usable_cores())


def _is_incomplete(store: Store, batches: Sequence[Batch]) -> bool:
    return bool(without(batches, store.settled()))


def _children(store: Store, contestants: Contestants, options: Options) -> LocalExecutor:
    # A run that is there already may lack nothing; then no child is started.
    return LocalExecutor(store, jobs=options.jobs or usable_cores(), needs=contestants.needs(options.device),
                         memory_limit_bytes=options.limit_bytes, starts_early=store.recall("planned") is None)
