"""Outer splits: from a table and its target to the positions that every approach is trained and scored on.

A function of table, target, task and seed alone. Knows no approach, no metric and no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tabbench.core.errors import BadData, BadOption
from tabbench.core.finding import Finding
from tabbench.core.split import OWN_SPLITS, Split, SplitPlan
from tabbench.core.table import Table
from tabbench.core.task import Task
from tabbench.splitting.partition import deal_units, forward_cuts, shuffled_order, strata_of, tied_units, unit_codes

MAX_TEST_ROWS = 20_000
"""Rows scored in a split: the standard error of a mean over more would hardly shrink, and predictions are stored."""
THREE_REPEATS_UP_TO = 2_500
TWO_REPEATS_UP_TO = 10_000
TRAININGS = 5
"""With a test file, models trained on the training rows, up to `TWO_REPEATS_UP_TO` rows in all: by other seeds, and at smaller
sizes on other rows, so that the luck of training shows."""
"""Repeats pay where folds are small; above this one round of folds has rows enough."""
FORWARD_FIRST_SHARE = 0.5
"""Share of the rows before the first cut in time. The smallest training part is the full size, so it must not be small."""
MOST_FOLDS = 100
"""A column with more values than this is no fold column; each value would be a full round of fits."""
LEAST_PURGED_SHARE = 0.5
"""With groups and time together, so much of a training part must be free of the groups that are tested after it."""

MOST_CLASSES_NAMED = 5
SHARED_ALARM = 0.01
"""Share of test rows equal to a training row from which scores in splits of the user's own are too good; fewer are chance."""

ORDER, DEAL, DRAW = range(3)  # what a random stream is for; the first number of its seed after the run's

Part = tuple[int, int, np.ndarray, np.ndarray]  # repeat, fold, train and test positions


@dataclass(frozen=True, eq=False)
class _Request:
    """What is to be split, and how."""

    table: Table
    target: np.ndarray
    task: Task
    folds: int
    repeats: int
    seed: int

    def rng(self, purpose: int, repeat: int, fold: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, repeat, fold])

    def strata(self) -> np.ndarray:
        return strata_of(self.target, self.task.is_regression, self.folds)

    def role(self, role: str) -> str:
        """The column in this role as it is shown in a message."""
        return f"`{self.table.roles.get(role, role)}`"


def default_repeats(rows: int) -> int:
    """How often the folds are drawn anew when nobody says.

    >>> [default_repeats(rows) for rows in (1_000, 5_000, 50_000)]
    [3, 2, 1]
    """
    if rows <= THREE_REPEATS_UP_TO:
        return 3
    return 2 if rows <= TWO_REPEATS_UP_TO else 1


def make_splits(
    table: Table, target: np.ndarray, task: Task, *, folds: int = 5, repeats: int | None = None, seed: int = 0,
    positions: Sequence[tuple[np.ndarray, np.ndarray]] | None = None, repeats_given: int = 1,
) -> tuple[SplitPlan, tuple[Finding, ...]]:
    """All splits of a run, and what is worth knowing about them.

    `target` is (n,) class codes or numbers; `positions` are those of `repeats_given` repeats, one after the other. The kind is
    the first of these that applies: `positions` given; the table's own test rows; its fold column; its time (rolling origin:
    `folds` blocks of the newer half, each tested after all that is older; rows of a tested group are left out of training when
    there are groups too); its groups, whole; else stratified, equal rows together.

    The training order is shuffled and stratified, group by group if there are groups, newest first if there is a time.

    Raises
    ------
    BadOption
        folds, repeats or positions that cannot be used.
    BadData
        Too few groups, times or folds in the data, or a part that holds one class only.
    """
    kind = _kind(table, positions)
    repeats = repeats_given if kind == "given" and repeats is None else _checked_repeats(kind, repeats, len(table))
    if folds < 2 or 2 * folds > len(table):
        raise BadOption(f"--folds {folds} does not work for {len(table):,} rows; choose between 2 and {len(table) // 2}")
    request = _Request(table, np.asarray(target), task, folds, repeats, seed)
    parts, findings = _parts(kind, request, positions)
    splits = tuple(_finished(request, part) for part in parts)
    findings += _class_findings(kind, request, splits) + _leak_findings(kind, request, splits)
    unit = tied_units(table.tie, folds)[0] if table.group is None else unit_codes(table.group)
    plan = SplitPlan(kind, splits, len(splits) // repeats, repeats, min(len(split.train) for split in splits), unit,
                     _notes(kind, request, parts),
                     ties_are_kept=kind not in OWN_SPLITS or not _shared_rows(unit_codes(table.tie), splits))
    return plan, tuple(findings)


