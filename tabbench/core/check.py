"""What a data check is. The checks themselves are in `checks/`, one file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tabbench.core.finding import Finding, Severity
from tabbench.core.registry import Registry
from tabbench.core.split import SplitPlan
from tabbench.core.table import Table
from tabbench.core.task import Task


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
    """

    table: Table
    task: Task
    target: np.ndarray
    seed: int = 0
    splits: SplitPlan | None = None
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PossibleFinding:
    """A finding that a check can make: its code and severity, and the limit from which on it is made, in words."""

    code: str
    severity: Severity
    limit: str


@dataclass(frozen=True)
class Check:
    """One question to the data. `run` returns its findings, none if all is well; `says` declares all possible ones."""

    name: str
    summary: str
    run: Callable[[CheckedTable], list[Finding]]
    says: tuple[PossibleFinding, ...]


CHECKS: Registry[Check] = Registry("check", "tabbench.checks")
