"""Shows a `TablesComparison`: Markdown, JSON values, and HTML for a notebook. Reads it and nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabbench.core.many_tables import FRAMES, TablesComparison
from tabbench.report.as_markdown import section
from tabbench.report.tables import ReportTable
from tabbench.wording.numbers import fixed, interval, known, rows, signed
from tabbench.wording.safe_text import markdown, plain
from tabbench.wording.terms import decision_words, metric_name

LOWEST_P = 0.0001
"""P-values below it are shown as less than it."""

LONGEST_SOURCE = 12
"""Characters of a source that are shown: enough to tell the fingerprints apart that stand in where none was given."""

HOW_TO_READ = (
    ("Tables, sources",
     "Variants of one table have one source. A source counts once in every number, however many tables and splits it has."),
    ("Mean rank",
     "1 is best; ties share a rank. It depends on which other approaches take part; the verdict compares two at a time and "
     "does not."),
    ("Difference",
     "Loss minus loss, in margins: 1 is 1 % of a constant prediction's loss, 0.01 in accuracy, 0.005 in AUC. The typical one is "
     "the median of the means of all pairs of tables."),
    ("Adjusted p-value",
     "Of Wilcoxon's signed-rank test over the sources, with Holm's correction for all pairs. A pair is decided at 0.05 or "
     "below."),
    ("P(better), P(equivalent), P(worse)",
     "The probabilities that the first is better than the second, practically equal or worse on most pairs of tables (Bayesian "
     "signed-rank test)."),
    ("Elo, improvability, win rate",
     "Descriptive statistics, which decide nothing. Their 95 % intervals, and those of the ranks, are bootstrap intervals over "
     "the sources; one without width says that these tables agree, not that others would."),
    ("Failures",
     "A run that failed counts with the constant predictor's loss. Without failures: the tables on which any run failed are left "
     "out. If the verdict would then differ, there is none."),
)
"""What the terms mean."""


def tables_to_markdown(comparison: TablesComparison) -> str:
    """The whole report; texts that come from tables are escaped."""
    parts = ["# tabbench: many tables", f"**{markdown(comparison.sentence)}**", *map(markdown, _without(comparison)),
             *(section(table) for table in overview_tables(comparison)),
             "## How to read this\n\n" + "\n".join(f"- **{term}**: {markdown(meaning)}" for term, meaning in HOW_TO_READ)]
    return "\n\n".join(parts) + "\n"


def tables_to_html(comparison: TablesComparison) -> str:
    """The sentence and the tables for a notebook, without style or script."""
    from markupsafe import escape

    parts = [f"<p><b>{escape(plain(comparison.sentence))}</b></p>",
             *(f"<p>{escape(plain(line))}</p>" for line in _without(comparison))]
    for table in overview_tables(comparison):
        shown = pd.DataFrame([[plain(cell) for cell in row] for row in table.rows], columns=list(table.header))
        parts.append(f"<h4>{escape(table.title)}</h4>{shown.to_html(index=False, border=0)}")
    return "".join(parts)


def tables_to_json(comparison: TablesComparison) -> dict[str, Any]:
    """Plain values; NaN and missing become None."""
    names = ("sentence", "decision", "reason", "approaches", "best", "recommended", "without_failures", "protocol")
    values = {name: getattr(comparison, name) for name in names} | {"approaches": list(comparison.approaches)}
    if comparison.without_failures is not None:
        values["without_failures"] = comparison.without_failures | {"approaches": list(comparison.without_failures["approaches"])}
    frames = ((name, getattr(comparison, name)) for name in FRAMES)
    return values | {name: frame.astype(object).where(frame.notna(), None).to_dict("records") for name, frame in frames}


def _without(comparison: TablesComparison) -> list[str]:
    if comparison.without_failures is None:
        return []
    return [f"Without the tables on which something failed: {comparison.without_failures['sentence']}"]


def overview_tables(comparison: TablesComparison) -> list[ReportTable]:
    """Every table of the report that has rows."""
    found = [_ranks(comparison.ranks), _pairs(comparison.pairs), _described("Elo", comparison.elo, "elo", 0),
             *(_described(f"Improvability in {metric_name(str(metric))}, {_count(part)}", part,
                          "improvability", 3)
               for metric, part in comparison.improvability.groupby("metric", sort=False)),
             *(_described(f"Win rate with {_bucket(part.iloc[0])}, {_count(part)}", part, "win_rate", 2)
               for _, part in comparison.win_rates.groupby("from_rows")),
             _of_tables(comparison.tables)]
    return [table for table in found if table.rows]


def _ranks(frame: pd.DataFrame) -> ReportTable:
    header = ("approach", "mean rank", "95 %", "without failures", "failed")
    cells = [(row.approach, fixed(known(row.mean_rank), 2), interval(known(row.low), known(row.high), 2),
              fixed(known(row.mean_rank_without_failures), 2), f"{row.failed:.0%}") for row in frame.itertuples()]
    return ReportTable("Mean ranks", header, cells, frozenset({1, 2, 3, 4}))


def _pairs(frame: pd.DataFrame) -> ReportTable:
    header = ("first", "second", "verdict", "typical difference", "tables with first ahead", "adjusted p-value",
              "P(better)", "P(equivalent)", "P(worse)")
    cells = [(row.first, row.second, decision_words(row.first, row.second, row.decision), signed(known(row.difference), 2),
              f"{row.first_ahead:g}", _p_value(row.chance_all_pairs),
              *(fixed(known(each), 2) for each in (row.p_first_better, row.p_equal, row.p_second_better)))
             for row in frame.itertuples()]
    return ReportTable("Pairs", header, cells, frozenset(range(3, 9)))


def _described(title: str, frame: pd.DataFrame, column: str, decimals: int) -> ReportTable:
    cells = [(row["approach"], fixed(known(row[column]), decimals), interval(known(row["low"]), known(row["high"]), decimals))
             for row in frame.to_dict("records")]
    return ReportTable(title, ("approach", column.replace("_", " "), "95 %"), cells, frozenset({1, 2}))


def _of_tables(frame: pd.DataFrame) -> ReportTable:
    header = ("table", "source", "metric", "training rows", "effort", "failed")
    cells = [(str(row.table), str(row.source)[:LONGEST_SOURCE], metric_name(str(row.metric)), rows(row.size), str(row.preset),
              f"{row.failed:.0%}") for row in frame.itertuples()]
    return ReportTable("Tables", header, cells, frozenset({3, 5}))


def _bucket(row: pd.Series) -> str:
    start, stop = known(row["from_rows"]), known(row["to_rows"])
    if stop is None:
        return f"{rows(start)} training rows and more"
    return f"{rows(start)} to {rows(stop - 1)} training rows" if start else f"under {rows(stop)} training rows"


def _p_value(value: float) -> str:
    return f"< {LOWEST_P}" if value < LOWEST_P else f"{value:.4f}"


def _count(part: pd.DataFrame) -> str:
    tables = int(part["tables"].iloc[0])
    return "one table" if tables == 1 else f"{rows(tables)} tables"
