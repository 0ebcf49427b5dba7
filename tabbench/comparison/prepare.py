"""From the data as given to a frozen setup: read, settle the task, check, split. Nothing is fitted here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from tabbench.checks.running import run_checks
from tabbench.comparison.original_rows import given_of, has_own
from tabbench.core.check import CheckedTable, Learners
from tabbench.core.errors import BadOption, OptionMention
from tabbench.core.finding import Finding
from tabbench.core.metric import METRICS, metric_words
from tabbench.core.progress import Display
from tabbench.core.setup import Setup
from tabbench.core.table import DeclaredKind, Table
from tabbench.core.task import Task
from tabbench.core.versions import versions
from tabbench.metrics.choice import choose_metrics
from tabbench.metrics.own import known_labels
from tabbench.options import Options, column_kinds
from tabbench.reading.layout import Layout
from tabbench.reading.locating import locate
from tabbench.reading.reading import read_table
from tabbench.reading.source import NamedTable
from tabbench.reading.summary import MOST_COLUMNS_SHOWN, column_lines
from tabbench.reading.target import read_target
from tabbench.splitting.splits import make_splits, splits_fingerprint
from tabbench.store.database import Store
from tabbench.wording.findings import of_a_kind_as_one, sentence


@dataclass(frozen=True, eq=False)
class Prepared:
    """A setup and what was noticed on the way to it."""

    setup: Setup
    findings: tuple[Finding, ...]


def resolve_source(data: Any, options: Options) -> tuple[Any, Options]:
    """The name of a table becomes the table, with its source's target, roles, task and metric where none are named."""
    located = locate(data) if isinstance(data, str) else None
    if located is None:
        return data, options
    drop = tuple(options.drop) or located.drop
    group, time = (None if column in drop else column for column in (located.group, located.time))
    options = replace(options, target=options.target or located.target, drop=drop, group=options.group or group,
                      time=options.time or time)
    if options.target == located.target:
        options = replace(options, task=located.task or "auto" if options.task == "auto" else options.task,
                          metric=options.metric or located.metric)
    return located.data, options


def prepare(data: Any, options: Options, display: Display, positions: Any = None) -> Prepared:
    """Read the table, settle the task, split and check the data; say each in a short block.

    Raises
    ------
    UserMistake
        For data or options that cannot be used; nothing has been fitted.
    """
    prepared = read_and_split(data, options, display, positions)
    checked = Prepared(prepared.setup, _each_once((*prepared.findings, *findings_of(prepared.setup))))
    say_findings(checked, display)
    return checked


def findings_of(setup: Setup, learners: Learners | None = None) -> tuple[Finding, ...]:
    """What the checks say; `learners` fit what they ask, by default here."""
    return run_checks(CheckedTable(setup.table, setup.task, setup.target, setup.seed, setup.splits, learners=learners))


def say_findings(prepared: Prepared, display: Display) -> None:
    """Those that are more than a remark."""
    for row in of_a_kind_as_one([finding.to_json() for finding in prepared.findings if finding.severity != "info"]):
        display.say(f"{row['severity']}: {sentence(row)}")


def read_and_split(data: Any, options: Options, display: Display, positions: Any = None,
                   name: str | None = None, most_columns: int | None = MOST_COLUMNS_SHOWN) -> Prepared:
    """The same without the checks; `name` is the table's, by default that of its file, and `most_columns` are said."""
    data, options = resolve_source(data, options)
    table = read_table(data, options.target, group=options.group, time=options.time, weight=options.weight, fold=options.fold,
                       drop=tuple(options.drop), missing=options.missing, test=options.test, name=name,
                       types=cast("dict[str, DeclaredKind] | None", column_kinds(options.types)),
                       layout=Layout(options.sheet, not options.no_header, options.query), merge_labels=options.merge_labels)
    for line in table.reading:
        display.say(line)
    for line in column_lines(table.columns_read, len(table), most_columns):
        display.say(line)
    target = read_target(table, options.task, options.folds)
    display.say(target.sentence)
    table = target.table
    metrics = choose_metrics(target.kind, options.metric)
    known_labels(metrics, target.classes)
    task = Task(target.kind, target.classes, metrics[0], metrics)
    if METRICS.get(task.metric).row_loss is None:
        display.say(f"{metric_words(task.metric)} is no mean over rows: differences are judged by the splits alone (corrected "
                    "resampled t-test), for which more repeats tell more")
    if hasattr(positions, "split"):
        positions, repeats, repeats_given = _drawn(positions, table, target.values)
    else:
        positions, repeats, repeats_given = _positions(data, options, positions)
        positions = None if positions is None else _follow_rows(positions, table.rows, _rows_given(data))
    splits, split_findings = make_splits(table, target.values, task, folds=options.folds, repeats=repeats, seed=options.seed,
                                         positions=positions, repeats_given=repeats_given)
    for note in splits.notes:
        display.say(note)
    given = given_of(data, table, options) if has_own(options) else None
    setup = Setup(table, task, target.values, splits, splits_fingerprint(splits), options.seed, given)
    return Prepared(setup, _each_once((*table.findings, *target.findings, *split_findings)))


