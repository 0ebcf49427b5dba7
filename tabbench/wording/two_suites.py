"""The words for two runs of a suite beside each other. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tabbench.core.phrases import counted, first_few, listed
from tabbench.wording.numbers import known, signed

DECISIONS = {"same": "the same on every split", "within_noise": "within noise", "unknown": "cannot be told"}

HOW_TO_READ = (
    ("Difference",
     "Loss in the second run minus loss in the first, in margins: below zero the second is better. 1 is 1 % of a constant "
     "prediction's loss, 0.01 in accuracy, 0.005 in AUC."),
    ("On one table",
     "Over the same splits, with the corrected resampled t-test and its 95 % interval; p-values are adjusted for all rows. "
     "Different splits allow no interval for one table; they count in the comparison over tables."),
    ("Over tables",
     "The typical difference (median of the means of all pairs of tables) with a bootstrap interval over tables; Wilcoxon's "
     "signed-rank test, adjusted for all approaches."),
    ("Elo gap",
     "The approach's rating in the second run minus that in the first, with both runs' approaches in one pool, on the tables "
     "that have them all, and a bootstrap interval over tables."),
)
"""What the terms mean."""


def decided(decision: str, first: str, second: str) -> str:
    """A decision in words.

    >>> decided("second", "run-a", "run-b"), decided("within_noise", "run-a", "run-b")
    ('better in run-b', 'within noise')
    """
    return {"first": f"better in {first}", "second": f"better in {second}"}.get(decision, DECISIONS.get(decision, decision))


def gap_sentence(row: Mapping[Any, Any], first: str, second: str) -> str:
    """The Elo gap of one approach.

    >>> row = {"approach": "mlp", "elo_gap": 10.2, "elo_low": -35.0, "elo_high": 52.4, "decision": "within_noise", "tables": 13}
    >>> gap_sentence(row, "a", "b")
    'mlp: a gap of 10 Elo is within noise: the interval of the difference is −35 to 52, over 13 tables.'
    """
    gap, low, high = (known(row[name]) for name in ("elo_gap", "elo_low", "elo_high"))
    tables = counted(int(row["tables"]), "table")
    if row["decision"] == "same":
        return f"{row['approach']}: the same scores on every split of {tables}."
    if gap is None or low is None or high is None:
        return f"{row['approach']}: no Elo gap can be told from {tables}."
    interval = f"{_whole(low)} to {_whole(high)}, over {tables}"
    favoured = f" in favour of {second if gap > 0 else first}" if round(gap) else ""
    said = f"{row['approach']}: a gap of {abs(gap):.0f} Elo"
    if row["decision"] == "unknown":
        return f"{said} says nothing, because {tables} {'is' if row['tables'] == 1 else 'are'} too few."
    if low <= 0 <= high:
        return f"{said} is within noise: the interval of the difference is {interval}."
    if row["decision"] in ("first", "second"):
        return f"{said}{favoured} is more than noise: the interval of the difference is {interval}."
    return f"{said}{favoured} is not shown to be more than noise by the test over tables; its own interval is {interval}."


def _whole(value: float) -> str:
    return signed(value, 0).removeprefix("+")


def two_suites_sentence(approaches: pd.DataFrame, cells: pd.DataFrame, first: str, second: str) -> str:
    """The answer: which approaches differ over tables, and how many single tables do."""
    if approaches.empty:
        return f"{first} and {second} have no table and approach in common, so there is nothing to compare."
    differing = [f"{row.approach} is {decided(row.decision, first, second)}" for row in approaches.itertuples()
                 if row.decision in ("first", "second")]
    same = int((cells["decision"] == "same").sum())
    if same == len(cells):
        return f"{first} and {second} have the same scores on every split of {counted(cells['table'].nunique(), 'table')}."
    if (approaches["decision"].isin(["unknown", "same"])).all():
        over = f"{counted(cells['table'].nunique(), 'table')} are too few to tell a difference over tables from noise"
    else:
        over = f"over tables {listed(differing)}" if differing else "over tables no difference is more than noise"
    changed = cells[cells["decision"].isin(["first", "second"])]
    single = (f"{counted(len(changed), 'result')} on single tables {'is' if len(changed) == 1 else 'are'} more than noise "
              f"({_places(changed)})" if len(changed) else "no result on a single table is shown to differ by more than noise")
    equal = f"; {same:,} of {len(cells):,} results are the same" if same else ""
    return f"{over[0].upper()}{over[1:]}; {single}{equal}."


def _places(changed: pd.DataFrame, most: int = 5) -> str:
    names = [f"{row.approach} on {row.table}" for row in changed.itertuples()]
    return listed(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most:,} more"


def only_in(kind: str, names: Sequence[str], where: str) -> str:
    """Something that only one of the two has.

    >>> only_in("table", ["wine"], "run-a"), only_in("approach", ["mlp", "tabm"], "run-b")
    ('Only in run-a: table wine.', 'Only in run-b: approaches mlp and tabm.')
    """
    noun = kind if len(names) == 1 else {"table": "tables", "approach": "approaches"}[kind]
    return f"Only in {where}: {noun} {listed(list(names))}."


def differs(what: str, values: tuple[Any, Any], runs: tuple[str, str], tables: Sequence[str] = ()) -> str:
    """A condition that differs.

    >>> differs("version of numpy", ("2.4.6", None), ("run-a", "run-b"))
    'Version of numpy: 2.4.6 in run-a, none in run-b.'
    >>> differs("seed", (0, 7), ("run-a", "run-b"), ["wine", "iris"])
    'Seed: 0 in run-a, 7 in run-b (on wine, iris).'
    """
    told = [f"{'none' if value is None else value} in {run}" for value, run in zip(values, runs, strict=True)]
    where = f" (on {first_few(list(tables))})" if tables else ""
    return f"{what[0].upper()}{what[1:]}: {told[0]}, {told[1]}{where}."


def other_content(names: Sequence[str]) -> str:
    """Tables of the same name and different content.

    >>> other_content(["wine"])
    'Not compared, because the content differs: wine.'
    """
    return f"Not compared, because the content differs: {listed(list(names))}."
