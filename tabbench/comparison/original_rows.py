"""The rows as given for a user's own estimators: those that the table kept, with every column that was not taken out by name."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.given import Given, GivenRows
from tabbench.core.table import Table
from tabbench.options import Options
from tabbench.reading.layout import Layout
from tabbench.reading.source import read_source
from tabbench.store.given import encoded


def has_own(options: Options) -> bool:
    """Whether the user's own estimators take part."""
    return isinstance(options.approaches, Mapping) and not all(isinstance(each, str) for each in options.approaches.values())


def given_of(data: Any, table: Table, options: Options) -> Given:
    """The rows of the table as they are in `data` and the test file. Columns with a role but time's are no features."""
    layout = Layout(options.sheet, not options.no_header, options.query)
    frame = _as_frame(data, layout, options)
    if options.test is not None:
        frame = pd.concat([frame, _as_frame(options.test, replace(layout, query=None, is_optional=True), options)])
    frame = frame.iloc[table.rows]
    names = [str(name).strip() for name in frame.columns]
    target = frame.iloc[:, names.index(table.target_name)]
    gone = {table.target_name, *map(str, options.drop), *(name for role, name in table.roles.items() if role != "time")}
    return as_given(GivenRows(frame.loc[:, [name not in gone for name in names]], target))


def as_given(rows: GivenRows) -> Given:
    """Rows that are here, with the digest of what is written of them.

    Raises
    ------
    BadData
        A column cannot be handed on as it is.
    """
    return Given(lambda: rows, hashlib.sha256(encoded(rows)).hexdigest()[:32])


def without(given: Given | None, columns: Collection[str]) -> Given | None:
    """The same rows without some columns."""
    return None if given is None else as_given(given.load().without(columns))


def _as_frame(data: Any, layout: Layout, options: Options) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    raw = read_source(data, layout=layout, missing=None if options.missing is None else tuple(map(str, options.missing)))
    columns = {name: column.to_pandas() for name, column in raw.columns.items()}
    frame = pd.DataFrame({name: pd.Series(np.asarray(column) if pa.types.is_dictionary(raw.columns[name].type) else column)
                          for name, column in columns.items()})
    return frame.set_index(raw.rows).reindex(np.arange(int(raw.rows[-1]) + 1)) if len(raw.rows) <= raw.rows[-1] else frame
