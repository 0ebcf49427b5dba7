"""Check: columns that are mostly missing, and columns whose being missing tells the target."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import MOST_NAMED, Sample, Values, listed
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding
from tabbench.core.table import Column

MOSTLY = 0.5
LEAST_ROWS = 20
"""Rows missing and rows present that it takes to compare them."""
ALARM_SHARE = 0.25
"""Share of the target's variance that being missing tells. Honest gaps tell some (people without a job have no employer); a field
that is filled in with the outcome tells most."""


def check_missingness(evidence: Evidence) -> list[Finding]:
    """Name mostly missing columns and those whose gaps predict."""
    sample = Sample.of(evidence)
    gaps = {values.column.name: np.isnan(values.values) for values in sample.columns}
    findings = []
    mostly = [name for name, is_missing in gaps.items() if is_missing.mean() > MOSTLY]
    if mostly:
        findings.append(Finding("mostly-missing", "info", mostly[0], f"more than half is missing in {listed(mostly)}"))
    telling: list[Finding] = []
    for name, is_missing in gaps.items():
        if min(is_missing.sum(), (~is_missing).sum()) < LEAST_ROWS or len(telling) == MOST_NAMED:
            continue
        share = sample.explained_share(Values(Column(name, "category"), is_missing.astype(np.float64)))
        if share >= ALARM_SHARE:
            telling.append(Finding("missingness-predicts", "warn", name,
                                   f"whether `{name}` is missing tells {share:.1%} of the target's variance; it may be filled "
                                   "in with the outcome",
                                   f"if so, leave it out with --drop {name}", spoils=True))
    return findings + telling


CHECKS.register(Check("missingness", "columns that are mostly missing or whose gaps predict", check_missingness))
