"""Check: classes that are far rarer than the others."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import MOST_NAMED, per_cent
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

RARE_SHARE = 0.1
"""A class is rare below this part of an even share: 5 % of the rows for two classes."""
COMMON_SHARE = 0.8
"""With one class of so many rows a constant answer is right nearly always."""


def check_imbalance(checked: CheckedTable) -> list[Finding]:
    """Name the classes with less than a tenth of an even share."""
    if checked.task.is_regression:
        return []
    counts = np.bincount(checked.target, minlength=checked.task.n_classes)
    rare = np.flatnonzero(counts < RARE_SHARE * len(checked.target) / checked.task.n_classes)
    if not len(rare):
        return []
    rarest_first = rare[np.argsort(counts[rare], kind="stable")]
    named = [f"{checked.task.classes[code]!r} ({counts[code]:,} rows)" for code in rarest_first[:MOST_NAMED]]
    more = f" and {len(rare) - MOST_NAMED} more" if len(rare) > MOST_NAMED else ""
    little = "; accuracy says little here" if counts.max() >= COMMON_SHARE * len(checked.target) else ""
    return [Finding("imbalance", "info", checked.task.classes[rarest_first[0]],
                    f"rare among {len(checked.target):,} rows: {', '.join(named)}{more}{little}")]


CHECKS.register(Check("imbalance", "classes that are far rarer than the others", check_imbalance, (
    PossibleFinding("imbalance", "info", f"a class has less than {per_cent(RARE_SHARE)} of an even share"),
)))
