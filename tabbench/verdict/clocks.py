"""What the clock and the memory counter of a machine that does other work, too, can tell."""

from __future__ import annotations

ALIKE = 1.5
"""Costs within this factor of one another are the same."""

LEAST = {"fit_seconds": 0.5, "predict_us_per_row": 10.0, "peak_mb": 50.0}
"""What costs less than this costs next to nothing, and by how much it differs is noise."""
