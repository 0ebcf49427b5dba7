"""Results in TabArena's column names, and its rule for errors: lower is better and zero is perfect.

See the columns that its results have: https://github.com/autogluon/tabarena.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tabbench.core.metric import METRICS
from tabbench.wording.safe_text import spreadsheet

METRIC_NAMES = {"auc": "roc_auc", "mae": "mean_absolute_error"}
"""Where its name of a metric is not ours."""
COLUMNS = ("dataset", "tid", "fold", "method", "metric_error", "metric", "problem_type", "time_train_s", "time_infer_s",
           "imputed")
TASK_SOURCE = re.compile(r"openml-task:(\d+)")


def to_tabarena(rows: pd.DataFrame, tables: pd.DataFrame) -> pd.DataFrame:
    """The rows of a board at each table's full size, with TabArena's columns; `fold` counts the splits of all repeats.

    Conflicting rows and undefined scores are left out. Text is safe to open in a spreadsheet.
    """
    kept = full_size_rows(rows, tables)
    return pd.DataFrame({
        "dataset": kept["table"].map(spreadsheet), "tid": kept["tid"], "fold": kept["split"],
        "method": kept["contestant"].map(spreadsheet), "metric_error": kept["error"],
        "metric": kept["metric"].map(metric_name_there),
        "problem_type": kept["task"], "time_train_s": kept["fit_seconds"], "time_infer_s": kept["predict_seconds"],
        "imputed": kept["imputed"]}, columns=list(COLUMNS)).sort_values(["dataset", "method", "fold"], ignore_index=True)


def full_size_rows(rows: pd.DataFrame, tables: pd.DataFrame) -> pd.DataFrame:
    """The rows at each table's full size that are not conflicting, with split, error, tid and what is known of the table."""
    about = tables[["table", "metric", "higher_is_better", "folds", "full_size", "source", "task"]]
    kept = rows[~rows["is_conflicting"] & rows["score"].notna()].merge(about, on="table", validate="many_to_one")
    kept = kept[kept["size"] == kept["full_size"]].reset_index(drop=True)
    best = kept["metric"].map({name: METRICS.get(name).bounds[1] for name in kept["metric"].unique()}).astype(np.float64)
    return kept.assign(split=kept["repeat"] * kept["folds"] + kept["fold"], tid=kept["source"].map(task_id),
                       error=np.where(kept["higher_is_better"], best - kept["score"], kept["score"]))


def metric_name_there(name: str) -> str:
    """TabArena's name of a metric of ours.

    >>> metric_name_there("auc"), metric_name_there("rmse")
    ('roc_auc', 'rmse')
    """
    return METRIC_NAMES.get(name, name)


def task_id(source: str) -> str:
    """The OpenML task that a table is of; empty where it is of none.

    >>> task_id("openml-task:363621"), task_id("iris.csv")
    ('363621', '')
    """
    found = TASK_SOURCE.match(source)
    return found[1] if found else ""
