"""From the scores of many tables to what they say together, over all of them and by training size. Pure functions of frames."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.errors import BadOption
from tabbench.core.metric import METRICS
from tabbench.core.suite_result import ALL, SUITE_COLUMNS
from tabbench.options import ALPHA
from tabbench.verdict.across.buckets import BucketVerdict, judge_buckets, mean_win_rates
from tabbench.verdict.across.decision import Standpoint
from tabbench.verdict.across.losses import perfect_loss
from tabbench.verdict.winners import BASELINE
from tabbench.wording.many_tables import answer_sentence, closing_sentence

MARGIN = 1.0
"""What is practically equal over tables, in units of each table's default margin."""


def over_tables(tables: pd.DataFrame, scores: pd.DataFrame, approaches: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """The frames `verdicts`, `ranks`, `pairs`, `cliques`, `elo` and `improvability` over all tables and each bucket.

    Parameters
    ----------
    tables, scores, approaches : DataFrame
        As in a `SuiteResult`; nothing else is needed, so that a merged result is judged in the same way.
    seed : int
        Seed of the bootstrap and of the posterior draws.

    Raises
    ------
    BadOption
        No score is defined on any table.
    """
    columns, losses = SUITE_COLUMNS, losses_of(tables, scores)
    standpoint = Standpoint(list(approaches["name"][approaches["family"] == BASELINE]),
                            dict(zip(approaches["name"], approaches["cost_rank"], strict=True)), MARGIN, ALPHA, seed)
    verdicts = judge_buckets(losses, standpoint)

    def stacked(name: str) -> pd.DataFrame:
        parts = [getattr(each.overview, name).assign(bucket=each.bucket.name) for each in verdicts]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)[list(columns[name])]

    ranks = pd.concat([each.overview.ranks.assign(bucket=each.bucket.name, win_rate=mean_win_rates(each.overview.ranks))
                       for each in verdicts], ignore_index=True)[list(columns["ranks"])]
    found = pd.DataFrame([_verdict(each, tables) for each in verdicts], columns=list(columns["verdicts"]), dtype=object)
    cliques = [(each.bucket.name, list(clique)) for each in verdicts for clique in each.cliques]
    return {"verdicts": found, "ranks": ranks, "cliques": pd.DataFrame(cliques, columns=list(columns["cliques"])),
            **{name: stacked(name) for name in ("pairs", "elo", "improvability")}}


def _verdict(each: BucketVerdict, tables: pd.DataFrame) -> dict[str, Any]:
    answer, without = each.overview.answer, each.overview.without_failures
    outcome, repeated = answer.outcome, _repeated(tables) if each.bucket.name == ALL else {}
    return {"bucket": each.bucket.name, "tables": answer.tables, "sources": answer.sources, "decision": outcome.decision,
            "reason": outcome.reason, "approaches": list(outcome.approaches), "best": outcome.best,
            "recommended": outcome.recommended, "sentence": closing_sentence(each.overview, repeated=repeated),
            "without_failures": None if without is None else answer_sentence(without)}


def _repeated(tables: pd.DataFrame) -> dict[str, int]:
    """How often a table of the same content is there, by the first one's name, for those that are more than once."""
    prints = tables.dropna(subset=["fingerprint"])
    count = Counter(prints["fingerprint"])
    first = prints.drop_duplicates("fingerprint").set_index("fingerprint")["name"]
    return {str(first[each]): number for each, number in count.items() if number > 1}


def sources_of(tables: pd.DataFrame) -> dict[str, str]:
    """Table to source: its origin, or else its fingerprint. Tables of one source count once together."""
    source = tables["origin"].where(tables["origin"].notna(), tables["fingerprint"])
    return dict(zip(tables["name"], source, strict=True))


def losses_of(tables: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows for `TableLosses.gather`.

    A split in which the metric is undefined for an approach is left out for all; an approach that has it on no split of a table
    is absent there.

    Raises
    ------
    BadOption
        No score is left.
    """
    about, is_defined = tables.set_index("name"), np.isfinite(scores["score"])
    scores = scores[is_defined.groupby([scores[name] for name in ("table", "approach")]).transform("any")]
    defined = is_defined[scores.index].groupby([scores[name] for name in ("table", "repeat", "fold")]).transform("all")
    kept = scores[defined]
    if kept.empty:
        raise BadOption("the metric is undefined on every split of every table; give the tables another one, metric = \"…\"")
    metric = kept["table"].map(about["metric"])
    sign = kept["table"].map(about["direction"]).map({"lower": 1.0, "higher": -1.0})
    return pd.DataFrame({
        "table": kept["table"], "source": kept["table"].map(sources_of(tables)), "metric": metric, "size": kept["size"],
        "split": kept["repeat"].astype(str) + "/" + kept["fold"].astype(str), "approach": kept["approach"],
        "loss": sign * kept["score"], "imputed": kept["failed"], "scale": kept["table"].map(about["margin"]).astype("float64"),
        "perfect": metric.map({name: perfect_loss(METRICS.get(name)) for name in set(metric)}).astype("float64")})


def mean_scores(tables: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Means over splits; `behind_best` is the distance in margins to the best approach on the table at the size."""
    about = tables.set_index("name")
    means = scores.groupby(["table", "approach", "size"], sort=False).agg(
        score=("score", "mean"), baseline_score=("baseline_score", "mean"), splits=("score", "count"), failed=("failed", "sum"),
    ).reset_index()
    loss = means["score"] * means["table"].map(about["direction"]).map({"lower": 1.0, "higher": -1.0})
    behind = loss - loss.groupby([means["table"], means["size"]]).transform("min")
    means["metric"] = means["table"].map(about["metric"])
    means["behind_best"] = behind / means["table"].map(about["margin"]).astype("float64")
    return means[list(SUITE_COLUMNS["means"])]
