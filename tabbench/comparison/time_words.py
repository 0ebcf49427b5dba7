"""How a plan is said: in one line before the first cell, and as the options that repeat it without a clock."""

from __future__ import annotations

import shlex

from tabbench.comparison.planner import Planner
from tabbench.comparison.progress import Clock
from tabbench.comparison.time_plan import WorkPlan, what_is_given_up
from tabbench.core.approach import BASELINE
from tabbench.core.phrases import listed
from tabbench.options import Options, default_approaches
from tabbench.wording.numbers import duration


def options_of(plan: WorkPlan, planner: Planner) -> str:
    """The options that repeat a plan on the same table and seed.

    A plan of part of a repeat says how many of its folds are used.
    """
    folds = planner.setup.splits.folds
    words = ["--effort", f"{plan.effort:.10g}", "--sizes", ",".join(map(str, plan.sizes))]
    if planner.setup.splits.kind in ("stratified", "grouped"):
        words += ["--repeats", str(-(-plan.splits // folds))]
    if plan.splits < folds:
        words += ["--use-folds", str(plan.splits)]
    usual = {BASELINE, *default_approaches(plan.effort)}
    if not planner.contestants.own and set(plan.approaches) != usual:
        words += ["--approaches", ",".join(plan.approaches)]
    return shlex.join(words)


def reason_of(options: Options) -> str:
    """Why a plan is what it is; no figure of a clock's."""
    if options.limit_seconds is None:
        return "all that was asked for"
    return f"the largest plan that was expected to end within {duration(options.limit_seconds)}"


def plan_line(plan: WorkPlan, planner: Planner, clock: Clock, *, is_new: bool = False) -> str:
    """What is about to run and why, in one line; its options repeat it without a clock."""
    options = options_of(plan, planner)
    if clock.limit_seconds is None:
        names, cells = ", ".join(plan.approaches), len(plan.approaches) * len(plan.sizes) * plan.splits
        return f"plan: {options} ({len(plan.approaches)} approaches: {names}; {cells:,} cells)"
    usual = planner.wish().most
    given_up = what_is_given_up(plan, usual, planner.setup.splits.folds)
    largest = "the largest that the first look lets expect" if is_new else "the largest that should end"
    if not given_up:
        return f"plan: {options} ({largest} within {duration(clock.limit_seconds)})"
    return (f"plan: {options} ({largest} within {duration(clock.limit_seconds)}, without {listed(list(given_up))}; "
            f"all of it would take about {duration(planner.seconds(usual))})")
