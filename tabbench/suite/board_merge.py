"""Many submissions become one: equal duplicates count once, conflicting ones are named and compared with nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.board import Submission
from tabbench.core.cell import digest
from tabbench.core.effort import name_of
from tabbench.core.errors import BadData
from tabbench.core.metric import METRICS
from tabbench.verdict.winners import BASELINE

CELL = ["table", "contestant", "size", "repeat", "fold"]
"""What names a row of a board."""
ALIKE = ("rows", "columns", "target", "task", "split_kind", "folds")
"""What two descriptions of one table and its splits must have in common, besides what its protocol consists of."""
MOST_MARGINS = 1.5
"""How far the margins of two descriptions may be apart."""
EQUAL = 1e-9
"""Scores of the same predictions differ by less, relative to their size: sums may be taken in another order."""
COMPARED = ["settings", "status", "predictions", "circumstances", "score", "margin"]
FIRST_AND_SECOND = ("_first", "_second")
PAIRED = ("by_first", "score_first", "by_second", "score_second")
CONFLICT_COLUMNS = (*CELL, "first_by", "first_score", "second_by", "second_score", "reason")


def distinct(submissions: Sequence[Submission]) -> list[Submission]:
    """Each submission once, in the order of their hashes, so that the order in which they are given changes nothing; every
    person's name once, numbered where two have the same."""
    found = sorted({each.sha256: each for each in submissions}.values(), key=lambda each: each.sha256)
    seen: Counter[str] = Counter()
    named = []
    for each in found:
        seen[each.by] += 1
        by = each.by if seen[each.by] == 1 else f"{each.by} ({seen[each.by]})"
        named.append(Submission(by, each.sha256, each.tables, each.rows))
    return named


def table_frame(submissions: Sequence[Submission]) -> pd.DataFrame:
    """One row a protocol, with a unique name: that of the table, numbered where several protocols or tables have it.

    Raises
    ------
    BadData
        Two submissions describe the same table differently.
    """
    tables: dict[str, tuple[str, dict[str, Any]]] = {}
    for each in submissions:
        for table in each.tables:
            by, known = tables.setdefault(table["protocol"], (each.by, table))
            _require_alike(known, table, by, each.by)
            if (table["repeats"], bool(table["source"])) > (known["repeats"], bool(known["source"])):
                tables[table["protocol"]] = (each.by, table)
    seen: Counter[str] = Counter()
    rows = []
    for table in sorted((table for _, table in tables.values()), key=lambda table: (table["name"], table["protocol"])):
        seen[table["name"]] += 1
        number = seen[table["name"]]
        rows.append(table | {"table": table["name"] if number == 1 else f"{table['name']} ({number})",
                             "higher_is_better": METRICS.get(table["metric"]).higher_is_better})
    return pd.DataFrame(rows)


def _require_alike(one: Mapping[str, Any], other: Mapping[str, Any], by: str, other_by: str) -> None:
    differing = [name for name in ALIKE if one[name] != other[name]]
    if not 1 / MOST_MARGINS <= one["margin"] / other["margin"] <= MOST_MARGINS:
        differing.append("margin")  # it depends a little on the number of repeats
    if differing:
        what = differing[0]
        raise BadData(f"{by} and {other_by} describe the table {one['name']!r} differently ({what} {one[what]} and "
                      f"{other[what]}), though its content and its splits are the same; leave one of them out")


def all_rows(submissions: Sequence[Submission], tables: pd.DataFrame) -> pd.DataFrame:
    """The rows of all submissions, with table, contestant and by."""
    rows = pd.concat([each.rows.assign(by=each.by) for each in submissions], ignore_index=True)
    rows["table"] = rows["protocol"].map(tables.set_index("protocol")["table"])
    rows["contestant"] = _contestants(rows)
    return rows


