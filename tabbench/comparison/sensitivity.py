"""The comparison repeated with one thing changed at a time (`--what-if`): without its most suspicious feature, with other splits.

Says what to change and what came of it; how a prepared comparison is run is handed in. Every repetition is a run of its own in
`OUT/what-if/NAME`, made from the frozen table, so that it can be resumed without the file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tabbench.checks.columns import Sample, dated_columns, plain_values
from tabbench.checks.running import SEVERITY_ORDER, run_checks
from tabbench.comparison.original_rows import without
from tabbench.comparison.prepare import Prepared
from tabbench.comparison.progress import Clock
from tabbench.comparison.result import FinishedComparison
from tabbench.core.cell import digest
from tabbench.core.check import CheckedTable
from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadData, BadOption, UserMistake
from tabbench.core.finding import Finding
from tabbench.core.setup import Setup
from tabbench.core.split import OWN_SPLITS
from tabbench.core.table import Column, Table
from tabbench.options import Options
from tabbench.reading.row_digest import row_digests
from tabbench.splitting.splits import make_splits, splits_fingerprint
from tabbench.store.folder import WHAT_IF
from tabbench.verdict.what_if import ALMOST_ALL, Answer, Change, ChangeOutcome
from tabbench.wording.what_if import change_phrase

LONGEST_SLUG = 40
NO_TIME = "--time-limit left no time for it"

RunPrepared = Callable[[Prepared, Options, Clock], tuple[FinishedComparison, bool]]
"""Gives the comparison, and whether some of it was left out for lack of time."""


def repeat_changed(comparison: Comparison, prepared: Prepared, options: Options, clock: Clock, say: Callable[[str], None],
                   run: RunPrepared) -> list[ChangeOutcome]:
    """Repeat a finished comparison at its headline size with one thing changed at a time.

    Parameters
    ----------
    prepared : Prepared
        What was compared.
    options : Options
        How; `options.out` is the run's folder.
    clock : Clock
        The call's, whose deadline holds for the repetitions, too.
    run : RunPrepared
        Compares what is prepared with given options; it must leave `options.out` resumable.
    """
    outcomes, names = [], tuple(comparison.approaches["name"])
    changes = changes_of(prepared)
    for number, (change, obstacle) in enumerate(changes):
        outcome = ChangeOutcome(change, names, reason=obstacle)
        if not obstacle:
            say(f"what if: {change_phrase(change)}")
            try:
                still = sum(not why for _, why in changes[number:])
                outcome = _repeat(comparison, changed(prepared, change, options), outcome, options, _share(clock, still), run)
            except UserMistake as mistake:  # the changed table cannot be split, or holds too little to learn from
                outcome = replace(outcome, reason=str(mistake))
        outcomes.append(outcome)
    return outcomes


def changes_of(prepared: Prepared) -> list[tuple[Change, str]]:
    """What may be changed, each with the reason why it can't be, "" where it can."""
    setup = prepared.setup
    names = [column.name for column in setup.table.columns]
    suspect = _suspect(prepared) if len(names) > 1 else ""
    why = "" if suspect else "no feature tells anything alone" if len(names) > 1 else "there is but one feature"
    return [(Change("without", suspect), why), _of_group(prepared), _of_time(prepared)]


def changed(prepared: Prepared, change: Change, options: Options) -> Prepared:
    """The same question with one thing changed, made from the frozen table; splits of the user's own stay.

    Raises
    ------
    UserMistake
        What is left cannot be split.
    """
    setup = prepared.setup
    table = _changed_table(setup, change)
    if setup.splits.kind in OWN_SPLITS:
        plan, split_findings = setup.splits, tuple[Finding, ...]()
    else:
        was_dealt = setup.splits.kind != "ordered"
        repeats = None if table.time is not None else setup.splits.repeats if was_dealt else options.repeats
        plan, split_findings = make_splits(table, setup.target, setup.task, folds=options.folds, seed=setup.seed, repeats=repeats)
    checked = run_checks(CheckedTable(table, setup.task, setup.target, setup.seed, plan))
    gone = {column.name for column in setup.table.columns} - {column.name for column in table.columns}
    setup = Setup(table, setup.task, setup.target, plan, splits_fingerprint(plan), setup.seed, without(setup.given, gone))
    return Prepared(setup, tuple(dict.fromkeys((*table.findings, *split_findings, *checked))))


def folder_name(change: Change) -> str:
    """The name of a repetition's folder.

    >>> folder_name(Change("without", "Total Charges ($)"))
    'without-Total-Charges'
    """
    slug = re.sub(r"[^\w-]+", "-", change.subject).strip("-")[:LONGEST_SLUG]
    return f"{change.kind}-{slug or 'column'}"


def _repeat(comparison: Comparison, prepared: Prepared, outcome: ChangeOutcome, options: Options, clock: Clock, run: RunPrepared
            ) -> ChangeOutcome:
    """`clock` is the repetition's own."""
    size, roles = _size(comparison, prepared.setup.splits.full_size), prepared.setup.table.roles
    if clock.limit_seconds is not None and clock.limit_seconds <= 0:
        return replace(outcome, reason=NO_TIME)
    finished, is_late = run(prepared, replace(
        options, out=Path(options.out) / WHAT_IF / folder_name(outcome.change), sizes=[size], group=roles.get("group"),
        time=roles.get("time"), fresh=False, what_if=False, save_winner=False, race=False, extrapolate=False), clock)
    if len(finished.winners):
        return replace(outcome, answer=Answer.at(finished.winners, finished.pairs, size), failed=len(finished.failures))
    return replace(outcome, reason=NO_TIME if is_late else "no approach was finished")


