"""The result of `compare`: the comparison, and what needs the run's folder: reports, the winner, exports."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tabbench.comparison.completed import judged
from tabbench.comparison.export import RECOMMENDED, export_approach
from tabbench.comparison.looking_back import leaderboard_frame, predictions_frame
from tabbench.comparison.predict import predict as predict_rows
from tabbench.comparison.progress import Clock
from tabbench.comparison.refit import Refit
from tabbench.comparison.refitted import Source, refitted
from tabbench.comparison.resume import recall_run
from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadOption
from tabbench.core.files import write_atomically
from tabbench.core.progress import Display
from tabbench.options import Options
from tabbench.report import render
from tabbench.report.as_json import to_json
from tabbench.store.database import Store
from tabbench.store.folder import WINNER, require_run, writing

FORMATS = {".html": "html", ".htm": "html", ".md": "md", ".json": "json", ".csv": "csv"}
REPORTS = ("result.json", "report.md", "report.html")


@dataclass(frozen=True, eq=False)
class FinishedComparison(Comparison):
    """Result of a comparison: frames of scores, verdicts and costs, and the folder of its run.

    The frames hold the records of result.json; docs/result-json.md describes all of their columns. A notebook shows the
    comparison as its report.

    Parameters
    ----------
    table : dict
        The table as it was read: name, number of rows and columns, target, task, classes and roles.
    protocol : dict
        How it was compared: metric, sizes, folds, repeats, margin, level, seed, effort and plan.
    approaches : DataFrame
        The approaches, with their families, versions and settings.
    scores : DataFrame
        One row per approach, size and metric: mean over the splits and its marginal interval.
    winners : DataFrame
        One row per size: the decision, the approaches that no other beats, the best and the recommended one.
    pairs : DataFrame
        One row per pair and size: difference in loss, simultaneous interval and decision.
    crossovers : DataFrame
        Sizes at which two representatives change places.
    sentence : str
        The verdict in words.
    findings : DataFrame
        Findings of the data checks.
    incidents : DataFrame
        What the guards of training saw and did.
    failures : DataFrame
        Cells that ended without a model; the constant predictor stands in for them.
    skipped : DataFrame
        Approaches that were not run at a size, and why.
    costs : DataFrame
        Seconds per fit, microseconds per predicted row and peak memory in MB, by approach and size.
    cost_crossovers : DataFrame
        Sizes from which on one of two representatives is faster to fit.
    selection : DataFrame
        What the feature selectors chose, and how stable the choice is over the splits.
    training : DataFrame
        Training curves and layers of the nets of one fit of each approach.
    other_crossovers : DataFrame
        As `crossovers`, for all other pairs.
    family_crossovers : DataFrame
        As `crossovers`, for the best of one family against the best of another.
    budget_crossovers : DataFrame
        Seconds of one fit from which on one of two approaches is better, by mean loss.
    extrapolation : DataFrame
        Expected differences at 2 and 4 times as many rows, by pair; empty without `extrapolate`.
    extrapolated_scores : DataFrame
        Extrapolated scores of the approaches; empty without `extrapolate`.
    what_if : DataFrame
        Sensitivity analysis: the answers by other metrics and, with `what_if`, on changed data, each beside the verdict.
    cost_limits : DataFrame
        Recommended approaches under a limit on a cost.
    winner_map : DataFrame
        Recommended approaches by number of rows and seconds of one fit.
    timing : dict
        Wall and processor seconds of all calls that made the run.
    reading : tuple of str, default ()
        How the file was understood, line by line.
    columns : DataFrame
        How each column was read, with examples as written and as read.
    tuned : DataFrame
        Hyperparameters that were found, one row per fit at the headline size, and the code that gives the row again.
    folder : path, default Path()
        Folder of the run.
    is_interrupted : bool, default False
        Whether the run was interrupted before it was complete.
    source : Source or None, default None
        The data and options that `compare` was called with; None for a run that was reopened or unpickled.

    Attributes
    ----------
    best_estimator_ : object
        The recommended approach as an estimator, fitted on all rows as they were given when it is first asked for.
    predictions : DataFrame
        Predictions for the test rows, one row per tested row and fit.

    See Also
    --------
    compare : Run a comparison.
    reopen : Open the result of an earlier run.
    """

    folder: Path = Path()
    is_interrupted: bool = False
    source: Source | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "source": None}  # a pickle holds results, not the caller's data

    def winner(self, size: int | None = None) -> pd.Series:
        """Return the row of `winners` for a training size.

        Parameters
        ----------
        size : int or None, default None
            Number of training rows. The answer is that of the largest size of the comparison at or below it; None is the
            largest size.

        Returns
        -------
        winner : Series
            Decision, approaches, best and recommended approach and score at that size.

        Raises
        ------
        BadOption
            The size is above the largest or below the smallest one that was run.
        """
        sizes = sorted(self.winners["size"])
        if not sizes:
            raise BadOption(f"nothing was judged: {self.sentence}")
        if size is None:
            size = sizes[-1]
        if size > sizes[-1]:
            raise BadOption(f"size {size:,} is above {sizes[-1]:,}, the largest that was run; ask for that or less")
        below = [each for each in sizes if each <= size]
        if not below:
            raise BadOption(f"size {size:,} is below {sizes[0]:,}, the smallest that was run; run it with --sizes {size},full")
        return self.winners.set_index("size", drop=False).loc[below[-1]]

    def report(self, path: str | Path) -> Path:
        """Write a report as HTML, Markdown, JSON or CSV.

        Parameters
        ----------
        path : str or path
            File to write; its suffix (.html, .md, .json or .csv) determines the format.

        Returns
        -------
        path : Path
            The file that was written.

        Raises
        ------
        BadOption
            The suffix is another one, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in FORMATS:
            raise BadOption(f"a report's name must end in {', '.join(FORMATS)}, not {path.name!r}")
        try:
            write_atomically(path, render(self, FORMATS[path.suffix.lower()]).encode())
        except OSError as error:
            raise BadOption(f"cannot write the report {path}: {error.strerror}; choose another place") from error
        return path

    def save_winner(self, path: str | Path, approach: str | None = None) -> Path:
        """Refit the recommended approach, or another one, on all rows and save it without pickle.

        Parameters
        ----------
        path : str or path
            Folder to write, or a single file if it has a suffix.
        approach : str or None, default None
            "recommended" (None), "best" (the lowest mean loss) or the name of an approach.

        Returns
        -------
        path : Path
            The folder or file that was written.

        Raises
        ------
        BadOption
            The run has no recommended approach yet, its folder is gone, or the approach is an estimator of your own, which cannot
            be saved.
        UnknownName
            The approach was not part of the run.

        See Also
        --------
        predict : Predict new rows with a saved model.
        """
        return export_approach(self._own_folder(), Path(path), approach or RECOMMENDED)[0]

    def predict(self, data: Any, approach: str | None = None) -> Any:
        """Refit the recommended approach, or another one, on all rows and predict new ones.

        Parameters
        ----------
        data : str, path or DataFrame
            New rows, with the columns of the training data in any order.
        approach : str or None, default None
            "recommended" (None), "best" (the lowest mean loss) or the name of an approach.

        Returns
        -------
        frame : DataFrame
            A frame of the library of `data`, else of pandas, with the columns that `tabbench.predict` gives.

        Raises
        ------
        BadOption
            The run has no recommended approach yet, its folder is gone, or the approach is an estimator of your own.
        """
        with tempfile.TemporaryDirectory(prefix="tabbench-") as place:
            return predict_rows(self.save_winner(Path(place) / "model", approach), data)[0]

    def leaderboard(self, size: int | None = None) -> pd.DataFrame:
        """Return the approaches at a training size, the recommended one first, the others by their means.

        Parameters
        ----------
        size : int or None, default None
            As for `winner`.

        Returns
        -------
        leaderboard : DataFrame
            One row per approach: the mean of every metric, the deciding one first, with its marginal interval; failed fits,
            costs, and whether the approach is in the top set and recommended.

        Raises
        ------
        BadOption
            The size is above the largest or below the smallest one that was run.
        """
        return leaderboard_frame(self, int(self.winner(size)["size"]))

    @cached_property
    def best_estimator_(self) -> Any:
        """The recommended approach as an estimator of scikit-learn's kind, fitted on all rows when it is first asked for."""
        with Store.reading(require_run(self._own_folder())) as store:
            run, name, aliases = recall_run(store), store.recall("recommended"), store.recall("aliases", {})
        if name is None:
            raise BadOption("no approach is recommended yet, so that there is no best estimator; see the sentence")
        return refitted(aliases.get(name, name), run.setup, run.effort, self.source, self.folder)

    @property
    def predictions(self) -> pd.DataFrame:
        """Predictions for the test rows: one row per tested row and fit, with its position in the data, truth and prediction."""
        return predictions_frame(self._own_folder())

    def _own_folder(self) -> Path:
        """Return the run's folder, from which models are fitted and predictions are read."""
        if not self.folder.is_dir():
            raise BadOption(f"the folder of this run, {self.folder}, is gone, and its data and predictions with it: a temporary "
                            "run ends with the process or object that made it; compare again with out=FOLDER")
        return self.folder

    def _repr_html_(self) -> str:
        from tabbench.report.as_html import to_notebook

        return to_notebook(self)

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        table, sizes = self.table, self.protocol["sizes"]
        return (f"<{type(self).__name__} of {len(self.approaches)} approaches on {table['name']} ({table['rows']:,} rows), at "
                f"{len(sizes)} sizes up to {max(sizes, default=0):,}, by {self.protocol['metric']}: {self.sentence}>")


