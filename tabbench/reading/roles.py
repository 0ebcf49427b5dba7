"""Which column is the target and which ones group, order, weigh or fold the rows; and their values as plain arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.core.errors import BadData, BadOption, OptionMention, UnknownName
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.typed_column import TypedColumn

TARGET_NAMES = ("target", "label", "y", "class")
"""Without an option, a column of such a name is the target."""
MOST_NAMES_LISTED = 30


@dataclass(frozen=True)
class Roles:
    """Role -> column name, for those in use; columns to drop; what to say about the choice."""

    target: str
    others: dict[str, str]
    drop: frozenset[str]
    findings: tuple[Finding, ...] = ()

    @property
    def not_features(self) -> frozenset[str]:
        """Columns that no approach may see. Time stays a feature."""
        return self.drop | {self.target} | {name for role, name in self.others.items() if role != "time"}


def choose_roles(names: Sequence[str], ambiguous: Collection[str], target: str | None, roles: Mapping[str, str | None],
                 drop: Sequence[str]) -> Roles:
    """Resolve the names that the user gave.

    Raises
    ------
    UnknownName
        A named column does not exist.
    BadOption
        No target is named and none is found; one column in two roles.
    BadData
        A named column stands twice in the header with different content.
    """
    found = _named_target(names, target)
    others = {role: _existing(names, name) for role, name in roles.items() if name is not None}
    dropped = frozenset(_existing(names, name) for name in drop)
    used = [found, *others.values()]
    for name in used:
        if used.count(name) > 1 or name in dropped:
            places = [role for role, each in {"target": found, **others}.items() if each == name] + ["drop"] * (name in dropped)
            raise BadOption(f"column {shown(name)!r} is named for {' and '.join(places)}; give each its own column")
        if name in ambiguous:
            raise BadData(f"column {shown(name)!r} stands twice in the header with different content; rename one of them in the "
                          f"file")
    findings = () if target is not None else (Finding(
        "target-by-name", "info", shown(found), f"the target is {shown(found)}, because of its name",
        "name another one with --target"),)
    return Roles(found, others, dropped, findings)


def _existing(names: Sequence[str], name: str) -> str:
    if name in names:
        return name
    if name.strip() in names:
        return name.strip()
    raise UnknownName.among("column", shown(name), [shown(each) for each in names])


def _named_target(names: Sequence[str], target: str | None) -> str:
    if target is not None:
        return _existing(names, target)
    candidates = [name for name in names if name.casefold() in TARGET_NAMES]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise BadOption.about(f"each of {first_few(candidates)} could be the target; name it with ", OptionMention("target"))
    raise BadOption.about("name the column to predict with ", OptionMention("target"),
                          f"; there are: {first_few(names, MOST_NAMES_LISTED)}")


def codes(role: str, name: str, typed: TypedColumn) -> np.ndarray:
    """Int64 codes (n,) from 0 by sorted value: of groups or folds."""
    _refuse_missing(role, name, typed)
    return np.asarray(pd.factorize(typed.values, sort=True)[0], dtype=np.int64)


def times(name: str, typed: TypedColumn) -> np.ndarray:
    """Int64 or float64 (n,) that sorts in time: microseconds since 1970 for dates."""
    if typed.column.kind not in ("date", "number"):
        first = shown(str(pd.Series(typed.values).dropna().iloc[0])) if typed.missing < len(typed) else ""
        raise BadData(f"time column {shown(name)!r} holds neither dates nor numbers ({first!r}); write dates as YYYY-MM-DD")
    _refuse_missing("time", name, typed)
    if typed.column.kind == "number" and not np.isfinite(typed.values).all():
        raise BadData(f"time column {shown(name)!r} holds infinite numbers; correct or remove these rows")
    return typed.codes


def weights(name: str, typed: TypedColumn) -> np.ndarray:
    """Float64 (n,), finite and not negative."""
    if typed.column.kind != "number":
        raise BadData(f"weight column {shown(name)!r} holds no numbers; weights are numbers of at least 0")
    _refuse_missing("weight", name, typed)
    values: np.ndarray = typed.values.astype(np.float64)
    bad = int((~np.isfinite(values) | (values < 0)).sum())
    if bad:
        raise BadData(f"weight column {shown(name)!r} is negative or infinite in {counted(bad, 'row')}; weights are numbers of "
                      f"at least 0")
    if not values.any():
        raise BadData(f"weight column {shown(name)!r} is 0 in every row; give some row a weight")
    return values


def _refuse_missing(role: str, name: str, typed: TypedColumn) -> None:
    if typed.missing:
        raise BadData(f"{role} column {shown(name)!r} is missing in {counted(typed.missing, 'row')}; "
                      "fill it or remove these rows")
