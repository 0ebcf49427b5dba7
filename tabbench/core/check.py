"""What a data check is. The checks themselves are in `checks/`, one file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tabbench.core.finding import Finding
from tabbench.core.registry import Registry
from tabbench.core.table import Table
from tabbench.core.task import Task


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a check may look at: the table, the task and the target as codes or numbers (n,)."""

    table: Table
    task: Task
    target: np.ndarray
    seed: int = 0


@dataclass(frozen=True)
class Check:
    """One question to the data. `run` gives its findings, none when all is well."""

    name: str
    summary: str
    run: Callable[[Evidence], list[Finding]]


CHECKS: Registry[Check] = Registry("check", "tabbench.checks")
