"""The rows as given, as one Arrow file without pickle: every column in its own type, or none is written.

Arrow's own way of keeping frames loses what Python objects were; here each column is read back before it is believed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.given import GivenRows
from tabbench.reading.frames import require_sound
from tabbench.store.folder import GIVEN

METADATA = b"tabbench"
DAMAGED_ARROW = (OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError,
                 NotImplementedError)
"""What comes of reading a file that somebody has changed; Arrow's own errors are among them."""


def encoded(rows: GivenRows) -> bytes:
    """The rows as the bytes of an Arrow file.

    Raises
    ------
    BadData
        A column holds objects that would not come back as they are.
    """
    index = rows.features.index
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    series = [*(rows.features.iloc[:, place] for place in range(rows.features.shape[1])),
              *([] if rows.target is None else [rows.target]), *(pd.Series(level) for level in levels)]
    columns, kinds = zip(*map(_encoded, series), strict=True)
    about = {"kinds": kinds, "names": [_plain_name(name) for name in rows.features.columns], "is_array": rows.is_array,
             "columns_name": _plain_name(rows.features.columns.name), "target": rows.target is not None,
             "target_name": None if rows.target is None else _plain_name(rows.target.name),
             "index": [_plain_name(name) for name in index.names]}
    arrow = pa.table(dict(zip(map(str, range(len(columns))), columns, strict=True)))
    arrow = arrow.replace_schema_metadata({METADATA: json.dumps(about).encode()})
    with io.BytesIO() as sink:
        with pa.ipc.new_file(sink, arrow.schema) as writer:
            writer.write_table(arrow)
        return sink.getvalue()


def load_given(folder: Path) -> GivenRows:
    """The rows that lie in a run's folder.

    Raises
    ------
    BadData
        The file is damaged or gone.
    """
    try:
        with pa.memory_map(str(folder / GIVEN)) as source:
            return decoded(pa.ipc.open_file(source).read_all())
    except DAMAGED_ARROW as error:
        raise BadData(f"the rows as given in {folder} are damaged or gone ({error}); the same call of compare writes them again "
                      "and keeps all results") from error


def decoded(arrow: pa.Table) -> GivenRows:
    """What `encoded` wrote."""
    require_sound(arrow)
    about = json.loads(arrow.schema.metadata[METADATA])
    series = [_decoded(column, kind) for column, kind in zip(arrow.columns, about["kinds"], strict=True)]
    width = len(about["names"])
    levels = [pd.Index(each.array, name=_name(name))
              for each, name in zip(series[-len(about["index"]):], about["index"], strict=True)]
    index = levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)
    frame = pd.DataFrame(dict(enumerate(series[:width])))
    frame.columns = pd.Index([_name(name) for name in about["names"]], name=_name(about["columns_name"]))
    frame.index = index
    target = pd.Series(series[width].array, index=index, name=_name(about["target_name"])) if about["target"] else None
    return GivenRows(frame, target, about["is_array"])


def _encoded(values: pd.Series) -> tuple[pa.Array, dict[str, Any]]:
    """A column as an Arrow array, and what makes of it what it was."""
    values = values.reset_index(drop=True)
    for column, kind in _ways(values):
        if _is_same(_decoded(column, kind), values):
            return column, kind
    raise BadData(f"column {values.name!r} holds {values.dtype} values that cannot be handed to an estimator of your own as they "
                  "are; convert them to numbers, strings, dates or categories, or drop the column")


def _ways(values: pd.Series) -> Iterator[tuple[pa.Array, dict[str, Any]]]:
    """Ways to write a column, the best first; whether one gives it back is for the caller to find out."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        labels, kind = _encoded(pd.Series(values.cat.categories))
        yield pa.array(values.cat.codes.to_numpy()), {"categories": _written(labels), "of": kind, "ordered": values.cat.ordered}
        return
    with suppress(pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        yield _joined(pa.array(values, from_pandas=True)), {"dtype": str(values.dtype)}
    if values.dtype == object:
        with suppress(TypeError):
            yield pa.array([json.dumps(each) for each in values]), {"json": True}


def _decoded(column: Any, kind: dict[str, Any]) -> pd.Series:
    if "categories" in kind:
        labels = _decoded(_read(kind["categories"]), kind["of"])
        dtype = pd.CategoricalDtype(pd.Index(labels.array), ordered=kind["ordered"])
        return pd.Series(pd.Categorical.from_codes(np.asarray(column), dtype=dtype))
    if "json" in kind:
        return pd.Series([json.loads(each) for each in column.to_pylist()], dtype=object)
    if kind["dtype"] == "object":
        return pd.Series(column.to_pylist(), dtype=object)
    if kind["dtype"] in ("bool", "str") or "[" in kind["dtype"] or kind["dtype"].startswith(("float", "period")):
        return pd.Series(column.to_pandas()).astype(kind["dtype"])
    return pd.Series(pd.array(column, dtype=pd.ArrowDtype(column.type))).astype(kind["dtype"])


def _is_same(read: pd.Series, values: pd.Series) -> bool:
    if read.dtype != values.dtype:
        return False
    if values.dtype == object:
        return all(_are_same(one, other) for one, other in zip(read, values, strict=True))
    return bool(read.equals(values.rename(None)))


def _are_same(read: Any, value: Any) -> bool:
    """Whether an object came back as it was; any missing value does for another, as NaN and None do in a column."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return read is None or (isinstance(read, float) and np.isnan(read))
    value = value.item() if isinstance(value, np.generic) else value
    return type(read) is type(value) and bool(np.all(read == value))


def _joined(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _written(column: pa.Array) -> str:
    with io.BytesIO() as sink:
        table = pa.table({"values": column})
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue().hex()


def _read(text: str) -> pa.ChunkedArray:
    labels = pa.ipc.open_stream(bytes.fromhex(text)).read_all()
    require_sound(labels)
    return labels["values"]


def _plain_name(name: Any) -> Any:
    """A label of a column or an index as JSON; what JSON has no word for becomes its spelling."""
    if isinstance(name, tuple):
        return [_plain_name(each) for each in name]
    if isinstance(name, np.generic):
        name = name.item()
    return name if name is None or isinstance(name, str | int | float | bool) else str(name)


def _name(name: Any) -> Any:
    return tuple(map(_name, name)) if isinstance(name, list) else name
