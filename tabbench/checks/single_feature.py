"""Check: one column that alone tells nearly everything about the target, which is rarely honest."""

from __future__ import annotations

from tabbench.checks.columns import Sample
from tabbench.checks.target_copy import is_target_copy
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding

CANDIDATES = 5
"""Columns that the quick look ranks first get the careful one."""
ALARM_SHARE = {"binary": 0.95, "multiclass": 0.95, "regression": 0.98}
"""Share of the target's variance predicted out of sample. Honest single columns stay well below: carats tell 87 % of a diamond's
price."""


def check_single_feature(evidence: Evidence) -> list[Finding]:
    """Find columns that predict the target almost perfectly on their own; plain copies are another check's."""
    sample = Sample.of(evidence)
    ranked = sorted(((sample.explained_share(values), values) for values in sample.columns()), key=lambda each: -each[0])
    findings = []
    for _, values in ranked[:CANDIDATES]:
        share = sample.predicted_share(values)
        if share >= ALARM_SHARE[evidence.task.kind] and not is_target_copy(values, sample):
            name = values.column.name
            findings.append(Finding("single-feature", "warn", name,
                                    f"the column `{name}` alone predicts {share:.1%} of the target's variance; it may have been "
                                    "written down after the outcome was known",
                                    f"if it is not known when predicting, leave it out with --drop {name}", spoils=True))
    return findings


CHECKS.register(Check("single-feature", "one column that alone tells nearly everything", check_single_feature))
