"""Using the answer: refit an approach on all rows, write it without pickle, predict with what was written."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd

from tabbench.approaches.composed import find_approach
from tabbench.core.cell import digest
from tabbench.core.errors import BadOption, MissingExtra, UnknownName
from tabbench.core.setup import Setup
from tabbench.data.schema import read_new_rows
from tabbench.model.predicting import prediction_frame, restore_model
from tabbench.model.saving import SavedModel, load_model, save_model
from tabbench.plan import settings_of
from tabbench.preparing import versions
from tabbench.run import refit
from tabbench.store.database import Store
from tabbench.store.folder import require_run, write_atomically
from tabbench.store.setups import load_setup

IDENTIFIER = "identifier-column"
"""The code of the finding that says that reading left a column out because it only names rows."""


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
        best, own = store.recall("best"), store.recall("own", [])
    if options is None or (name is None and best is None):
        raise BadOption(f"the run in {folder} has no best approach yet; finish it with tabbench resume {folder}")
    name = best if name is None else name
    if name in own:
        raise BadOption(f"{name} is an estimator of your own and can't be exported; name another with --approach, "
                        "or fit it yourself on all rows")
    if name not in names:
        raise UnknownName.among("approach of this run", name, names)
    setup = load_setup(folder)
    return save_model(path, fitted_on_all_rows(setup, name, options["preset"], device))


def fitted_on_all_rows(setup: Setup, name: str, preset: str, device: str) -> SavedModel:
    """The approach, fitted on the whole table, as it is saved."""
    approach, table = find_approach(name), setup.table
    settings = settings_of(approach, setup, len(table), preset)
    seed = int(digest([table.fingerprint, name, approach.version, setup.seed, "refit"])[:8], 16)
    view, fitted = refit(setup, approach, settings, seed, device=device if approach.uses_device else "cpu")
    identifiers = [finding.subject for finding in table.findings if finding.code == IDENTIFIER]
    about = {"table": table.name, "rows": len(table), "fingerprint": table.fingerprint, "target": table.target_name,
             "metric": setup.task.metric, "settings": settings, "tuned": fitted.tuned, "versions": versions(),
             "identifiers": identifiers}
    return SavedModel(approach=name, version=approach.version, task=setup.task, columns=table.columns,
                      view_name=approach.view, view=view.to_parts(), model=fitted.to_parts(), about=about)


def predict(model: str | Path, data: Any) -> tuple[pd.DataFrame, list[str]]:
    """Predictions of a saved model for new rows, in their order; and what was noticed about them.

    Parameters
    ----------
    model : a run's `winner/` or an exported file.
    data : a file's path, "-" or a frame, with the columns that the model learnt from in any order.

    Returns
    -------
    frame : identifier columns as given, `prediction`, and for classification one `probability_LABEL` a class.
    notes : one sentence each.

    Raises
    ------
    BadData : a column is missing or cannot be read as what it was in training.
    """
    saved = load_model(Path(model))
    approach = find_approach(saved.approach)
    absent = [name for name in approach.requires if not _loads(name)]
    if absent:
        raise MissingExtra(f"the model needs the package {absent[0]}, which is not installed; pip install {absent[0]}")
    fitted = restore_model(saved, find_approach)
    rows = read_new_rows(data, saved.columns)
    known = {column.name for column in saved.columns}
    carried = [name for name in rows.raw.columns
               if name in saved.about.get("identifiers", []) or (name.casefold() == "id" and name not in known)]
    predictions = fitted.predict(rows.features)
    return prediction_frame(predictions, saved.task, rows.raw[carried] if carried else None), list(rows.notes)


def write_predictions(frame: pd.DataFrame, path: Path) -> None:
    """Write predictions as CSV, or as TSV or Parquet if the name ends so; a `BadOption` if that cannot be done."""
    try:
        if path.suffix == ".parquet":
            write_atomically(path, frame.to_parquet())
        else:
            text = frame.to_csv(index=False, sep="\t" if path.suffix == ".tsv" else ",")
            write_atomically(path, text.encode())
    except OSError as error:
        raise BadOption(f"cannot write {path}: {error.strerror}; choose another place with --out") from error


def _loads(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):
        return False
    return True

