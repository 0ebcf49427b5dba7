"""How often a process of ours looks for garbage in cycles. Imports nothing heavy."""

from __future__ import annotations

import gc

MOST_NEW = 20_000
"""New containers between two looks, a few megabytes. With Python's 700 a command looks three hundred times while it imports
libraries, which leave hardly any garbage: a twentieth of its time where nothing is left to run."""


def look_seldom() -> None:
    """Look for garbage in cycles less often than Python does by default."""
    gc.set_threshold(MOST_NEW)
