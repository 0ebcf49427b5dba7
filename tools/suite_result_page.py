"""Writes docs/suite-result-json.md: every key of a suite's result.json with its type and meaning.

    python tools/suite_result_page.py

The keys and their order come from report/suite_as_json.py and `SUITE_COLUMNS`; the meanings are in `MEANINGS` here, and only
here. tests/suite/test_result_page.py compares the page with a real suite.
"""

from __future__ import annotations

from pathlib import Path

from tabbench.core.suite_result import SUITE_COLUMNS, SUITE_SCHEMA
from tabbench.report.suite_as_json import COSTS, FRAMES

PAGE = Path(__file__).parents[1] / "docs" / "suite-result-json.md"

WHOLE, NUMBER, TEXT, TRUTH, NAMES = "integer", "number or null", "string", "boolean", "list of strings"
MAYBE_TEXT, MAYBE_WHOLE, MAYBE_TRUTH = "string or null", "integer or null", "boolean or null"

BUCKET = (TEXT, "`all`, or a range of training rows: `up to 500`, `501 to 2,000`, `2,001 to 10,000`, `10,001 to 50,000`, "
                "`over 50,000`")
DECISION = "`winner`, `top_set` or `none`"
OF_TABLE = "; null without a result"
INTERVAL = {"low": (NUMBER, "lower end of the 95 % bootstrap interval over tables; null for a single one"),
            "high": (NUMBER, "upper end")}
SPLIT = {"repeat": (WHOLE, "the repeat, from 0"), "fold": (WHOLE, "the fold, from 0")}
CELL = {"table": (TEXT, "its name in the suite"), "approach": (TEXT, "its name"), "size": (WHOLE, "training rows")}
STEP = {"from_family": (TEXT, "the family that leads first, if the two change places as expected"),
        "to_family": (TEXT, "the family that is expected to overtake it")}

ABOUT = {
    "suite": "Which suite it is.",
    "protocol": "How the tables were compared.",
    "tables": "One row a table of the suite, in the definition's order; those without a result too.",
    "approaches": "One row an approach that was run on any table.",
    "verdicts": "The verdict over all tables at their largest size, then over each range of training rows; in a range a table "
                "counts at its largest size within it.",
    "ranks": "Descriptive: one row an approach and range, the best first.",
    "pairs": "One row a pair and range. One number a table goes into the tests.",
    "cliques": "The bars of the critical-difference diagram: approaches next to one another in mean rank of which no two are "
               "shown to differ.",
    "elo": "Descriptive: ratings by the Bradley-Terry model, 1,000 on average.",
    "improvability": "Descriptive: which share of its own error the best approach of the table would have saved.",
    "means": "One row a table, approach and size, in the table's deciding metric.",
    "crossovers": "Which of two families is ahead at which sizes: one row a table, step and range of sizes.",
    "crossed": "On how many tables the second family of a step is ahead, by size; a table counts at the sizes that it has.",
    "failures": "Cells that did not end with a model. The constant predictor stands in for them.",
    "splits": "One row a table and split.",
    "scores": "One row a table, approach, size and split, in the table's deciding metric.",
    "costs": "What comes from clocks. Everything else is the same when a suite is run again with the same versions.",
    "costs.cells": "One row a fit.",
    "costs.relative": "Fit times as multiples of the reference's on the same table, size, splits and machine.",
}

MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "suite": {"name": (TEXT, "its name"), "title": (TEXT, "its title")},
    "protocol": {
        "margin": ("number", "what is practically equal, in units of each table's default margin"),
        "alpha": ("number", "the error rate of all pairs of a range together"),
        "seed": (WHOLE, "of the bootstrap and of posterior draws"),
        "least_share": ("number", "an approach is compared where this share of the tables has it and all others compared"),
        "cost_reference": (TEXT, "the approach whose fit time is the unit of `costs.relative`"),
        "versions": ("object", "library → its version, or all of them where tables were run with several")},
    "tables": {
        "name": (TEXT, "its name in the suite"), "state": (TEXT, "`finished`, `partial`, `unusable` or `absent`"),
        "reason": (TEXT, "why it is not finished; empty if it is"),
        "task": (MAYBE_TEXT, f"`binary`, `multiclass` or `regression`{OF_TABLE}, as the following are"),
        "metric": (MAYBE_TEXT, "the metric that decides"), "direction": (MAYBE_TEXT, "`lower` or `higher` is better"),
        "rows": (MAYBE_WHOLE, "usable rows"), "columns": (MAYBE_WHOLE, "feature columns"),
        "classes": (MAYBE_WHOLE, "number of classes; null for regression"),
        "full_size": (MAYBE_WHOLE, "rows of the smallest training part"),
        "size": (MAYBE_WHOLE, "the size of the table's own verdict"), "bucket": (MAYBE_TEXT, "that size's range"),
        "effort": (NUMBER, "the effort"), "split_kind": (MAYBE_TEXT, "as in [result.json](result-json.md#protocol)"),
        "folds": (MAYBE_WHOLE, "splits in a repeat"), "splits": (MAYBE_WHOLE, "splits that were planned"),
        "seed": (MAYBE_WHOLE, "the run's seed"),
        "margin": (NUMBER, "the default margin in the metric's units: the unit in which tables are compared"),
        "decision": (MAYBE_TEXT, f"of the table's own verdict: {DECISION}"),
        "top_set": (NAMES, "its winner or top set"), "best": (MAYBE_TEXT, "the approach with the lowest mean loss"),
        "recommended": (MAYBE_TEXT, "the recommended approach; null for none"), "family": (MAYBE_TEXT, "its family"),
        "best_score": (NUMBER, "the best one's mean score"), "baseline_score": (NUMBER, "the constant predictor's"),
        "failed": (MAYBE_WHOLE, "cells that failed"), "suspect": (MAYBE_TRUTH, "whether a finding in the data spoils the table"),
        "sentence": (MAYBE_TEXT, "the table's own verdict in words"), "fingerprint": (MAYBE_TEXT, "hash of the table's content"),
        "origin": (MAYBE_TEXT, "what the table was drawn from; tables of one origin count once together"),
        "report": (MAYBE_TEXT, "path of the table's own report from the suite's folder, null where there is none")},
    "approaches": {
        "name": (TEXT, "as with `--approaches`"), "family": (TEXT, "`baseline`, `linear`, `trees`, `net`, `blend` or `own`"),
        "version": (WHOLE, "rises whenever the same input would give other numbers"),
        "cost_rank": (WHOLE, "the order from simple to costly that recommendations follow")},
    "verdicts": {
        "bucket": BUCKET, "tables": (WHOLE, "tables that count"), "sources": (WHOLE, "of how many different contents"),
        "decision": (TEXT, DECISION),
        "reason": (TEXT, "why there is none: `no_pair`, `one_source`, `few_sources`, `failed`, `disagree`, `constant` or "
                         "`circle`; empty otherwise"),
        "approaches": (NAMES, "those that no other is shown to be better than, by mean rank"),
        "best": (MAYBE_TEXT, "the one with the best mean rank"),
        "recommended": (MAYBE_TEXT, "the simplest of those as good as it"),
        "sentence": (TEXT, "the verdict in words"),
        "without_failures": (MAYBE_TEXT, "the verdict without the tables on which something failed; null if nothing did")},
    "ranks": {"bucket": BUCKET, "approach": (TEXT, "its name"), "mean_rank": ("number", "1 is best, ties share")} | INTERVAL | {
        "win_rate": (NUMBER, "share of the other approaches that it is ahead of; null for a single one"),
        "failed": ("number", "share of its runs that failed"),
        "mean_rank_without_failures": (NUMBER, "on the tables on which nothing failed")},
    "pairs": {
        "bucket": BUCKET, "first": (TEXT, "the first approach of the pair"), "second": (TEXT, "the second one"),
        "difference": ("number", "typical loss(first) − loss(second) in margins: the median of the means of all pairs of tables"),
        "first_ahead": ("number", "tables on which the first has the lower mean loss, ties counting half"),
        "within_margin": ("number", "share of the tables on which the two are within the margin"),
        "chance_if_equal": ("number", "p-value of Wilcoxon's signed-rank test"),
        "chance_all_pairs": ("number", "the same with Holm's correction for all pairs of the range"),
        "p_first_better": ("number", "P(better) by the Bayesian signed-rank test"), "p_equal": ("number", "P(equivalent)"),
        "p_second_better": ("number", "P(worse)"), "decision": (TEXT, "`first`, `second` (better), `equal` or `undecided`")},
    "cliques": {"bucket": BUCKET, "approaches": (NAMES, "in order of mean rank")},
    "elo": {"bucket": BUCKET, "approach": (TEXT, "its name"), "elo": ("number", "its rating")} | INTERVAL,
    "improvability": {
        "bucket": BUCKET, "metric": (TEXT, "the metric of these tables"), "tables": (WHOLE, "how many they are"),
        "approach": (TEXT, "its name"), "improvability": ("number", "0 is the best, on average over these tables")} | INTERVAL,
    "means": CELL | {
        "metric": (TEXT, "the table's deciding metric"), "score": (NUMBER, "mean over the splits, in the metric's natural sign"),
        "baseline_score": (NUMBER, "the constant predictor's on the same splits and training rows"),
        "behind_best": (NUMBER, "distance in margins to the best approach of the table at this size"),
        "splits": (WHOLE, "in how many splits the metric is defined"),
        "failed": (WHOLE, "cells that failed, scored as the constant predictor")},
    "crossovers": {"table": CELL["table"]} | STEP | {
        "state": (TEXT, "what is shown as rows are added: the second family overtakes (`crossed`), is `ahead` or `behind` "
                        "wherever anything is shown, falls `back`, `several` times, `undecided` (nothing is shown) or `not run`"),
        "from_size": (MAYBE_WHOLE, "from this size on; null for `not run`"), "to_size": (MAYBE_WHOLE, "up to this size"),
        "ahead": (MAYBE_TEXT, "the family that is shown to be ahead there; empty if neither is, null for `not run`"),
        "point": (NUMBER, "where the means cross in this range: an estimate, null if they do not")},
    "crossed": STEP | {
        "size": (WHOLE, "training rows"), "tables": (WHOLE, "tables that have this size"),
        "ahead": (WHOLE, "on how many of them the second family is shown to be ahead"),
        "behind": (WHOLE, "on how many the first one is"), "open": (WHOLE, "on how many neither is")},
    "failures": CELL | SPLIT | {
        "status": (TEXT, "`failed`, `timed_out`, `out_of_memory`, `crashed` or `skipped`"), "reason": (TEXT, "one sentence")},
    "splits": {"table": CELL["table"]} | SPLIT | {
        "training_rows": (WHOLE, "rows of its training part"), "test_rows": (WHOLE, "rows that are scored"),
        "fingerprint": (TEXT, "hash of its training rows in their order and of its test rows; the same for the same split")},
    "scores": CELL | SPLIT | {
        "score": (NUMBER, "the deciding metric in its natural sign; null where it is undefined"),
        "baseline_score": (NUMBER, "the constant predictor's"),
        "failed": (TRUTH, "whether the cell failed and the constant predictor stands in")},
    "costs.cells": CELL | SPLIT | {
        "fit_seconds": (NUMBER, "what the fit would have taken alone, shared work included"),
        "predict_us_per_row": (NUMBER, "microseconds a row of many at once; measured in one split, null in the others"),
        "one_row_us": (NUMBER, "microseconds of one row alone, likewise"),
        "peak_mb": (NUMBER, "megabytes by which memory grew during the fit")},
    "costs.relative": {
        "bucket": BUCKET, "approach": (TEXT, "its name"), "tables": (WHOLE, "tables that count"),
        "fit_time": ("number", "geometric mean over tables of its fit time by the reference's")} | INTERVAL,
}

