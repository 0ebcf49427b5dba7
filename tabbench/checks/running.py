"""Runs every registered check over the checked."""

from __future__ import annotations

from tabbench.core.check import CHECKS, CheckedTable
from tabbench.core.finding import Finding

SEVERITY_ORDER = {"block": 0, "warn": 1, "info": 2}


def run_checks(checked: CheckedTable) -> tuple[Finding, ...]:
    """The findings of all checks, the gravest first."""
    for check in CHECKS:
        if check.ask is not None:
            check.ask(checked)
    findings = [finding for check in CHECKS for finding in check.run(checked)]
    return tuple(sorted(findings, key=lambda finding: SEVERITY_ORDER[finding.severity]))
