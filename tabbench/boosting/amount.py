"""How much work a booster may do: from effort and shape alone, nothing measured. `boosting/effort` turns it into rounds.

Imports no library: it is called while a run is planned.
"""

from __future__ import annotations

from tabbench.core.approach import Settings, Workload
from tabbench.core.effort import POINTS, counted, scaled

SECONDS_AT_REFERENCE = {"fast": 2.0, "balanced": 26.0, "thorough": 120.0}
"""Forecast of one library's fit on 40,000 rows x 15 columns, binary, one thread; two libraries make up a `boosting` cell."""
REFERENCE_ROWS, REFERENCE_COLUMNS = 40_000, 15
MOST_FOR_OUTPUTS = 3.0
LARGEST_FACTOR = 20.0
"""However large the table, a cell may take this many times the reference, no more."""
SMALL_TABLE_ROWS, SMALL_TABLE_GROWTH = 350.0, 2.1
"""Seconds at most, of the balanced preset: (rows / 350) ** 2.1. The fewer the rows, the sooner everything in them is learnt. The
fast preset has no such bound: towards it the bound fades out."""

FOLDS = {"fast": 5, "balanced": 5, "thorough": 8}
REPEATS = {"fast": 1, "balanced": 2, "thorough": 3}
MOST_REPEATED_ROWS = 2000
"""Up to here the folds are dealt repeatedly: held-out rows are few, and their losses decide."""
CONFIGURATIONS = {"fast": 1, "balanced": 5, "thorough": 6}
"""There are no more than six."""
KEPT = {"fast": 1, "balanced": 2, "thorough": 3}
KEPT_OF_FEW_ROWS = {"fast": 2, "balanced": 3, "thorough": 4}
SCREENING_FOLDS_OF_FEW_ROWS = {"fast": 1, "balanced": 2, "thorough": 2}
FEWEST_SCREENED_ROWS = 4000
"""From here on the first fold alone tells which configurations are worth growing on the others. With fewer rows more are kept,
and from `balanced` on it takes two folds: in 51 fits of nine tables of 500 to 1,800 rows that took a fifth less time, the loss
of `boosting` was 0.9994 times that of all together, and the loss of the best configuration alone was the same."""
MOST_ROUNDS = {"fast": 400, "balanced": 1500, "thorough": 4000}
FEWEST_GOOD_ROUNDS = {"fast": 60, "balanced": 120, "thorough": 200}
"""With fewer the learning rate gets coarse: repeats, configurations and folds are given up first. Twice as many for a target of
numbers, which has more to say than classes."""
FEWEST_FOR_SEVERAL_CLASSES = {"fast": 100, "balanced": 120, "thorough": 200}
"""The libraries' defaults, which are never to be better, grow 100: with 60 LightGBM's loss on letter is 1.03 times theirs."""


def booster_settings(workload: Workload) -> Settings:
    """The effort of one library in numbers.

    >>> booster_settings(Workload(0.1, rows=500, columns=15, classes=2))["inner_folds"]
    5
    """
    effort, is_screened = workload.effort, workload.rows >= FEWEST_SCREENED_ROWS
    configurations = min(counted(effort, **CONFIGURATIONS), max(CONFIGURATIONS.values()))
    folds, repeats = counted(effort, **FOLDS, least=2), counted(effort, **REPEATS) if workload.rows <= MOST_REPEATED_ROWS else 1
    kept = min(counted(effort, **(KEPT if is_screened else KEPT_OF_FEW_ROWS)), configurations)
    screening = 1 if is_screened else counted(effort, **SCREENING_FOLDS_OF_FEW_ROWS)
    return {"work_seconds": round(_seconds(workload), 3), "inner_folds": folds, "inner_repeats": repeats,
            "configurations": configurations, "kept": kept, "screening_folds": screening,
            "most_rounds": counted(effort, **MOST_ROUNDS), "fewest_good_rounds": _fewest_good_rounds(workload)}


def _fewest_good_rounds(workload: Workload) -> int:
    if workload.classes > 2:
        return counted(workload.effort, **FEWEST_FOR_SEVERAL_CLASSES)
    return counted(workload.effort, **FEWEST_GOOD_ROUNDS) * (1 if workload.classes else 2)


def _seconds(workload: Workload) -> float:
    """Time grows slower than the table, since a run holds many cells: rows ** 0.65, columns ** 0.3, outputs ** 0.5."""
    rows, columns = workload.rows / REFERENCE_ROWS, workload.columns / REFERENCE_COLUMNS
    factor: float = rows**0.65 * columns**0.3 * min(workload.outputs**0.5, MOST_FOR_OUTPUTS)
    free = {name: seconds * min(factor, LARGEST_FACTOR) for name, seconds in SECONDS_AT_REFERENCE.items()}
    if workload.effort < POINTS["fast"]:  # the balanced preset's bound would turn the line through both upwards here
        return scaled(workload.effort, **free)
    most = (workload.rows / SMALL_TABLE_ROWS) ** SMALL_TABLE_GROWTH
    bound = {name: min(free[name], most * SECONDS_AT_REFERENCE[name] / SECONDS_AT_REFERENCE["balanced"])
             for name in ("balanced", "thorough")}
    return scaled(workload.effort, **(free | bound))
