"""From what became of a suite's tables to its result: every table's own verdict, and the verdict over them by training size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadOption
from tabbench.core.metric import METRICS
from tabbench.core.suite_result import SUITE_COLUMNS, SuiteResult
from tabbench.options import ALPHA
from tabbench.suite.gather import Gathered, TableRun, baselines, cost_ranks, gather
from tabbench.verdict.across.buckets import LEAST_SHARE, BucketVerdict, bucket_of, judge_buckets, win_rates
from tabbench.verdict.across.crossed import STEPS, crossed_by_size, crossing_rows
from tabbench.verdict.across.decision import Standpoint
from tabbench.verdict.across.losses import perfect_loss
from tabbench.verdict.across.relative_costs import REFERENCE, relative_costs
from tabbench.wording.many_tables import answer_sentence, closing_sentence

MARGIN = 1.0
"""What is practically equal over tables, in units of each table's default margin."""


def suite_result(folder: Path, *, seed: int = 0) -> SuiteResult:
    """The result of the suite in a folder, from the runs of its tables.

    Parameters
    ----------
    folder : Path
        The suite's folder.
    seed : int, default 0
        Seed of the bootstrap and of the posterior draws.

    Raises
    ------
    BadOption
        There is no suite, no table has any result, or an approach has different versions on two tables.
    """
    return assemble(gather(folder), seed)


def assemble(gathered: Gathered, seed: int) -> SuiteResult:
    """The result from what was gathered."""
    judged = [each for each in gathered.tables if each.comparison is not None]
    _require_same_versions(judged)
    tables = pd.DataFrame([_row(each) for each in gathered.tables], columns=list(SUITE_COLUMNS["tables"]), dtype=object)
    scores = pd.concat([each.scores for each in judged], ignore_index=True)
    cell_costs = pd.concat([each.cell_costs for each in judged], ignore_index=True)
    crossovers = _crossovers(judged)
    standpoint = Standpoint(baselines(gathered.tables), cost_ranks(gathered.tables), MARGIN, ALPHA, seed)
    verdicts = judge_buckets(losses_of(tables, scores), standpoint)
    return SuiteResult(
        suite={"name": gathered.name, "title": gathered.title},
        protocol={"margin": MARGIN, "alpha": ALPHA, "seed": seed, "least_share": LEAST_SHARE, "cost_reference": REFERENCE,
                  "versions": _versions(judged)},
        tables=tables, approaches=_approaches(judged), scores=scores, means=_means(tables, scores), crossovers=crossovers,
        crossed=crossed_by_size(crossovers), failures=_failures(judged), cell_costs=cell_costs,
        relative_costs=relative_costs(cell_costs, seed), **_over_tables(verdicts, tables))


