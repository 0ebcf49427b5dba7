"""Incidents that leave a model of doubtful use are Python warnings as well, one per kind and fit. Knows no net."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from tabbench.core.errors import TrainingWarning
from tabbench.core.faults import FAULTS
from tabbench.core.finding import Incident


def warn_of(incidents: Sequence[Incident]) -> None:
    """Warn of the first incident of each kind that calls for a look at data, loss or learning rate."""
    first = {each.code: each for each in reversed(incidents)}
    for code in sorted(code for code in first if FAULTS[code].warns):
        fault = FAULTS[code]
        warnings.warn(f"{code} {fault.title}: {first[code].evidence}; {fault.cure}", TrainingWarning, stacklevel=3)
