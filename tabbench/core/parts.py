"""The pickle-free form of anything fitted: JSON values, arrays and opaque blobs, nested by name.

What writes and reads them as files is `model/`; what produces them is each view, selector and approach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Parts:
    """A fitted object taken apart into what can be saved without pickle.

    Parameters
    ----------
    values : dict[str, Any]
        Plain JSON values, no NaN.
    arrays : dict[str, ndarray]
        Numeric arrays.
    blobs : dict[str, bytes]
        A library's own text or bytes, such as a booster's JSON.
    children : dict[str, Parts]
        Fitted objects inside this one.
    """

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    children: dict[str, Parts] = field(default_factory=dict)
