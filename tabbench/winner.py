"""Using the answer: refit an approach on all rows, write it without pickle, predict with what was written."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.composed import find_approach
from tabbench.core.cell import digest
from tabbench.core.errors import BadOption, MissingExtra, UnknownName
from tabbench.core.setup import Setup
from tabbench.execution.run import distribution_of, refit, why_it_does_not_load
from tabbench.execution.schedule import TIME_LIMIT
from tabbench.model.fitted import as_saved
from tabbench.model.predicting import prediction_frame, restore_model
from tabbench.model.saving import SavedModel, load_model, save_model
from tabbench.options import work_of
from tabbench.plan import settings_of
from tabbench.reading.leaving_out import is_named_identifier
from tabbench.reading.schema import read_new_rows
from tabbench.store.database import Store
from tabbench.store.folder import require_run
from tabbench.store.setups import load_setup

SAFE_FACTOR, SAFE_GROWTH = 1.1, 0.12
"""Work is chosen so that it may take 1.1 times as long as expected, and a third as long again with ten times the work: so well is
known how costs grow with it (measured). A fit that is late is lost, not the one before it."""
SMALL_SHARE, FIRST_FACTOR = 0.35, 1.35
"""A first fit that takes this part of the time tells how fast fits are at the moment; a larger one is itself the last, and chosen
so that it may take so many times as long as expected."""
WORTH_MORE = 1.4
"""So many times the work is worth another fit: from effort 0.3 to 1 the loss of boosted trees falls by less than 1 %."""
PREDICTION_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def export_approach(folder: Path, path: Path, name: str | None = None) -> Path:
    """Refit an approach on every row of a run's table and write it: a folder, or one file if `path` has a suffix.

    Parameters
    ----------
    folder : of the run.  name : None is the `best` approach.

    Raises
    ------
    BadOption : the run has no best approach yet, or the approach is the user's own estimator, which can't be written.
    UnknownName : the approach was not part of the run.
    """
    with Store(require_run(folder)) as store:
        options, device = store.recall("options"), store.recall("device", "cpu")
        names = [entry["name"] for entry in store.recall("entries", [])]
        plan = store.recall("plan")
        best, own, aliases = store.recall("best"), store.recall("own", []), store.recall("aliases", {})
        is_out_of_time = any(skip["reason"] == TIME_LIMIT for skip in store.recall("skips", []))
    if options is None or (name is None and best is None):
        why = ", as --time-limit was too short" if is_out_of_time else ""
        more = " with a longer --time-limit" if is_out_of_time else ""
        raise BadOption(f"the run in {folder} has no best approach yet{why}; finish it with tabbench resume {folder}{more}")
    name = best if name is None else name
    if name in own:
        raise BadOption(f"{name} is an estimator of your own and can't be exported; name another with --approach, "
                        "or fit it yourself on all rows")
    if name not in names:
        raise UnknownName.among("approach of this run", name, names)
    effort = work_of(options.get("effort"), options["preset"]) if plan is None else plan["effort"]
    setup = load_setup(folder)
    return save_model(path, fitted_on_all_rows(setup, aliases.get(name, name), effort, device))


def save_refits(folder: Path, name: str, steps: Sequence[tuple[float, float]], deadline: float, device: str, place: str,
                side_by_side: int) -> None:
    """Refit a registered approach on every row of a run's table, again with more work as long as there is time for it.

    Parameters
    ----------
    steps : (effort, expected seconds), ascending.
    deadline : the clock's reading at which the last fit has to be written.
    place : the model of the n-th step is written to the folder PLACE-n.
    """
    setup = load_setup(folder)
    step = first_step(steps, deadline - time.monotonic())
    while True:
        began = time.monotonic()
        save_model(Path(f"{place}-{step}"), fitted_on_all_rows(setup, name, steps[step][0], device, side_by_side))
        now = time.monotonic()
        following = next_step(steps, step, now - began, deadline - now)
        if following is None:
            return
        step = following


def first_step(steps: Sequence[tuple[float, float]], seconds_left: float) -> int:
    """The first one, as long as it leaves most of the time for another; else the last for which there should be time.

    >>> first_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 12.0), first_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 5.5)
    (0, 1)
    """
    if steps[0][1] <= SMALL_SHARE * seconds_left:
        return 0
    return max((step for step, (_, expected) in enumerate(steps) if FIRST_FACTOR * expected <= seconds_left), default=0)


def next_step(steps: Sequence[tuple[float, float]], done: int, seconds: float, seconds_left: float) -> int | None:
    """The last step that should be done in time, when step `done` has taken so many seconds; None where it is not worth it.

    >>> next_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 0, seconds=1.0, seconds_left=6.0)
    2
    >>> next_step([(0.1, 2.0), (0.2, 4.0), (0.4, 8.0)], 0, seconds=2.0, seconds_left=4.0) is None
    True
    """
    growth = [expected / steps[done][1] for _, expected in steps]
    in_time = [step for step in range(done + 1, len(steps))
               if SAFE_FACTOR * growth[step] ** (1 + SAFE_GROWTH) * seconds <= seconds_left]
    return in_time[-1] if in_time and steps[in_time[-1]][0] >= WORTH_MORE * steps[done][0] else None


def fitted_on_all_rows(setup: Setup, name: str, effort: float, device: str, side_by_side: int = 1) -> SavedModel:
    """The approach, fitted on the whole table, as it is saved."""
    approach, table = find_approach(name), setup.table
    settings = settings_of(approach, setup, len(table), effort)
    seed = int(digest([table.fingerprint, name, approach.version, setup.seed, "refit"])[:8], 16)
    view, fitted = refit(setup, approach, settings, seed, side_by_side=side_by_side,
                         device=device if approach.uses_device else "cpu")
    return as_saved(setup, approach, view, fitted, len(table), effort, settings)


def predict(model: str | Path, data: Any) -> tuple[pd.DataFrame, list[str]]:
    """Predictions of a saved model for new rows, in their order; and what was noticed about them.

    Parameters
    ----------
    model : a run's `winner/` or an exported file.
    data : a file's path, "-" or a frame, with the columns that the model learnt from in any order.

    Returns
    -------
    frame : identifier columns as given, `prediction`, and for classification one `probability_LABEL` a class.
    notes : one sentence each. A file with a header only gives a frame with these columns and no rows, and a note.

    Raises
    ------
    BadData : a column is missing or cannot be read as what it was in training.
    """
    saved = load_model(Path(model))
    approach = find_approach(saved.approach)
    for module in approach.requires:
        why = why_it_does_not_load(module)
        if why is not None:
            package = distribution_of(module)
            raise MissingExtra(f"the model needs the package {package}, which does not load ({why}); pip install {package}")
    fitted = restore_model(saved, find_approach)
    rows = read_new_rows(data, saved.columns)
    carried = _identifiers(rows.raw.columns, saved)
    if len(rows.features):
        predictions = fitted.predict(rows.features)
    else:  # many a library refuses to predict no rows
        predictions = np.empty(0 if saved.task.is_regression else (0, saved.task.n_classes))
    return prediction_frame(predictions, saved.task, rows.raw[carried] if carried else None), rows.notes


def _identifiers(names: Iterable[str], saved: SavedModel) -> list[str]:
    """The columns that only name rows: passed through, unless the model learnt from them."""
    known = {column.name for column in saved.columns}
    left_out = set(saved.about["identifiers"])
    return [name for name in names if name not in known and (name in left_out or is_named_identifier(name))]


def write_predictions(frame: pd.DataFrame, path: str | Path, data: Any = None) -> None:
    """Write predictions as the name says: .csv, .tsv (both also .gz) or .parquet. The file is there whole or not at all.

    Parameters
    ----------
    data : what was predicted; if it is a file, it is not overwritten.

    Raises
    ------
    BadOption : another suffix, a folder, a folder that does not exist, the file of the data, a place that can't be written.
    """
    path = Path(path)
    try:
        _refuse_place(path, data)
        with tempfile.TemporaryDirectory(prefix=".tabbench-", dir=path.parent) as scratch:
            written = Path(scratch) / path.name
            _write(frame, written)
            written.replace(path)
    except OSError as error:
        raise BadOption(f"cannot write {path}: {error.strerror or error}; choose another place with --out") from error


def _refuse_place(path: Path, data: Any) -> None:
    if path.is_dir():
        raise BadOption(f"{path} is a folder; name a file in it with --out, such as {path / 'predictions.csv'}")
    if not path.name.lower().endswith(PREDICTION_SUFFIXES):
        raise BadOption(f"cannot write predictions as {path.name}; let --out end in {', '.join(PREDICTION_SUFFIXES)}")
    if not path.parent.is_dir():
        raise BadOption(f"there is no folder {path.parent}; make it, or choose another place with --out")
    source = Path(data).expanduser() if isinstance(data, str | Path) else None
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise BadOption(f"{path} is the file to predict and would be overwritten; choose another name with --out")


def _write(frame: pd.DataFrame, path: Path) -> None:
    name = path.name.lower()
    if name.endswith(".parquet"):
        frame.to_parquet(path)
        return
    # Without the time of day in gzip's header, equal predictions are equal files.
    frame.to_csv(path, index=False, sep="\t" if name.endswith((".tsv", ".tsv.gz")) else ",",
                 compression={"method": "gzip", "mtime": 0} if name.endswith(".gz") else None)