def splits_fingerprint(plan: SplitPlan) -> str:
    """Hex digest of the first repeat's positions, in order.

    The other repeats follow from the same rows and seed, so that a run with more of them goes on with the same cells.
    """
    digest = hashlib.sha256(plan.kind.encode())
    for split in (split for split in plan.splits if split.repeat == 0):
        digest.update(f"{split.name} {len(split.train)} {len(split.test)}".encode())
        digest.update(np.ascontiguousarray(split.train, dtype="<i8").tobytes())
        digest.update(np.ascontiguousarray(split.test, dtype="<i8").tobytes())
    return digest.hexdigest()[:32]


def _kind(table: Table, positions: object) -> str:
    sources = {"given": positions, "test": table.test, "fold": table.fold, "ordered": table.time, "grouped": table.group}
    return next((kind for kind, source in sources.items() if source is not None), "stratified")


def _checked_repeats(kind: str, repeats: int | None, rows: int) -> int:
    if kind in ("stratified", "grouped", "test"):
        if repeats is not None and repeats < 1:
            raise BadOption(f"--repeats {repeats} makes no splits; choose 1 or more")
        if repeats is None:
            return default_repeats(rows) if kind != "test" else TRAININGS if rows <= TWO_REPEATS_UP_TO else 1
        return repeats
    if repeats not in (None, 1):
        reason = "splits forward in time" if kind == "ordered" else "splits of your own"
        raise BadOption(f"--repeats {repeats} does not go with {reason}, which are used once; leave --repeats out")
    return 1


def _parts(kind: str, request: _Request, positions: Sequence[tuple[np.ndarray, np.ndarray]] | None
           ) -> tuple[list[Part], list[Finding]]:
    if kind == "given":
        return _given_parts(request, positions or ()), []
    if kind == "test":
        return _test_parts(request), []
    if kind == "fold":
        return _fold_parts(request), []
    if kind == "ordered":
        return _ordered_parts(request), []
    return _dealt_parts(request)


def _given_parts(request: _Request, positions: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Part]:
    if not len(positions):
        raise BadOption("splits is empty; give at least one pair (train, test) of row positions, or leave it out")
    folds = len(positions) // request.repeats
    return [(*divmod(number, folds), *_checked_pair(pair, number, len(request.table))) for number, pair in enumerate(positions)]


