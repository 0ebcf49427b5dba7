"""Why an approach was stopped early for futility, as a reason in `skipped`. Decides nothing."""

from __future__ import annotations

from tabbench.core.phrases import measured
from tabbench.verdict.racing import Behind


def reason_to_stop(behind: Behind) -> str:
    """By how much it is behind, and how much of that it could make up.

    >>> reason_to_stop(Behind("linear", 500, 4_000, 0.1234, 0.01))
    'stopped early for futility: at least 0.12 behind linear at 500 rows, of which it could make up at most 0.010 by 4,000 rows'
    """
    return (f"stopped early for futility: at least {measured(behind.gap)} behind {behind.leader} at {behind.size:,} rows, of "
            f"which it could make up at most {measured(behind.closing)} by {behind.full_size:,} rows")
