"""Writes docs/result-json.md: every key of result.json with its type and meaning.

    python tools/result_json_page.py

The keys and their order come from report/as_json.py and `COLUMNS`; the meanings are in `MEANINGS` here, and only here.
tests/test_docs.py compares the page with a real run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from tabbench.core.comparison import COLUMNS, SCHEMA, Comparison
from tabbench.report import as_json
from tabbench.wording.terms import RULE

PAGE = Path(__file__).parents[1] / "docs" / "result-json.md"

WHOLE, NUMBER, TEXT, TRUTH, NAMES = "integer", "number or null", "string", "boolean", "list of strings"
NUMBERS, MAYBE_TEXT, MAYBE_WHOLE = "list of numbers", "string or null", "integer or null"

PAIR = {"first": "the first approach of the pair", "second": "the second one"}
DECISION = "`winner`, `top_set` or `none`"
KIND = "`bracket`, `open`, `several`, `none` or `undecided`"
PLACE = PAIR | {
    "kind": f"{KIND}; see [method](method.md#crossovers)",
    "low": "the lower end of the set of sizes, null if it is open",
    "high": "the upper end, null if it is open",
    "point": "where the mean losses cross; an estimate inside the set, null if there is none"}
AHEAD = {"ahead_below": "which is, or for an open end may be, ahead below the place; empty if neither is shown to be",
         "ahead_above": "the same above it"}
SPLIT = {"repeat": "the repeat, from 0", "fold": "the fold, from 0"}

ABOUT: dict[str, str] = {
    "table": "The table as it was read.",
    "protocol": "How it was compared. Splits, metric, margin and level are fixed before the first fit.",
    "protocol.plan": "The plan that was run.",
    "approaches": "One row an approach that takes part.",
    "scores": "One row an approach, size and metric. Intervals are marginal: not for comparing approaches, see `pairs`.",
    "winners": "One row a size, ascending.",
    "pairs": "One row a pair and size. Intervals hold simultaneously within a [family of claims](method.md#families-of-claims).",
    "crossovers": "Sizes at which two representatives (`linear`, `boosting`, `mlp`) change places; one row a place, or one that "
                  "says that there is none.",
    "other_crossovers": "The same for all other pairs.",
    "family_crossovers": "The same for the best of one family against the best of another; `first` and `second` are families.",
    "what_if": "The sensitivity analysis: by the task's other metrics, and with `--what-if` on changed data. Exploratory.",
    "selection": "One row an approach with a selector, and size.",
    "selection.chosen": "The columns that were chosen most often, at most 50.",
    "training": "How the nets of one fit of each approach were trained: the first split that succeeded, at the largest size.",
    "training.curves": "Medians over the nets, one value an epoch.",
    "training.layers": "One row a layer, from the inputs on: its weights at the end.",
    "extrapolation": "With `--extrapolate`, one row a pair and factor: exploratory, never a verdict. Null where it is refused.",
    "extrapolated_scores": "The curve of each approach of a pair that was not refused.",
    "findings": "What the checks found in the table.",
    "incidents": "What the guard of the nets, or another guard of training, saw and did.",
    "failures": "Cells that did not end with a model. The constant predictor stands in for them.",
    "skipped": "What was requested and not run.",
    "costs": "One row an approach and size, as measured by this machine's clocks.",
    "cost_crossovers": "Sizes at which one of two representatives is the quicker one to fit from then on: `low` and `high` are "
                       "the sizes around the place, without an interval.",
    "budget_crossovers": "Seconds of one fit at which one of two approaches becomes the better one, by mean loss. No intervals.",
    "cost_limits": "The best under a budget, at the headline size; one row for each limit on a cost at which that changes.",
    "winner_map": "The recommended approach by the rows available and the seconds allowed for one fit.",
    "columns": "How each column was read, the target first.",
    "tuned": "One row a fit at the headline size.",
    "timing": "Of all calls that made this run.",
}

MEANINGS: dict[str, dict[str, str | tuple[str, str]]] = {
    "": {"schema": (WHOLE, f"the number of this schema, {SCHEMA}; it rises when an old key changes its meaning"),
         "sentence": (TEXT, "the verdict in words"),
         "reading": (NAMES, "how the file was read, a line each")},
    "table": {
        "name": (TEXT, "the file's or data set's name"), "rows": (WHOLE, "usable rows"), "columns": (WHOLE, "feature columns"),
        "target": (TEXT, "the column that is predicted"), "task": (TEXT, "`binary`, `multiclass` or `regression`"),
        "fingerprint": (TEXT, "hash of the content"), "classes": (NAMES, "labels in order; empty for regression"),
        "roles": ("object", "role (`group`, `time`, `weight`, `fold`) → column, of those that were named")},
    "protocol": {
        "metric": (TEXT, "the metric that decides"), "direction": (TEXT, "`lower` or `higher` is better"),
        "sizes": ("list of integers", "training sizes, ascending"),
        "folds": (WHOLE, "splits in a repeat"), "repeats": (WHOLE, "how often the folds were drawn"),
        "margin": (NUMBER, "the largest difference that is practically none, in the metric's units"),
        "alpha": ("number", "the error rate of each family of claims"), "seed": (WHOLE, "the run's seed"),
        "preset": (MAYBE_TEXT, "the preset's name, if the effort is that of one"), "effort": ("number", "the effort"),
        "number": (WHOLE, "the protocol's number; cells of another one are not mixed in"),
        "split_kind": (TEXT, "`stratified`, `grouped`, `ordered`, `fold`, `test` or `given`"),
        "full_size": (WHOLE, "rows of the smallest training part, used in all splits"),
        "headline_size": (MAYBE_WHOLE, "the size that the sentence speaks of; null if nothing was judged"),
        "splits": (WHOLE, "splits that were planned"), "suspect": (TRUTH, "whether a finding spoils the comparison"),
        "plan": ("object or null", "see `protocol.plan`")},
    "protocol.plan": {
        "effort": ("number", "of every approach"), "approaches": (NAMES, "the approaches that take part, in listing order"),
        "sizes": ("list of integers", "ascending"), "splits": (WHOLE, "how many are used, in the splits' order"),
        "reason": (TEXT, "why it is this plan"), "options": (TEXT, "the command's options that repeat it without a clock")},
    "approaches": {
        "name": (TEXT, "as with `--approaches`"), "family": (TEXT, "`baseline`, `linear`, `trees`, `net`, `blend` or `own`"),
        "version": "rises whenever the same input would give other numbers",
        "settings": ("object", "the settings at the full size; its keys are the approach's own")},
    "scores": {
        "approach": (TEXT, "its name"), "size": "training rows",
        "metric": (TEXT, "`log_loss`, `brier`, `auc`, `accuracy`, `balanced_accuracy`, `calibration_error`, `rmse`, `mae`, `r2`"),
        "mean": "unweighted mean over the splits in which the metric is defined, in its natural sign",
        "low": "lower end of the marginal 95 % interval", "high": "upper end",
        "splits": "in how many splits the metric is defined", "failed": "cells that failed, scored as the constant predictor"},
    "winners": {
        "size": "training rows", "decision": (TEXT, DECISION),
        "approaches": (NAMES, "the winner, or the top set (not worse than any by the intervals), by mean; empty for `none`"),
        "best": (TEXT, "the approach with the lowest mean loss"),
        "recommended": (MAYBE_TEXT, f"{RULE}; null for `none`, or if a flexible family that was requested was not run"),
        "score": (NUMBER, "the best one's mean, in the metric's natural sign"),
        "corrected_score": (NUMBER, "the selection-bias-corrected score; at the headline size only"),
        "regret": (NUMBER, "how much more the recommended one loses than the best mean"),
        "regret_bound": (NUMBER, "how much more it loses at most (95 %) than whichever of the top set is truly best")},
    "pairs": PAIR | {
        "size": "training rows", "difference": "mean loss(first) − loss(second)",
        "low": "lower end of the simultaneous interval, null if nothing can be said", "high": "upper end",
        "decision": (TEXT, "`first`, `second` (better), `first_materially`, `second_materially`, `equal` or `undecided`"),
        "p_first": (NUMBER, "P(better): that the first is better by more than the margin"),
        "p_equal": (NUMBER, "P(equivalent): that they are practically equal"),
        "p_second": (NUMBER, "P(worse): that the second is better by more than the margin"),
        "rows_to_settle": (NUMBER, "rows needed to decide in four of five tries, in all; 0 if it is decided, null beyond a "
                                   "hundred times the rows")},
    "crossovers": PLACE, "other_crossovers": PLACE | AHEAD, "family_crossovers": PLACE | AHEAD,
    "what_if": {
        "kind": (TEXT, "`metric`, `without`, `grouped-by`, `in-time-by`, `not-grouped` or `not-in-time`"),
        "subject": (TEXT, "the metric or column; empty if there is none"), "change": (TEXT, "both in words"),
        "size": (MAYBE_WHOLE, "the size it was tried at; null if it is not answered, as the following are"),
        "decision": (MAYBE_TEXT, DECISION), "approaches": (NAMES, "as in `winners`"), "best": (MAYBE_TEXT, "as in `winners`"),
        "recommended": (MAYBE_TEXT, "as in `winners`"),
        "flips": (f"{TRUTH} or null", "whether the recommended approach is shown to be worse here"),
        "holds": (f"{TRUTH} or null", "whether the verdict stands; with neither, it is open"),
        "sentence": (TEXT, "the answer in words")},
    "selection": {
        "approach": (TEXT, "its name"), "size": "training rows",
        "n_selected_mean": "columns kept, on average over the splits; null if what is kept are not columns",
        "stability": "1 if all splits choose the same, 0 as if drawn at random (Nogueira, Sechidis and Brown 2018)",
        "chosen": ("list of objects", "see `selection.chosen`"), "base": (TEXT, "the same learner without the last selector"),
        "effect": (MAYBE_TEXT, "what the pair with `base` says: `helps`, `hurts`, `equal` or `undecided`; null without it")},
    "selection.chosen": {
        "feature": (TEXT, "a column"), "share_of_splits": ("number", "in what share of the splits it was chosen")},
    "training": {"approach": (TEXT, "its name"), "size": "training rows"} | SPLIT | {
        "nets": "how many were trained", "best_epochs": ("list of integers", "of each net, the epoch whose weights were kept"),
        "curves": ("object", "see `training.curves`"), "layers": ("list of objects", "see `training.layers`")},
    "training.curves": {
        "epoch": ("list of integers", "from 1; of many epochs some"),
        "training_loss": (NUMBERS, "the loss that is minimised"),
        "validation_loss": (NUMBERS, "the same on held-out rows of the training part"),
        "learning_rate": (NUMBERS, "of that epoch"),
        "gradient_norm": ("list of numbers and nulls", "null where it is not finite")},
    "training.layers": {
        "low": (NUMBER, "lower edge of the histogram of weights"), "high": (NUMBER, "upper edge"),
        "counts": ("list of integers", "weights in each of its equal bins"),
        "spread": (NUMBER, "standard deviation of the weights"),
        "dead_share": (NUMBER, "share of the units with the same activation for all rows; null for the last layer"),
        "update_ratio": (NUMBER, "length of a step over that of the weights")},
    "extrapolation": PAIR | {
        "size": "the full size, from which it is continued", "factor": "2 or 4 times as many rows",
        "difference": "median of loss(first) − loss(second) there", "low": "2.5 % of the draws lie below",
        "high": "2.5 % lie above", "behind": (MAYBE_TEXT, "the approach with the higher mean loss at `size`"),
        "p_overtakes": "probability that it is ahead there", "n_star_low": "2.5 % quantile of the size from which it is ahead",
        "n_star": "median of that size, null if it is beyond four times", "n_star_high": "97.5 % quantile",
        "p_never": "probability that it is not ahead at any size up to four times",
        "last_share": "the weight of the forecast that continues the last difference",
        "refusal": (TEXT, "why there is no extrapolation; empty if there is one")},
    "extrapolated_scores": {
        "approach": (TEXT, "its name"), "size": "2 or 4 times the full size", "mean": "median, in the metric's natural sign",
        "low": "2.5 % of the draws lie below", "high": "2.5 % lie above"},
    "findings": {
        "code": (TEXT, "stable name of the finding"), "severity": (TEXT, "`info`, `warn` or `block`"),
        "subject": (TEXT, "a column, a class or rows"), "message": (TEXT, "what was found, and done about it"),
        "cure": (TEXT, "the remedy; may be empty"), "spoils": (TRUTH, "whether it makes the verdict suspect")},
    "incidents": {"approach": (TEXT, "its name"), "size": "training rows"} | SPLIT | {
        "code": (TEXT, "as in [guards](guards.md)"), "where": (TEXT, "which net and epoch"),
        "evidence": (TEXT, "what was measured"), "diagnosis": (TEXT, "its cause"), "action": (TEXT, "what was done"),
        "outcome": (TEXT, "the outcome")},
    "failures": {"approach": (TEXT, "its name"), "size": "training rows"} | SPLIT | {
        "status": (TEXT, "`failed`, `timed_out`, `out_of_memory`, `crashed` or `skipped`"), "reason": (TEXT, "one sentence")},
    "skipped": {
        "approach": (TEXT, "its name"), "size": (MAYBE_WHOLE, "training rows; null for all sizes"),
        "reason": (TEXT, "one sentence")},
    "costs": {
        "approach": (TEXT, "its name"), "size": "training rows",
        "fit_seconds": "mean over the splits of what the fit would have taken alone, shared work included",
        "predict_us_per_row": "microseconds a row in batches of 10,000 rows, or of as many as a tenth of a second allows",
        "peak_mb": "megabytes by which one fit made the process grow, with what is built once for several approaches",
        "one_row_us": "microseconds to predict a single row, the median of a few"},
    "cost_crossovers": PLACE | {"point": "where the seconds are equal"},
    "budget_crossovers": PLACE | AHEAD | {
        "low": "the budget down to which the one is ahead, in seconds", "high": "the budget from which the other one is",
        "point": "where the losses are equal"},
    "cost_limits": {
        "cost": (TEXT, "`fit_seconds`, `predict_us_per_row` or `peak_mb`"), "below": "the limit under which the row holds",
        "down_to": "the limit down to which it does; null in the last row of a cost", "size": "the headline size",
        "decision": (TEXT, DECISION), "approaches": (NAMES, "as in `winners`, of what is allowed"),
        "recommended": (MAYBE_TEXT, "the recommended approach; null for none"),
        "sentence": (TEXT, "the row in words")},
    "winner_map": {
        "size": "rows at hand", "budget_seconds": "seconds for one fit",
        "approach": (MAYBE_TEXT, "the recommended approach; null for none"),
        "trained_on": (MAYBE_WHOLE, "with how many of the rows"), "decision": (TEXT, DECISION),
        "approaches": (NAMES, "as in `winners`, of what can be afforded")},
    "columns": {
        "name": (TEXT, "the column's name"),
        "role": (TEXT, "`feature`, `target`, `group`, `time`, `weight`, `fold` or `left out`"),
        "kind": (TEXT, "`number`, `boolean`, `category`, `text` or `date`"),
        "examples": ("list of pairs of strings", "a few cells, as written and as read; `missing` is what no value was read from"),
        "missing": "rows without a value", "note": (TEXT, "what was noticed, empty if nothing was"),
        "is_doubtful": (TRUTH, "whether somebody should look at it"),
        "histogram": ("list of integers", "rows of a sample by value, in intervals of equal width, or by label, the most "
                                          "frequent first; empty for text")},
    "tuned": {"approach": (TEXT, "its name"), "size": "training rows"} | SPLIT | {
        "tuned": ("object", "the hyperparameters that were found; its keys are the approach's own"),
        "code": (TEXT, "the call of `compare` that gives the row again; `data` is the table as it was given")},
    "timing": {"wall_seconds": ("number", "by the clock"), "cpu_seconds": ("number", "of all processes"),
               "floor_mb": (NUMBER, "megabytes of a worker before its first fit: the interpreter, its libraries and the table")},
}

HEAD = f"""# result.json, schema {SCHEMA}

