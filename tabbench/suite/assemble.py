"""From what became of a suite's tables to its result: every table's own verdict, its crossings and costs, and all over tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadOption
from tabbench.core.suite_result import SUITE_COLUMNS, SuiteResult
from tabbench.options import ALPHA
from tabbench.suite.gather import REPORT, Gathered, GatheredTable, gather
from tabbench.suite.layout import TABLES
from tabbench.suite.over_tables import MARGIN, mean_scores, over_tables, sources_of
from tabbench.verdict.across.buckets import LEAST_SHARE, bucket_of
from tabbench.verdict.across.crossed import STEPS, crossed_by_size, crossing_rows
from tabbench.verdict.across.relative_costs import REFERENCE, relative_costs


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
    splits = pd.concat([each.splits for each in judged], ignore_index=True)
    cell_costs = pd.concat([each.cell_costs for each in judged], ignore_index=True)
    crossovers = _crossovers(judged)
    approaches = _approaches(judged)
    return SuiteResult(
        suite={"name": gathered.name, "title": gathered.title},
        protocol={"margin": MARGIN, "alpha": ALPHA, "seed": seed, "least_share": LEAST_SHARE, "cost_reference": REFERENCE,
                  "versions": _versions(judged)},
        tables=tables, approaches=approaches, splits=splits, scores=scores, means=mean_scores(tables, scores),
        crossovers=crossovers, crossed=crossed_by_size(crossovers), failures=_failures(judged), cell_costs=cell_costs,
        relative_costs=relative_costs(cell_costs, sources_of(tables), seed), **over_tables(tables, scores, approaches, seed))


def _require_same_versions(judged: Sequence[GatheredTable]) -> None:
    seen: dict[str, tuple[int, str]] = {}
    for each in judged:
        for entry in each.run.entries if each.run else ():
            version, table = seen.setdefault(entry.name, (entry.version, each.name))
            if version != entry.version:
                raise BadOption(f"{entry.name} has version {version} on {table} and {entry.version} on {each.name}; run the "
                                "older one again")


def _versions(judged: Sequence[GatheredTable]) -> dict[str, str]:
    """Library to version, or to all of them where tables were run with different ones."""
    found: dict[str, set[str]] = {}
    for each in judged:
        for library, version in each.versions.items():
            found.setdefault(library, set()).add(version)
    return {library: ", ".join(sorted(versions)) for library, versions in found.items()}


def _row(each: GatheredTable) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SUITE_COLUMNS["tables"]) | {"name": each.name, "state": each.state, "reason": each.reason}
    if each.comparison is None or each.run is None:
        return row | {"top_set": []}
    comparison, table, protocol = each.comparison, each.comparison.table, each.comparison.protocol
    return row | {name: protocol[name] for name in ("metric", "direction", "full_size", "effort", "split_kind", "folds", "splits",
                                                    "seed", "suspect")} | {
        "task": table["task"], "rows": table["rows"], "columns": table["columns"], "classes": len(table["classes"]) or None,
        "fingerprint": table["fingerprint"],
        "origin": each.origin, "margin": each.margin, "failed": int(each.scores["failed"].sum()),
        "sentence": comparison.sentence, "report": f"{TABLES}/{each.name}/{REPORT}" if each.has_report else None,
    } | _headline(comparison, each.scores)


def _headline(comparison: Comparison, scores: pd.DataFrame) -> dict[str, Any]:
    size = comparison.protocol["headline_size"]
    found = comparison.winners[comparison.winners["size"] == size]
    if found.empty:
        return {"top_set": []}
    winner = found.iloc[0]
    families = dict(zip(comparison.approaches["name"], comparison.approaches["family"], strict=True))
    here = scores[scores["size"] == size]
    best_score = here[here["approach"] == winner["best"]]["score"].mean()
    return {"size": size, "bucket": bucket_of(size), "decision": winner["decision"], "top_set": list(winner["approaches"]),
            "best": winner["best"], "recommended": winner["recommended"], "family": families.get(winner["recommended"]),
            "best_score": best_score, "baseline_score": here["baseline_score"].mean()}


def _approaches(judged: Sequence[GatheredTable]) -> pd.DataFrame:
    entries = {entry.name: entry for each in judged if each.run for entry in each.run.entries}
    columns = list(SUITE_COLUMNS["approaches"])
    return pd.DataFrame([[getattr(entry, column) for column in columns] for entry in entries.values()], columns=columns)


def _crossovers(judged: Sequence[GatheredTable]) -> pd.DataFrame:
    rows = []
    for each in judged:
        comparison = each.comparison
        if comparison is not None and len(comparison.winners):
            sizes = int(comparison.winners["size"].min()), int(comparison.winners["size"].max())
            rows += [crossing_rows(each.name, comparison.family_crossovers, sizes, step) for step in STEPS]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(SUITE_COLUMNS["crossovers"]))


def _failures(judged: Sequence[GatheredTable]) -> pd.DataFrame:
    parts = [each.comparison.failures.assign(table=each.name) for each in judged if each.comparison is not None]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)[list(SUITE_COLUMNS["failures"])]