def _share(clock: Clock, still: int) -> Clock:
    """What each repetition may take of the time that is left when so many are still to come."""
    return Clock.start(None if clock.deadline is None else (clock.deadline - time.monotonic()) / still)


def _size(comparison: Comparison, full_size: int) -> int:
    """The headline size as far as the changed training parts reach; else the largest size of the comparison that they hold."""
    headline = int(comparison.protocol["headline_size"])
    if full_size >= ALMOST_ALL * headline:
        return min(full_size, headline)
    smaller = [int(size) for size in comparison.winners["size"] if size <= full_size]
    if not smaller:
        raise BadOption(f"its training parts hold {full_size:,} rows, fewer than any size that was compared; add a "
                        "size of at most that to --sizes")
    return max(smaller)


def _suspect(prepared: Prepared) -> str:
    """The feature that the gravest finding is about, else the one that tells most about the target alone; "" if none does."""
    setup = prepared.setup
    found = _cured_by("drop", [each for each in prepared.findings if each.spoils], setup.table.columns)
    if found:
        return found[0]
    sample = Sample.of(CheckedTable(setup.table, setup.task, setup.target, setup.seed))
    strongest, told = max(sample.strongest(), key=lambda each: each[1])
    return strongest.column.name if told > 0 else ""


def _of_group(prepared: Prepared) -> tuple[Change, str]:
    table, is_own = prepared.setup.table, prepared.setup.splits.kind in OWN_SPLITS
    if is_own:
        return Change("grouped-by", ""), "the splits are your own"
    if table.group is not None:
        return Change("not-grouped", table.roles.get("group", "group")), ""
    found = _cured_by("group", prepared.findings, table.columns)
    return Change("grouped-by", found[0] if found else ""), "" if found else "no column looks like a group"


def _of_time(prepared: Prepared) -> tuple[Change, str]:
    table, is_own = prepared.setup.table, prepared.setup.splits.kind in OWN_SPLITS
    if is_own:
        return Change("in-time-by", ""), "the splits are your own"
    if table.time is not None:
        return Change("not-in-time", table.roles.get("time", "time")), ""
    ordered = [column for column in table.columns if column.kind in ("date", "number")]
    found = [*_cured_by("time", prepared.findings, ordered), *dated_columns(table)]
    return Change("in-time-by", found[0] if found else ""), "" if found else "no column holds dates"


def _cured_by(option: str, findings: Sequence[Finding], columns: Iterable[Column]) -> list[str]:
    """The columns to which findings would have an option applied, those of the gravest first; of several the foremost."""
    names = {column.name for column in columns}
    gravest_first = sorted(findings, key=lambda each: SEVERITY_ORDER[each.severity])
    foremost = [each.remedy.columns[0] for each in gravest_first if each.remedy is not None and each.remedy.option == option]
    return [name for name in foremost if name in names]


def _changed_table(setup: Setup, change: Change) -> Table:
    table, name = setup.table, change.subject
    fingerprint = digest([table.fingerprint, change.kind, name])
    table = replace(table, fingerprint=fingerprint, reading=(f"what if: {change_phrase(change)}", *table.reading))
    if change.kind == "not-grouped":
        return replace(table, group=None, roles={role: column for role, column in table.roles.items() if role != "group"})
    if change.kind == "not-in-time":
        return replace(table, time=None, roles={role: column for role, column in table.roles.items() if role != "time"})
    if change.kind == "in-time-by":
        return replace(table, time=_order_of(table, name), roles={**table.roles, "time": name})
    if change.kind == "grouped-by":
        table = replace(table, group=_group_of(table, name), roles={**table.roles, "group": name})
    return _without(setup, table, name)


def _without(setup: Setup, table: Table, name: str) -> Table:
    columns = tuple(column for column in table.columns if column.name != name)
    if not columns:
        raise BadData(f"no feature is left without `{name}`")
    features = table.features.drop(columns=name)
    tie = row_digests([*(_digestible(features[column.name], column) for column in columns), setup.target])
    return replace(table, features=features, columns=columns, tie=tie,
                   findings=tuple(each for each in table.findings if each.subject != name))


def _digestible(values: pd.Series, column: Column) -> np.ndarray:
    if pd.api.types.is_integer_dtype(values):
        return np.asarray(values)  # a float would merge large numbers that differ
    return plain_values(values, column)


def _group_of(table: Table, name: str) -> np.ndarray:
    """Int64 codes (n,) from 0."""
    codes = pd.factorize(_present(table, name), sort=False)[0]
    return np.asarray(codes, dtype=np.int64)


def _order_of(table: Table, name: str) -> np.ndarray:
    """Int64 or float64 (n,) that sorts in time."""
    values = _present(table, name)
    is_date = pd.api.types.is_datetime64_any_dtype(values)
    return np.asarray(values.to_numpy().astype("datetime64[us]").astype(np.int64) if is_date else values)


def _present(table: Table, name: str) -> pd.Series:
    values = table.features[name]
    missing = int(values.isna().sum())
    if missing:
        raise BadData(f"`{name}` is missing in {missing:,} row{'' if missing == 1 else 's'}")
    return values
