"""The verdict over the tables of a board, by the judge that judges many tables of one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from tabbench.core.effort import name_of
from tabbench.core.errors import BadData
from tabbench.core.many_tables import TablesComparison
from tabbench.core.metric import METRICS
from tabbench.options import ALPHA
from tabbench.verdict.across.decision import Standpoint
from tabbench.verdict.across.judge import judge_tables
from tabbench.verdict.across.losses import TableLosses, perfect_loss
from tabbench.verdict.winners import BASELINE
from tabbench.wording.many_tables import answer_sentence, closing_sentence

USUAL_SHARE = 0.5
"""An approach is compared by default if it was run on more than this share of the tables: with fewer, too few would be left."""


def overview_of(rows: pd.DataFrame, tables: pd.DataFrame, approaches: Sequence[str] | None
                ) -> tuple[str, TablesComparison | None]:
    """The sentence, and the verdict and its frames, or None where no table has all the approaches to compare.

    Parameters
    ----------
    rows, tables : DataFrame
        As in a `Board`.
    approaches : Sequence[str] | None
        The contestants to compare; None takes those that were run on most of the tables.

    Raises
    ------
    UnknownName
        A requested contestant is not on the board.
    """
    frame = losses_of(rows, tables)
    chosen = usual_contestants(frame) if approaches is None else approaches
    try:
        losses = TableLosses.gather(frame, chosen)
    except BadData as error:
        return f"There is no verdict over tables: {error}", None
    baselines = sorted(set(rows.loc[rows["family"] == BASELINE, "contestant"]))
    standpoint = Standpoint(baselines, rows.groupby("contestant")["cost_rank"].min().to_dict(), alpha=ALPHA)
    found = judge_tables(losses, standpoint)
    efforts = rows.loc[rows["contestant"].isin(losses.approaches) & ~rows["contestant"].isin(baselines), "effort"].unique()
    without, largest = found.without_failures, losses.at_largest_size()
    sentence = closing_sentence(found, presets=[name_of(effort) for effort in efforts])
    return sentence, TablesComparison(
        sentence=sentence, **asdict(found.answer.outcome),
        without_failures=None if without is None else {"sentence": answer_sentence(without), **asdict(without.outcome)},
        protocol={"margin": standpoint.margin, "alpha": ALPHA, "seed": standpoint.seed},
        tables=pd.DataFrame({"table": largest.tables, "source": largest.sources, "metric": largest.metrics,
                             "size": largest.size, "preset": [_efforts(rows, table) for table in largest.tables],
                             "failed": largest.imputed.mean(axis=1)}),
        ranks=found.ranks, pairs=found.pairs, elo=found.elo, improvability=found.improvability, win_rates=found.win_rates)


def _efforts(rows: pd.DataFrame, table: str) -> str:
    return ", ".join(name_of(effort) for effort in sorted(rows.loc[rows["table"] == table, "effort"].unique()))


def losses_of(rows: pd.DataFrame, tables: pd.DataFrame) -> pd.DataFrame:
    """The rows for `TableLosses.gather`; what is conflicting or undefined is left out."""
    kept = rows[~rows["is_conflicting"] & rows["score"].notna()].merge(
        tables[["table", "fingerprint", "metric", "higher_is_better", "folds", "margin"]], on="table", validate="many_to_one")
    return pd.DataFrame({
        "table": kept["table"], "source": kept["fingerprint"], "metric": kept["metric"], "size": kept["size"],
        "split": kept["repeat"] * kept["folds"] + kept["fold"], "approach": kept["contestant"],
        "loss": np.where(kept["higher_is_better"], -kept["score"], kept["score"]), "imputed": kept["imputed"],
        "scale": kept["margin"], "perfect": kept["metric"].map({name: perfect_loss(METRICS.get(name))
                                                                for name in kept["metric"].unique()})})


def usual_contestants(frame: pd.DataFrame) -> list[str]:
    """Those that were run on most of the tables; all, where none was."""
    counts = frame.groupby("approach", sort=False)["table"].nunique()
    usual = counts[counts > USUAL_SHARE * frame["table"].nunique()]
    return [str(name) for name in (usual if len(usual) else counts).index]