Every run writes this file; `tabbench compare --json` prints it, and `comparison.pairs`, `.winners`, `.scores` and so on are the
same lists as frames. New keys may be added; a key that changes its meaning raises `schema`. Undefined numbers are null, never
NaN or infinity. The statistics behind the keys are in [method.md](method.md).

The same table, options and seed give the same file, but for what comes from clocks: `costs`, `cost_crossovers`,
`budget_crossovers`, `cost_limits`, `winner_map` and `timing`.

<!-- Written by tools/result_json_page.py. -->
"""


def page() -> str:
    """The whole page."""
    order = top_level()
    top = [f"| `{key}` | {_type_of_top(key)} | {_about_top(key)} |" for key in order]
    parts = [HEAD, _table("## All keys", "", top)]
    for name in _sections(order):
        rows = [f"| `{key}` | {kind} | {meaning} |" for key, (kind, meaning) in described(name).items()]
        parts.append(_table(f"{'#' * (2 if name in order else 3)} {name}", ABOUT[name], rows))
    return "\n".join(parts)


def top_level() -> list[str]:
    """The keys of result.json, in order."""
    empty = {name: pd.DataFrame(columns=list(columns)) for name, columns in COLUMNS.items()}
    return list(as_json.to_json(Comparison(table={}, protocol={}, sentence="", timing={}, **empty)))


def described(name: str) -> dict[str, tuple[str, str]]:
    """Type and meaning of each key of a part, in the order in which it is written.

    Raises
    ------
    KeyError : when a column has no meaning.
    """
    meanings = MEANINGS[name]
    return {key: _typed(name, key, meanings[key]) for key in COLUMNS.get(name, tuple(meanings))}


def _typed(name: str, key: str, meaning: str | tuple[str, str]) -> tuple[str, str]:
    """A meaning with its type; columns that are whole numbers or measured say so in report/as_json.py."""
    if isinstance(meaning, tuple):
        return meaning
    if key in as_json._MEASURED.get(name, ()):
        return NUMBER, meaning
    return (WHOLE if key in as_json._WHOLE_NUMBERS else TEXT), meaning


def _sections(order: list[str]) -> Iterator[str]:
    """The parts that have keys of their own, nested ones after their part."""
    for key in order:
        yield from (name for name in MEANINGS if name == key or name.startswith(f"{key}."))


def _type_of_top(key: str) -> str:
    meaning: Mapping[str, str | tuple[str, str]] = MEANINGS[""]
    return meaning[key][0] if key in meaning else "list of objects" if key in COLUMNS else "object"


def _about_top(key: str) -> str:
    meaning = MEANINGS[""]
    return meaning[key][1] if key in meaning else ABOUT[key]


def _table(title: str, about: str, rows: list[str]) -> str:
    return "\n".join([title, "", *([about, ""] if about else []), "| key | type | meaning |", "| --- | --- | --- |", *rows, ""])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
