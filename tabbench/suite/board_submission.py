"""The file of a submission: one Parquet file of rows whose metadata say what they are, with a hash over both.

A stranger's file is checked before it is believed: its size, its schema, every name and number, its hash. Nothing in it is run.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tabbench.core.board import FORMAT, ROW_COLUMNS, TABLE_KEYS, Submission
from tabbench.core.cell import digest
from tabbench.core.errors import BadData, BadOption, OptionMention
from tabbench.core.files import write_atomically
from tabbench.core.metric import METRICS

SUFFIX = ".board.parquet"
METADATA = b"tabbench_board"
MOST_FILE_BYTES = 500_000_000
MOST_DECODED_BYTES = 2_000_000_000
"""A small file may unpack into a large one."""
MOST_ROWS = 5_000_000
LONGEST_NAME = 200
LARGEST_NUMBER = 2**53
STATUSES = frozenset({"ok", "failed", "timed_out", "out_of_memory", "crashed", "skipped"})
ARROW_TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
NULLABLE = frozenset({"score", "fit_seconds", "predict_seconds", "predictions", "tid", "problem_type"})


def schema_of(columns: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of columns."""
    return pa.schema([pa.field(name, ARROW_TYPES[kind], nullable=name in NULLABLE) for name, kind in columns.items()])


def as_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with their columns' types: text as Python strings or None, undefined numbers as NaN."""
    kinds = {"string": object, "int64": np.int64, "float64": np.float64, "bool": np.bool_}
    return pd.DataFrame({name: pd.Series(
        _texts(frame[name]) if kind == "string" else frame[name].to_numpy(),
        dtype=kinds[kind]) for name, kind in ROW_COLUMNS.items()})


def _texts(values: pd.Series) -> list[str | None]:
    return [value if is_known else None for value, is_known in zip(values, values.notna(), strict=True)]


def content_hash(by: str, tables: Sequence[Mapping[str, Any]], rows: pd.DataFrame) -> str:
    """SHA-256 of all that a submission says, whatever wrote the file."""
    found = hashlib.sha256(_canonical([FORMAT, by, list(tables)]))
    for name in ROW_COLUMNS:
        values = [None if isinstance(value, float) and not math.isfinite(value) else value for value in rows[name].tolist()]
        found.update(_canonical([name, values]))
    return found.hexdigest()


