"""Check: one column that alone tells nearly everything about the target, which is rarely honest."""

from __future__ import annotations

from tabbench.checks.columns import Sample, Values, dropping, per_cent
from tabbench.checks.quick_model import QuickModel
from tabbench.checks.target_copy import is_target_copy
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

ALARM_SHARE = {"binary": 0.95, "multiclass": 0.95, "regression": 0.98}
"""Share of the target's variance predicted out of sample. Honest single columns stay below: carats tell 87 % of a diamond's
price, the smell of a mushroom 94 % of whether it may be eaten."""
STANDING_OUT_SHARE = {"binary": 0.8, "multiclass": 0.8, "regression": 0.93}
"""So much is an alarm too where all other columns together are far behind."""
FAR_BEHIND = 0.6
"""What the others tell, as a fraction of it: in honest tables the best column has company that tells most of the same."""


def check_single_feature(checked: CheckedTable) -> list[Finding]:
    """Find columns that predict the target almost perfectly on their own; plain copies are another check's."""
    sample = Sample.of(checked)
    strongest = [(values, share) for values, share in sample.strongest() if not is_target_copy(values, sample)]
    findings = [_finding(values, share, "") for values, share in strongest if share >= ALARM_SHARE[checked.task.kind]]
    return findings or _standing_out(checked, sample, strongest)


def _standing_out(checked: CheckedTable, sample: Sample, strongest: list[tuple[Values, float]]) -> list[Finding]:
    """The best column, where it tells much and all others together little."""
    if not strongest:
        return []
    best, told = max(strongest, key=lambda each: each[1])
    if told < STANDING_OUT_SHARE[checked.task.kind] or len(sample.columns) < 3:
        return []
    others = [number for number, values in enumerate(sample.columns) if values is not best]
    rest = max(QuickModel.of(checked).share(columns=others), 0.0)
    return [_finding(best, told, f", all other columns together {rest:.1%}")] if rest <= FAR_BEHIND * told else []


def _finding(values: Values, share: float, more: str) -> Finding:
    name = values.column.name
    return Finding("single-feature", "warn", name,
                   f"the column `{name}` alone predicts {share:.1%} of the target's variance{more}; it may have been "
                   "written down after the outcome was known",
                   f"if it is not known when predicting, leave it out with {dropping(name)}",
                   spoils=True, remedy=dropping(name))


CHECKS.register(Check("single-feature", "one column that alone tells nearly everything", check_single_feature, (
    PossibleFinding("single-feature", "warn", f"a column alone tells {per_cent(ALARM_SHARE)} of the target's variance, or "
                    f"{per_cent(STANDING_OUT_SHARE)} where all others together tell at most {per_cent(FAR_BEHIND)} of that"),
)))
