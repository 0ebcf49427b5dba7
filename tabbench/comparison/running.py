"""Run what is missing of a comparison: plan it, take a first look, run the plan, and say what a limit has cost."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.concluding import Ran, conclude
from tabbench.comparison.dry_run import STARTING_SHARE, ExpectedRun, closing_seconds, expect_run
from tabbench.comparison.in_progress import RunInProgress, recorded, take_findings
from tabbench.comparison.plan import Contestants, choose_device, missing_packages, without
from tabbench.comparison.plan_options import plan_line
from tabbench.comparison.planner import FIRST_LOOK_EFFORT, Planner
from tabbench.comparison.prepare import Prepared
from tabbench.comparison.progress import Clock, Watch
from tabbench.comparison.race import Race
from tabbench.comparison.resume import remember
from tabbench.comparison.run import Run
from tabbench.comparison.session import Session
from tabbench.comparison.stopping import Stop, stopping
from tabbench.comparison.time_plan import Wish, WorkPlan
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import BadOption, OptionMention, names_instead
from tabbench.core.executor import Executor, Keeping
from tabbench.costs.prior import PriorCosts
from tabbench.execution.schedule import Schedule, place_of
from tabbench.execution.work import Work
from tabbench.options import Options, reading_options, work_of
from tabbench.splitting.sizes import size_grid
from tabbench.store.database import Store

BROKEN_OFF_SHARE = 0.5
"""Of a time limit: a first look that takes longer is broken off, as there has to be time for more."""
STARTING_FACTOR = 1.5
"""Workers start while the table is read, checked and planned for on the same cores."""



def run_missing(session: Session, executor: Executor[Work], prepared: Prepared, clock: Clock, *,
                checking: Checking | None = None, effort: float | None = None) -> Ran:
    """Execute the cells that the store lacks.

    Parameters
    ----------
    clock : Clock
        The comparison's own, of the session's.
    checking : Checking | None, default None
        The table's checks, if they are under way; their findings are said as soon as they are there.
    effort : float | None, default None
        An effort that is settled, so that no limit changes it.
    """
    running = plan_run(session, executor, prepared, clock, checking=checking, effort=effort)
    _plan_when_started(running)
    session.display.say(plan_line(running.plan, running.planner, clock))
    executor.open_setup()
    with stopping() as stop:
        _look_first(running, stop)
        if not stop.is_requested:
            _plan_anew(running)
        run = _run_plan(running, stop)
    return conclude(running, run, is_interrupted=stop.is_requested)


def plan_run(session: Session, executor: Executor[Work], prepared: Prepared, clock: Clock, *,
             checking: Checking | None = None, effort: float | None = None, keeps_families: bool = False) -> RunInProgress:
    """The plan of an earlier call, as far as it is settled, or a new one; see `run_missing`.

    Parameters
    ----------
    keeps_families : bool, default False
        Whether no family is left out, even if it takes longer than there is time.
    """
    store, options, sizes = session.store, session.options, sizes_of(prepared, session.options)
    store.adopt_spooled()
    device = store.recall("device")
    if device is None or options.device not in ("auto", device) or _lacks_cells(store):
        device = choose_device(options.device, session.contestants, executor)
    prior = PriorCosts.load() if session.prior is None else session.prior
    planner = make_planner(prepared, session.contestants, sizes, options, prior, executor.jobs, device)
    settled = settled_effort(store, options)
    wish = planner.wish(effort if settled is None else settled)
    wish = replace(wish, families=()) if keeps_families else wish
    wish = wish if settled is None else _keeping(wish, (store.recall("run_plan") or {}).get("approaches", ()))
    starting_seconds = executor.starting_seconds(STARTING_FACTOR * planner.prior.machine("startup_seconds"))
    plan = choose_plan(planner, wish, clock, starting_seconds)
    return RunInProgress(session, executor, prepared, clock, planner, wish, plan, tuple(store.recall("first_look", [])),
                         is_continued=settled is not None, checking=checking)


def _keeping(wish: Wish, names: Collection[str]) -> Wish:
    """The same wish, of which these approaches are not given up any more: splits that lack one that was judged before cost it."""
    expendable, cheapest, families = (tuple(each - set(names) for each in sets if each - set(names))
                                      for sets in (wish.expendable, wish.cheapest, wish.families))
    return replace(wish, expendable=expendable, cheapest=cheapest, families=families)


def sizes_of(prepared: Prepared, options: Options) -> tuple[int, ...]:
    """The sizes that are asked for.

    Raises
    ------
    BadOption
        One of them is larger than a training part.
    """
    setup = prepared.setup
    return size_grid(setup.splits, setup.target, setup.task, options.sizes)


def make_planner(prepared: Prepared, contestants: Contestants, sizes: tuple[int, ...], options: Options, prior: PriorCosts,
                 jobs: int, device: str) -> Planner:
    """What forecasts plans for this table and these options."""
    setup = prepared.setup
    _refuse_unknown_pairs(options, contestants, sizes)
    return Planner(setup, contestants, sizes, options, prior, jobs, device, contestants.costs(setup, options.work, prior),
                   lambda cells: closing_seconds(setup, prior, cells, has_refit=options.save_winner))


def _refuse_unknown_pairs(options: Options, contestants: Contestants, sizes: Sequence[int]) -> None:
    for name, size in options.skipped_pairs:
        if name not in contestants.names:
            raise BadOption.about(OptionMention("skip"), f" names {name!r}; {names_instead(name, contestants.names)}")
        if size not in sizes:
            raise BadOption.about(OptionMention("skip"), f" names {size:,} rows, which is none of the sizes: "
                                  f"{', '.join(map(str, sizes))}")


def choose_plan(planner: Planner, wish: Wish, clock: Clock, starting_seconds: float = 0.0) -> WorkPlan:
    """All that is wished for, or what fits into the time that the clock has left."""
    if clock.deadline is None:
        return wish.most
    return planner.largest(wish, clock.deadline - time.monotonic() - starting_seconds)


def expect_plan(planner: Planner, prepared: Prepared, clock: Clock) -> ExpectedRun:
    """What a comparison would do and cost, of which nothing has been run."""
    starting = STARTING_SHARE * planner.prior.machine("startup_seconds")
    wish = planner.wish()
    plan = choose_plan(planner, wish, clock, starting)
    wanted = replace(plan, approaches=tuple(dict.fromkeys([*wish.most.approaches, *plan.approaches])))
    is_hopeless = clock.deadline is not None and clock.deadline - time.monotonic() <= starting
    places = set() if is_hopeless else set(planner.agenda(plan, wish).planned())
    planned = [batch for batch in planner.batches(plan, wish) if place_of(batch) in places]
    run = run_of(prepared, planner, wanted, wish, planner.batches(wanted, wish))
    run = replace(run, plan=recorded(planner, plan))
    reserve = 0.0 if clock.deadline is None else planner.reserve_seconds(plan, clock.deadline - time.monotonic() - starting)
    return expect_run(run, planned, planner.costs_of(plan), planner.options, prior=planner.prior, clock=clock,
                      device=planner.device, plan=plan_line(plan, planner, clock), reserve_seconds=reserve)


def settled_effort(store: Store, options: Options) -> float | None:
    """The effort of what an earlier call has run; None where nothing was.

    Raises
    ------
    BadOption
        Another one is asked for than was then.
    """
    earlier, kept = store.recall("plan"), store.recall("options", {})
    of_plan = set(store.recall("planned", [])) - set(store.recall("first_look", []))
    if earlier is None or not store.finished() & of_plan:
        return None
    effort = WorkPlan.from_json(earlier).effort
    is_said = options.effort is not None or options.preset is not None
    if is_said and options.work not in (effort, work_of(kept.get("effort"), kept.get("preset"))):
        raise BadOption.about(f"{store.folder} holds a run with ", OptionMention("effort"), f" {effort:g}, not {options.work:g}; "
                              "choose another folder with ", OptionMention("out"), ", or start over with ",
                              OptionMention("fresh"))
    return effort


def _look_first(running: RunInProgress, stop: Stop) -> None:
    """Run one cheap cell of every family; under a limit, plan anew with what that has taught."""
    planner, store = running.planner, running.store
    deadline = running.clock.deadline
    seconds_left = math.inf if deadline is None else deadline - time.monotonic()
    batches = [] if running.first_look or running.is_continued else planner.first_look(running.plan, seconds_left)
    if not batches or not without(batches, store.settled()):
        return
    store.declare(batches)
    running.first_look = tuple(cell.key for batch in batches for cell in batch.cells)
    run, _ = _begun(running)
    store.remember(first_look=list(running.first_look))
    if deadline is not None:
        deadline = time.monotonic() + BROKEN_OFF_SHARE * (deadline - time.monotonic())
    schedule = Schedule(batches, jobs=running.executor.jobs, costs=planner.first_look_costs(), deadline=deadline)
    _execute(running, run, schedule, stop, is_first_look=True)


def _plan_when_started(running: RunInProgress) -> None:
    """Where more would fit if workers had started by now, wait for the first one: on a crowded machine forecasts are far off."""
    if running.clock.deadline is None or running.is_continued:
        return
    if choose_plan(running.planner, running.wish, running.clock) != running.plan:
        running.executor.await_start()
        running.plan = choose_plan(running.planner, running.wish, running.clock)


def _plan_anew(running: RunInProgress) -> None:
    """With what the first look has taught, as long as nothing of the plan has been run."""
    if running.clock.deadline is None or not running.first_look or running.is_continued:
        return
    plan = choose_plan(running.planner, running.wish, running.clock)
    if plan.sizes[-1] < running.plan.sizes[-1] and running.wish.least_effort <= FIRST_LOOK_EFFORT:
        plan = running.planner.look_plan(running.plan)  # fewer rows would say less than the first look has said
    if plan != running.plan:
        running.plan = plan
        running.session.display.say(plan_line(plan, running.planner, running.clock, is_new=True))


def _run_plan(running: RunInProgress, stop: Stop) -> Run:
    """Run the plan and, under a limit, what there is time for beyond it; gives all that was planned or optional."""
    run, schedule = schedule_run(running)
    n_settled = len(run.planned) - len(schedule.cells)
    if n_settled and running.is_continued:
        running.session.display.say(f"{n_settled:,} of {len(run.planned):,} cells were done before")
    if schedule.cells and not stop.is_requested:
        _execute(running, run, schedule, stop)
    return replace(run, skips=(*run.skips, *schedule.skips))


def schedule_run(running: RunInProgress) -> tuple[Run, Schedule]:
    """What is to be judged, and the schedule of what the store lacks of it."""
    planner, plan, clock = running.planner, running.plan, running.clock
    run, batches = _begun(running)
    missing = without(batches, running.store.settled())
    n_settled = len(run.planned) - sum(len(batch.cells) for batch in missing)
    left = None if clock.deadline is None else clock.deadline - time.monotonic()
    schedule = Schedule(missing, jobs=running.executor.jobs, agenda=planner.agenda(plan, running.wish),
                        costs=planner.costs_of(plan), deadline=clock.deadline,
                        closing=lambda more: planner.closing(n_settled + more),
                        reserve_seconds=0.0 if left is None else planner.reserve_seconds(plan, left),
                        expendable=running.wish.expendable, precious=(*running.wish.cheapest, *running.wish.families),
                        race=Race(run, running.store).stopped_before if running.session.options.race else None)
    return run, schedule


def _begun(running: RunInProgress) -> tuple[Run, list[Batch]]:
    """Declare the cells of the present plan and keep what `resume` needs; gives the run and its batches."""
    planner, plan, store = running.planner, running.plan, running.store
    batches = planner.batches(plan, running.wish)
    run = run_of(running.prepared, planner, plan, running.wish, batches)
    store.declare(batches)
    remember(store, run, running.session.options, planner.contestants, planner.device)
    store.remember(plan=plan.to_json())
    store.adopt_spooled()
    return run, batches


def run_of(prepared: Prepared, planner: Planner, plan: WorkPlan, wish: Wish, batches: Sequence[Batch]) -> Run:
    """What the judgement needs as far as it is known before the first cell."""
    setup = planner.setup
    setup = replace(setup, splits=setup.splits.first(max(wish.most.splits, plan.splits)))
    names = {split.name for split in setup.splits.splits}
    taking_part = planner.contestants.only({*wish.most.approaches, *plan.approaches})
    # The approaches that do run determine which of them represents a family.
    standing = {each.name for each in planner.contestants.only(plan.approaches).entries(setup, plan.effort) if each.represents}
    entries = tuple(replace(each, represents=each.name in standing) for each in taking_part.entries(setup, plan.effort))
    planned = [cell for batch in batches for cell in batch.cells if (cell.repeat, cell.fold) in names]
    return Run(setup, entries, planner.sizes, plan.effort, planner.options.margin, planned,
               prepared.findings, tuple(missing_packages(taking_part, planner.sizes)), extrapolates=planner.options.extrapolate,
               plan=recorded(planner, plan), reading=reading_options(vars(planner.options)))


def _execute(running: RunInProgress, run: Run, schedule: Schedule, stop: Stop, *, is_first_look: bool = False) -> None:
    plan, planner, watch = running.plan, running.planner, watch_run(running, run)
    is_kept = planner.options.save_winner and running.clock.deadline is not None and not is_first_look
    keeping = Keeping(*planner.agenda(plan, running.wish).first, plan.effort) if is_kept else None
    running.executor.run(schedule, _Observed(running, schedule, watch, is_first_look), is_stopped=lambda: stop.is_requested,
                         keeping=keeping)


def watch_run(running: RunInProgress, run: Run) -> Watch:
    """What a person sees of it: its planned cells, and what the first look has found."""
    places = set(running.planner.agenda(running.plan, running.wish).planned())
    shown = replace(run, planned=[cell for cell in run.planned if (cell.size, (cell.repeat, cell.fold)) in places])
    # The constant predictor's cell is the same with any effort.
    looked = set(running.first_look) - {cell.key for cell in run.planned}
    return Watch(shown, running.store, running.clock, running.planner.costs_of(running.plan), looked)


class _Observed:
    """Implements `Observer`: teaches the watch, shows it, and does what had to wait for results.

    Findings are said as soon as they are there. What is kept free for the winner's last fit is lowered to what those need
    that may still win and what the one can use that would win now.
    """

    def __init__(self, running: RunInProgress, schedule: Schedule, watch: Watch, is_first_look: bool) -> None:
        self._running, self._schedule, self._watch, self._is_first_look = running, schedule, watch, is_first_look
        deadline = running.clock.deadline
        self._seconds_at_start = None if deadline is None or is_first_look else deadline - time.monotonic()
        self._front: tuple[str, ...] = ()
        self._leader: str | None = None

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has a result."""
        self._watch.learn(cell, result)

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """What runs now."""
        if self._running.checking is not None and self._running.checking.is_ready:
            take_findings(self._running)
        if self._seconds_at_start is not None and self._running.planner.options.save_winner:
            self._keep_free(self._seconds_at_start)
        self._running.session.display.update(self._watch.snapshot(running, None if self._is_first_look else seconds_left))

    def _keep_free(self, seconds_at_start: float) -> None:
        enough = min(self._running.plan.splits, self._running.wish.folds)
        front, leader = self._watch.front, self._watch.leader if self._watch.splits_done >= enough else None
        if (front, leader) != (self._front, self._leader):
            self._front, self._leader = front, leader
            candidates = tuple(dict.fromkeys([*front, *([] if leader is None else [leader])]))
            self._schedule.keep_free(self._running.planner.reserve_seconds(
                self._running.plan, seconds_at_start, candidates, leader))


def _lacks_cells(store: Store) -> bool:
    settled = store.settled()
    return any(key not in settled for key in store.recall("planned", []))
