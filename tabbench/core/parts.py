"""The pickle-free form of anything fitted: JSON values, arrays and opaque blobs, nested by name.

What writes and reads them as files is `model/`; what produces them is each view, selector and approach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Parts:
    """A fitted thing taken apart.

    `values` is plain JSON (no NaN); `arrays` are numeric NumPy arrays; `blobs` are a library's own text or bytes (a
    booster's JSON); `children` are fitted things inside this one.
    """

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    children: dict[str, Parts] = field(default_factory=dict)