def _each_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))


def _positions(data: Any, options: Options, given: Sequence[tuple[Any, Any]] | None
               ) -> tuple[Sequence[tuple[Any, Any]] | None, int | None, int]:
    """Positions of the splits (None: to be drawn), repeats to be drawn, repeats that the positions are.

    They are those given, or those that come with the table unless the options say how to split; `repeats` takes the first ones.
    """
    says_how = any((options.fold, options.test is not None, options.group, options.time))
    if given is not None or says_how or not isinstance(data, NamedTable) or data.splits is None:
        return given, options.repeats, 1
    repeats = options.repeats or data.repeats
    if repeats > data.repeats:
        raise BadOption.about(OptionMention("repeats", repeats), f" is more than the {data.repeats} of {data.name}; leave it out")
    return data.splits[: len(data.splits) // data.repeats * repeats], None, repeats


def _drawn(splitter: Any, table: Table, target: np.ndarray) -> tuple[Sequence[tuple[Any, Any]], None, int]:
    """Positions that a splitter of scikit-learn's kind draws among the rows left after reading, in the form of `_positions`."""
    splits = list(splitter.split(table.features, target, table.group))
    repeats = int(getattr(splitter, "n_repeats", 1))
    return splits, None, repeats if len(splits) % repeats == 0 else 1


def _rows_given(data: Any) -> int | None:
    return len(data) if hasattr(data, "__len__") and not isinstance(data, str | Path) else None


def _follow_rows(positions: Sequence[tuple[Any, Any]], rows: np.ndarray, given_rows: int | None
                 ) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions in the data as given, translated to the rows that are left after reading."""
    place = np.full(given_rows or int(rows.max()) + 1, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))

    def kept(part: Any) -> np.ndarray:
        given = np.asarray(part)
        if given.dtype == bool or not np.issubdtype(given.dtype, np.integer):
            raise BadOption("splits must hold pairs of integer row positions; turn a mask into positions with numpy.flatnonzero")
        if given.size and (given.min() < 0 or given.max() >= len(place)):
            wrong = given.max() if given.max() >= len(place) else given.min()
            raise BadOption(f"splits name row {wrong}, but the data have rows 0 to {len(place) - 1}; give positions from 0")
        found: np.ndarray = place[given]
        return found[found >= 0]

    return [(kept(train), kept(test)) for train, test in positions]


def identity(setup: Setup, options: Options) -> dict[str, Any]:
    """What may not change when a run is continued."""
    missing = {} if options.missing is None else {"--missing": sorted(options.missing)}
    return {**missing, "table": setup.table.fingerprint, "--drop": sorted(options.drop), "--target": setup.table.target_name,
            "--task": setup.task.kind, "--metric": setup.task.metric, "--margin": options.margin, "--folds": setup.splits.folds,
            "--repeats": setup.splits.repeats, "--seed": options.seed, "roles": setup.table.roles,
            "versions": versions(), "classes": list(setup.task.classes),
            "splits": setup.splits_digest}


def require_same(store: Store, new: dict[str, Any], folder: Path) -> bool:
    """Whether the store already holds this run; a `BadOption` names what differs if it holds another one."""
    old = store.recall("identity")
    if old is None:
        return False
    for name, value in new.items():
        if name != "table" and old.get(name) != value:
            raise BadOption(f"{folder} holds a run with {differs(name, old.get(name), value)}; "
                            "choose another folder with --out, or start over with --fresh")
    if old["table"] != new["table"]:
        raise BadOption(f"{folder} holds a run of another table; choose another folder with --out, or start over with --fresh")
    return True


def differs(name: str, old: Any, new: Any) -> str:
    """In which way two values of an identity differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        key = next(key for key in [*old, *new] if old.get(key) != new.get(key))
        return f"{key} {old.get(key, 'absent')}, not {new.get(key, 'absent')}"
    if name in ("splits", "classes"):
        return f"other {name}"
    return f"{name} {'left out' if old is None else old}, not {'left out' if new is None else new}"
