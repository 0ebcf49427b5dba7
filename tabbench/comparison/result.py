"""What `compare` hands back: the comparison, and what needs the run's folder: reports, the winner, exports."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import pandas as pd

from tabbench.comparison.completed import judged
from tabbench.comparison.export import export_approach
from tabbench.comparison.progress import Clock
from tabbench.comparison.refit import Refit
from tabbench.comparison.resume import recall_run
from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadOption
from tabbench.core.files import write_atomically
from tabbench.core.progress import Display
from tabbench.options import Options
from tabbench.report import render
from tabbench.store.database import Store
from tabbench.store.folder import WINNER, require_run, writing

FORMATS = {".html": "html", ".htm": "html", ".md": "md", ".json": "json", ".csv": "csv"}


@dataclass(frozen=True, eq=False)
class FinishedComparison(Comparison):
    """A comparison with its run's folder. Its frames are the answer; shows itself in a notebook."""

    folder: Path = Path()
    is_interrupted: bool = False

    def winner(self, size: int | None = None) -> pd.Series:
        """The row of `winners` for a training size.

        Parameters
        ----------
        size : int | None, default None
            Number of training rows; the largest grid size at or below it answers. None is the largest size judged.

        Raises
        ------
        BadOption
            Above the full size or below the smallest one: nothing was measured there.
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
        """Write a report; the file's suffix says which: .html, .md, .json or .csv."""
        path = Path(path)
        if path.suffix.lower() not in FORMATS:
            raise BadOption(f"a report's name must end in {', '.join(FORMATS)}, not {path.name!r}")
        try:
            write_atomically(path, render(self, FORMATS[path.suffix.lower()]).encode())
        except OSError as error:
            raise BadOption(f"cannot write the report {path}: {error.strerror}; choose another place") from error
        return path

    def save_winner(self, path: str | Path, approach: str | None = None) -> Path:
        """Refit the best approach, or the one named, on all rows and write it without pickle; see `tabbench.predict`."""
        return export_approach(self.folder, Path(path), approach)

    def _repr_html_(self) -> str:
        from tabbench.report.as_html import to_notebook

        return to_notebook(self)

    def __str__(self) -> str:
        return self.sentence


def finish(comparison: Comparison, store: Store, options: Options, clock: Clock, display: Display, refit: Refit | None = None,
           *, is_interrupted: bool = False) -> FinishedComparison:
    """Write the reports, save the winner if asked, close the display.

    Parameters
    ----------
    refit : Refit | None, default None
        Fits of the winner that are under way; None where it is to be fitted here, after an interruption not at all.

    Raises
    ------
    TabbenchError
        There is no winner to save or it can't be saved; the reports are written by then.
    """
    earlier = store.recall("timing", {})
    if options.save_winner and refit is not None and not is_interrupted:
        finished = _written(comparison, store, clock, earlier)  # while the winner is fitted
        effort = refit.take(display)
        display.close()
        store.remember(winner_effort=effort, timing=clock.timing(earlier))
        return finished
    try:
        if options.save_winner and not is_interrupted:
            export_approach(store.folder, store.folder / WINNER)
    finally:
        finished = _written(comparison, store, clock, earlier, is_interrupted=is_interrupted)
        display.close()
    return finished


def _written(comparison: Comparison, store: Store, clock: Clock, earlier: dict[str, float], *, is_interrupted: bool = False
             ) -> FinishedComparison:
    timing = clock.timing(earlier)
    store.remember(timing=timing)
    finished = as_finished(replace(comparison, timing=timing), store.folder, is_interrupted=is_interrupted)
    with writing(store.folder):
        write_reports(finished)
    return finished


def renew(finished: FinishedComparison, comparison: Comparison) -> FinishedComparison:
    """A finished comparison judged once more, with its reports; it keeps its times."""
    renewed = as_finished(replace(comparison, timing=finished.timing), finished.folder)
    with writing(finished.folder):
        write_reports(renewed)
    return renewed


def reopen(folder: str | Path) -> FinishedComparison:
    """Judge a run anew from what its store holds; nothing is fitted and nothing is written."""
    with Store(require_run(Path(folder))) as store:
        run = recall_run(store)
        return as_finished(judged(run, store), Path(folder))


def as_finished(comparison: Comparison, folder: Path, *, is_interrupted: bool = False) -> FinishedComparison:
    """The same comparison with its folder."""
    return FinishedComparison(**{each.name: getattr(comparison, each.name) for each in fields(Comparison)}, folder=folder,
                              is_interrupted=is_interrupted)


def write_reports(finished: FinishedComparison) -> None:
    """result.json, report.md and report.html in the run's folder."""
    for name in ("result.json", "report.md", "report.html"):
        finished.report(finished.folder / name)


def best_of(comparison: Comparison) -> str | None:
    """The approach to take home: of the lowest mean loss at the headline size; None where nothing can be recommended there."""
    rows = comparison.winners[comparison.winners["size"] == comparison.protocol["headline_size"]].dropna(subset=["best"])
    if rows.empty or (rows.iloc[0]["decision"] != "none" and rows.iloc[0]["recommended"] is None):
        return None
    return str(rows.iloc[0]["best"])
