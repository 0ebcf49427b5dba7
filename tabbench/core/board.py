"""What a board of many people's results is made of: the columns of its rows, and all that its report may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from tabbench.core.many_tables import TablesComparison

FORMAT = 1
"""The number of the layout of submissions and boards; raised when a column changes its meaning."""

ROW_COLUMNS = {
    "protocol": "string", "approach": "string", "version": "int64", "family": "string", "cost_rank": "int64", "effort": "float64",
    "own": "bool", "device": "string", "settings": "string", "size": "int64", "repeat": "int64", "fold": "int64",
    "status": "string", "score": "float64", "imputed": "bool", "fit_seconds": "float64", "predict_seconds": "float64",
    "predictions": "string",
}
"""One row a split of an approach at a size: the deciding metric's score in its natural sign, with the constant predictor's where
`imputed`; `predictions` is the SHA-256 of the predictions; an undefined number is null."""

TABLE_KEYS = {
    "protocol": str, "name": str, "fingerprint": str, "rows": int, "columns": int, "target": str, "task": str, "metric": str,
    "split_kind": str, "folds": int, "repeats": int, "splits": str, "seed": int, "full_size": int, "margin": float, "source": str,
    "versions": dict, "cpu": str,
}
"""What a submission says of each table; `protocol` is the digest of fingerprint, metric, splits and seed."""

PUBLISHED_COLUMNS = {
    "dataset": "string", "tid": "string", "fold": "int64", "method": "string", "metric_error": "float64", "metric": "string",
    "problem_type": "string",
}
"""TabArena's names, as far as a board reads them."""


@dataclass(frozen=True, eq=False)
class Submission:
    """What one person hands in.

    Parameters
    ----------
    by : str
        Name of the person.
    sha256 : str
        Digest of everything else: names the submission, and shows whether it was changed.
    tables : tuple[dict[str, Any], ...]
        One a table, with the keys of `TABLE_KEYS`.
    rows : DataFrame
        The columns `ROW_COLUMNS`.
    """

    by: str
    sha256: str
    tables: tuple[dict[str, Any], ...]
    rows: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Board:
    """Results of many people side by side.

    Parameters
    ----------
    sentence : str
        What the tables show together; why there is no verdict where there is none.
    overview : TablesComparison | None
        The verdict over tables and its frames; None where no tables can be compared.
    submissions : DataFrame
        Columns by, sha256, tables, rows and new_rows (not handed in by an earlier one).
    tables : DataFrame
        Columns protocol, table (a unique name), fingerprint, rows, metric, higher_is_better, splits (their number), full_size,
        margin, and those of `TABLE_KEYS` that a match with published results needs.
    rows : DataFrame
        `ROW_COLUMNS` and table, contestant (the approach's unique name), by, confirmed (how many people have the same row) and
        is_conflicting. Conflicting rows of all sides are kept.
    conflicts : DataFrame
        Columns table, contestant, size, repeat, fold, first_by, first_score, second_by, second_score, reason.
    published : DataFrame
        Columns as_name, table, method, error, splits, is_same_task (as OpenML task), own_best and own_error (our best approach on
        these splits), constant_error: results that were not run here, as mean errors by TabArena's rule.
    refused : tuple[str, ...]
        Sentences about published results that do not match.
    """

    sentence: str
    overview: TablesComparison | None
    submissions: pd.DataFrame
    tables: pd.DataFrame
    rows: pd.DataFrame
    conflicts: pd.DataFrame
    published: pd.DataFrame
    refused: tuple[str, ...] = ()
