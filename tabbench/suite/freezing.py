"""Tables of a suite are read, split and frozen in their runs' folders before the first cell, so that the whole plan is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tabbench.comparison.plan import Contestants
from tabbench.comparison.planner import Planner
from tabbench.comparison.prepare import Prepared, read_and_split, resolve_source
from tabbench.comparison.progress import Clock
from tabbench.comparison.resume import freeze, recall_prepared, require_same_versions
from tabbench.comparison.running import make_planner, settled_effort, sizes_of
from tabbench.comparison.session import Session
from tabbench.comparison.stopping import Stop
from tabbench.comparison.time_plan import largest_plan
from tabbench.core.errors import BadData, BadOption, OptionMention, TabbenchError
from tabbench.core.progress import Display
from tabbench.costs.prior import PriorCosts
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.store.database import Store
from tabbench.suite.definition import OF_A_TABLE, Suite, SuiteTable
from tabbench.suite.layout import table_folder
from tabbench.suite.sharing import Need
from tabbench.wording.numbers import duration

OF_READING = (*(name for name in OF_A_TABLE if name not in ("sizes", "use_folds")), "seed")
"""Options with the same values as before need no second reading."""
MOST_READING_SHARE = 0.4
"""Of a time limit: tables that have not been read by then are left out."""


class FewerRepeats(BadOption):
    """A run holds more repeats than are asked for."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """A table that is ready to be run, or why it is not.

    Parameters
    ----------
    table : SuiteTable
        As the suite names it.
    options : Options
        Of its run.
    problem : str, default ""
        Why it cannot be run.
    need : Need
        Seconds that it may take.
    cells : int, default 0
        How many cells it has with all that is wished for.
    settled : int, default 0
        About how many of them an earlier call has finished.
    summary : str, default ""
        Its shape and task in a few words.
    digest : str, default ""
        Sha256 of its file, where it is one.
    identity : tuple[str, str, str]
        Fingerprint of the table, target and task.
    """

    table: SuiteTable
    options: Options
    problem: str = ""
    need: Need = Need(0.0, 0.0)
    cells: int = 0
    settled: int = 0
    summary: str = ""
    digest: str = ""
    identity: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True, eq=False)
class Common:
    """What all tables of a suite share."""

    contestants: Contestants
    prior: PriorCosts
    jobs: int
    device: str
    clock: Clock


def options_of(table: SuiteTable, given: Options, folder: Path) -> Options:
    """The options of a table's run: its own, then those of all tables.

    `use_folds` is of one repeat, so that `repeats` means nothing where one of the two is the table's and one is for all tables.

    Raises
    ------
    BadOption
        One of them is wrong.
    """
    options = replace(given, **dict(table.options), out=folder, time_limit=None)
    if options.use_folds is not None and not {"use_folds", "repeats"} <= table.options.keys():
        options = replace(options, repeats=None)
    return options.checked()


def freeze_table(table: SuiteTable, given: Options, folder: Path, common: Common, *, is_again: bool) -> Frozen:
    """Read a table and freeze it in its run's folder; what an earlier call has frozen is only opened where `is_again`.

    A table that cannot be used costs only itself.

    Raises
    ------
    FewerRepeats
        The run has more repeats than are asked for: the tables would be left with different numbers of them.
    """
    try:
        return _frozen(table, options_of(table, given, folder), common, is_again=is_again)
    except FewerRepeats:
        raise
    except TabbenchError as error:
        return Frozen(table, given, error.typed)


def freeze_tables(suite: Suite, given: Options, folder: Path, common: Common, display: Display, stop: Stop, *, is_again: bool
                  ) -> dict[str, Frozen]:
    """Every table of a suite by name; what cannot be used is said.

    Raises
    ------
    BadOption
        No table can be used.
    """
    frozen: dict[str, Frozen] = {}
    for table in suite.tables:
        if stop.is_requested:
            raise KeyboardInterrupt
        if frozen and _is_late(common.clock):
            each = Frozen(table, given, "the time limit left no time to read it")
        else:
            each = freeze_table(table, given, table_folder(folder, table.name), common, is_again=is_again)
        each = told_apart(each, frozen.values())
        if each.problem:
            each = left_out(each, each.problem, display)
        else:
            display.say(f"{table.name}: {each.summary}")
        frozen[table.name] = each
    if all(each.problem for each in frozen.values()):
        first = next(iter(frozen.values())).problem
        raise BadOption(f"no table of the suite {suite.name} can be used; the first one: {first}")
    return frozen


def _is_late(clock: Clock) -> bool:
    return clock.limit_seconds is not None and clock.elapsed_seconds > MOST_READING_SHARE * clock.limit_seconds


def _frozen(table: SuiteTable, options: Options, common: Common, *, is_again: bool) -> Frozen:
    with Session.open(options, common.clock, QUIET, contestants=common.contestants, prior=common.prior) as session:
        reading = _reading(table, options)
        is_there = is_again and session.store.recall("reading") == reading
        if is_there:
            digest = _unchanged(table.source, session.store)
            prepared = recall_prepared(session.store)
        else:
            digest, prepared = _digest_of(table.source), _read(table, options, session)
        session.store.remember(source_digest=digest, reading=reading)
        planner = make_planner(prepared, common.contestants, sizes_of(prepared, options), options, common.prior, common.jobs,
                               common.device)
        setup = prepared.setup
        wish = planner.wish(settled_effort(session.store, options))
        shape = f"{len(setup.table):,} rows, {len(setup.table.columns):,} columns, {setup.task.kind}"
        cells = len(wish.most.approaches) * len(wish.most.sizes) * wish.most.splits
        settled = min(len(session.store.settled()), cells)
        # What was put aside must not be put aside again when the table is begun.
        return Frozen(table, replace(options, fresh=False), need=need_of(planner).times(1 - settled / cells), cells=cells,
                      settled=settled, summary=shape, digest=digest,
                      identity=(setup.table.fingerprint, setup.table.target_name, setup.task.kind))


def _reading(table: SuiteTable, options: Options) -> dict[str, Any]:
    """All that a table's content and splits depend on, as plain values, but for the content of its file."""
    values = {name: getattr(options, name) for name in OF_READING}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return values | {"source": table.source, "test_digest": "" if options.test is None else _digest_of(options.test)}


