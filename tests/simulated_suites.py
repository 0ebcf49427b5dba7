"""Results of suites on made-up tables: the losses are given, all that follows from them is the product's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.core.suite_result import SUITE_COLUMNS, SuiteResult
from tabbench.suite.over_tables import mean_scores, over_tables, sources_of
from tabbench.verdict.across.buckets import bucket_of
from tabbench.verdict.across.crossed import crossed_by_size, crossing_rows
from tabbench.verdict.across.relative_costs import relative_costs

FAMILIES = {"dummy": "baseline", "linear": "linear", "lightgbm": "trees", "mlp": "net"}


def scores_of(losses, sizes, splits, *, failed=()):
    """Rows of `scores` from approach -> one mean loss a table; each split adds a shift of its own that all approaches share."""
    rows = []
    for approach, means in losses.items():
        for table, mean in enumerate(means):
            for size in sizes:
                for fold in range(splits):
                    rows.append((f"t{table}", approach, size, 0, fold, mean + 0.001 * fold, 1.0 + 0.001 * fold,
                                 (approach, table) in failed))
    return pd.DataFrame(rows, columns=list(SUITE_COLUMNS["scores"]))


def suite_of(losses, *, sizes=(100, 1_000), splits=3, failed=(), name="made-up", names=None, seconds=None, absent=0):
    """A whole result. `names` are the tables' names, `seconds` approach -> fit time, `absent` counts tables without scores."""
    tables = len(next(iter(losses.values())))
    scores = scores_of(losses, sizes, splits, failed=failed)
    about = pd.DataFrame([_table(number, scores, max(sizes), splits) for number in range(tables)]
                         + [_absent(number) for number in range(absent)], columns=list(SUITE_COLUMNS["tables"]), dtype=object)
    approaches = pd.DataFrame([(each, FAMILIES.get(each, "own"), 1, place) for place, each in enumerate(losses)],
                              columns=list(SUITE_COLUMNS["approaches"]))
    crossovers = pd.concat([crossing_rows(f"t{number}", _crossing(number), (min(sizes), max(sizes)), step)
                            for number in range(tables) for step in (("linear", "trees"), ("trees", "net"))], ignore_index=True)
    costs = _costs(scores, seconds or {each: 10.0**place for place, each in enumerate(losses)})
    failures = pd.DataFrame([(f"t{table}", each, max(sizes), 0, 0, "crashed", "a <b>reason</b>") for each, table in failed],
                            columns=list(SUITE_COLUMNS["failures"]))
    splits_frame = pd.DataFrame([(f"t{table}", 0, fold, 2 * max(sizes) // 3, max(sizes) // 3, f"{table}-{fold}")
                                 for table in range(tables) for fold in range(splits)], columns=list(SUITE_COLUMNS["splits"]))
    result = SuiteResult(
        suite={"name": name, "title": f"Suite {name}"},
        protocol={"margin": 1.0, "alpha": 0.05, "seed": 0, "least_share": 0.8, "cost_reference": "linear",
                  "versions": {"numpy": "2"}},
        tables=about, approaches=approaches, means=mean_scores(about, scores), crossovers=crossovers,
        crossed=crossed_by_size(crossovers), failures=failures, splits=splits_frame, scores=scores, cell_costs=costs,
        relative_costs=relative_costs(costs, sources_of(about), 0), **over_tables(about, scores, approaches, 0))
    return result if names is None else renamed(result, names)


def renamed(result, names):
    """The same with other names of tables."""
    from dataclasses import replace

    new = {f"t{number}": each for number, each in enumerate(names)}
    frames = {frame: getattr(result, frame).assign(table=getattr(result, frame)["table"].replace(new))
              for frame, columns in SUITE_COLUMNS.items() if "table" in columns}
    return replace(result, tables=result.tables.assign(name=result.tables["name"].replace(new)), **frames)


def _table(number, scores, size, splits):
    here = scores[(scores["table"] == f"t{number}") & (scores["size"] == size)]
    means = here.groupby("approach", sort=False)["score"].mean()
    return {"name": f"t{number}", "state": "finished", "reason": "", "task": "regression", "metric": "rmse", "direction": "lower",
            "rows": 3 * size // 2, "columns": 4, "full_size": size, "size": size, "bucket": bucket_of(size), "effort": 0.1,
            "split_kind": "stratified", "folds": splits, "splits": splits, "seed": 0, "margin": 0.01, "decision": "top_set",
            "top_set": [means.idxmin()], "best": means.idxmin(), "recommended": means.idxmin(),
            "family": FAMILIES.get(means.idxmin(), "own"), "best_score": means.min(),
            "baseline_score": here["baseline_score"].mean(), "failed": int(here["failed"].sum()),
            "suspect": False, "sentence": f"On table {number} something.",
            "fingerprint": f"print-{number}", "report": f"tables/t{number}/report.html"}


def _absent(number):
    return dict.fromkeys(SUITE_COLUMNS["tables"]) | {"name": f"absent{number}", "state": "absent", "reason": "not run yet",
                                                     "top_set": []}


def _crossing(number):
    """By turns trees overtake, are ahead throughout, or nothing is shown."""
    rows = [("linear", "trees", "bracket", 200.0, 400.0, 300.0, "linear", "trees"),
            ("linear", "trees", "none", np.nan, np.nan, np.nan, "trees", "trees"),
            ("linear", "trees", "undecided", np.nan, np.nan, np.nan, "", "")]
    columns = ["first", "second", "kind", "low", "high", "point", "ahead_below", "ahead_above"]
    return pd.DataFrame([rows[number % 3]], columns=columns)


def _costs(scores, seconds):
    costs = scores[["table", "approach", "size", "repeat", "fold"]].assign(
        fit_seconds=scores["approach"].map(seconds).astype("float64") * scores["size"], predict_us_per_row=1.0, one_row_us=9.0,
        peak_mb=100.0)
    return costs[list(SUITE_COLUMNS["cell_costs"])]
