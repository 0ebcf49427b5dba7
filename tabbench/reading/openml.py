"""Data sets and tasks of OpenML by id: their tables, and the splits that go with a task.

What was read once is kept in the cache as Parquet and JSON and needs no network; a table in the cache is checked by its checksum.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.files import write_atomically
from tabbench.core.task import TaskKind
from tabbench.reading.arff import read_arff
from tabbench.reading.cards import cache_folder
from tabbench.reading.downloading import download, hash_of
from tabbench.reading.located import Located
from tabbench.reading.openml_api import (
    CURE,
    DataDescription,
    TaskDescription,
    describe_data,
    describe_task,
    server_name,
    whole_id,
)
from tabbench.reading.source import PARQUET_START, NamedTable

DATA_SCHEME, TASK_SCHEME = "openml:", "openml-task:"
TABLE = "table.parquet"
SPLIT_COLUMNS = ("repeat", "fold", "rowid", "type")


@dataclass(frozen=True, eq=False)
class OpenMLTask:
    """A task with its table and its splits.

    Parameters
    ----------
    table : NamedTable
        The rows, with `splits`: for each repeat and in it for each fold the positions of training and of test rows.
    target : str
        Column to predict.
    task : TaskKind | None
        "regression", or None: which classification it is, the table says.
    metric : str | None
        Metric that decides; None where OpenML sets none that is known here.
    measure : str
        What OpenML calls it, "" if none is set.
    drop : tuple[str, ...]
        Columns that OpenML says to ignore.
    folds, repeats : int
        Of the splits.
    """

    table: NamedTable
    target: str
    task: TaskKind | None
    metric: str | None
    measure: str
    drop: tuple[str, ...]
    folds: int
    repeats: int

    @property
    def splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(training positions, test positions) of each split, ordered by repeat and fold."""
        return list(self.table.splits or ())


def locate_data(source: str) -> Located:
    """The table of `openml:ID` with its default target.

    Raises
    ------
    BadOption, BadData
        No such id, no network, a file with another checksum, a format that is not read.
    """
    data_id = whole_id(source.removeprefix(DATA_SCHEME), source)
    known, table = read_data(data_id)
    named = NamedTable(known.name, table, f"OpenML data set {data_id}")
    return Located(named, target=known.target, drop=_present(known.drop, table))


def locate_task(source: str) -> Located:
    """The table of `openml-task:ID` with the task's target, metric and splits.

    Raises
    ------
    BadOption, BadData
        As for `locate_data`.
    """
    task = read_task(whole_id(source.removeprefix(TASK_SCHEME), source))
    return Located(task.table, target=task.target, task=task.task, metric=task.metric, drop=task.drop)


def kept_file(source: str) -> Path:
    """Where the table of `openml:ID` or `openml-task:ID` is kept, which has been read."""
    if source.startswith(TASK_SCHEME):
        known, _ = _cached_task(whole_id(source.removeprefix(TASK_SCHEME), source))
        return _folder("data", known.data_id) / TABLE
    return _folder("data", whole_id(source.removeprefix(DATA_SCHEME), source)) / TABLE


