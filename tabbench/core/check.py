"""What a data check is. The checks themselves are in `checks/`, one file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from tabbench.core.finding import Finding, Severity
from tabbench.core.registry import Registry
from tabbench.core.split import SplitPlan
from tabbench.core.table import Table
from tabbench.core.task import Task


class Learners(Protocol):
    """What fits the small models that checks ask: this process, or another one meanwhile."""

    def ask(self, name: str, *arrays: np.ndarray, **settings: Any) -> Callable[[], np.ndarray]:
        """Have one of the learners in `checks/learners.py` answer; what is returned waits for the answer and gives it."""


@dataclass(frozen=True, eq=False)
class CheckedTable:
    """What a data check may look at.

    Parameters
    ----------
    table : Table
        The table.
    task : Task
        The task.
    target : ndarray
        Codes or numbers of shape (n,).
    seed : int, default 0
        Seed of samples and quick models.
    splits : SplitPlan | None, default None
        The splits, if they have been made.
    shared : dict[str, Any]
        Results of one check that others may use: the sampled columns, the predictions of a quick model.
    learners : Learners | None, default None
        What fits the models that checks ask; None: this process does.
    """

    table: Table
    task: Task
    target: np.ndarray
    seed: int = 0
    splits: SplitPlan | None = None
    shared: dict[str, Any] = field(default_factory=dict)
    learners: Learners | None = None


@dataclass(frozen=True)
class PossibleFinding:
    """A finding that a check can make: its code and severity, and the limit from which on it is made, in words."""

    code: str
    severity: Severity
    limit: str


@dataclass(frozen=True)
class Check:
    """One question to the data. `run` returns its findings, none if all is well; `says` declares all possible ones.

    `ask`, if there is one, asks the learners for what `run` will want and what takes long, so that they work beside the checks
    that come before it.
    """

    name: str
    summary: str
    run: Callable[[CheckedTable], list[Finding]]
    says: tuple[PossibleFinding, ...]
    ask: Callable[[CheckedTable], None] | None = None


CHECKS: Registry[Check] = Registry("check", "tabbench.checks")
