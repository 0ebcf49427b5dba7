"""The main job, readable from top to bottom: read, check, plan, run what is missing, judge, report."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, overload

from tabbench.approaches.own import why_unidentified
from tabbench.comparison.arguments import settled
from tabbench.comparison.assess import chosen
from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.completed import judged, leading
from tabbench.comparison.concluding import Ran, checked
from tabbench.comparison.dry_run import ExpectedRun
from tabbench.comparison.planner import all_contestants
from tabbench.comparison.prepare import Prepared, prepare, read_and_split, resolve_source, say_findings
from tabbench.comparison.progress import Clock
from tabbench.comparison.refit import Refit
from tabbench.comparison.refitted import Source
from tabbench.comparison.result import FinishedComparison, finish, renew
from tabbench.comparison.resume import freeze, recall_findings, recall_prepared, resumable, say_how_to_continue
from tabbench.comparison.run import Run
from tabbench.comparison.running import expect_plan, make_planner, run_missing, sizes_of
from tabbench.comparison.sensitivity import repeat_changed
from tabbench.comparison.session import Session, measured_costs
from tabbench.core.executor import Executor
from tabbench.core.process_settings import limited_threads
from tabbench.core.progress import Display
from tabbench.core.skip import SkipKind
from tabbench.execution.machine import usable_cores
from tabbench.options import Options
from tabbench.report.live import make_display

COMPARISON_SHARE = 0.5
"""Share of a time limit, as `what_if` repeats the comparison's largest size once to three times."""


@overload
def compare(data: Any, target: Any = None, *, approaches: str | Sequence[str] | Mapping[str, Any] | None = None,
            sizes: str | Sequence[int | str] = "auto", folds: int = 5, repeats: int | None = None,
            use_folds: int | None = None, skip: str | Sequence[str] | None = None,
            splits: Any = None, fold: str | None = None, test: Any = None,
            preset: str | None = None, effort: float | str | None = None, task: str = "auto", metric: Any = None,
            group: str | None = None, time: str | None = None, weight: str | None = None, drop: str | Sequence[str] = (),
            missing: str | Sequence[str | float] | None = None, types: Mapping[str, str] | None = None,
            merge_labels: bool = False, sheet: str | None = None, no_header: bool = False, query: str | None = None,
            margin: float | None = None, seed: int = 0, time_limit: str | float | None = None,
            memory_limit: str | float | None = None, jobs: int | None = None, device: str = "auto",
            calibrate: bool = False, executor: str = "local", out: str | os.PathLike[str] | None = None, fresh: bool = False,
            save_winner: bool = False, race: bool = False, extrapolate: bool = False, what_if: bool = False, quiet: bool = False,
            dry_run: Literal[False] = False, cv: Any = None, scoring: Any = None, groups: Any = None, sample_weight: Any = None,
            random_state: Any = None, n_jobs: int | None = None) -> FinishedComparison: ...


@overload
def compare(data: Any, target: Any = None, *, dry_run: Literal[True], **options: Any) -> ExpectedRun: ...


