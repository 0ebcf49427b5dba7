"""Predict new rows with a model that was written without pickle, and write the predictions as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.composed import find_approach
from tabbench.core.errors import BadOption, MissingExtra
from tabbench.execution.run import distribution_of, why_it_does_not_load
from tabbench.model.predicting import prediction_frame, restore_model
from tabbench.model.saving import SavedModel, load_model
from tabbench.reading.leaving_out import is_named_identifier
from tabbench.reading.schema import read_new_rows

PREDICTION_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def predict(model: str | Path, data: Any) -> tuple[pd.DataFrame, list[str]]:
    """Predictions of a saved model for new rows, in their order; and what was noticed about them.

    Parameters
    ----------
    model : str | Path
        A run's `winner/` or an exported file.
    data : Any
        A file's path, "-" or a frame, with the columns that the model learnt from in any order.

    Returns
    -------
    frame : DataFrame
        Identifier columns as given, `prediction`, and for classification one `probability_LABEL` a class.
    notes : list[str]
        One sentence each. A file with a header only gives a frame with these columns and no rows, and a note.

    Raises
    ------
    BadData
        A column is missing or cannot be read as what it was in training.
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
    data : Any, default None
        What was predicted; if it is a file, it is not overwritten.

    Raises
    ------
    BadOption
        Another suffix, a folder, a folder that does not exist, the file of the data, a place that can't be written.
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

