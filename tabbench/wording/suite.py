"""The words of a suite's report: titles, notes, and what its terms mean. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabbench.core.phrases import counted, listed
from tabbench.core.suite_result import ALL
from tabbench.wording.numbers import known, rows

STATES = {"finished": "finished", "partial": "partly run", "unusable": "no result", "absent": "not run"}
"""What became of a table."""

HOW_TO_READ = (
    ("Training size",
     "The verdict over all tables takes each table at its largest size. The verdict for a range of rows takes it at its largest "
     "size within the range, so that a large table also says what smaller ones would have shown. Ranges share tables, and the "
     "correction for many pairs is within a range: a verdict in one of several ranges alone is weaker evidence than it seems."),
    ("Mean rank",
     "1 is best; ties share a rank. Descriptive: it depends on which other approaches take part, and so do Elo and "
     "improvability. Their 95 % intervals are bootstrap intervals over the tables, expanded where these are few."),
    ("Critical-difference diagram",
     "A bar joins neighbours in mean rank of which no two are shown to differ by Wilcoxon's signed-rank test with Holm's "
     "correction for all pairs. Two that no bar joins need not differ, if one between them differs from either: see the pairs."),
    ("Margin",
     "Differences between tables are in margins: 1 is 1 % of a constant prediction's loss on the table, 0.01 in accuracy, 0.005 "
     "in AUC. A smaller one does not matter in practice."),
    ("P(better), P(equivalent), P(worse)",
     "Posterior probabilities of the Bayesian signed-rank test: that on most pairs of tables the first is better than the "
     "second by more than the margin, that they are practically equal, and that it is worse."),
    ("Crossing",
     "Which family is ahead at which sizes of a table, by simultaneous intervals; grey where neither is shown to be ahead."),
    ("Relative fit time",
     "Seconds of a fit divided by those of the reference on the same table, rows and machine: machines differ in speed, and such "
     "ratios hardly do. Geometric mean over tables."),
    ("Failures",
     "A fit that failed counts with the constant predictor's score. If the verdict would change without the tables on which "
     "anything failed, there is none."),
)
"""What the terms of a suite's report mean."""


def bucket_words(bucket: str) -> str:
    """A bucket of training rows in words.

    >>> bucket_words("up to 500"), bucket_words("all")
    ('up to 500 rows', 'all tables at their full size')
    """
    return "all tables at their full size" if bucket == ALL else f"{bucket} rows"


def step_title(first: str, second: str) -> str:
    """The title of a step from one family to another.

    >>> step_title("linear", "trees")
    'From linear to trees'
    """
    return f"From {first} to {second}"


def step_state(state: str, first: str, second: str) -> str:
    """What is shown of a step on one table as rows are added.

    >>> step_state("crossed", "linear", "trees"), step_state("behind", "linear", "trees")
    ('linear, then trees', 'linear')
    """
    return {"crossed": f"{first}, then {second}", "back": f"{second}, then {first}", "ahead": second, "behind": first,
            "several": "several times"}.get(state, state)


def tables_in(count: int) -> str:
    """A number of tables.

    >>> tables_in(1), tables_in(12)
    ('1 table', '12 tables')
    """
    return counted(int(count), "table")


def not_finished_sentence(tables: Mapping[str, str]) -> str:
    """Which tables take no part or only in part, from name to state; empty if there are none.

    >>> not_finished_sentence({"wine": "absent", "iris": "partial"})
    '1 table has no result (wine); 1 table was run in part (iris).'
    """
    absent = [name for name, state in tables.items() if state in ("absent", "unusable")]
    partial = [name for name, state in tables.items() if state == "partial"]
    clauses = [f"{tables_in(len(names))} {_has(names, verb)} ({listed(names)})"
               for names, verb in ((absent, "has no result"), (partial, "was run in part")) if names]
    return "; ".join(clauses) + "." if clauses else ""


def failed_sentence(count: int) -> str:
    """How many fits have failed; empty if none has.

    >>> failed_sentence(1), failed_sentence(0)
    ('1 fit has failed, for which the constant prediction stands in; the report names it.', '')
    """
    has, it = ("has", "it") if count == 1 else ("have", "them")
    return (f"{counted(count, 'fit')} {has} failed, for which the constant prediction stands in; the report names {it}."
            if count else "")


def _has(names: list[str], verb: str) -> str:
    return verb if len(names) == 1 else verb.replace("has", "have", 1).replace("was", "were", 1)


def baseline_words(share: float | None) -> str:
    """How far an approach is below the constant prediction's loss, for people.

    >>> baseline_words(0.43), baseline_words(-0.02), baseline_words(None)
    ('43 % lower', '2 % higher', '')
    """
    if share is None:
        return ""
    return f"{abs(share):.0%} {'lower' if share >= 0 else 'higher'}".replace("%", " %")


def made_by(command: str, frame: str) -> str:
    """What made a figure or table, and where its numbers are.

    >>> made_by("tabbench suite report demo", "pairs")
    'tabbench suite report demo · csv/pairs.csv'
    """
    return f"{command} · csv/{frame}.csv"


def rows_range(values: list[Any]) -> str:
    """The smallest and the largest number of rows.

    >>> rows_range([344, 53940]), rows_range([150])
    ('344 to 53,940', '150')
    """
    numbers = [number for number in map(known, values) if number is not None]
    low, high = min(numbers), max(numbers)
    return rows(low) if low == high else f"{rows(low)} to {rows(high)}"