def compare(  # type: ignore[misc]  # the second signature is short, and accepts what the first one names
            data: Any, target: Any = None, *, approaches: str | Sequence[str] | Mapping[str, Any] | None = None,
            sizes: str | Sequence[int | str] = "auto", folds: int = 5, repeats: int | None = None,
            use_folds: int | None = None, skip: str | Sequence[str] | None = None,
            splits: Any = None, fold: str | None = None, test: Any = None,
            preset: str | None = None, effort: float | str | None = None, task: str = "auto", metric: Any = None,
            group: str | None = None, time: str | None = None, weight: str | None = None, drop: str | Sequence[str] = (),
            missing: str | Sequence[str | float] | None = None, types: Mapping[str, str] | None = None,
            merge_labels: bool = False, sheet: str | None = None, no_header: bool = False, query: str | None = None,
            margin: float | None = None, seed: int = 0, time_limit: str | float | None = None,
            memory_limit: str | float | None = None, jobs: int | None = None, device: str = "auto",
            calibrate: bool = False, executor: str = "local", out: str | os.PathLike[str] | None = None, fresh: bool = False,
            save_winner: bool = False, race: bool = False, extrapolate: bool = False, what_if: bool = False, quiet: bool = False,
            dry_run: bool = False, cv: Any = None, scoring: Any = None, groups: Any = None, sample_weight: Any = None,
            random_state: Any = None, n_jobs: int | None = None) -> FinishedComparison | ExpectedRun:
    """Compare approaches on a table: which one wins, at which number of training rows, and how sure that is.

    Every approach is trained and tested on the same splits and on nested subsets of each split's training rows. The verdict rests
    on simultaneous confidence intervals of the differences in loss.

    Parameters
    ----------
    data : str, path, DataFrame, array or "-"
        A file (CSV, TSV, Parquet, Feather, JSON, ARFF, Excel, SQLite; also packed), a folder or pattern ("part-*.csv") of files
        that are parts of one table, the name of a data set, a frame (of pandas, polars, pyarrow or DuckDB), an array of features,
        or "-" for standard input. Also "generated:xor,rows=2000" (a generator and its parameters), "openml:31" (a data set of
        OpenML), "openml-task:31" (a task, with its splits and metric) and an https address.
    target : str or array of shape (n_rows,), default None
        The column to predict, or its values beside `data`; by default the column called target, label, y or class.
    approaches : str, list of str or dict, default None
        Names of approaches, or a dict that is the whole list: name -> a registered name, "default", or any scikit-learn
        estimator or pipeline, which gets the raw frame and the original labels. By default those of the effort.
    sizes : "auto" or list of int and "full", default "auto"
        Numbers of training rows.
    folds : int, default 5
        Folds of the outer cross-validation.
    repeats : int, default None
        Repeats of it; by default 3 up to 2,500 rows, 2 up to 10,000, else 1. With a test file how often models are trained: 5
        times up to 10,000 rows, else once.
    use_folds : int, default None
        Run only this many folds of one repeat; 1 is a single hold-out split.
    skip : str or list of str, default None
        Approaches not to run at a size, as "forest@400".
    splits : list of (array, array) or splitter, default None
        Your own (training positions, test positions) pairs into the rows as given, or a splitter of scikit-learn.
    fold : str, default None
        Column that names each row's fold.
    test : str, path or DataFrame, default None
        Your own test rows; all of `data` is then for training.
    preset : {"fast", "balanced", "thorough"}, default None
        Effort by name: 0.1, 1 or 6.
    effort : float, default None
        How much work every approach may do, from 0.01 to 100; by default 0.3, or under a time limit what fits.
    task : {"auto", "binary", "multiclass", "regression"}, default "auto"
        What kind of target it is.
    metric : str, callable or list of such, default None
        The metric that decides, and further ones to report; by default log_loss for classes and rmse for numbers. Also the names
        of scikit-learn, its scorers, functions of (y_true, y_pred), and what `cost_matrix` returns. A scorer or function judges
        by the splits alone, which takes larger differences than metrics that are means over rows.
    group, time, weight : str, default None
        Columns that hold groups, which are never divided between training and test rows, the order of the rows in time, and
        weights of the rows.
    drop : str or list of str, default ()
        Feature columns to leave out.
    missing : str or list, default None
        Codes that stand for a missing value besides an empty cell, such as "NA,-9,?"; by default they are found and named.
    types : dict of str to {"category", "number", "text", "date"}, default None
        What columns are, whatever they look like.
    merge_labels : bool, default False
        Labels that differ only in case, blanks or a final full stop are one.
    sheet : str, default None
        Sheet of a workbook; by default the first that holds a table.
    no_header : bool, default False
        The first row of a file is no header; its columns are called "column 1", "column 2" and so on.
    query : str, default None
        SELECT statement that gives the table of a SQLite file.
    margin : float, default None
        The difference that matters; by default 0.01 of the constant predictor's loss, for accuracy 0.01 and for auc 0.005.
    seed : int, default 0
        Seed of everything random.
    time_limit : str or float, default None
        Wall time from reading to report, as "90s" or "10m", or in seconds. The plan is chosen to fit.
    memory_limit : str or float, default None
        Memory of the whole process tree, as "8GB", or in bytes.
    jobs : int, default None
        Cells that run at the same time; by default the number of cores. Changes no number.
    device : {"auto", "cpu", "cuda"}, default "auto"
        For approaches that can use a GPU.
    calibrate : bool, default False
        Calibrate your own classifiers that have no `predict_proba` on inner folds of the training rows. Without it they rank rows
        by their `decision_function`, and count as sure of their labels where a metric takes probabilities.
    executor : str, default "local"
        Where cells run: "local" (worker processes), "in-process", or one that a package adds. Changes no number.
    out : path, default None
        Folder of the run, which is continued if it holds one; by default a temporary folder that goes with the result.
    fresh : bool, default False
        Start over in a folder that holds a run.
    save_winner : bool, default False
        Fit the recommended approach once more on all rows and save it to `out`/winner.
    race : bool, default False
        Stop approaches early for futility: those that are far behind do not run at larger sizes.
    extrapolate : bool, default False
        Extrapolate what 2 and 4 times as many rows would change; never a verdict.
    what_if : bool, default False
        Sensitivity analysis: repeat the comparison without the most suspicious feature and with other splits.
    quiet : bool, default False
        Show no progress.
    dry_run : bool, default False
        Only forecast what would run, with its expected time and memory.
    cv : int, splitter or list of (array, array), default None
        Number of folds, or as `splits`.
    scoring : str, callable or list of such, default None
        As `metric`.
    groups, sample_weight : array of shape (n_rows,) or str, default None
        Values beside `data`, or as `group` and `weight`.
    random_state : int, RandomState or Generator, default None
        As `seed`.
    n_jobs : int, default None
        As `jobs`; -1 is all cores.

    Returns
    -------
    result : FinishedComparison or ExpectedRun
        The comparison, with the records of result.json as frames and the methods `winner`, `report` and `save_winner`. With
        `dry_run` the plan, with its expected time and memory; nothing is fitted or written.

    Raises
    ------
    UserMistake
        Something that you can correct is wrong; nothing has been fitted by then.
    KeyboardInterrupt
        The run was interrupted; the reports in `out` cover what was complete.

    See Also
    --------
    compare_tables : Compare approaches over many tables.
    reopen : Open the result of an earlier run.
    predict : Predict new rows with a saved model.

    Notes
    -----
    The intervals hold simultaneously in each family of claims (Hothorn, Bretz and Westfall 2008, doi:10.1002/bimj.200810425). The
    probabilities of a pair are those of the correlated t-test's likelihood (Corani and Benavoli 2015,
    doi:10.1007/s10994-015-5486-z) with a prior around no difference. docs/method.md derives the variance of a difference.

    Examples
    --------
    >>> import numpy as np, pandas as pd, tabbench
    >>> X = np.random.default_rng(0).normal(size=(120, 3))
    >>> table = pd.DataFrame(X, columns=list("abc")).assign(y=X[:, 0] > 0)
    >>> plan = tabbench.compare(table, "y", approaches="linear", preset="fast", dry_run=True, quiet=True)
    >>> plan.protocol["sizes"][-1]
    96
    """
    data, given, splits = settled(data, {name: value for name, value in locals().items() if name != "data"})
    options, display = Options(**given).checked(), make_display(quiet=quiet, to_json=False, in_program=True)
    import scipy.linalg  # noqa: F401 - what is to be told its threads must be loaded

    with limited_threads(1):  # as for the command: the workers take the cores
        return _compare(data, options, splits, display)


