"""A run whose cells have ended: as it is judged and recorded, and what a limit has cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tabbench.comparison.completed import complete_pairs, completed
from tabbench.comparison.in_progress import RunInProgress, recorded, take_findings
from tabbench.comparison.planner import Planner
from tabbench.comparison.run import Run
from tabbench.comparison.time_plan import WorkPlan, what_is_given_up
from tabbench.core.limits import Limited
from tabbench.core.skip import Skip, SkipKind

LIFTING_MARGIN = 1.1
"""A limit that is said to be enough should be, though forecasts are off."""


@dataclass(frozen=True, eq=False)
class Ran:
    """What was run, and what it has taught about costs."""

    run: Run
    planner: Planner
    plan: WorkPlan
    running: RunInProgress


def conclude(running: RunInProgress, run: Run, *, is_interrupted: bool) -> Ran:
    """Note what was run, and give it as it is to be judged; the caller must pass it to `checked` first, which may wait."""
    run = _as_judged(running, run, is_interrupted=is_interrupted)
    running.store.remember(skips=[skip.to_json() for skip in run.skips], plan=running.plan.to_json(), run_plan=run.plan,
                           limited=None if run.limited is None else run.limited.to_json(), sizes=list(run.sizes))
    return Ran(run, running.planner, running.plan, running)


def checked(ran: Ran) -> Ran:
    """The same with all that the checks of the table have found; waits for them."""
    take_findings(ran.running)
    return replace(ran, run=replace(ran.run, findings=tuple(ran.running.prepared.findings)))


def _as_judged(running: RunInProgress, run: Run, *, is_interrupted: bool) -> Run:
    """The run as it is judged and recorded: with its skips, its sizes, the plan that was carried out, and what a limit cost."""
    finished = running.store.finished()
    part = completed(run, finished)
    present = complete_pairs(part, finished)
    if running.clock.deadline is None and not is_interrupted:
        return run
    sizes = tuple(sorted({size for _, size in present})) or running.plan.sizes
    done = replace(running.plan, sizes=sizes, splits=len(part.setup.splits.splits), approaches=tuple(
        name for name in running.plan.approaches if not present or any(name == other for other, _ in present)))
    absent = {(name, size) for size in done.sizes for name in done.approaches} - present
    known = {(skip.approach, skip.size) for skip in run.skips}
    left = [] if is_interrupted else [Skip(name, size, SkipKind.TIME) for size in running.planner.sizes
                                      for name in dict.fromkeys([*running.wish.most.approaches, *running.plan.approaches])
                                      if (name, size) not in present | known | set(running.planner.options.skipped_pairs)]
    limited = _cost_of_limit(running, run, done, {name for name, _ in present}, is_interrupted=is_interrupted)
    return replace(run, sizes=sizes if not is_interrupted else run.sizes, skips=(*run.skips, *left), limited=limited,
                   plan=recorded(running.planner, done, absent))


def _cost_of_limit(running: RunInProgress, run: Run, done: WorkPlan, present: set[str], *, is_interrupted: bool
                   ) -> Limited | None:
    """What was given up of what is usually run, and which limit would have been enough for it.

    Families of which nothing was run are told by the verdict itself.
    """
    planner = running.planner
    families = {entry.name: entry.family for entry in run.entries}
    told = {families[name] for name in present}
    # What is absent for another reason has not been cost by time.
    absent = {skip.approach for skip in run.skips if skip.kind is not SkipKind.TIME} - present
    usual = running.wish.most if is_interrupted else planner.wish().most
    usual = replace(usual, approaches=tuple(name for name in usual.approaches if name not in absent),
                    effort=running.plan.effort if is_interrupted else usual.effort)
    given_up = what_is_given_up(
        replace(done, approaches=tuple(name for name in done.approaches if name in present)),
        replace(usual, approaches=tuple(name for name in usual.approaches if families[name] in told)), running.wish.folds)
    is_whole = not given_up and len(told) == len({families[name] for name in usual.approaches})
    if is_whole:
        return None
    if is_interrupted:
        return Limited(given_up, None, True)
    share = 1 - (planner.refit_share if planner.options.save_winner else 0.0)
    seconds = planner.prior.machine("startup_seconds") + LIFTING_MARGIN * planner.seconds(usual) / share
    return Limited(given_up, max(seconds, LIFTING_MARGIN * (running.clock.limit_seconds or 0.0)))
