"""The words of a board: conflicts, published results that do not match, and what its terms mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabbench.core.phrases import counted
from tabbench.wording.numbers import rows

REASONS = {
    "score": "the scores differ",
    "settings": "the settings differ",
    "status": "it failed for one of them",
}
"""Why two results of the same cell cannot both be right."""

HOW_TO_READ = (
    ("Board",
     "Results that several people have handed in. Each is a file whose hash shows whether it was changed after it was "
     "exported; it cannot show whether the results in it are true. tabbench verify does that where the run's folder is at "
     "hand."),
    ("Confirmed",
     "Several people have handed in the same result: equal bit by bit, or within the margin where versions or CPUs differ. "
     "It counts once."),
    ("Conflict",
     "Two results of the same approach, version and settings on the same split of the same table cannot both be right. Both "
     "are kept in board.parquet, and the approach is compared with nothing at that size of that table."),
    ("Not run here",
     "Published errors, set beside ours where dataset, metric and splits match. They take part in no rank, test or interval: "
     "how they were made cannot be checked."),
    ("Margin",
     "1 is 1 % of a constant prediction's loss on the table, 0.01 in accuracy, 0.005 in AUC. A smaller difference does not "
     "matter in practice."),
    ("Error",
     "By TabArena's rule: the metric itself where less is better, else the best possible score minus it. Means over splits."),
)
"""What the terms mean."""


def conflict_sentence(conflict: Mapping[str, Any]) -> str:
    """A conflict in one sentence."""
    return (f"{conflict['table']}: {conflict['contestant']}, {rows(conflict['size'])} rows, repeat {conflict['repeat']}, "
            f"fold {conflict['fold']}: {REASONS[conflict['reason']]} ({conflict['first_by']}: {conflict['first_score']:.6g}, "
            f"{conflict['second_by']}: {conflict['second_score']:.6g})")


def mismatch_sentence(as_name: str, dataset: str, what: str, theirs: str, ours: str) -> str:
    """Why a published dataset is not set beside ours.

    >>> mismatch_sentence("TabArena", "credit", "metric", "roc_auc", "log_loss")
    'TabArena, credit: another metric (roc_auc, here log_loss), so it is not shown.'
    """
    another = "other" if what == "splits" else "another"
    return f"{as_name}, {dataset}: {another} {what} ({theirs}, here {ours}), so it is not shown."


def unknown_datasets_sentence(as_name: str, count: int) -> str:
    """How many published datasets are not on the board."""
    return f"{as_name}: {count:,} {'dataset is' if count == 1 else 'datasets are'} not on this board."


def exported_sentence(place: str, results: int, tables: int, sha256: str) -> str:
    """What was written.

    >>> exported_sentence("ada.board.parquet", 54, 1, "7774c6")
    'ada.board.parquet: 54 results of 1 table, hash 7774c6'
    """
    return f"{place}: {counted(results, 'result')} of {counted(tables, 'table')}, hash {sha256}"


def imported_sentence(methods: int, tables: int) -> str:
    """What was set beside a board's own results.

    >>> imported_sentence(1, 6)
    '1 method on 6 tables, marked as not run here.'
    """
    return f"{counted(methods, 'method')} on {counted(tables, 'table')}, marked as not run here."


def merged_sentence(submissions: int, tables: int, conflicts: int) -> str:
    """What was merged.

    >>> merged_sentence(2, 1, 0)
    '2 submissions, 1 table, no conflicts.'
    """
    return (f"{counted(submissions, 'submission')}, {counted(tables, 'table')}, "
            f"{counted(conflicts, 'conflict') if conflicts else 'no conflicts'}.")
