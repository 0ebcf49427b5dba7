"""Why an approach is stopped by a race, as a reason of what was skipped. Decides nothing."""

from __future__ import annotations

from tabbench.core.phrases import measured
from tabbench.verdict.racing import Behind


def reason_to_stop(behind: Behind) -> str:
    """By how much it is behind, and how much of that it would have made up.

    >>> reason_to_stop(Behind("linear", 500, 4_000, 0.1234, 0.01))
    'raced out: at least 0.12 behind linear at 500 rows, of which at most 0.010 would have been made up by 4,000 rows'
    """
    return (f"raced out: at least {measured(behind.gap)} behind {behind.leader} at {behind.size:,} rows, of which at most "
            f"{measured(behind.closing)} would have been made up by {behind.full_size:,} rows")
