"""The main job, readable from top to bottom: read, check, plan, run what is missing, judge, report."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import scipy.linalg  # noqa: F401 - what is to be told its threads must be loaded
from threadpoolctl import threadpool_limits

from tabbench.comparison.assess import Run
from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.completed import judged
from tabbench.comparison.dry_run import ExpectedRun
from tabbench.comparison.planner import all_contestants
from tabbench.comparison.prepare import Prepared, prepare, read_and_split, resolve_source
from tabbench.comparison.progress import Clock
from tabbench.comparison.refit import Refit
from tabbench.comparison.result import FinishedComparison, best_of, finish, renew
from tabbench.comparison.resume import freeze, recall_prepared, resumable, say_how_to_continue
from tabbench.comparison.running import Ran, expect_plan, make_planner, run_missing
from tabbench.comparison.sensitivity import repeat_changed
from tabbench.comparison.session import Session, measured_costs
from tabbench.core.executor import Executor
from tabbench.core.progress import Display
from tabbench.core.skip import SkipKind
from tabbench.execution.machine import usable_cores
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.splitting.sizes import size_grid

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
            executor: str = "local", out: str | os.PathLike[str] | None = None, fresh: bool = False,
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
    with Session.open(options, clock, display, prior=measured_costs(options)) as session:
        return _carry_out(session, lambda: _frozen(session, read_and_split(data, options, display, positions)))


def resume(path: Path, *, display: Display, is_command: bool = False, **limits: Any) -> FinishedComparison:
    """Run what an earlier `compare` left undone, with its options but for `limits` (jobs, time_limit, memory_limit)."""
    with Session.reopen(path, display, is_command=is_command, **limits) as session:
        return _carry_out(session, lambda: recall_prepared(session.store), is_checked=bool(session.store.recall("is_checked")))


def _carry_out(session: Session, prepare: Callable[[], Prepared], *, is_checked: bool = False) -> FinishedComparison:
    """Run what the store lacks, judge and report; with `--what-if` also what changes when the data do."""
    with resumable(session.store, session.display), session.executor() as executor:
        prepared = prepare()  # while the workers start
        ran = run_missing(session, executor, prepared, _own_clock(session), checking=None if is_checked else Checking(prepared))
        finished = _answer(ran, session, executor)
    return _varied(finished, ran.run, session, replace(prepared, findings=tuple(ran.run.findings)))


def _frozen(session: Session, prepared: Prepared) -> Prepared:
    freeze(session.folder, session.store, prepared, session.options)
    return prepared


def _answer(ran: Ran, session: Session, executor: Executor[Any]) -> FinishedComparison:
    """Judge and report; under a limit the winner is fitted on all rows meanwhile."""
    store, options = session.store, session.options
    comparison = judged(ran.run, store)
    best = best_of(comparison)
    store.remember(best=best)
    is_interrupted = ran.run.limited is not None and ran.run.limited.is_interrupted
    if is_interrupted:
        session.display.close()
        say_how_to_continue(store)
    refit, deadline = None, _own_clock(session).deadline
    if options.save_winner and not is_interrupted and deadline is not None and best not in (None, *session.contestants.own):
        refit = Refit.begin(executor, store.folder, ran.planner, str(best), ran.plan.effort, deadline)
    return finish(comparison, store, options, session.clock, session.display, refit, is_interrupted=is_interrupted)


def _varied(finished: FinishedComparison, run: Run, session: Session, prepared: Prepared) -> FinishedComparison:
    """With `--what-if`, the comparison repeated with one thing changed at a time."""
    if not session.options.what_if or finished.winners.empty or finished.is_interrupted:
        return finished
    # The question is what changes with the data, so the amount of work stays.
    options = replace(session.options, effort=run.effort, preset=None, approaches=session.options.approaches or tuple(
        name for name in session.contestants.names if name in set(finished.scores["approach"])))

    def repeat(changed: Prepared, options: Options, clock: Clock) -> tuple[FinishedComparison, bool]:
        with Session.open(options, clock, session.display, contestants=session.contestants, prior=session.prior) as nested:
            with nested.executor() as executor:
                ran = run_missing(nested, executor, _frozen(nested, changed), clock, effort=run.effort)
                finished = _answer(ran, nested, executor)
            if finished.is_interrupted:
                raise KeyboardInterrupt
            return finished, any(skip.kind is SkipKind.TIME for skip in ran.run.skips)

    with resumable(session.store, session.display):
        outcomes = repeat_changed(finished, prepared, options, session.clock, session.display.say, repeat)
    session.store.remember(what_if=[each.to_json() for each in outcomes])
    return renew(finished, judged(run, session.store))


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


def _own_clock(session: Session) -> Clock:
    return _of_comparison(session.clock, session.options)


def _of_comparison(clock: Clock, options: Options) -> Clock:
    """The comparison's own time; the repetitions of `--what-if` have the rest."""
    return clock.part(COMPARISON_SHARE) if options.what_if else clock
