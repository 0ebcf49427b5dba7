"""What a finished run holds beyond the verdict, as frames: predictions by row, and a leaderboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.comparison.resume import recall_run
from tabbench.comparison.run import Run
from tabbench.core.cell import Cell
from tabbench.core.comparison import Comparison
from tabbench.core.prediction import as_taken
from tabbench.core.setup import Setup
from tabbench.store.database import Store
from tabbench.store.folder import require_run


def predictions_frame(folder: Path) -> pd.DataFrame:
    """One row a tested row and fit: position in the data, approach, size, repeat, fold, truth, prediction and probabilities."""
    with Store.reading(require_run(folder)) as store:
        run = recall_run(store)
        parts = [_predicted(run.setup, cell, result.predictions) for cell in _finished(store, run)
                 if (result := store.result(cell.key)) is not None and result.predictions is not None]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["row", "approach", "size", "repeat", "fold"])


def leaderboard_frame(comparison: Comparison, size: int) -> pd.DataFrame:
    """One row an approach at a size, the recommended one first, then by mean: all metrics, an interval, costs, its standing."""
    metric, direction = comparison.protocol["metric"], comparison.protocol["direction"]
    scores, costs = (each[each["size"] == size] for each in (comparison.scores, comparison.costs))
    means = scores.pivot_table(index="approach", columns="metric", values="mean", sort=False)
    interval = scores[scores["metric"] == metric].set_index("approach")[["low", "high", "failed"]]
    winner = comparison.winners.set_index("size").loc[size]
    frame = means[[metric, *(name for name in means if name != metric)]].join(interval)
    frame = frame.join(costs.set_index("approach").drop(columns="size"))
    frame["in_top_set"] = frame.index.isin(winner["approaches"])
    frame["recommended"] = frame.index == winner["recommended"]
    frame = frame.sort_values(metric, ascending=direction == "lower", kind="stable")
    return frame.sort_values("recommended", ascending=False, kind="stable").rename_axis(columns=None).reset_index()


def _finished(store: Store, run: Run) -> Iterator[Cell]:
    finished = store.finished()
    return (cell for cell in run.planned if cell.key in finished)


def _place(cell: Cell) -> dict[str, Any]:
    return {"approach": cell.approach, "size": cell.size, "repeat": cell.repeat, "fold": cell.fold}


def _predicted(setup: Setup, cell: Cell, predictions: np.ndarray) -> pd.DataFrame:
    test = next(split.test for split in setup.splits.splits if split.name == (cell.repeat, cell.fold))
    columns: dict[str, Any] = {"row": setup.table.rows[test], **_place(cell)}
    if setup.task.is_regression:
        return pd.DataFrame({**columns, "truth": setup.target[test], "prediction": predictions})
    labels, predictions = np.array(setup.task.classes, dtype=object), as_taken(predictions, setup.task, "probabilities")
    columns |= {"truth": labels[setup.target[test]], "prediction": labels[predictions.argmax(axis=1)]}
    shares = {f"probability_{label}": column for label, column in zip(labels, predictions.T, strict=True)}
    return pd.DataFrame({**columns, **shares})
