"""The frozen setup of a run on disk: the table as memory-mapped Arrow, the splits as arrays. No pickle.

Columns are stored as pandas holds them, so that children read them where the file is mapped and none has a copy of its own.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.files import replacing, write_atomically
from tabbench.core.finding import Finding
from tabbench.core.given import Given
from tabbench.core.phrases import shown
from tabbench.core.setup import Setup
from tabbench.core.split import Split, SplitPlan
from tabbench.core.table import FEWEST_COLUMNS_OF_A_BLOCK, Column, ColumnReading, Table
from tabbench.core.task import Task
from tabbench.reading.frames import require_sound
from tabbench.reading.typed_column import as_strings, category_type
from tabbench.store.folder import GIVEN, SPLITS, TABLE
from tabbench.store.given import DAMAGED_ARROW, encoded, load_given

FEATURE, GAPS, BLOCK = "feature:", "gaps:", "block:"
ROLE_ARRAYS = ("group", "time", "weight", "fold", "test")
METADATA = b"tabbench"
DAMAGED = (*DAMAGED_ARROW, zipfile.BadZipFile)


def save_setup(setup: Setup, folder: Path) -> None:
    """Write the setup into a run's folder, in place of what is there."""
    _save_table(setup, folder / TABLE)
    save_splits(setup.splits, folder)
    save_given(setup.given, folder)


def save_given(given: Given | None, folder: Path) -> None:
    """Write the rows as given into a run's folder; where there are none, those that lie there go."""
    if given is None:
        (folder / GIVEN).unlink(missing_ok=True)
    else:
        write_atomically(folder / GIVEN, encoded(given.load()))


def setup_digests(folder: Path) -> dict[str, str]:
    """The digests of a setup's files, by which `load_setup` knows them again."""
    given = [GIVEN] if (folder / GIVEN).exists() else []
    return {name: file_digest(folder / name) for name in (TABLE, SPLITS, *given)}


def file_digest(path: Path) -> str:
    """The digest of one file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").hexdigest()


def has_setup(folder: Path, digests: Mapping[str, str] | None) -> bool:
    """Whether the files are there as they were written."""
    try:
        return setup_digests(folder) == digests
    except FileNotFoundError:
        return False


def load_setup(folder: Path, digests: Mapping[str, str] | None = None) -> Setup:
    """The setup of a run; the Arrow file is memory-mapped, so children share its pages. Its arrays are read-only.

    Parameters
    ----------
    digests : Mapping[str, str] | None, default None
        What `setup_digests` gave when the files were written; None where the supervisor has looked at them already.

    Raises
    ------
    BadData
        Its files are damaged or gone.
    """
    try:
        if digests is not None:
            _require_same(setup_digests(folder), digests)
        return _load(folder)
    except DAMAGED as error:  # Arrow's own errors are ValueErrors
        raise BadData(f"the table or the splits in {folder} are damaged or gone ({_what_is_wrong(folder, error)}); the same "
                      "call of tabbench compare writes them again and keeps all results") from error


def _what_is_wrong(folder: Path, error: Exception) -> str:
    missing = [name for name in (TABLE, SPLITS) if not (folder / name).exists()]
    return f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing" if missing else str(error)


def _require_same(found: Mapping[str, str], written: Mapping[str, str]) -> None:
    for name in (TABLE, SPLITS, *written):  # a folder of an earlier version may hold more than it has digests of
        if found.get(name) != written.get(name):
            raise ValueError(f"{name} is not as it was written")


def _load(folder: Path) -> Setup:
    with pa.memory_map(str(folder / TABLE)) as source:
        arrow = pa.ipc.open_file(source).read_all()
    require_sound(arrow)
    about = json.loads(arrow.schema.metadata[METADATA])
    table = _table(arrow, about)
    return Setup(table=table, task=Task.from_json(about["task"]), target=_numbers(arrow, "target_values"),
                 splits=_load_splits(folder / SPLITS), splits_digest=about["splits_digest"], seed=about["seed"],
                 given=Given(cache(partial(load_given, folder))) if (folder / GIVEN).exists() else None)


def _save_table(setup: Setup, path: Path) -> None:
    table = setup.table
    columns: dict[str, pa.Array] = {}
    blocks = _blocks(table)
    for kind, positions in blocks.items():
        numbers = table.features.iloc[:, positions].to_numpy()
        columns[f"{BLOCK}{kind}"] = pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), len(positions))
    for position in sorted({*range(len(table.columns))}.difference(*blocks.values())):
        columns |= _stored(position, table.columns[position], table.features.iloc[:, position])
    columns["target"] = _stored_texts(table.target) if table.target.dtype == "str" else pa.array(table.target.to_numpy())
    columns["target_values"] = pa.array(setup.target)
    columns["rows"], columns["tie"] = pa.array(table.rows), pa.array(table.tie)
    for role in ROLE_ARRAYS:
        if getattr(table, role) is not None:
            columns[role] = pa.array(getattr(table, role).astype(np.int8) if role == "test" else getattr(table, role))
    about = _about(setup) | {"blocks": blocks}
    arrow = pa.table(columns).replace_schema_metadata({METADATA: json.dumps(about).encode()})
    with replacing(path) as temporary, pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, arrow.schema) as writer:
        writer.write_table(arrow)


def _blocks(table: Table) -> dict[str, list[int]]:
    """Of a wide table the positions of the numbers of each type, which are stored row by row as one column."""
    blocks: dict[str, list[int]] = {}
    for position, (column, dtype) in enumerate(zip(table.columns, table.features.dtypes, strict=True)):
        if column.kind == "number":
            blocks.setdefault(str(dtype), []).append(position)
    return {kind: positions for kind, positions in blocks.items() if len(positions) >= FEWEST_COLUMNS_OF_A_BLOCK}


def _stored(position: int, column: Column, values: pd.Series) -> dict[str, pa.Array]:
    """A feature's memory as Arrow arrays without gaps: codes of a category, bytes of a boolean, microseconds of a date."""
    name = f"{FEATURE}{position}"
    if column.kind == "category":
        return {name: pa.array(values.cat.codes.to_numpy())}
    if column.kind == "text":
        return {name: _stored_texts(values)}
    if column.kind == "date":
        return {name: pa.array(values.to_numpy().view(np.int64))}
    if column.kind == "boolean":
        return {name: pa.array(values.to_numpy(dtype=np.int8, na_value=0)),
                f"{GAPS}{position}": pa.array(values.isna().to_numpy().view(np.int8))}
    return {name: pa.array(values.to_numpy())}


