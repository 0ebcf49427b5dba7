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
    """What a check may look at: the table, the task, the target as codes or numbers (n,), and the splits where they are made.

    `shared` holds what one check has worked out and others may use: the sampled columns, a quick model's predictions.
    """

    table: Table
    task: Task
    target: np.ndarray
    seed: int = 0
    splits: SplitPlan | None = None
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PossibleFinding:
    """What a check may say: the code and severity of the finding, and in words from where on it is made."""

    code: str
    severity: Severity
    limit: str


@dataclass(frozen=True)
class Check:
    """One question to the data. `run` gives its findings, none when all is well; `says` declares all that there may be."""

    name: str
    summary: str
    run: Callable[[CheckedTable], list[Finding]]
    says: tuple[PossibleFinding, ...]


CHECKS: Registry[Check] = Registry("check", "tabbench.checks")