HEAD = f"""# A suite's result.json, schema {SUITE_SCHEMA}

`tabbench suite run` and `tabbench suite report DIR` write this file; csv/ and parquet/ hold a file for each of its lists, with
the same columns (`cell_costs` and `relative_costs` for the two of `costs`). New keys may be added; a key that changes its meaning
raises `schema`. Undefined numbers are null. The statistics behind the keys are in [method.md](method.md#many-tables), every
table's own result in tables/NAME/[result.json](result-json.md).

The same suite, options, seed and versions give the same file, interrupted or not, but for `costs`, which comes from clocks.

<!-- Written by tools/suite_result_page.py. -->
"""


def top_level() -> list[str]:
    """The keys of a suite's result.json, in order."""
    return ["schema", "suite", "protocol", *FRAMES, "costs"]


def page() -> str:
    """The whole page."""
    kinds = {"schema": WHOLE, "suite": "object", "protocol": "object", "costs": "object"}
    about = {"schema": f"the number of this schema, {SUITE_SCHEMA}; it rises when an old key changes its meaning"} | ABOUT
    top = [f"| `{key}` | {kinds.get(key, 'list of objects')} | {about[key]} |" for key in top_level()]
    parts = [HEAD, _table("## All keys", "", top)]
    for name, meanings in MEANINGS.items():
        rows = [f"| `{key}` | {meanings[key][0]} | {meanings[key][1]} |" for key in _keys(name)]
        parts.append(_table(f"## {name}", ABOUT[name], rows))
    return "\n".join(parts)


def _keys(name: str) -> tuple[str, ...]:
    frame = COSTS[name.removeprefix("costs.")] if name.startswith("costs.") else name
    return SUITE_COLUMNS.get(frame, tuple(MEANINGS[name]))


def _table(title: str, about: str, rows: list[str]) -> str:
    return "\n".join([title, "", *([about, ""] if about else []), "| key | type | meaning |", "| --- | --- | --- |", *rows, ""])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