def finish(comparison: Comparison, store: Store, options: Options, clock: Clock, display: Display, refit: Refit | None = None,
           *, is_interrupted: bool = False) -> FinishedComparison:
    """Write the reports, save the winner if asked, and close the display.

    Parameters
    ----------
    refit : Refit | None, default None
        Fits of the winner that are running already. If None, the winner is fitted here, unless the run was interrupted.

    Raises
    ------
    TabbenchError
        There is no winner to save, or it cannot be saved; the reports have been written by then.
    """
    earlier = store.recall("timing", {})
    if options.save_winner and refit is not None and not is_interrupted:
        finished = _written(comparison, store, clock, earlier)  # while the winner is fitted
        effort = refit.take(display)
        display.say(f"{WINNER}: {refit.approach}, fitted on all rows")
        display.close()
        store.remember(winner_effort=effort, timing=clock.timing(earlier))
        return finished
    try:
        if options.save_winner and not is_interrupted:
            _, name = export_approach(store.folder, store.folder / WINNER, jobs=options.jobs)
            display.say(f"{WINNER}: {name}, fitted on all rows")
    finally:
        finished = _written(comparison, store, clock, earlier, is_interrupted=is_interrupted)
        display.close()
    return finished


def _written(comparison: Comparison, store: Store, clock: Clock, earlier: dict[str, float], *, is_interrupted: bool = False
             ) -> FinishedComparison:
    cells = len(store.finished())
    is_new = not earlier or cells != store.recall("timed_cells")
    timing = clock.timing(earlier) if is_new else earlier  # a call that only judges again costs the run nothing
    store.remember(timing=timing, timed_cells=cells)
    finished = as_finished(replace(comparison, timing=comparison.timing | timing), store.folder, is_interrupted=is_interrupted)
    with writing(store.folder):
        write_reports(finished)
    return finished


