"""The frozen setup of a run on disk: the table as memory-mapped Arrow, the splits as arrays. No pickle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.finding import Finding
from tabbench.core.setup import Setup
from tabbench.core.split import Split, SplitPlan
from tabbench.core.table import Column, Table
from tabbench.core.task import Task
from tabbench.store.folder import SPLITS, TABLE

FEATURE = "feature:"
ROLE_ARRAYS = ("group", "time", "weight", "fold", "test")
METADATA = b"tabbench"


def save_setup(setup: Setup, folder: Path) -> None:
    """Write the setup into a run's folder."""
    _save_table(setup, folder / TABLE)
    _save_splits(setup.splits, folder / SPLITS)


def load_setup(folder: Path) -> Setup:
    """The setup of a run; the Arrow file is memory-mapped, so children share its pages.

    Raises
    ------
    BadData : its files are damaged or gone.
    """
    try:
        return _load(folder)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:  # Arrow's own errors are ValueErrors
        raise BadData(f"the table or the splits in {folder} are damaged or gone ({error}); start over with --fresh") from error


def _load(folder: Path) -> Setup:
    with pa.memory_map(str(folder / TABLE)) as source:
        arrow = pa.ipc.open_file(source).read_all()
    about = json.loads(arrow.schema.metadata[METADATA])
    table = _table(arrow, about)
    return Setup(table=table, task=Task.from_json(about["task"]), target=arrow["target_values"].to_numpy(),
                 splits=_load_splits(folder / SPLITS), splits_digest=about["splits_digest"], seed=about["seed"])


def _save_table(setup: Setup, path: Path) -> None:
    table = setup.table
    columns: dict[str, pa.Array] = {
        f"{FEATURE}{position}": pa.Array.from_pandas(table.features.iloc[:, position])
        for position in range(len(table.columns))}
    columns["target"] = pa.Array.from_pandas(table.target)
    columns["target_values"] = pa.array(setup.target)
    columns["rows"], columns["tie"] = pa.array(table.rows), pa.array(table.tie)
    for role in ROLE_ARRAYS:
        if getattr(table, role) is not None:
            columns[role] = pa.array(getattr(table, role))
    about = _about(setup)
    arrow = pa.table(columns).combine_chunks().replace_schema_metadata({METADATA: json.dumps(about).encode()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, arrow.schema) as writer:
        writer.write_table(arrow)


def _about(setup: Setup) -> dict[str, Any]:
    table = setup.table
    return {"name": table.name, "columns": [column.to_json() for column in table.columns], "target_name": table.target_name,
            "target_is_integer": table.target_is_integer, "fingerprint": table.fingerprint, "roles": table.roles,
            "reading": list(table.reading), "findings": [finding.to_json() for finding in table.findings],
            "task": setup.task.to_json(), "splits_digest": setup.splits_digest, "seed": setup.seed}


def _table(arrow: pa.Table, about: dict[str, Any]) -> Table:
    columns = tuple(Column.from_json(values) for values in about["columns"])
    features = pd.DataFrame({column.name: _series(arrow[f"{FEATURE}{position}"], column)
                             for position, column in enumerate(columns)}, index=pd.RangeIndex(arrow.num_rows))
    roles = {role: arrow[role].to_numpy() for role in ROLE_ARRAYS if role in arrow.column_names}
    return Table(name=about["name"], features=features, columns=columns, target=arrow["target"].to_pandas(),
                 target_name=about["target_name"], target_is_integer=about["target_is_integer"],
                 rows=arrow["rows"].to_numpy(), tie=arrow["tie"].to_numpy(), fingerprint=about["fingerprint"],
                 roles=about["roles"], reading=tuple(about["reading"]),
                 findings=tuple(Finding(**finding) for finding in about["findings"]), **roles)


def _series(values: pa.ChunkedArray, column: Column) -> pd.Series:
    if column.kind == "boolean":
        return values.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    if column.kind == "category":
        # Arrow dictionaries keep the order of the levels, so that codes are the same in every child.
        return pd.Series(pd.Categorical(values.to_pandas(), categories=list(column.levels)))
    return values.to_pandas()


def _save_splits(plan: SplitPlan, path: Path) -> None:
    arrays = {"unit": plan.unit}
    for position, split in enumerate(plan.splits):
        arrays[f"train{position}"], arrays[f"test{position}"] = split.train, split.test
    about = {"kind": plan.kind, "folds": plan.folds, "repeats": plan.repeats, "full_size": plan.full_size,
             "notes": list(plan.notes), "names": [split.name for split in plan.splits]}
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8), **arrays)


def _load_splits(path: Path) -> SplitPlan:
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        splits = tuple(Split(repeat, fold, arrays[f"train{position}"], arrays[f"test{position}"])
                       for position, (repeat, fold) in enumerate(about["names"]))
        return SplitPlan(about["kind"], splits, about["folds"], about["repeats"], about["full_size"], arrays["unit"],
                         tuple(about["notes"]))