def _compare(data: Any, options: Options, splits: Any, display: Display) -> FinishedComparison | ExpectedRun:
    if options.dry_run:
        return forecast(data, options, positions=splits, display=display)
    own = options.approaches if isinstance(options.approaches, Mapping) else {}
    source = Source(data, options, {name: each for name, each in own.items() if not isinstance(each, str)})
    if options.out is not None:
        return replace(_uninterrupted(run_comparison(data, options, positions=splits, display=display)), source=source)
    place = tempfile.mkdtemp(prefix="tabbench-")
    try:
        ran = run_comparison(data, replace(options, out=place), positions=splits, display=display)
        finished = replace(_uninterrupted(ran), source=source)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(finished, shutil.rmtree, place, ignore_errors=True)
    return finished


def _uninterrupted(finished: FinishedComparison) -> FinishedComparison:
    """Return the result, or raise `KeyboardInterrupt` if the run was interrupted; its reports have been written by then."""
    if finished.is_interrupted:
        raise KeyboardInterrupt
    return finished


def run_comparison(data: Any, options: Options, *, display: Display, positions: Any = None,
                   is_command: bool = False) -> FinishedComparison:
    """Compare with checked options, in the folder `options.out`; see `compare`. A command's clock starts with its process."""
    clock = Clock.start(options.limit_seconds, with_process=is_command)
    data, options = resolve_source(data, options)
    with Session.open(options, clock, display, prior=measured_costs(options)) as session:
        return _carry_out(session, lambda: _frozen(session, read_and_split(data, options, display, positions)))


