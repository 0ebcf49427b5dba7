"""Files and frames become a `Table`: typed features, a target, roles, and a short account of how they were understood.

The order of steps is here; how each is done is in the modules that it calls. Knows no task and no split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData, BadOption, OptionMention, UnknownName
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import FEWEST_COLUMNS_OF_A_BLOCK, ColumnReading, DeclaredKind, Table
from tabbench.reading.column_readings import column_readings
from tabbench.reading.declared import declared_kinds, recognise_as
from tabbench.reading.frames import are_numbers_as_labels, as_labels, is_text, joined, plain
from tabbench.reading.layout import PLAIN, Layout
from tabbench.reading.leaving_out import IDENTIFIER, columns_to_leave_out
from tabbench.reading.missing_numbers import FEWEST_TARGET_VALUES, apply_missing_code, find_missing_codes, without_infinite
from tabbench.reading.recognition import recognise
from tabbench.reading.roles import Roles, choose_roles, codes, times, weights
from tabbench.reading.row_digest import row_digests, table_fingerprint
from tabbench.reading.rules import Rules
from tabbench.reading.source import RawTable, read_source
from tabbench.reading.summary import reading_block
from tabbench.reading.typed_column import TypedColumn, as_strings, plain_number_columns

HEAD_ROWS, FEWEST_HEAD_ROWS, MOST_HEAD_CELLS = 200, 10, 40_000
"""Examples of cells are taken from the first rows, of fewer in a wide table."""
QUICK_LOOK_ROWS = 1000
FEWEST_ROWS = 30
"""With fewer, five folds hold less than six test rows each and no verdict is possible."""


def read_table(source: Any, target: str | None = None, *, group: str | None = None, time: str | None = None,
               weight: str | None = None, fold: str | None = None, drop: Sequence[str] = (), test: Any = None,
               missing: Sequence[str | float] | None = None, name: str | None = None,
               types: Mapping[str, DeclaredKind] | None = None, layout: Layout = PLAIN, merge_labels: bool = False) -> Table:
    """Read a table and understand its columns.

    Parameters
    ----------
    source : Any
        Path, "-" for standard input, pandas frame or polars frame.
    target : str | None, default None
        Column to predict; without it a column called target, label, y or class is used, and said so.
    group, time, weight, fold : str | None
        Columns with these roles.
    drop : Sequence[str]
        Columns to leave out.
    test : Any, default None
        The user's own test rows, like `source`; they are typed together with the others and marked.
    missing : Sequence[str | float] | None, default None
        Codes that stand for a missing value besides an empty cell; by default those that the columns show.
    name : str | None, default None
        Short name of the table; by default the file's.
    types : mapping of str to {"category", "number", "text", "date"}, default None
        Columns whose kind is declared, the target included; they are read as that or refused.
    layout : Layout
        How the table lies in its file, and the test rows in theirs, but for a query.
    merge_labels : bool, default False
        Labels that differ only in case, blanks or a full stop at their end become one.

    Raises
    ------
    BadData, BadOption, UnknownName, MissingExtra
        What cannot be read or used, in one sentence with the cure.
    """
    rules = Rules(missing=None if missing is None else tuple(str(code) for code in missing), merge_labels=merge_labels)
    raw = read_source(source, layout=layout, missing=rules.missing)
    rules = replace(rules, hint=raw.decimal_hint)
    roles = _roles(raw, target, {"group": group, "time": time, "weight": weight, "fold": fold}, drop)
    if len(raw.columns) < 2:
        raise BadData(f"{raw.name} has one column only ({shown(roles.target)}); a table needs a target and at least one feature")
    if test is not None and fold is not None:
        raise BadOption.about(OptionMention("fold"), " and ", OptionMention("test"), " exclude each other; give one of them")
    is_test = None
    if test is not None:
        test_rows = read_source(test, layout=replace(layout, query=None, is_optional=True), missing=rules.missing)
        raw, is_test = _with_test_rows(raw, test_rows, roles)
    declared = declared_kinds(types or {}, list(raw.columns), roles.target)
    for dropped in roles.drop:
        del raw.columns[dropped]
    typed = _typed_rows(raw, roles, is_test, declared, rules)
    return _table(name or raw.name, raw, roles, typed, declared)


def _roles(raw: RawTable, target: str | None, others: Mapping[str, str | None], drop: Sequence[str]) -> Roles:
    try:
        return choose_roles(list(raw.columns), raw.ambiguous, target, others, drop)
    except (UnknownName, BadOption) as error:
        if all(finding.code != "first-row-is-data" for finding in raw.findings):
            raise
        parts = error.parts or (str(error),)
        raise type(error).about(*parts, "; the first row looks like values: if it names no columns, give ",
                                OptionMention("no_header"), ", and they are called column 1, column 2, ...") from None


@dataclass(frozen=True, eq=False)
class _TypedRows:
    """All columns typed, over the rows that have a target."""

    target: TypedColumn
    columns: dict[str, TypedColumn]
    rows: np.ndarray
    is_test: np.ndarray | None
    findings: tuple[Finding, ...]

    def take(self, rows: np.ndarray) -> _TypedRows:
        """These rows."""
        columns = {name: typed.take(rows) for name, typed in self.columns.items()}
        return replace(self, target=self.target.take(rows), columns=columns, rows=self.rows[rows],
                       is_test=None if self.is_test is None else self.is_test[rows])


def _with_test_rows(raw: RawTable, test: RawTable, roles: Roles) -> tuple[RawTable, np.ndarray]:
    wanted = [name for name in raw.columns if name not in roles.drop]
    absent = [name for name in wanted if name not in test.columns]
    if absent:
        near = UnknownName.among("column", shown(absent[0]), [shown(each) for each in test.columns])
        lacking = f"{counted(len(absent), 'column')} of the table ({first_few(absent)})"
        raise BadData(f"the test file {test.name} lacks {lacking}: {near}")
    columns = {name: joined([raw.columns[name], test.columns[name]]) for name in wanted}
    columns |= {name: raw.columns[name] for name in roles.drop}
    extra = [name for name in test.columns if name not in raw.columns]
    findings = raw.findings + tuple(each for each in test.findings if each.code == "ragged-rows")
    if extra:
        unused = f"{counted(len(extra), 'column')} of the test file unused: {first_few(extra)}"
        findings += (Finding("extra-column", "info", first_few(extra), unused),)
    is_test = np.repeat([False, True], [len(raw.rows), len(test.rows)])
    rows = np.concatenate([raw.rows, test.rows + raw.rows[-1] + 1])
    description = f"{raw.description}; {counted(len(test.rows), 'test row')} from {test.name}"
    return replace(raw, columns=columns, rows=rows, findings=findings, description=description), is_test


def _typed_rows(raw: RawTable, roles: Roles, is_test: np.ndarray | None, declared: Mapping[str, DeclaredKind],
                rules: Rules) -> _TypedRows:
    """Type the target, set aside rows without one, type the rest, find the codes for missing numbers."""
    target = _typed_target(raw, roles.target, declared, replace(rules, is_target=True))
    if target.column.kind == "date":
        raise BadData.about(f"the target {shown(roles.target)!r} holds dates; a target is a label or a number: to predict its "
                            "spellings as labels, give ", OptionMention("types", {roles.target: "category"}))
    rows, findings = raw.rows, tuple[Finding, ...]()
    if target.missing:
        has_target = ~np.asarray(pd.isna(target.values))
        findings = _rows_without_target(raw, roles, has_target)
        target, rows = target.take(np.flatnonzero(has_target)), rows[has_target]
        is_test = None if is_test is None else is_test[has_target]
        kept = pa.array(has_target)
        for name in raw.columns:
            raw.columns[name] = raw.columns[name].filter(kept)
    if len(rows) < FEWEST_ROWS:
        raise BadData(_too_few(raw.name, len(rows)))
    typed = _TypedRows(target, _recognised(raw, declared, rules), rows, is_test, findings)
    return typed if rules.missing is not None else _without_missing_codes(typed, roles, raw.name)


def _typed_target(raw: RawTable, name: str, declared: Mapping[str, DeclaredKind], rules: Rules) -> TypedColumn:
    values = raw.columns.pop(name)
    kind = declared.get(name)
    if kind is None and raw.has_types and is_text(values.type):
        labels = values.drop_null()
        if are_numbers_as_labels(labels.unique().to_pylist(), len(labels)):
            kind = "category"
    typed = recognise(name, values, rules) if kind is None else recognise_as(kind, name, values, rules)
    return replace(typed, head=_head(values, HEAD_ROWS))


def _head(values: pa.ChunkedArray, rows: int) -> tuple[str | None, ...]:
    """The first cells as they were written."""
    labels = as_labels(plain(values.slice(0, rows)))
    return tuple(labels.to_pylist())


def _recognised(raw: RawTable, declared: Mapping[str, DeclaredKind], rules: Rules) -> dict[str, TypedColumn]:
    """Type column by column, texts first as they take longest, on as many threads as Arrow uses."""
    names = sorted(raw.columns, key=lambda name: not pa.types.is_string(raw.columns[name].type))
    order = list(raw.columns)
    head_rows = max(FEWEST_HEAD_ROWS, min(HEAD_ROWS, MOST_HEAD_CELLS // max(len(order), 1)))

    def typed(name: str) -> TypedColumn:
        read = partial(recognise_as, declared[name]) if name in declared else recognise
        values = raw.columns.pop(name)
        column = without_infinite(name, read(name, values, rules))
        return replace(column, head=_head(values, head_rows))

    together = _plain_numbers(raw, declared, rules, head_rows) if len(order) >= FEWEST_COLUMNS_OF_A_BLOCK else {}
    names = [name for name in names if name not in together]
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        columns = dict(zip(names, pool.map(typed, names), strict=True)) | together
    return {name: columns[name] for name in order}


def _plain_numbers(raw: RawTable, declared: Mapping[str, DeclaredKind], rules: Rules, head_rows: int) -> dict[str, TypedColumn]:
    """The many columns of plain numbers of a wide table, typed in blocks and taken out of the raw table."""
    if rules.missing is not None:
        return {}
    columns = plain_number_columns({name: values for name, values in raw.columns.items() if name not in declared})
    if not columns:
        return {}
    kinds: dict[tuple[pa.DataType, bool], list[str]] = {}
    starts = np.array([typed.values[:head_rows] for typed in columns.values()], dtype=np.float64).reshape(len(columns), -1)
    are_whole = (np.isnan(starts) | (starts == np.floor(starts))).all(axis=1)
    for name, is_whole in zip(columns, are_whole.tolist(), strict=True):
        kinds.setdefault((raw.columns[name].type, is_whole), []).append(name)
    heads = {name: head for names in kinds.values() for name, head in _heads([raw.columns.pop(each) for each in names], names,
                                                                            head_rows)}
    return {name: replace(typed, head=heads[name]) for name, typed in columns.items()}


def _heads(columns: Sequence[pa.ChunkedArray], names: Sequence[str], rows: int) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    """Name and head of columns of one type that are written in one way, with or without fractions."""
    starts = [values.slice(0, rows) for values in columns]
    cells = as_labels(pa.chunked_array([chunk for start in starts for chunk in start.chunks])).to_pylist()
    for place, name in enumerate(names):
        yield name, tuple(cells[place * len(starts[0]):(place + 1) * len(starts[0])])


def _rows_without_target(raw: RawTable, roles: Roles, has_target: np.ndarray) -> tuple[Finding, ...]:
    without = pa.array(np.flatnonzero(~has_target))
    is_empty = np.ones(len(without), dtype=bool)
    for column in raw.columns.values():
        is_empty &= column.take(without).is_null().to_numpy()
    empty, others = int(is_empty.sum()), int((~is_empty).sum())
    findings = []
    if empty:
        findings.append(Finding("empty-rows", "info", "rows", f"{counted(empty, 'row')} without any value left out"))
    if others:
        findings.append(_no_target(others, roles))
    return tuple(findings)


def _no_target(rows: int, roles: Roles) -> Finding:
    return Finding("no-target", "info", shown(roles.target), f"{counted(rows, 'row')} without a value of {shown(roles.target)} "
                                                             f"left out")


def _too_few(name: str, rows: int) -> str:
    return f"{name} has {counted(rows, 'usable row')}; at least {FEWEST_ROWS} rows with a target are needed"


def _without_missing_codes(typed: _TypedRows, roles: Roles, name: str) -> _TypedRows:
    """Features and target with codes such as -999 counted as missing; rows whose target is one go."""
    searched = {each: column for each, column in typed.columns.items() if each not in roles.others.values()}
    target = typed.target.values
    if typed.target.column.kind == "number" and _has_many_values(target):
        searched[roles.target] = typed.target
    found, findings = find_missing_codes(searched)
    columns = {each: apply_missing_code(column, found[each]) if each in found else column
               for each, column in typed.columns.items()}
    typed = replace(typed, columns=columns, findings=typed.findings + findings)
    if roles.target in found:
        kept = np.flatnonzero(target != found[roles.target])
        lost = len(target) - len(kept)
        typed = replace(typed, findings=(*typed.findings, _no_target(lost, roles))).take(kept)
    if len(typed.rows) < FEWEST_ROWS:
        raise BadData(_too_few(name, len(typed.rows)))
    return typed


def _has_many_values(target: np.ndarray) -> bool:
    look = target[:QUICK_LOOK_ROWS]  # usually enough, and a million values take time to sort
    return len(np.unique(look)) > FEWEST_TARGET_VALUES or len(np.unique(target)) > FEWEST_TARGET_VALUES


def _table(name: str, raw: RawTable, roles: Roles, typed: _TypedRows, declared: Mapping[str, str]) -> Table:
    candidates = {each: column for each, column in typed.columns.items() if each not in roles.not_features}
    left_out, out_findings = columns_to_leave_out(candidates, declared, raw.row_names)
    features = {each: column for each, column in candidates.items() if each not in left_out}
    if not features:
        raise BadData(f"{raw.name} has no usable feature besides {shown(roles.target)}: the others are empty, constant or "
                      f"identifiers")
    arrays = _role_arrays(roles, typed)
    target = _target_series(typed.target)
    tie = row_digests([*(column.codes for column in features.values()), typed.target.codes])
    is_integer = typed.target.column.kind == "number" and bool((np.floor(typed.target.values) == typed.target.values).all())
    findings = (*raw.findings, *roles.findings, *typed.findings, *typed.target.findings,
                *(finding for column in features.values() for finding in column.findings), *out_findings)
    columns = tuple(column.column for column in features.values())
    fingerprint = table_fingerprint(
        [[each.to_json() for each in columns], typed.target.column.to_json(), roles.target, roles.others],
        {"tie": tie, **arrays, "test": typed.is_test},
        [column.distinct for column in features.values() if column.column.kind == "text" and column.distinct is not None])
    reading = reading_block(name, raw.description, len(target), _target_line(roles), features, list(left_out), sorted(roles.drop),
                            findings)
    return Table(name=name, features=_frame(features), columns=columns, target=target, target_name=roles.target,
                 target_is_integer=is_integer, rows=typed.rows, tie=tie, fingerprint=fingerprint, test=typed.is_test,
                 roles=dict(roles.others), reading=reading, findings=findings,
                 columns_read=_columns_read(roles, typed, left_out, findings, declared),
                 identifiers={each: pd.Series(candidates[each].values) for each, code in left_out.items() if code == IDENTIFIER},
                 **arrays)


def _columns_read(roles: Roles, typed: _TypedRows, left_out: Collection[str], findings: Sequence[Finding],
                  declared: Mapping[str, str]) -> tuple[ColumnReading, ...]:
    role_of = dict.fromkeys(left_out, "left out") | {name: role for role, name in roles.others.items()} | {roles.target: "target"}
    return column_readings({roles.target: typed.target, **typed.columns}, role_of, findings, declared)


def _frame(features: Mapping[str, TypedColumn]) -> pd.DataFrame:
    """The values as they are; those of a wide table copied into a block for each type, as to take rows of it costs by block."""
    if len(features) >= FEWEST_COLUMNS_OF_A_BLOCK:
        arrays = {name: column.values for name, column in features.items()}
        kinds = {array.dtype for array in arrays.values()}
        if kinds in ({np.dtype(np.float64)}, {np.dtype(np.int64)}):  # a tenth of the time
            return pd.DataFrame(np.stack(list(arrays.values())).T, columns=list(arrays), copy=False)
        return pd.DataFrame(arrays)
    return pd.DataFrame({name: pd.Series(column.values, copy=False) for name, column in features.items()}, copy=False)


def _role_arrays(roles: Roles, typed: _TypedRows) -> dict[str, np.ndarray | None]:
    arrays: dict[str, np.ndarray | None] = {"group": None, "time": None, "weight": None, "fold": None}
    for role, name in roles.others.items():
        column = typed.columns[name]
        if role in ("group", "fold"):
            arrays[role] = codes(role, name, column)
        else:
            arrays[role] = times(name, column) if role == "time" else weights(name, column)
    return arrays


def _target_series(typed: TypedColumn) -> pd.Series:
    """Float64 for numbers, else the labels as spelled."""
    if typed.column.kind == "number":
        return pd.Series(typed.values.astype(np.float64))
    if typed.column.kind == "boolean":
        return _spelled_out(typed.codes, typed.column.levels or ("False", "True"))
    if isinstance(typed.values, pd.Categorical):
        return _spelled_out(typed.values.codes, [str(level) for level in typed.values.categories])
    return pd.Series(typed.values).astype("str")


def _spelled_out(codes: np.ndarray, levels: Sequence[str]) -> pd.Series:
    """Labels by their codes, through Arrow, which spells a million of them ten times quicker than numpy."""
    labels = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(levels, pa.large_string()))
    return pd.Series(as_strings(labels.cast(pa.large_string())), copy=False)


def _target_line(roles: Roles) -> str:
    others = "".join(f", {role}: {shown(name)}" for role, name in roles.others.items())
    return f"target: {shown(roles.target)}{' (found by its name)' if roles.findings else ''}{others}"