def _unchanged(source: str, store: Store) -> str:
    """Sha256 of the file that was read; one that is gone is not needed any more.

    Raises
    ------
    BadData
        It has changed.
    BadOption
        It was read with other versions of the libraries.
    """
    require_same_versions(store)
    found, read = _digest_of(source), str(store.recall("source_digest"))
    if found not in ("", read):
        raise BadData.about(f"{source} has changed since it was read; start over with ", OptionMention("fresh"))
    return read


def _read(table: SuiteTable, options: Options, session: Session) -> Prepared:
    data, resolved = resolve_source(table.source, options)
    prepared = read_and_split(data, resolved, QUIET, name=table.name)
    sizes_of(prepared, options)  # refused before anything is written
    _refuse_fewer_repeats(table.name, session.store, prepared.setup.splits.repeats)
    freeze(session.folder, session.store, prepared, resolved, may_have_more_repeats=True)
    return prepared


def _refuse_fewer_repeats(name: str, store: Store, repeats: int) -> None:
    there = store.recall("identity", {}).get("--repeats", 0)
    if repeats < there:
        raise FewerRepeats.about(
            f"the run has {there} repeats of {name}, not {repeats}, and none is taken away; give ",
            OptionMention("repeats", there), " or more, or choose another folder with ", OptionMention("out"))


def need_of(planner: Planner) -> Need:
    """Expected seconds of a table with the least that leaves no family out, and with all that is wished for."""
    wish = planner.wish()
    least = largest_plan(replace(wish, families=()), lambda plan: False)
    started = started_already(planner.prior)
    most = planner.seconds(wish.most) - started
    return Need(min(planner.seconds(least) - started, most), most)


def started_already(prior: PriorCosts) -> float:
    """Seconds that judging a table takes longer in a command of its own, which imports what it needs first."""
    return prior.machine("closing_seconds") - prior.machine("reporting_seconds")


def told_apart(each: Frozen, others: Iterable[Frozen]) -> Frozen:
    """The same, or with a problem if one of the others has the same content and target: it would count twice."""
    same = next((other.table.name for other in others if not other.problem and other.identity == each.identity), None)
    if each.problem or same is None:
        return each
    return replace(each, problem=f"it is the same table with the same target as {same}; leave one of them out")


def left_out(frozen: Frozen, problem: str, display: Display) -> Frozen:
    """The same with its problem, which is said."""
    display.say(f"{frozen.table.name} is left out: {problem}")
    return replace(frozen, problem=problem)


def _digest_of(source: str) -> str:
    path = Path(source)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


QUIET: Display = make_display(quiet=True, to_json=False)


def forecast_lines(found: Sequence[Frozen]) -> list[str]:
    """A forecast as lines: what each table would cost, then all of them."""
    lines = [f"{each.table.name:24} {each.summary:44} {each.cells:>7,} cells  {duration(each.need.most)}" if not each.problem
             else f"{each.table.name:24} left out: {each.problem}" for each in found]
    usable = [each for each in found if not each.problem]
    least, most = (duration(sum(getattr(each.need, name) for each in usable)) for name in ("least", "most"))
    return [*lines, "", f"{len(usable):,} tables, {sum(each.cells for each in usable):,} cells, about {most}; "
                        f"the least that leaves no family out takes about {least} (--time-limit)"]


def plain_values(frozen: Frozen) -> dict[str, Any]:
    """What a manifest tells of a table."""
    fingerprint, target, task = frozen.identity
    return {"name": frozen.table.name, "source": frozen.table.source, "origin": frozen.table.origin, "sha256": frozen.digest,
            "fingerprint": fingerprint, "target": target, "task": task, "options": dict(frozen.table.options),
            "problem": frozen.problem}
