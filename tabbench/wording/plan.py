"""The plan in one line before the first cell, and the reason for it. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from tabbench.core.phrases import listed
from tabbench.wording.numbers import duration


def plan_reason(limit_seconds: float | None) -> str:
    """The reason for a plan; no measured time.

    >>> plan_reason(None), plan_reason(600.0)
    ('everything that was requested', 'the largest plan that was expected to end within 10 min 0 s')
    """
    if limit_seconds is None:
        return "everything that was requested"
    return f"the largest plan that was expected to end within {duration(limit_seconds)}"


def whole_plan_line(options: str, approaches: Sequence[str], cells: int) -> str:
    """What is about to run without a limit.

    >>> whole_plan_line("--effort 1", ["dummy", "linear"], 1200)
    'plan: --effort 1 (2 approaches: dummy, linear; 1,200 cells)'
    """
    return f"plan: {options} ({len(approaches)} approaches: {', '.join(approaches)}; {cells:,} cells)"


def limited_plan_line(options: str, limit_seconds: float, given_up: Sequence[str] = (), whole_seconds: float = 0.0, *,
                      is_new: bool = False) -> str:
    """What is about to run within a limit, without what is given up; the whole would take so many seconds.

    `is_new` says that it was planned anew after a first look.

    >>> limited_plan_line("--effort 1", 600.0)
    'plan: --effort 1 (the largest that should end within 10 min 0 s)'
    """
    largest = "the largest that, by the first look, should end" if is_new else "the largest that should end"
    within = f"plan: {options} ({largest} within {duration(limit_seconds)}"
    if not given_up:
        return f"{within})"
    return f"{within}, without {listed(list(given_up))}; all of it would take about {duration(whole_seconds)})"
