"""Check: one column that alone tells nearly everything about the target, which is rarely honest."""

from __future__ import annotations

from shlex import quote

from tabbench.checks.columns import Sample, Values
from tabbench.checks.quick_model import QuickModel
from tabbench.checks.target_copy import is_target_copy
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding

CANDIDATES = 5
"""Columns that the quick look ranks first get the careful one."""
ALARM_SHARE = {"binary": 0.95, "multiclass": 0.95, "regression": 0.98}
"""Share of the target's variance predicted out of sample. Honest single columns stay below: carats tell 87 % of a diamond's
price, the smell of a mushroom 94 % of whether it may be eaten."""
STANDING_OUT_SHARE = {"binary": 0.8, "multiclass": 0.8, "regression": 0.93}
"""So much is an alarm too where all other columns together are far behind."""
FAR_BEHIND = 0.6
"""What the others tell, as a fraction of it: in honest tables the best column has company that tells most of the same."""


def check_single_feature(evidence: Evidence) -> list[Finding]:
    """Find columns that predict the target almost perfectly on their own; plain copies are another check's."""
    sample = Sample.of(evidence)
    ranked = sorted(((_quick_share(sample, values), number) for number, values in enumerate(sample.columns)),
                    key=lambda each: -each[0])
    shares = {number: sample.predicted_share(sample.columns[number]) for _, number in ranked[:CANDIDATES]
              if not is_target_copy(sample.columns[number], sample)}
    findings = [_finding(sample.columns[number], share, "") for number, share in shares.items()
                if share >= ALARM_SHARE[evidence.task.kind]]
    return findings or _standing_out(evidence, sample, shares)


def _quick_share(sample: Sample, values: Values) -> float:
    return max(sample.explained_share(values), sample.repeated_share(values.exact_codes))


def _standing_out(evidence: Evidence, sample: Sample, shares: dict[int, float]) -> list[Finding]:
    """The best column, where it tells much and all others together little."""
    if not shares:
        return []
    best = max(shares, key=lambda number: shares[number])
    if shares[best] < STANDING_OUT_SHARE[evidence.task.kind] or len(sample.columns) < 3:
        return []
    others = [number for number in range(len(sample.columns)) if number != best]
    rest = max(QuickModel.of(evidence).share(columns=others), 0.0)
    if rest > FAR_BEHIND * shares[best]:
        return []
    return [_finding(sample.columns[best], shares[best], f", all other columns together {rest:.1%}")]


def _finding(values: Values, share: float, more: str) -> Finding:
    name = values.column.name
    return Finding("single-feature", "warn", name,
                   f"the column `{name}` alone predicts {share:.1%} of the target's variance{more}; it may have been "
                   "written down after the outcome was known",
                   f"if it is not known when predicting, leave it out with --drop {quote(name)}", spoils=True)


CHECKS.register(Check("single-feature", "one column that alone tells nearly everything", check_single_feature))