def resume(path: Path, *, display: Display, is_command: bool = False, is_repaired: bool = False, **limits: Any
           ) -> FinishedComparison:
    """Run what an earlier `compare` left undone, with its options but for `limits` (jobs, time_limit, memory_limit).

    With `is_repaired`, results that are damaged are forgotten first.
    """
    with Session.reopen(path, display, is_command=is_command, is_repaired=is_repaired, **limits) as session:
        return _carry_out(session, lambda: recall_prepared(session.store))


def _carry_out(session: Session, prepare: Callable[[], Prepared]) -> FinishedComparison:
    """Run what the store lacks, judge and report; with `what_if` also the sensitivity analysis."""
    with resumable(session.store, session.display), session.executor() as executor:
        prepared = prepare()  # while the workers start
        is_checked = session.store.recall("is_checked")
        checking = None if is_checked else Checking(prepared, in_thread=session.leaves_threads)
        ran = run_missing(session, executor, prepared, _own_clock(session), checking=checking)
        refit = _early_refit(ran, session, executor)
        ran = checked(ran)
        finished = _answer(ran, session, executor, refit)
    return _varied(finished, ran.run, session, replace(prepared, findings=tuple(ran.run.findings)))


def _frozen(session: Session, prepared: Prepared) -> Prepared:
    sizes_of(prepared, session.options)  # refused before anything is written
    freeze(session.folder, session.store, prepared, session.options)
    if session.store.recall("is_checked"):  # the same table in an earlier call, as `freeze` has made sure
        prepared = replace(prepared, findings=recall_findings(session.store))
        say_findings(prepared, session.display)
    for name, estimator in session.contestants.own.items():
        if (why := why_unidentified(estimator)) is not None:
            session.display.say(f"{name} is fitted again in every call: what it is made of can't be compared with what it was "
                                f"({why})")
    return prepared


def _early_refit(ran: Ran, session: Session, executor: Executor[Any]) -> Refit | None:
    """Under a time limit, have what leads fitted on all rows: else workers would wait for the checks and a whole judgement."""
    return _begin_refit(ran, session, executor, leading(ran.run, session.store)) if _is_refitted(ran, session) else None


def _is_refitted(ran: Ran, session: Session) -> bool:
    return session.options.save_winner and not _is_interrupted(ran) and session.clock.deadline is not None


