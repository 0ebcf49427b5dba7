"""A plan as the options that repeat it without a clock, and the line that says it before the first cell."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from tabbench.comparison.completed import Pair
from tabbench.comparison.planner import Planner
from tabbench.comparison.progress import Clock
from tabbench.comparison.time_plan import WorkPlan, what_is_given_up
from tabbench.core.approach import BASELINE
from tabbench.options import default_approaches
from tabbench.wording.plan import limited_plan_line, whole_plan_line


def options_of(plan: WorkPlan, planner: Planner, absent: Collection[Pair] = ()) -> str:
    """The options that repeat a plan on the same table and seed, without the pairs of it that are absent.

    A plan of part of a repeat says how many of its folds are used.
    """
    folds = planner.setup.splits.folds
    words = ["--effort", f"{plan.effort:.10g}", "--sizes", ",".join(map(str, plan.sizes))]
    if planner.setup.splits.kind in ("stratified", "grouped", "test"):
        words += ["--repeats", str(-(-plan.splits // folds))]
    if plan.splits < folds:
        words += ["--use-folds", str(plan.splits)]
    usual = {BASELINE, *default_approaches(plan.effort)}
    if not planner.contestants.own and set(plan.approaches) != usual:
        words += ["--approaches", ",".join(plan.approaches)]
    skipped = [f"{name}@{size}" for size in plan.sizes for name in plan.approaches
               if (name, size) in {*absent, *planner.options.skipped_pairs}]
    if skipped:
        words += ["--skip", ",".join(skipped)]
    return shlex.join(words)


def plan_line(plan: WorkPlan, planner: Planner, clock: Clock, *, is_new: bool = False) -> str:
    """What is about to run and why, in one line; its options repeat it without a clock."""
    options = options_of(plan, planner)
    if clock.limit_seconds is None:
        return whole_plan_line(options, plan.approaches, len(plan.approaches) * len(plan.sizes) * plan.splits)
    usual = planner.wish().most
    given_up = what_is_given_up(plan, usual, planner.setup.splits.folds)
    whole_seconds = planner.seconds(usual) if given_up else 0.0
    return limited_plan_line(options, clock.limit_seconds, given_up, whole_seconds, is_new=is_new)
