"""Many submissions become one: equal duplicates count once, conflicting ones are named and compared with nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tabbench.core.board import Submission
from tabbench.core.effort import name_of
from tabbench.core.metric import METRICS

CELL = ["table", "contestant", "size", "repeat", "fold"]
"""What names a row of a board."""
EQUAL = 1e-9
"""Scores of the same predictions differ by less, relative to their size: sums may be taken in another order."""
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
    """One row a protocol, with a unique name: that of the table, numbered where several protocols or tables have it."""
    tables = {table["protocol"]: table for each in reversed(submissions) for table in each.tables}
    ordered = sorted(tables.values(), key=lambda table: (table["name"], table["protocol"]))
    seen: Counter[str] = Counter()
    rows = []
    for table in ordered:
        seen[table["name"]] += 1
        number = seen[table["name"]]
        rows.append(table | {"table": table["name"] if number == 1 else f"{table['name']} ({number})",
                             "repeats": max(other["repeats"] for each in submissions for other in each.tables
                                            if other["protocol"] == table["protocol"]),
                             "higher_is_better": METRICS.get(table["metric"]).higher_is_better})
    return pd.DataFrame(rows)


def all_rows(submissions: Sequence[Submission], tables: pd.DataFrame) -> pd.DataFrame:
    """The rows of all submissions, with table, contestant and by."""
    rows = pd.concat([each.rows.assign(by=each.by) for each in submissions], ignore_index=True)
    rows["table"] = rows["protocol"].map(tables.set_index("protocol")["table"])
    rows["contestant"] = _contestants(rows)
    return rows


def _contestants(rows: pd.DataFrame) -> pd.Series:
    """Names that tell approaches apart: by their version and effort where these differ, and by whose own they are."""
    whose = rows["by"].where(rows["own"], "")
    identities = pd.DataFrame({"approach": rows["approach"], "whose": whose, "version": rows["version"], "effort": rows["effort"]})
    names = {}
    for (approach, owner), part in identities.drop_duplicates().groupby(["approach", "whose"]):
        versions, efforts = part["version"].nunique() > 1, part["effort"].nunique() > 1
        for version, effort in zip(part["version"], part["effort"], strict=True):
            told = [f"by {owner}"] * bool(owner) + [f"version {version}"] * versions + [f"effort {name_of(effort)}"] * efforts
            names[approach, owner, version, effort] = f"{approach} ({', '.join(told)})" if told else approach
    return pd.Series([names[key] for key in identities.itertuples(index=False, name=None)], index=rows.index, dtype=object)


def settle_duplicates(rows: pd.DataFrame, submissions: Sequence[Submission]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows with equal duplicates merged, and the conflicts.

    A row has `confirmed`, the number of submissions that hold it, and `is_conflicting`, which is true for all rows of an approach
    at a size of a table as soon as one of them is disputed.
    """
    abouts = {(each.by, table["protocol"]): table for each in submissions for table in each.tables}
    rows = rows.assign(confirmed=1)
    conflicts, dropped, counts = [], [], {}
    for cell, part in rows[rows.duplicated(CELL, keep=False)].groupby(CELL, sort=True):
        first, *others = part.to_dict("records")
        disputed = [(each, why) for each in others if (why := _conflict(first, each, abouts))]
        conflicts += [dict(zip(CELL, cell, strict=True)) | {
            "first_by": first["by"], "first_score": first["score"], "second_by": each["by"], "second_score": each["score"],
            "reason": why} for each, why in disputed]
        if not disputed:
            dropped += list(part.index[1:])
            counts[part.index[0]] = len(part)
    rows.loc[list(counts), "confirmed"] = list(counts.values())
    frame = pd.DataFrame(conflicts, columns=list(CONFLICT_COLUMNS))
    rows = rows.drop(index=dropped)
    where = set(zip(frame["table"], frame["contestant"], frame["size"], strict=True))
    rows["is_conflicting"] = [key in where for key in zip(rows["table"], rows["contestant"], rows["size"], strict=True)]
    return rows.sort_values([*CELL, "by"], ignore_index=True), frame


def _conflict(first: Mapping[str, Any], second: Mapping[str, Any], abouts: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    """Why two results of the same cell cannot both be right; empty where they can."""
    if first["settings"] != second["settings"]:
        return "settings"
    if first["status"] != second["status"]:
        return "status"
    if first["predictions"] == second["predictions"] and _is_close(first["score"], second["score"], 0.0):
        return ""
    one, other = (abouts[each["by"], each["protocol"]] for each in (first, second))
    is_same = (one["versions"], one["cpu"], first["device"]) == (other["versions"], other["cpu"], second["device"]) and one["cpu"]
    return "" if _is_close(first["score"], second["score"], 0.0 if is_same else one["margin"]) else "score"


def _is_close(first: float, second: float, margin: float) -> bool:
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    return abs(first - second) <= max(margin, EQUAL * max(abs(first), abs(second)))