def _canonical(values: Any) -> bytes:
    return json.dumps(values, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def write_submission(submission: Submission, path: Path) -> Path:
    """Write the file.

    Raises
    ------
    BadOption
        The name does not end as it must, or the place cannot be written.
    """
    if not path.name.endswith(SUFFIX):
        raise BadOption(f"a submission's name must end in {SUFFIX}, not {path.name!r}")
    about = {"format": FORMAT, "by": submission.by, "tables": list(submission.tables), "sha256": submission.sha256}
    write_parquet(submission.rows, ROW_COLUMNS, about, path)
    return path


def write_parquet(rows: pd.DataFrame, columns: Mapping[str, str], about: Any, path: Path) -> None:
    """Write rows, with plain values in the file's metadata.

    Raises
    ------
    BadOption
        The place cannot be written.
    """
    schema = schema_of(columns).with_metadata({METADATA: json.dumps(about, allow_nan=False).encode()})
    table = pa.Table.from_pandas(rows[list(columns)], schema=schema, preserve_index=False)
    table = table.replace_schema_metadata(schema.metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, sink.getvalue().to_pybytes())
    except OSError as error:
        raise BadOption.about(f"cannot write {path}: {error.strerror or error}; choose another place with ",
                              OptionMention("out")) from error


def read_submission(path: Path) -> Submission:
    """Read and check a submission.

    Raises
    ------
    BadData
        The file is no submission, was changed, or says what cannot be.
    BadOption
        It cannot be opened.
    """
    about, rows = read_parquet(path, ROW_COLUMNS)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise BadData(f"{path} is a submission of another format than {FORMAT}; export it with the same version of tabbench")
    by, tables = str(about.get("by")), about.get("tables")
    _require(is_plain_name(by), path, "the name of who has handed it in is not a short plain text")
    if not isinstance(tables, list):
        tables = []
    for table in tables:
        _require_table(table, path)
    rows = as_rows(rows)
    if content_hash(by, tables, rows) != about.get("sha256"):
        raise BadData(f"{path} was changed after it was exported: its content is not what its hash was made from; "
                      "ask for the original file")
    _require_rows(rows, {table["protocol"]: table for table in tables}, path)
    return Submission(by, about["sha256"], tuple(tables), rows)


def read_parquet(path: Path, columns: Mapping[str, str]) -> tuple[Any, pd.DataFrame]:
    """What the metadata of a file that `write_parquet` wrote say, and its rows; sizes and types are checked before reading."""
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise BadData(f"{path} is larger than {MOST_FILE_BYTES // 1_000_000} MB; split the submission by tables")
        with pq.ParquetFile(path, memory_map=False) as file:
            about = (file.schema_arrow.metadata or {}).get(METADATA)
            decoded = sum(file.metadata.row_group(each).total_byte_size for each in range(file.metadata.num_row_groups))
            if file.metadata.num_rows > MOST_ROWS or decoded > MOST_DECODED_BYTES:
                raise BadData(f"{path} holds more than {MOST_ROWS:,} rows; split the submission by tables")
            if about is None or not file.schema_arrow.remove_metadata().equals(schema_of(columns)):
                raise BadData(f"{path} is no file of a board: its columns are others; make one with tabbench board export")
            return json.loads(about), file.read().to_pandas(ignore_metadata=True, strings_to_categorical=False)
    except BadData:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise BadOption(f"cannot read {path}: {error.strerror}") from error
        raise BadData(f"{path} is damaged: {error}") from error
    except (ValueError, pa.ArrowNotImplementedError, RecursionError) as error:
        raise BadData(f"{path} is no file of a board or damaged ({str(error)[:LONGEST_NAME]}); "
                      "make one with tabbench board export") from error


def is_plain_name(name: str) -> bool:
    """Whether a name of a person or of published results is short, of letters, digits and spaces or a few signs, and no path.

    >>> is_plain_name("Ada L. (Turin)"), is_plain_name("../x"), is_plain_name("a" * 100), is_plain_name("")
    (True, False, False, False)
    """
    return re.fullmatch(r"\w[\w .()+@-]{0,59}", name) is not None and ".." not in name


def _require_table(table: Any, path: Path) -> None:
    is_described = isinstance(table, dict) and set(table) == set(TABLE_KEYS)
    _require(is_described, path, "a table is described by other values than it should be")
    for name, kind in TABLE_KEYS.items():
        _require(_is_value(table[name], kind), path, f"{name} of a table is not what it should be")
    _require(table["metric"] in METRICS, path, f"its metric {table['metric']!r} is not known here")
    _require(math.isfinite(table["margin"]) and table["margin"] > 0, path, "the margin of a table is not positive")
    _require(0 < table["folds"] <= 1_000 and 0 < table["repeats"] <= 1_000, path, "it has an impossible number of splits")
    _require(table["protocol"] == digest([table["fingerprint"], table["metric"], table["splits"], table["seed"]]), path,
             "the protocol of a table is not the digest of what it consists of")
    versions = table["versions"]
    _require(all(isinstance(each, str) and len(each) <= LONGEST_NAME for each in (*versions, *versions.values())), path,
             "versions are no texts")


def _is_value(value: Any, kind: type) -> bool:
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    return len(value) <= LONGEST_NAME if isinstance(value, str) else not isinstance(value, int) or 0 <= value <= LARGEST_NUMBER


def _require_rows(rows: pd.DataFrame, tables: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    _require(len(rows) > 0, path, "it has no rows")
    _require(set(rows["protocol"]) == set(tables), path, "its rows are of other tables than it describes")
    names = rows["approach"].unique()
    _require(all(0 < len(name) <= LONGEST_NAME for name in names), path, "the name of an approach is empty or too long")
    _require(set(rows["status"]) <= STATUSES, path, "a result has an unknown status")
    numbers = rows[["version", "size", "repeat", "fold", "cost_rank"]]
    _require(bool((numbers >= 0).all(axis=None)) and bool((rows["size"] > 0).all()), path, "a size or a fold is negative")
    seconds = rows[["fit_seconds", "predict_seconds"]].fillna(0.0)
    _require(bool(((seconds >= 0) & np.isfinite(seconds)).all(axis=None)), path, "a time is negative or infinite")
    _require(bool((rows["effort"] > 0).all()) and bool(np.isfinite(rows["effort"]).all()), path, "an effort is not positive")
    _require(not np.isinf(rows["score"]).any(), path, "a score is infinite")
    place = ["protocol", "approach", "size", "repeat", "fold"]
    _require(not rows.duplicated(place).any(), path, "an approach occurs twice on a split")
    for protocol, part in rows.groupby("protocol"):
        table = tables[str(protocol)]
        low, high = METRICS.get(table["metric"]).bounds
        scores = part["score"].dropna()
        _require(bool(scores.between(low, high).all()), path, f"a score lies outside the bounds of {table['metric']}")
        _require(bool((part["fold"] < table["folds"]).all()) and bool((part["repeat"] < table["repeats"]).all()), path,
                 "a row is of a split that its table does not have")
        _require(bool((part["size"] <= table["full_size"]).all()), path, "a size is above the full size of its table")


def _require(is_right: bool, path: Path, what: str) -> None:
    if not is_right:
        raise BadData(f"{path} is refused: {what}; ask who has made it for the original file")
