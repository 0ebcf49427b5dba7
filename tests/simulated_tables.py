"""Losses on made-up tables."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tabbench.verdict.across.judge import judge_tables
from tabbench.verdict.across.losses import TableLosses


def frame_of(losses, *, sources=None, metric="log_loss", size=1000, imputed=(), scale=0.01, perfect=0.0, splits=3):
    """Tidy losses from approach -> one mean loss a table; `imputed` holds (approach, table number) pairs.

    Each split of a table is its mean loss and a shift that all approaches share.
    """
    tables = len(next(iter(losses.values())))
    parts = []
    for name, means in losses.items():
        for table, mean in enumerate(means):
            parts.append(pd.DataFrame({
                "table": f"t{table}", "source": f"t{table}" if sources is None else sources[table], "metric": metric,
                "size": size, "split": range(splits), "approach": name, "loss": mean + 0.001 * np.arange(splits),
                "imputed": (name, table) in imputed, "scale": scale, "perfect": perfect}))
    assert len(parts) == tables * len(losses)
    return pd.concat(parts, ignore_index=True)


def judged(frame, standpoint, approaches=None):
    """Everything that is decided over the tables of a frame."""
    return judge_tables(TableLosses.gather(frame, approaches), standpoint)


def generators() -> SimpleNamespace:
    """Both of them, for a fixture."""
    return SimpleNamespace(frame_of=frame_of, judged=judged)