def read_task(task_id: int) -> OpenMLTask:
    """Read a task, from the cache or else from the server.

    Parameters
    ----------
    task_id : int
        Its number on OpenML.

    Raises
    ------
    BadData
        The task, its splits or its table cannot be obtained, or do not match.
    """
    known, splits = _cached_task(task_id)
    data, table = read_data(known.data_id)
    if known.target not in table.column_names:
        raise BadData(f"task {task_id} of OpenML predicts {known.target!r}, which its data set {data.id} lacks; "
                      "choose another task")
    pairs = positions_of(splits, table.num_rows, task_id)
    repeats = len(splits["repeat"].unique())
    description = f"OpenML task {task_id}, data set {data.id}"
    measure = f"; its measure {known.measure} is unknown here" if known.measure and known.metric is None else ""
    named = NamedTable(data.name, table, description + measure, tuple(pairs), repeats)
    return OpenMLTask(named, known.target, "regression" if known.is_regression else None, known.metric, known.measure,
                      _present(data.drop, table), len(pairs) // repeats, repeats)


def read_data(data_id: int) -> tuple[DataDescription, pa.Table]:
    """A data set's description and table, from the cache or else from the server."""
    folder = _folder("data", data_id)
    kept = _kept(folder)
    if kept is not None:
        values, table = kept
        return DataDescription(**values | {"drop": tuple(values["drop"])}), table
    known = describe_data(data_id)
    table = _downloaded(known.url, f"the file of data set {data_id} of OpenML", known.md5)
    _keep(folder, asdict(known), table)
    return known, table


def positions_of(splits: pa.Table, rows: int, task_id: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The positions of training and test rows of each split, by repeat and fold.

    Raises
    ------
    BadData
        Positions beyond the table, a split without a part, or repeats with different numbers of folds.
    """
    position, is_train, number, names = _arrays(splits, task_id)
    if len(position) and not 0 <= position.min() <= position.max() < rows:
        raise BadData(f"the splits of task {task_id} of OpenML name row {position.max()}, but its table has {rows:,} rows; "
                      "choose another task")
    order = np.argsort(number, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    pairs = [(position[part[is_train[part]]], position[part[~is_train[part]]]) for part in parts]
    if not all(len(side) for pair in pairs for side in pair) or len(pairs) != names[0] * names[1]:
        raise BadData(f"the splits of task {task_id} of OpenML are not complete; choose another task")
    return pairs


def _arrays(splits: pa.Table, task_id: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """Position, whether it is for training, the number of the split, and (repeats, folds)."""
    absent = next((name for name in SPLIT_COLUMNS if name not in splits.column_names), None)
    if absent is not None or "sample" in splits.column_names:
        what = f"lack the column {absent!r}" if absent else "are those of a learning curve"
        raise BadData(f"the splits of task {task_id} of OpenML {what}; choose a task of cross-validation or hold-out")
    repeat, fold, position = (np.asarray(splits[name].cast(pa.string()).cast(pa.float64()), dtype=np.float64).astype(np.int64)
                              for name in ("repeat", "fold", "rowid"))
    is_train = np.asarray(splits["type"].cast(pa.string())) == "TRAIN"
    (repeats, repeat), (folds, fold) = (np.unique(each, return_inverse=True) for each in (repeat, fold))
    return position, is_train, repeat * len(folds) + fold, (len(repeats), len(folds))


def _cached_task(task_id: int) -> tuple[TaskDescription, pa.Table]:
    folder = _folder("task", task_id)
    kept = _kept(folder)
    if kept is not None:
        return TaskDescription(**kept[0]), kept[1]
    known = describe_task(task_id)
    splits = _downloaded(known.splits_url, f"the splits of task {task_id} of OpenML")
    _keep(folder, asdict(known), splits)
    return known, splits


def _folder(kind: str, number: int) -> Path:
    return cache_folder() / "openml" / server_name() / kind / str(number)


def _downloaded(url: str, what: str, md5: str = "") -> pa.Table:
    """The table at an address, ARFF or Parquet by its content; `md5` is checked where it is known."""
    with tempfile.TemporaryDirectory(prefix="tabbench-") as folder:
        path = Path(folder) / "table"
        download(url, path, cure=CURE)
        found = hash_of(path, "md5")
        if md5 and found != md5:
            raise BadData(f"{what} at {url} is not the one described: its MD5 checksum is {found}, not {md5}; try again, "
                          "or take another version of the data set")
        with path.open("rb") as file:
            is_parquet = file.read(4) == PARQUET_START
        return _read_parquet(path, what) if is_parquet else read_arff(path, what)


def _read_parquet(path: Path, what: str) -> pa.Table:
    from pyarrow.parquet import read_table  # which takes long to load

    try:
        return read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadData(f"{what} is damaged ({error}); try again later") from error


def _keep(folder: Path, values: dict[str, Any], table: pa.Table) -> None:
    """Write the table, then what is known with its checksum: without the second file the first is not there."""
    from pyarrow.parquet import write_table

    folder.mkdir(parents=True, exist_ok=True)
    sink = pa.BufferOutputStream()
    write_table(table, sink, compression="zstd")
    write_atomically(folder / TABLE, sink.getvalue().to_pybytes())
    values = values | {"sha256": hash_of(folder / TABLE, "sha256")}
    write_atomically(folder / "description.json", json.dumps(values, indent=1).encode())


def _kept(folder: Path) -> tuple[dict[str, Any], pa.Table] | None:
    if not (folder / "description.json").is_file():
        return None
    try:
        values = json.loads((folder / "description.json").read_text(encoding="utf-8"))
        expected, path = values.pop("sha256"), folder / TABLE
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        raise BadData(f"the description in {folder} is damaged; delete that folder to have the table downloaded again") from error
    found = hash_of(path, "sha256") if path.is_file() else "absent"
    if found != expected:
        raise BadData(f"{path} was changed: its sha256 is {found}, not {expected}; delete the folder {folder} to have it "
                      "downloaded again")
    from pyarrow.parquet import read_table

    return values, read_table(path)


def _present(drop: tuple[str, ...], table: pa.Table) -> tuple[str, ...]:
    """Columns to ignore that are there; in a list of OpenML names may be in quotes."""
    bare = (re.sub(r"""^(["'])(.*)\1$""", r"\2", name) for name in drop)
    return tuple(name for name in bare if name in table.column_names)
