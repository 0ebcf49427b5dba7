"""What came of feature selection: how many columns were kept, how stable the chosen set is, and whether choosing helped.

Pure functions of names and of the pairs that are judged already. Knows no store and no approach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.winners import FIRST_BETTER, SECOND_BETTER

MOST_CHOSEN = 50
"""Of more columns the ones that are chosen most often are listed."""
ENDINGS = ("=", " ")
"""What follows a column's name in the name of a feature made from it: a level, a part of a date, a mark of missing values."""

Choices = Mapping[tuple[str, int], Sequence[Collection[str] | None]]
"""(approach, size) -> for each split the names of the features that were kept; None where they are not columns."""


def selection_frame(choices: Choices, columns: Sequence[str], pairs: pd.DataFrame) -> pd.DataFrame:
    """One row an (approach, size) with the columns of result.json's `selection`.

    Parameters
    ----------
    choices : Choices
        As `Choices`; features are traced to the columns that they are made of.
    columns : Sequence[str]
        Names of the table's p feature columns, as they appear in feature names.
    pairs : DataFrame
        The judged pairs. `effect` is what they say of `base`, the same learner without the last selector: helps, hurts, equal or
        undecided, None where it was not run.
    """
    names = {name for splits in choices.values() for each in splits for name in each or ()}
    source = {name: source_columns([name], columns) for name in names}
    rows = []
    for (approach, size), splits in sorted(choices.items()):
        base = approach.rpartition("+")[0]
        kept = [None if each is None else set().union(*(source[name] for name in each)) for each in splits]
        rows.append({"approach": approach, "size": size, **_chosen(kept, columns), "base": base,
                     "effect": effect_of(approach, base, size, pairs)})
    return pd.DataFrame(rows, columns=list(COLUMNS["selection"]))


def stability(chosen: np.ndarray) -> float | None:
    """How alike the sets are: 1 for one and the same, 0 as if drawn at random; below where they avoid each other.

    Parameters
    ----------
    chosen : ndarray
        Boolean (splits, features).

    Returns
    -------
    float | None
        The measure of Nogueira, Sechidis and Brown (JMLR 18(174), 2018); None with fewer than two sets, and where nothing or
        everything is chosen always, since that is no choice.

    >>> stability(np.array([[True, False, False], [True, False, False]]))
    1.0
    """
    splits, features = chosen.shape
    share = chosen.mean(axis=0) if splits else np.zeros(features)
    mean_share = float(share.mean()) if features else 0.0
    if splits < 2 or mean_share in (0.0, 1.0):
        return None
    variance = float((share * (1 - share)).mean()) * splits / (splits - 1)
    return float(1.0 - variance / (mean_share * (1 - mean_share)))


def source_columns(names: Iterable[str], columns: Sequence[str]) -> set[str]:
    """The columns that features are made of, by their names: the longest column that a name begins with.

    >>> sorted(source_columns(["colour=red", "day (weekday)", "age"], ["age", "day", "colour", "colour="]))
    ['age', 'colour=', 'day']
    """
    known = set(columns)
    by_length = sorted(columns, key=len, reverse=True)
    found = set()
    for name in names:
        if name in known:
            found.add(name)
        else:
            found |= set([column for column in by_length if _is_made_of(name, column)][:1])
    return found


def _is_made_of(name: str, column: str) -> bool:
    return name.startswith(column) and (column.endswith(ENDINGS) or name[len(column):].startswith(ENDINGS))


def _chosen(kept: Sequence[set[str] | None], columns: Sequence[str]) -> dict[str, object]:
    known = [each for each in kept if each is not None]
    if not known or len(known) < len(kept):
        return {"n_selected_mean": None, "stability": None, "chosen": []}
    chosen = np.array([[column in each for column in columns] for each in known])
    share = chosen.mean(axis=0)
    order = [int(place) for place in np.argsort(-share, kind="stable")[:MOST_CHOSEN] if share[place] > 0]
    return {"n_selected_mean": float(chosen.sum(axis=1).mean()), "stability": stability(chosen),
            "chosen": [{"feature": columns[place], "share_of_splits": float(share[place])} for place in order]}


def effect_of(approach: str, base: str, size: int, pairs: pd.DataFrame) -> str | None:
    """What the judged pair says of the approach compared with `base`; None where there is no such pair."""
    for row in pairs[pairs["size"] == size].itertuples():
        if {row.first, row.second} == {approach, base}:
            if row.decision not in FIRST_BETTER | SECOND_BETTER:
                return str(row.decision)
            better = row.first if row.decision in FIRST_BETTER else row.second
            return "helps" if better == approach else "hurts"
    return None