def losses_of(tables: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows for `TableLosses.gather`, a table's fingerprint being its source.

    A split in which the metric is undefined for an approach is left out for all.
    """
    about = tables.set_index("name")
    defined = np.isfinite(scores["score"]).groupby([scores[name] for name in ("table", "repeat", "fold")]).transform("all")
    kept = scores[defined]
    metric = kept["table"].map(about["metric"])
    sign = kept["table"].map(about["direction"]).map({"lower": 1.0, "higher": -1.0})
    return pd.DataFrame({
        "table": kept["table"], "source": kept["table"].map(about["fingerprint"]), "metric": metric, "size": kept["size"],
        "split": kept["repeat"].astype(str) + "/" + kept["fold"].astype(str), "approach": kept["approach"],
        "loss": sign * kept["score"], "imputed": kept["failed"], "scale": kept["table"].map(about["margin"]).astype("float64"),
        "perfect": metric.map({name: perfect_loss(METRICS.get(name)) for name in set(metric)}).astype("float64")})


def _require_same_versions(judged: Sequence[TableRun]) -> None:
    seen: dict[str, tuple[int, str]] = {}
    for each in judged:
        for entry in each.run.entries if each.run else ():
            version, table = seen.setdefault(entry.name, (entry.version, each.name))
            if version != entry.version:
                raise BadOption(f"{entry.name} has version {version} on {table} and {entry.version} on {each.name}; run the older "
                                "one again")


def _versions(judged: Sequence[TableRun]) -> dict[str, str]:
    """Library to version, or to all of them where tables were run with different ones."""
    found: dict[str, set[str]] = {}
    for each in judged:
        for library, version in each.versions.items():
            found.setdefault(library, set()).add(version)
    return {library: ", ".join(sorted(versions)) for library, versions in found.items()}


def _row(each: TableRun) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SUITE_COLUMNS["tables"]) | {"name": each.name, "state": each.state, "reason": each.reason}
    if each.comparison is None or each.run is None:
        return row | {"top_set": []}
    comparison, table, protocol = each.comparison, each.comparison.table, each.comparison.protocol
    return row | {name: protocol[name] for name in ("metric", "direction", "full_size", "effort", "split_kind", "folds", "splits",
                                                    "seed", "suspect")} | {
        "task": table["task"], "rows": table["rows"], "columns": table["columns"], "classes": len(table["classes"]) or None,
        "fingerprint": table["fingerprint"], "margin": each.margin, "failed": int(each.scores["failed"].sum()),
        "sentence": comparison.sentence, "report": f"tables/{each.name}/report.html",
    } | _headline(comparison, each.scores)


def _headline(comparison: Comparison, scores: pd.DataFrame) -> dict[str, Any]:
    size = comparison.protocol["headline_size"]
    found = comparison.winners[comparison.winners["size"] == size]
    if found.empty:
        return {"top_set": []}
    winner = found.iloc[0]
    families = dict(zip(comparison.approaches["name"], comparison.approaches["family"], strict=True))
    here = scores[scores["size"] == size]
    return {"size": size, "bucket": bucket_of(size), "decision": winner["decision"], "top_set": list(winner["approaches"]),
            "best": winner["best"], "recommended": winner["recommended"], "family": families.get(winner["recommended"]),
            "best_score": here[here["approach"] == winner["best"]]["score"].mean(), "baseline_score": here["baseline_score"].mean()}


def _approaches(judged: Sequence[TableRun]) -> pd.DataFrame:
    entries = {entry.name: entry for each in judged if each.run for entry in each.run.entries}
    columns = list(SUITE_COLUMNS["approaches"])
    return pd.DataFrame([[getattr(entry, column) for column in columns] for entry in entries.values()], columns=columns)


def _means(tables: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Means over splits; `behind_best` is the distance in margins to the best approach on the table at the size."""
    about = tables.set_index("name")
    means = scores.groupby(["table", "approach", "size"], sort=False).agg(
        score=("score", "mean"), baseline_score=("baseline_score", "mean"), splits=("score", "count"), failed=("failed", "sum"),
    ).reset_index()
    loss = means["score"] * means["table"].map(about["direction"]).map({"lower": 1.0, "higher": -1.0})
    behind = loss - loss.groupby([means["table"], means["size"]]).transform("min")
    means["metric"], means["behind_best"] = means["table"].map(about["metric"]), behind / means["table"].map(about["margin"]).astype("float64")
    return means[list(SUITE_COLUMNS["means"])]


def _crossovers(judged: Sequence[TableRun]) -> pd.DataFrame:
    rows = []
    for each in judged:
        comparison = each.comparison
        if comparison is not None and len(comparison.winners):
            sizes = int(comparison.winners["size"].min()), int(comparison.winners["size"].max())
            rows += [crossing_rows(each.name, comparison.family_crossovers, sizes, step) for step in STEPS]
    return pd.concat(rows, ignore_index=True)


def _failures(judged: Sequence[TableRun]) -> pd.DataFrame:
    parts = [each.comparison.failures.assign(table=each.name) for each in judged if each.comparison is not None]
    return pd.concat(parts, ignore_index=True)[list(SUITE_COLUMNS["failures"])]


def _over_tables(verdicts: Sequence[BucketVerdict], tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The frames over all tables and each bucket."""
    columns = SUITE_COLUMNS

    def stacked(name: str) -> pd.DataFrame:
        parts = [getattr(each.overview, name).assign(bucket=each.bucket.name) for each in verdicts]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)[list(columns[name])]

    ranks = pd.concat([each.overview.ranks.assign(bucket=each.bucket.name, win_rate=win_rates(each.overview.ranks))
                       for each in verdicts], ignore_index=True)[list(columns["ranks"])]
    cliques = [(each.bucket.name, list(clique)) for each in verdicts for clique in each.cliques]
    return {"verdicts": pd.DataFrame([_verdict(each, tables) for each in verdicts], columns=list(columns["verdicts"]), dtype=object),
            "ranks": ranks, "cliques": pd.DataFrame(cliques, columns=list(columns["cliques"])),
            **{name: stacked(name) for name in ("pairs", "elo", "improvability")}}


def _verdict(each: BucketVerdict, tables: pd.DataFrame) -> dict[str, Any]:
    answer, without = each.overview.answer, each.overview.without_failures
    outcome = answer.outcome
    return {"bucket": each.bucket.name, "tables": answer.tables, "sources": answer.sources, "decision": outcome.decision,
            "reason": outcome.reason, "approaches": list(outcome.approaches), "best": outcome.best,
            "recommended": outcome.recommended, "sentence": closing_sentence(each.overview, repeated=_repeated(tables)),
            "without_failures": None if without is None else answer_sentence(without)}


def _repeated(tables: pd.DataFrame) -> dict[str, int]:
    """How often a table of the same content is there, by the first one's name, for those that are more than once."""
    prints = tables.dropna(subset=["fingerprint"])
    count = Counter(prints["fingerprint"])
    first = prints.drop_duplicates("fingerprint").set_index("fingerprint")["name"]
    return {str(first[each]): number for each, number in count.items() if number > 1}