def _checked_pair(pair: tuple[np.ndarray, np.ndarray], number: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    where = f"splits[{number}]"
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise BadOption(f"{where} is no pair; give (train, test), two arrays of row positions")
    train, test = (np.asarray(side) for side in pair)
    for side, name in ((train, "train"), (test, "test")):
        if side.ndim != 1 or not len(side) or not np.issubdtype(side.dtype, np.integer):
            raise BadOption(f"{where}: {name} must be a list of row positions (whole numbers from 0) that is not empty")
        if side.min() < 0 or side.max() >= rows:
            outside = int(side[(side < 0) | (side >= rows)][0])
            raise BadOption(f"{where}: {name} holds position {outside}, but the {rows:,} usable rows count from 0 to {rows - 1}")
        if len(np.unique(side)) < len(side):
            raise BadOption(f"{where}: {name} holds a position twice; name each row once")
    shared = np.intersect1d(train, test)
    if len(shared):
        raise BadOption(f"{where}: position {shared[0]} is in train and in test ({len(shared):,} such); take it out of one")
    return train.astype(np.int64), test.astype(np.int64)


def _test_parts(request: _Request) -> list[Part]:
    is_test = np.asarray(request.table.test, dtype=bool)
    if is_test.all() or not is_test.any():
        side = "training" if is_test.all() else "test"
        raise BadData(f"no usable {side} row is left; check the {side} file and its target column `{request.table.target_name}`")
    return [(repeat, 0, np.flatnonzero(~is_test), np.flatnonzero(is_test)) for repeat in range(request.repeats)]


def _fold_parts(request: _Request) -> list[Part]:
    fold, column = np.asarray(request.table.fold), request.role("fold")
    values = np.unique(fold)
    if len(values) < 2:
        raise BadData(f"the fold column {column} holds one value only; name a column with at least two")
    if len(values) > MOST_FOLDS:
        raise BadData(f"the fold column {column} holds {len(values):,} values, each would be a fold; at most {MOST_FOLDS} work")
    return [(0, number, np.flatnonzero(fold != value), np.flatnonzero(fold == value)) for number, value in enumerate(values)]


def _ordered_parts(request: _Request) -> list[Part]:
    time, column = np.asarray(request.table.time), request.role("time")
    cuts = forward_cuts(time, request.folds, FORWARD_FIRST_SHARE)
    if len(cuts) < request.folds:
        raise BadData(f"the time column {column} allows only {len(cuts)} of {request.folds} cuts, as equal times stay together; "
                      f"choose fewer --folds or a finer time")
    if request.table.group is not None:
        cuts = [_without_tested_groups(request, *cut) for cut in cuts]
    return [(0, number, train, test) for number, (train, test) in enumerate(cuts)]


def _without_tested_groups(request: _Request, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    group = unit_codes(np.asarray(request.table.group))
    is_tested = np.zeros(int(group.max()) + 1, dtype=bool)
    is_tested[group[test]] = True
    kept = train[~is_tested[group[train]]]
    if len(kept) < LEAST_PURGED_SHARE * len(train):
        raise BadData(f"most groups of {request.role('group')} run through {request.role('time')}, so forward splits with new "
                      f"groups would leave {len(kept):,} of {len(train):,} training rows; leave --group or --time out")
    return kept, test


def _dealt_parts(request: _Request) -> tuple[list[Part], list[Finding]]:
    """Stratified or grouped folds."""
    findings: list[Finding] = []
    if request.table.group is not None:
        unit = unit_codes(request.table.group)
        groups = int(unit.max()) + 1
        if groups < request.folds:
            raise BadData(f"the group column {request.role('group')} holds {groups} groups, fewer than the {request.folds} "
                          f"folds; " + (f"choose --folds {groups}" if groups > 1 else "name another column"))
    else:
        unit, apart = tied_units(request.table.tie, request.folds)
        findings = _tie_findings(request, apart)
    strata, parts = request.strata(), []
    for repeat in range(request.repeats):
        fold = deal_units(unit, strata, request.folds, request.rng(DEAL, repeat))
        parts += [(repeat, each, np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in range(request.folds)]
    return parts, findings


def _tie_findings(request: _Request, apart: np.ndarray) -> list[Finding]:
    """What is said about equal rows that are not kept together."""
    rows = len(request.table)
    if not len(apart):
        return []
    if len(apart) == rows:
        distinct = len(np.unique(request.table.tie))
        return [Finding("ties-not-kept", "info", "rows",
                        f"only {distinct:,} of {rows:,} rows are distinct, so equal rows are not kept in one fold")]
    _, first, counts = np.unique(request.table.tie[apart], return_index=True, return_counts=True)
    named = [f"row {request.table.rows[apart[position]] + 1}" for position in first]
    return [Finding("large-tie-group", "info", row,
                    f"{row} occurs {count:,} times, too often for one fold, so its copies are spread over the folds at random",
                    "leave repeated rows out, or count them in a column for --weight")
            for row, count in zip(named, counts, strict=True)]


def _finished(request: _Request, part: Part) -> Split:
    """The split with its training rows in order and its test rows sorted, drawn if there are many."""
    repeat, fold, train, test = part
    strata, rng, table = request.strata(), request.rng(ORDER, repeat, fold), request.table
    unit = None if table.group is None else unit_codes(table.group[train])
    train = train[shuffled_order(strata[train], rng, unit)]
    if table.time is not None:
        train = train[np.argsort(-table.time[train], kind="stable")]
    if len(test) > MAX_TEST_ROWS:
        test = test[shuffled_order(strata[test], request.rng(DRAW, repeat, fold))[:MAX_TEST_ROWS]]
    return Split(repeat, fold, train, np.sort(test))


def _class_findings(kind: str, request: _Request, splits: tuple[Split, ...]) -> list[Finding]:
    """Refuse parts with one class; say which classes a test part lacks."""
    if request.task.is_regression:
        return []
    lacking: dict[int, int] = {}
    for split in splits:
        train, test = (np.bincount(request.target[side], minlength=request.task.n_classes) for side in (split.train, split.test))
        sides = (("training", train), ("test", test)) if kind in OWN_SPLITS else (("training", train),)
        for side, counts in sides:
            if np.count_nonzero(counts) < 2:
                label = request.task.classes[int(np.argmax(counts))]
                raise BadData(f"the {side} part of fold {split.fold + 1} holds only the class {label!r}; {_CURES[kind]}")
        for code in np.flatnonzero(test == 0):
            lacking[int(code)] = lacking.get(int(code), 0) + 1
    if not lacking:
        return []
    named = [f"{request.task.classes[code]!r} from {count}" for code, count in sorted(lacking.items())[:MOST_CLASSES_NAMED]]
    more = f" and {len(lacking) - MOST_CLASSES_NAMED} more" if len(lacking) > MOST_CLASSES_NAMED else ""
    return [Finding("class-missing-in-test", "info", request.task.classes[min(lacking)],
                    f"classes are missing from some of the {len(splits)} test parts: {', '.join(named)}{more}")]


_CURES = {
    "given": "give other splits",
    "test": "give a test file that holds more",
    "fold": "name another fold column",
    "ordered": "choose fewer --folds or leave --time out",
    "grouped": "choose fewer --folds or another --group",
    "stratified": "of the others there is one row, or rows that are all equal: give more different ones, or merge these classes",
}


def _leak_findings(kind: str, request: _Request, splits: tuple[Split, ...]) -> list[Finding]:
    """Equal rows and groups on both sides, which splits of the user's own may have."""
    findings, table = [], request.table
    if kind in OWN_SPLITS and table.group is not None:
        shared = _shared_rows(unit_codes(table.group), splits)
        if shared:
            findings.append(Finding("group-on-both-sides", "warn", request.role("group").strip("`"),
                                    f"{shared:,} test rows have a group that is in training too, so scores hold for known "
                                    "groups only",
                                    "leave the own splits out to have groups kept whole", spoils=True))
    if kind in OWN_SPLITS or kind == "grouped":
        shared = _shared_rows(unit_codes(table.tie), splits)
        if shared:
            matters = kind in OWN_SPLITS and shared >= SHARED_ALARM * sum(len(split.test) for split in splits)
            findings.append(Finding("tie-on-both-sides", "warn" if matters else "info", "rows",
                                    f"{shared:,} test rows are equal to a training row in every feature and the target",
                                    "leave repeated rows out", spoils=matters))
    return findings


def _shared_rows(unit: np.ndarray, splits: tuple[Split, ...]) -> int:
    shared = 0
    for split in splits:
        is_trained = np.zeros(int(unit.max()) + 1, dtype=bool)
        is_trained[unit[split.train]] = True
        shared += int(is_trained[unit[split.test]].sum())
    return shared


def _notes(kind: str, request: _Request, parts: list[Part]) -> tuple[str, ...]:
    """What is printed about the splits: half a line each."""
    folds = len(parts) // request.repeats
    times = "" if request.repeats == 1 else f" × {request.repeats} repeats"
    first = {
        "given": f"{folds} splits as given{times}",
        "test": f"the {len(parts[0][3]):,} rows of the test file, {f'{len(parts)} trainings' if times else 'one training'}",
        "fold": f"{folds} folds by {request.role('fold')}",
        "ordered": f"{folds} splits forward in time by {request.role('time')}; intervals rest on few, dependent splits",
        "grouped": f"{folds} folds{times}, groups of {request.role('group')} kept whole",
        "stratified": f"{folds} stratified folds{times}",
    }[kind]
    notes = [first]
    if kind == "ordered" and request.table.group is not None:
        notes.append(f"training rows of groups of {request.role('group')} that are tested are left out")
    largest = max(len(test) for _, _, _, test in parts)
    if largest > MAX_TEST_ROWS:
        notes.append(f"up to {MAX_TEST_ROWS:,} of {largest:,} test rows are scored in each")
    return tuple(notes)
