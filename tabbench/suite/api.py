"""`run_suite`: a suite from Python, and the result that it gives."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tabbench.core.suite_result import SuiteResult
from tabbench.report.live import make_display
from tabbench.report.suite_as_files import report_command
from tabbench.report.suite_as_html import suite_html
from tabbench.report.suite_as_json import suite_values
from tabbench.report.suite_as_markdown import suite_markdown
from tabbench.suite.definition import Suite, find_suite
from tabbench.suite.gather import NoResults
from tabbench.suite.report import write_and_read
from tabbench.suite.run import run_definition
from tabbench.suite.run_options import run_options


@dataclass(frozen=True, eq=False)
class FinishedSuite(SuiteResult):
    """Result of a suite: what its tables say together, the frames behind it, and the folder of its run.

    docs/suite-result-json.md describes all frames and their columns. A notebook shows it as its report.

    Parameters
    ----------
    suite : dict
        Name and title.
    protocol : dict
        Margin, level, seed and versions of libraries.
    tables : DataFrame
        One row per table: its shape, what became of it, and its own verdict.
    approaches : DataFrame
        The approaches, with their families and versions.
    verdicts : DataFrame
        One row per range of training rows, and one for all tables at their full size.
    ranks : DataFrame
        Mean rank of each approach and its interval, by range.
    pairs : DataFrame
        One row per pair and range: difference in margins, tests, probabilities and decision.
    cliques : DataFrame
        Approaches of which no two are shown to differ.
    elo : DataFrame
        Elo rating of each approach and its interval.
    improvability : DataFrame
        Improvability of each approach and its interval, by metric.
    means : DataFrame
        Mean score of each approach by table and size.
    crossovers : DataFrame
        At which sizes of each table one family overtakes another.
    crossed : DataFrame
        On how many tables they have done so, by size.
    failures : DataFrame
        Fits that ended without a model.
    splits : DataFrame
        Every split of every table, with a hash of its rows.
    scores : DataFrame
        Every approach's score on every split.
    cell_costs : DataFrame
        Seconds and memory of every fit.
    relative_costs : DataFrame
        Fit times relative to those of one approach.
    folder : Path
        Folder of the run.

    Attributes
    ----------
    sentence : str
        The verdict over all tables in words.
    families : dict of str to str
        Approach to family, in listing order.
    finished : DataFrame
        The rows of `tables` that have scores.

    See Also
    --------
    run_suite : Run a suite.
    """

    folder: Path

    @property
    def sentence(self) -> str:
        """The verdict over all tables in words."""
        return str(self.verdicts["sentence"].iloc[0])

    def to_json(self) -> dict[str, Any]:
        """Return all values and frames as plain values for JSON.

        Returns
        -------
        values : dict
            Frames as lists of records; undefined numbers are None.
        """
        return suite_values(self)

    def to_markdown(self) -> str:
        """Return the whole report as Markdown.

        Returns
        -------
        text : str
            The report.
        """
        return suite_markdown(self, report_command(self.folder))

    def _repr_html_(self) -> str:
        return suite_html(self, report_command(self.folder))

    def __str__(self) -> str:
        return self.sentence


def run_suite(
    suite: str | os.PathLike[str] | Suite, *, approaches: str | Sequence[str] | Mapping[str, Any] | None = None,
    effort: float | str | None = None, preset: str | None = None, sizes: str | Sequence[int | str] | None = None,
    folds: int | None = None, repeats: int | None = None, use_folds: int | None = None, margin: float | None = None,
    seed: int | None = None, device: str | None = None, executor: str | None = None, jobs: int | None = None,
    time_limit: str | float | None = None, memory_limit: str | float | None = None,
    out: str | os.PathLike[str] | None = None, fresh: bool = False, quiet: bool = False,
) -> FinishedSuite:
    """Compare approaches on all tables of a suite.

    What is given here comes before the suite's own options. Called again with the same folder, only what is new is run: a further
    approach, repeat or table.

    Parameters
    ----------
    suite : str, path or Suite
        Name of a suite that comes with tabbench, or a TOML file.
    approaches : str, list of str or dict, default None
        As in `compare`: names, or a dict of names and scikit-learn estimators.
    effort : float, default None
        How much work every approach may do, for every table, as in `compare`; None takes the suite's own, here and below.
    preset : {"fast", "balanced", "thorough"}, default None
        Effort by name.
    sizes : "auto" or list of int and "full", default None
        Numbers of training rows.
    folds, repeats, use_folds : int, default None
        Folds of the outer cross-validation, repeats of it, and how many folds of one repeat to run.
    margin : float, default None
        The difference that matters on each table.
    seed : int, default None
        Seed of everything random.
    device : {"auto", "cpu", "cuda"}, default None
        For approaches that can use a GPU.
    executor : str, default None
        Where cells run.
    jobs : int, default None
        Cells that run at the same time; by default the number of cores. Changes no number.
    time_limit : str or float, default None
        Wall time of the whole suite, shared among its tables.
    memory_limit : str or float, default None
        Memory of the whole process tree, as "8GB", or in bytes.
    out : path, default None
        Folder of the run; by default tabbench-suite-NAME.
    fresh : bool, default False
        Start over in a folder that holds a run.
    quiet : bool, default False
        Show no progress.

    Returns
    -------
    result : FinishedSuite
        What the tables say together; the folder holds its reports and every table's own.

    Raises
    ------
    UnknownName
        There is no such suite.
    BadData
        The file is not a suite.
    BadOption
        An option is wrong, no table can be used, or the folder holds something else.
    KeyboardInterrupt
        The run was interrupted; what is complete has been reported by then.

    See Also
    --------
    compare : Compare approaches on one table.
    compare_tables : Compare approaches over runs that were made one by one.
    verify : Run random cells of a suite again.
    """
    given = {name: value for name, value in locals().items() if name != "suite"}
    found = suite if isinstance(suite, Suite) else find_suite(os.fspath(suite))
    with threadpool_limits(1):  # as for the command: the workers take the cores
        done = run_definition(found, run_options(found, given), make_display(quiet=quiet, to_json=False, in_program=True))
        try:
            result = write_and_read(done.folder)
        except NoResults:
            if done.is_interrupted:
                raise KeyboardInterrupt from None
            raise
    if done.is_interrupted:
        raise KeyboardInterrupt
    return FinishedSuite(**{each.name: getattr(result, each.name) for each in fields(SuiteResult)}, folder=done.folder)