def _contestants(rows: pd.DataFrame) -> pd.Series:
    """Names that tell approaches apart: by their version and effort where these differ, and by whose own they are."""
    identities = rows[["approach", "version"]].assign(effort=rows["effort"].where(rows["family"] != BASELINE, 0.0))
    identities.insert(1, "whose", rows["by"].where(rows["own"], ""))
    names = {}
    for (approach, owner), part in identities.drop_duplicates().groupby(["approach", "whose"]):
        versions, efforts = part["version"].nunique() > 1, part["effort"].nunique() > 1
        for version, effort in zip(part["version"], part["effort"], strict=True):
            told = [f"by {owner}"] * bool(owner) + [f"version {version}"] * versions + [name_of(effort)] * efforts
            names[approach, owner, version, effort] = f"{approach} ({'; '.join(told)})" if told else approach
    return pd.Series([names[key] for key in identities.itertuples(index=False, name=None)], index=rows.index, dtype=object)


def settle_duplicates(rows: pd.DataFrame, tables: pd.DataFrame, submissions: Sequence[Submission]
                      ) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows with equal duplicates merged, and the conflicts.

    A row has `confirmed`, the number of submissions that hold it, and `is_conflicting`, which is true for all rows of an approach
    at a size of a table as soon as one of them is disputed.
    """
    rows = rows.assign(confirmed=rows.groupby(CELL)["by"].transform("size"), margin=rows["protocol"].map(
        tables.set_index("protocol")["margin"]), circumstances=_circumstances(rows, submissions))
    is_first = ~rows.duplicated(CELL)
    pairs = rows[is_first].merge(rows[~is_first], on=CELL, suffixes=FIRST_AND_SECOND)
    frame = pairs.assign(reason=_reasons(pairs)).rename(columns=dict(zip(PAIRED, CONFLICT_COLUMNS[len(CELL):-1], strict=True)))
    frame = frame.loc[frame["reason"] != "", list(CONFLICT_COLUMNS)].sort_values(CELL, ignore_index=True)
    rows["is_conflicting"] = _is_among(rows, frame, ["table", "contestant", "size"])
    is_disputed = _is_among(rows, frame, CELL)
    rows.loc[is_disputed, "confirmed"] = 1
    rows = rows[is_disputed | is_first].drop(columns=["margin", "circumstances"])
    return rows.sort_values([*CELL, "by"], ignore_index=True), frame


def _is_among(rows: pd.DataFrame, others: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Which rows have the same values as one of the others."""
    known = set(others[names].itertuples(index=False, name=None))
    return pd.Series([each in known for each in rows[names].itertuples(index=False, name=None)], index=rows.index, dtype=bool)


def _circumstances(rows: pd.DataFrame, submissions: Sequence[Submission]) -> list[str]:
    """A digest of versions and CPU model for each row; empty where numbers may differ anyway: an unknown CPU, a GPU."""
    found = {(each.by, table["protocol"]): digest([table["versions"], table["cpu"]]) if table["cpu"] else ""
             for each in submissions for table in each.tables}
    return [found[by, protocol] if device == "cpu" else ""
            for by, protocol, device in zip(rows["by"], rows["protocol"], rows["device"], strict=True)]


def _reasons(pairs: pd.DataFrame) -> np.ndarray:
    """Why the two results of a pair cannot both be right; empty where they can.

    With the same predictions, or the same versions on the same CPU model, scores must be equal; else they may differ by the
    margin.
    """
    first, second = (pairs[[f"{name}{suffix}" for name in COMPARED]].set_axis(COMPARED, axis=1) for suffix in FIRST_AND_SECOND)
    same = first.eq(second) | (first.isna() & second.isna())
    is_exact = same["predictions"] | (same["circumstances"] & (first["circumstances"] != ""))
    rounding = EQUAL * np.maximum(first["score"].abs(), second["score"].abs())
    tolerance = np.maximum(np.where(is_exact, 0.0, first["margin"]), rounding)
    is_close = same["score"] | ((first["score"] - second["score"]).abs() <= tolerance)
    return np.select([~same["settings"], ~same["status"], ~is_close], ["settings", "status", "score"], "")