def renew(finished: FinishedComparison, comparison: Comparison) -> FinishedComparison:
    """Judge a finished comparison again and rewrite its reports; it keeps its times."""
    renewed = as_finished(replace(comparison, timing=finished.timing), finished.folder)
    with writing(finished.folder):
        write_reports(renewed)
    return renewed


def reopen(folder: str | Path) -> FinishedComparison:
    """Open the result of an earlier run, judged again from its store.

    Nothing is fitted and nothing is written.

    Parameters
    ----------
    folder : str or path
        Folder of the run.

    Returns
    -------
    comparison : FinishedComparison
        The result as `compare` returned it, as far as the run is complete.

    Raises
    ------
    BadOption
        The folder does not exist or holds no run.
    """
    with Store.reading(require_run(Path(folder))) as store:
        run = recall_run(store)
        return as_finished(judged(run, store), Path(folder))


def as_finished(comparison: Comparison, folder: Path, *, is_interrupted: bool = False) -> FinishedComparison:
    """Return the comparison with its folder."""
    return FinishedComparison(**{each.name: getattr(comparison, each.name) for each in fields(Comparison)}, folder=folder,
                              is_interrupted=is_interrupted)


def write_reports(finished: FinishedComparison) -> None:
    """Write result.json, report.md and report.html to the run's folder, unless they are there and nothing but time has passed."""
    if not _is_reported(finished):
        for name in REPORTS:
            finished.report(finished.folder / name)


def _is_reported(finished: FinishedComparison) -> bool:
    if not all((finished.folder / name).exists() for name in REPORTS):
        return False
    try:
        earlier = json.loads((finished.folder / REPORTS[0]).read_bytes())
    except ValueError:
        return False
    return isinstance(earlier, dict) and earlier | {"timing": None} == to_json(finished) | {"timing": None}


def device_of(comparison: FinishedComparison) -> str:
    """Return the device of the approaches that can use a GPU: "cpu" or "cuda"."""
    with Store.reading(comparison.folder) as store:
        return str(store.recall("device"))
