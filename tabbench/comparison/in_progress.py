"""What the steps of a run share while its cells run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.completed import Pair
from tabbench.comparison.plan_options import options_of
from tabbench.comparison.planner import Planner
from tabbench.comparison.prepare import Prepared, say_findings
from tabbench.comparison.progress import Clock
from tabbench.comparison.session import Session
from tabbench.comparison.time_plan import Wish, WorkPlan
from tabbench.core.executor import Executor
from tabbench.execution.work import Work
from tabbench.store.database import Store
from tabbench.wording.plan import plan_reason


@dataclass(eq=False)
class RunInProgress:
    """What the steps of a run share; `clock` is the comparison's own."""

    session: Session
    executor: Executor[Work]
    prepared: Prepared
    clock: Clock
    planner: Planner
    wish: Wish
    plan: WorkPlan
    first_look: tuple[str, ...] = ()
    is_continued: bool = False
    checking: Checking | None = None

    @property
    def store(self) -> Store:
        """The run's store."""
        return self.session.store


def take_findings(running: RunInProgress) -> None:
    """Wait for the checks if they are under way, and say and keep what they have found."""
    if running.checking is not None:
        running.prepared, running.checking = running.checking.finish(), None
        say_findings(running.prepared, running.session.display)
        running.store.remember(findings=[finding.to_json() for finding in running.prepared.findings], is_checked=True)


def recorded(planner: Planner, plan: WorkPlan, absent: Collection[Pair] = ()) -> dict[str, Any]:
    """The plan as it is kept and reported, with the options that repeat it."""
    return plan.to_json() | {"reason": plan_reason(planner.options.limit_seconds),
                             "options": options_of(plan, planner, absent)}
