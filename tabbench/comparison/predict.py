"""Predict new rows with a model that was written without pickle, and write the predictions as a file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.composed import find_approach
from tabbench.comparison.arguments import readable
from tabbench.core.errors import BadOption, MissingExtra
from tabbench.core.frames import in_kind
from tabbench.execution.run import distribution_of, why_it_does_not_load
from tabbench.model.predicting import prediction_frame, restore_model
from tabbench.model.saving import SavedModel, load_model
from tabbench.reading.layout import Layout
from tabbench.reading.leaving_out import is_named_identifier
from tabbench.reading.schema import read_new_rows
from tabbench.wording.safe_text import FORMULA_STARTS, spreadsheet

PREDICTION_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def predict(model: str | Path, data: Any, *, sheet: str | None = None, no_header: bool = False, query: str | None = None
            ) -> tuple[Any, list[str]]:
    """Predict new rows with a saved model.

    Parameters
    ----------
    model : str or path
        A saved model: the folder `winner` of a run, or what `save_winner` wrote.
    data : str, path, DataFrame or "-"
        New rows, as a file, a frame or "-" for standard input, with the columns of the training data in any order.
    sheet : str, default None
        Sheet of a workbook; by default the first that holds a table.
    no_header : bool, default False
        The first row of a file is no header; its columns are called "column 1", "column 2" and so on.
    query : str, default None
        SELECT statement that gives the rows of a SQLite file.

    Returns
    -------
    frame : DataFrame
        A frame of the library of `data`, else of pandas: identifier columns as given, `prediction`, and for classification a
        column `probability_LABEL` per class; rows in the order of `data`, none if it has only a header.
    notes : list of str
        What was noticed about the rows, a sentence each.

    Raises
    ------
    BadData
        A column is missing, or its values cannot be read as in training.
    MissingExtra
        A package that the model needs cannot be imported.

    See Also
    --------
    FinishedComparison.save_winner : Save a model.
    """
    saved = load_model(Path(model))
    approach = find_approach(saved.approach)
    for module in approach.requires:
        why = why_it_does_not_load(module)
        if why is not None:
            package = distribution_of(module)
            raise MissingExtra(f"the model needs the package {package}, which does not load ({why}); pip install {package}")
    fitted = restore_model(saved, find_approach)
    rows = read_new_rows(readable(data), saved.columns, Layout(sheet, not no_header, query))
    carried = _identifiers(rows.raw.columns, saved)
    if len(rows.features):
        predictions = fitted.predict(rows.features)
    else:  # many a library refuses to predict no rows
        predictions = np.empty(0 if saved.task.is_regression else (0, saved.task.n_classes))
    return in_kind(prediction_frame(predictions, saved.task, rows.raw[carried] if carried else None), data), rows.notes


def _identifiers(names: Iterable[str], saved: SavedModel) -> list[str]:
    """Return the columns that only identify rows, which are passed through unless the model learnt from them."""
    known = {column.name for column in saved.columns}
    left_out = set(saved.about["identifiers"])
    return [name for name in names if name not in known and (name in left_out or is_named_identifier(name))]


def write_predictions(frame: pd.DataFrame, path: str | Path, data: Any = None) -> int:
    """Write predictions to a file in one piece: .csv or .tsv, also with .gz, or .parquet.

    In a file of text an apostrophe is put before labels that a spreadsheet would run as a formula (CWE-1236), such as =1+1; a
    sign alone and numbers are left as they are.

    Parameters
    ----------
    frame : DataFrame
        The predictions.
    path : str or path
        File to write; its suffix determines the format.
    data : str, path, DataFrame or None, default None
        The rows that were predicted; if they are a file, it is not overwritten.

    Returns
    -------
    int
        How many cells got an apostrophe.

    Raises
    ------
    BadOption
        The suffix is another one, the path is a folder, lies in a folder that does not exist, or is the file of the data, or it
        cannot be written.
    """
    path = Path(path)
    try:
        _refuse_place(path, data)
        with tempfile.TemporaryDirectory(prefix=".tabbench-", dir=path.parent) as scratch:
            written = Path(scratch) / path.name
            changed = _write(frame, written)
            written.replace(path)
    except OSError as error:
        raise BadOption(f"cannot write {path}: {error.strerror or error}; choose another place with --out") from error
    return changed


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


def _write(frame: pd.DataFrame, path: Path) -> int:
    name = path.name.lower()
    if name.endswith(".parquet"):
        frame.to_parquet(path)
        return 0
    harmless, changed = _harmless_cells(frame)
    # Without the time of day in gzip's header, equal predictions are equal files.
    harmless.to_csv(path, index=False, sep="\t" if name.endswith((".tsv", ".tsv.gz")) else ",",
                    compression={"method": "gzip", "mtime": 0} if name.endswith(".gz") else None)
    return changed


def _harmless_cells(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The frame with an apostrophe before what is a formula to a spreadsheet, and the number of these cells."""
    harmless, changed = frame.rename(columns=_harmless), 0
    for place, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            cells = frame.iloc[:, place].tolist()
            written = [_harmless(cell) if isinstance(cell, str) else cell for cell in cells]
            changed += sum(before is not after for before, after in zip(cells, written, strict=True))
            harmless.isetitem(place, pd.Series(written, index=frame.index, dtype=object))
    return harmless, changed


def _harmless(cell: str) -> str:
    is_formula = cell[:1] in FORMULA_STARTS and len(cell) > 1 and not re.fullmatch(r"[-+]?[0-9.,]+", cell)
    return spreadsheet(cell) if is_formula else cell