def _stored_texts(values: pd.Series) -> pa.Array:
    texts = pa.array(values, pa.large_string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _about(setup: Setup) -> dict[str, Any]:
    table = setup.table
    return {"name": table.name, "columns": [column.to_json() for column in table.columns], "target_name": table.target_name,
            "target_is_integer": table.target_is_integer, "fingerprint": table.fingerprint, "roles": table.roles,
            "reading": list(table.reading), "columns_read": [column.to_json() for column in table.columns_read],
            "findings": [finding.to_json() for finding in table.findings],
            "task": setup.task.to_json(), "splits_digest": setup.splits_digest, "seed": setup.seed}


def _table(arrow: pa.Table, about: dict[str, Any]) -> Table:
    columns = tuple(Column.from_json(values) for values in about["columns"])
    features = _features(arrow, columns, about.get("blocks", {}))
    roles: dict[str, Any] = {role: _numbers(arrow, role) for role in ROLE_ARRAYS if role in arrow.column_names}
    if "test" in roles:
        roles["test"] = roles["test"].view(np.bool_)
    target = as_strings(arrow["target"]) if pa.types.is_large_string(arrow["target"].type) else _numbers(arrow, "target")
    return Table(name=about["name"], features=features, columns=columns, target=pd.Series(target, copy=False),
                 target_name=about["target_name"], target_is_integer=about["target_is_integer"],
                 rows=_numbers(arrow, "rows"), tie=_numbers(arrow, "tie"), fingerprint=about["fingerprint"],
                 roles=about["roles"], reading=tuple(about["reading"]),
                 columns_read=tuple(ColumnReading.from_json(column) for column in about.get("columns_read", ())),
                 findings=tuple(Finding.from_json(finding) for finding in about["findings"]), **roles)


def _features(arrow: pa.Table, columns: tuple[Column, ...], blocks: dict[str, list[int]]) -> pd.DataFrame:
    """The columns over the same memory; blocks whose columns lie among others are copied."""
    index, names = pd.RangeIndex(arrow.num_rows), [column.name for column in columns]
    frames = [pd.DataFrame(_block(arrow, kind, len(positions)), index, [names[position] for position in positions], copy=False)
              for kind, positions in blocks.items()]
    single = sorted({*range(len(columns))}.difference(*blocks.values()))
    frames.append(pd.DataFrame({names[position]: pd.Series(_feature(arrow, position, columns[position]), copy=False)
                                for position in single}, index=index, copy=False))
    features = pd.concat(frames, axis=1) if len(frames) > 1 else frames[0]
    return features if list(features.columns) == names else features[names]


def _block(arrow: pa.Table, kind: str, width: int) -> np.ndarray:
    numbers = arrow[f"{BLOCK}{kind}"].chunk(0).flatten().to_numpy(zero_copy_only=True)
    return np.asarray(numbers.reshape(-1, width))


def _feature(arrow: pa.Table, position: int, column: Column) -> Any:
    """What `_stored` took apart, over the same memory."""
    name = f"{FEATURE}{position}"
    if column.kind == "text":
        return as_strings(arrow[name])
    values = _numbers(arrow, name)
    if column.kind == "category":
        if len(values) and not -1 <= values.min() <= values.max() < len(column.levels):
            raise ValueError(f"column {shown(column.name)}: codes that are no level")
        return pd.Categorical.from_codes(values, dtype=category_type(column.levels), validate=False)
    if column.kind == "date":
        return values.view("datetime64[us]")
    if column.kind == "boolean":
        return pd.arrays.BooleanArray(values.view(np.bool_), _numbers(arrow, f"{GAPS}{position}").view(np.bool_))
    return values


def _numbers(arrow: pa.Table, name: str) -> np.ndarray:
    """The column's own memory."""
    values: np.ndarray = arrow[name].chunk(0).to_numpy(zero_copy_only=True)
    return values


def save_splits(plan: SplitPlan, folder: Path) -> None:
    """Write the splits into a run's folder, in place of those that are there."""
    arrays = {"unit": plan.unit}
    for position, split in enumerate(plan.splits):
        arrays[f"train{position}"], arrays[f"test{position}"] = split.train, split.test
    about = {"kind": plan.kind, "folds": plan.folds, "repeats": plan.repeats, "full_size": plan.full_size,
             "notes": list(plan.notes), "ties_are_kept": plan.ties_are_kept, "names": [split.name for split in plan.splits]}
    with io.BytesIO() as stream:
        np.savez(stream, allow_pickle=False, about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8), **arrays)
        write_atomically(folder / SPLITS, stream.getvalue())


def _load_splits(path: Path) -> SplitPlan:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        splits = tuple(Split(repeat, fold, arrays[f"train{position}"], arrays[f"test{position}"])
                       for position, (repeat, fold) in enumerate(about["names"]))
        return SplitPlan(about["kind"], splits, about["folds"], about["repeats"], about["full_size"], arrays["unit"],
                         tuple(about["notes"]), about["ties_are_kept"])