def _is_interrupted(ran: Ran) -> bool:
    return ran.run.limited is not None and ran.run.limited.is_interrupted


def _answer(ran: Ran, session: Session, executor: Executor[Any], refit: Refit | None) -> FinishedComparison:
    """Judge and report, while what leads is fitted on all rows; where something else is recommended, that is fitted instead."""
    store = session.store
    comparison = judged(ran.run, store)
    taken = chosen(comparison)
    store.remember(**taken)
    if _is_interrupted(ran):
        session.display.close()
        say_how_to_continue(store)
    elif _is_refitted(ran, session) and (refit is None or refit.approach != taken["recommended"]):
        refit = _begin_refit(ran, session, executor, taken["recommended"], refit)
    return finish(comparison, store, session.options, session.clock, session.display, refit,
                  is_interrupted=_is_interrupted(ran))


def _begin_refit(ran: Ran, session: Session, executor: Executor[Any], approach: str | None, earlier: Refit | None = None
                 ) -> Refit | None:
    """Have a worker fit this approach on all rows, in place of an earlier one; None where there is none that can be saved."""
    if earlier is not None:
        earlier.give_up()
    deadline = _own_clock(session).deadline
    if deadline is None or approach in (None, *session.contestants.own):
        return None
    return Refit.begin(executor, session.store.folder, ran.planner, str(approach), ran.plan.effort, deadline)


def _varied(finished: FinishedComparison, run: Run, session: Session, prepared: Prepared) -> FinishedComparison:
    """With `what_if`, repeat the comparison with one thing changed at a time (sensitivity analysis)."""
    if not session.options.what_if or finished.winners.empty or finished.is_interrupted:
        return finished
    # The question is what changes with the data, so the effort stays.
    options = replace(session.options, effort=run.effort, preset=None, skip=None, approaches=session.options.approaches or tuple(
        name for name in session.contestants.names if name in set(finished.scores["approach"])))

    def repeat(changed: Prepared, options: Options, clock: Clock) -> tuple[FinishedComparison, bool]:
        with Session.open(options, clock, session.display, contestants=session.contestants, prior=session.prior) as nested:
            with nested.executor() as executor:
                ran = run_missing(nested, executor, _frozen(nested, changed), clock, effort=run.effort)
                finished = _answer(ran, nested, executor, _early_refit(ran, nested, executor))
            if finished.is_interrupted:
                raise KeyboardInterrupt
            return finished, any(skip.kind is SkipKind.TIME for skip in ran.run.skips)

    with resumable(session.store, session.display):
        outcomes = repeat_changed(finished, prepared, options, session.clock, session.display.say, repeat)
    session.store.remember(what_if=[each.to_json() for each in outcomes])
    return renew(finished, judged(run, session.store))


def forecast(data: Any, options: Options, *, display: Display, positions: Any = None,
             is_command: bool = False) -> ExpectedRun:
    """Forecast what a comparison with checked options would run and cost. Reads, checks, splits and plans; writes nothing."""
    clock = Clock.start(options.limit_seconds, with_process=is_command)
    data, options = resolve_source(data, options)
    contestants, prior = all_contestants(options), measured_costs(options)
    prepared, clock = prepare(data, options, display, positions), _of_comparison(clock, options)
    sizes, device = sizes_of(prepared, options), "cpu" if options.device == "auto" else options.device
    planner = make_planner(prepared, contestants, sizes, options, prior, options.jobs or usable_cores(), device)
    display.close()
    return expect_plan(planner, prepared, clock)


def _own_clock(session: Session) -> Clock:
    return _of_comparison(session.clock, session.options)


def _of_comparison(clock: Clock, options: Options) -> Clock:
    """Return the comparison's own share of the time limit; the sensitivity analysis of `what_if` has the rest."""
    return clock.part(COMPARISON_SHARE) if options.what_if else clock
