"""Numbers and names as one says them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

METRIC_WORDS = {"auc": "AUC", "rmse": "RMSE", "mae": "MAE", "r2": "R²", "brier": "Brier score"}
"""Metrics that are not simply their name with spaces."""


def rounded_size(size: float, rounding: Callable[[float], int] = round) -> str:
    """A number of rows to two significant digits, with thousands separators, rounded to the nearest unless told otherwise.

    >>> rounded_size(483.0), rounded_size(12_345), rounded_size(7), rounded_size(1_047, math.ceil)
    ('480', '12,000', '7', '1,100')
    """
    digits = max(0, int(math.log10(max(size, 1))) - 1)
    return f"{rounding(size / 10**digits) * 10**digits:,}"


def measured(value: float) -> str:
    """A positive number to two significant digits, never in exponent form.

    >>> measured(0.01234), measured(1234.6), measured(3.21), measured(0.0)
    ('0.012', '1,235', '3.2', '0')
    """
    if value == 0:
        return "0"
    decimals = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def listed(names: Sequence[str]) -> str:
    """Names as one says them.

    >>> listed(["linear"]), listed(["linear", "mlp"]), listed(["linear", "mlp", "boosting"])
    ('linear', 'linear and mlp', 'linear, mlp and boosting')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def prefixed(prefix: str, name: str) -> str:
    """The name after the prefix; nothing where there is no name.

    >>> prefixed(" than ", "linear"), prefixed(" than ", "")
    (' than linear', '')
    """
    return prefix + name if name else ""
