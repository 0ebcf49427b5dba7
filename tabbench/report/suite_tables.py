"""The tables of a suite's report as plain text cells; each format escapes and draws them in its own way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.report.tables import MOST_ROWS_IN_SIGHT, ReportTable
from tabbench.wording.numbers import NOTHING, amount, decimals_for, duration, fixed, interval, known, rows, signed
from tabbench.wording.suite import STATES, baseline_words, bucket_words, not_finished_sentence, rows_range, step_state, tables_in
from tabbench.wording.terms import decision_words, metric_name

LOWEST_P = 0.0001
"""P-values below it are shown as less than it."""


@dataclass(frozen=True)
class SuiteTable:
    """A table of the report and the frame (file in csv/ and parquet/) that its numbers come from."""

    table: ReportTable
    frame: str


def suite_facts(result: SuiteResult) -> list[tuple[str, str]]:
    """What was run, as name and value."""
    done = result.finished
    tasks = done["task"].value_counts(sort=False)
    seconds = known(result.cell_costs["fit_seconds"].sum())
    baselines = [name for name, family in result.families.items() if family == "baseline"]
    return [
        ("tables", f"{len(done)} of {len(result.tables)} ({', '.join(f'{count} {task}' for task, count in tasks.items())})"),
        ("rows", rows_range(list(done["rows"]))),
        ("approaches", ", ".join(name for name in result.families if name not in baselines)),
        ("baseline", f"{', '.join(baselines)} (a constant prediction)"),
        ("effort", ", ".join(f"{effort:g}" for effort in sorted(set(done["effort"])))),
        ("splits", ", ".join(f"{count}" for count in sorted(set(done["splits"]))) + " a table"),
        ("failed fits", rows(done["failed"].sum())),
        ("time of all fits", duration(seconds)),
    ]


def remarks(result: SuiteResult) -> list[str]:
    """What a reader must know before believing the rest."""
    found = [not_finished_sentence(dict(zip(result.tables["name"], result.tables["state"], strict=True)))]
    suspect = [str(row["name"]) for row in result.finished.to_dict("records") if row["suspect"]]
    if suspect:
        found.append(f"Suspect by a finding in the data, which the table's own report names: {', '.join(suspect)}.")
    overall = result.verdicts[result.verdicts["bucket"] == ALL]["without_failures"].iloc[0]
    if isinstance(overall, str):
        found.append(f"Without the tables on which something failed: {overall}")
    return [each for each in found if each]


def suite_tables(result: SuiteResult) -> list[SuiteTable]:
    """Every table of the report, the most important first; those without rows are left out."""
    found = [SuiteTable(verdicts_table(result), "verdicts"), SuiteTable(scores_table(result), "means"),
             SuiteTable(ranks_table(result), "ranks"), SuiteTable(pairs_table(result), "pairs"),
             SuiteTable(_ranks_by_size(result), "ranks"), SuiteTable(_crossings(result), "crossovers"),
             SuiteTable(costs_table(result), "relative_costs"), SuiteTable(_improvability(result), "improvability"),
             SuiteTable(_pairs_by_size(result), "pairs"), SuiteTable(_own_verdicts(result), "tables"),
             SuiteTable(_not_finished(result), "tables"), SuiteTable(_failures(result), "failures")]
    return [each for each in found if each.table.rows]


def verdicts_table(result: SuiteResult) -> ReportTable:
    """The verdict in each bucket of training rows."""
    cells = [(bucket_words(row["bucket"]), rows(row["tables"]), row["sentence"], _text(row["best"]), _text(row["recommended"]))
             for row in result.verdicts.to_dict("records")]
    header = ("training rows", "tables", "verdict", "best mean rank", "recommended")
    return ReportTable("Which approach wins, by training rows", header, cells, frozenset({1}), emphasised=frozenset({0}))


def ranks_table(result: SuiteResult) -> ReportTable:
    """Mean rank, win rate and Elo over all tables."""
    elo = result.elo[result.elo["bucket"] == ALL].set_index("approach")
    ranks = result.ranks[result.ranks["bucket"] == ALL]
    header = ("approach", "mean rank", "95 %", "win rate", "Elo", "95 %", "without failures", "failed")
    cells = [(row["approach"], fixed(known(row["mean_rank"]), 2), interval(known(row["low"]), known(row["high"]), 2),
              _percent(row["win_rate"]), *_rating(elo, row["approach"]), fixed(known(row["mean_rank_without_failures"]), 2),
              _percent(row["failed"])) for row in ranks.to_dict("records")]
    return ReportTable("Mean rank and Elo over all tables", header, cells, frozenset(range(1, 8)),
                       "Descriptions with bootstrap intervals over the tables; the verdict rests on pairs, not on these.")


def _rating(elo: pd.DataFrame, approach: str) -> tuple[str, str]:
    row = elo.loc[approach]
    return fixed(known(row["elo"]), 0), interval(known(row["low"]), known(row["high"]), 0)


def pairs_table(result: SuiteResult, bucket: str = ALL) -> ReportTable:
    """Every pair over a bucket's tables."""
    found = result.pairs[result.pairs["bucket"] == bucket]
    tables = result.verdicts[result.verdicts["bucket"] == bucket]["tables"].iloc[0]
    header = ("first", "second", "verdict", "typical difference", f"first ahead, of {tables_in(tables)}", "adjusted p-value",
              "P(better)", "P(equivalent)", "P(worse)")
    return ReportTable("Pairs over all tables", header, [_pair(row) for row in found.to_dict("records")], frozenset(range(3, 9)),
                       "Wilcoxon's signed-rank test over tables with Holm's correction for all pairs, and the Bayesian "
                       "signed-rank test. Differences are losses in margins: below zero the first is better.")


def _pair(row: dict[Any, Any]) -> tuple[str, ...]:
    chance = known(row["chance_all_pairs"])
    return (row["first"], row["second"], decision_words(row["first"], row["second"], row["decision"]),
            signed(known(row["difference"]), 2), f"{row['first_ahead']:g}",
            NOTHING if chance is None else f"< {LOWEST_P}" if chance < LOWEST_P else f"{chance:.4f}",
            *(fixed(known(row[name]), 2) for name in ("p_first_better", "p_equal", "p_second_better")))


def _pairs_by_size(result: SuiteResult) -> ReportTable:
    cells = [(bucket, *_pair(row)) for bucket, part in result.pairs.groupby("bucket", sort=False) if bucket != ALL
             for row in part.to_dict("records")]
    whole = pairs_table(result)
    header = ("training rows", *whole.header[:4], "first ahead", *whole.header[5:])
    return replace(whole, title="Pairs by training rows", header=header, rows=cells, numbers=frozenset(range(4, 10)),
                   is_folded=True)


def _ranks_by_size(result: SuiteResult) -> ReportTable:
    header = ("training rows", "approach", "mean rank", "95 %", "win rate", "failed")
    cells = [(row["bucket"], row["approach"], fixed(known(row["mean_rank"]), 2),
              interval(known(row["low"]), known(row["high"]), 2), _percent(row["win_rate"]), _percent(row["failed"]))
             for row in result.ranks.to_dict("records") if row["bucket"] != ALL]
    return ReportTable("Mean ranks by training rows", header, cells, frozenset(range(2, 6)), is_folded=True)


def scores_table(result: SuiteResult) -> ReportTable:
    """Every table's mean scores at the size of its verdict, beside the constant prediction's."""
    names = [name for name, family in result.families.items() if family != "baseline"]
    at = result.means.set_index(["table", "size", "approach"])
    cells = [_scores(row, names, at) for row in result.finished.to_dict("records") if known(row["size"])]
    header = ("table", "training rows", "metric", "constant prediction", *names)
    return ReportTable("Scores of every table", header, cells, frozenset({1, *range(3, len(header))}),
                       "Means over the splits at the size of the table's verdict.", is_folded=True)


def _scores(row: dict[Any, Any], names: list[str], at: pd.DataFrame) -> tuple[str, ...]:
    decimals = decimals_for(known(row["best_score"]))
    scores = [fixed(known(at["score"].get((row["name"], row["size"], name))), decimals) for name in names]
    arrow = "↓" if row["direction"] == "lower" else "↑"
    return (row["name"], rows(row["size"]), f"{metric_name(row['metric'])} {arrow}",
            fixed(known(row["baseline_score"]), decimals), *scores)


def _crossings(result: SuiteResult) -> ReportTable:
    cells = [(row["table"], row["from_family"], row["to_family"], step_state(row["state"], row["from_family"], row["to_family"]),
              rows(row["from_size"]), rows(row["to_size"]), row["ahead"] or "not shown", rows(row["point"]))
             for row in result.crossovers.to_dict("records") if row["state"] != "not run"]
    header = ("table", "from", "to", "in short", "from rows", "to rows", "ahead", "means cross at")
    return ReportTable("Crossings of every table", header, cells, frozenset({4, 5, 7}), is_folded=True)


def costs_table(result: SuiteResult) -> ReportTable:
    """Relative fit times."""
    reference = result.protocol["cost_reference"]
    cells = [(bucket_words(row["bucket"]), row["approach"], rows(row["tables"]), amount(known(row["fit_time"])),
              f"{amount(known(row['low']))} to {amount(known(row['high']))}" if known(row["low"]) else NOTHING)
             for row in result.relative_costs.to_dict("records")]
    header = ("training rows", "approach", "tables", f"fits of {reference}", "95 %")
    return ReportTable("Relative fit time", header, cells, frozenset({2, 3, 4}),
                       f"Seconds of a fit divided by those of {reference} on the same table, rows, splits and machine; "
                       "geometric mean over tables.", is_folded=True)


def _improvability(result: SuiteResult) -> ReportTable:
    found = result.improvability[result.improvability["bucket"] == ALL]
    cells = [(metric_name(row["metric"]), rows(row["tables"]), row["approach"], fixed(known(row["improvability"]), 3),
              interval(known(row["low"]), known(row["high"]), 3)) for row in found.to_dict("records")]
    return ReportTable("Improvability", ("metric", "tables", "approach", "improvability", "95 %"), cells, frozenset({1, 3, 4}),
                       "The share of its own error that the best approach of the table would have saved, on average over "
                       "tables: 0 is the best.", is_folded=True)


def _own_verdicts(result: SuiteResult) -> ReportTable:
    cells = [(row["name"], _better(row), row["sentence"]) for row in result.finished.to_dict("records")]
    return ReportTable("Every table's own verdict", ("table", "best, by the constant prediction's loss", "verdict"), cells,
                       is_folded=len(cells) > MOST_ROWS_IN_SIGHT)


def _better(row: dict[Any, Any]) -> str:
    """The best one's loss as a share of the constant prediction's, where that means anything."""
    best, baseline = known(row["best_score"]), known(row["baseline_score"])
    if best is None or not baseline or row["direction"] != "lower":
        return NOTHING
    return f"{row['best']}: {baseline_words(1 - best / baseline)}"


def _not_finished(result: SuiteResult) -> ReportTable:
    cells = [(row["name"], STATES[row["state"]], row["reason"]) for row in result.tables.to_dict("records")
             if row["state"] != "finished"]
    return ReportTable("Tables that are not finished", ("table", "state", "reason"), cells)


def _failures(result: SuiteResult) -> ReportTable:
    cells = [(row["table"], row["approach"], rows(row["size"]), f"{row['repeat']}, {row['fold']}",
              str(row["status"]).replace("_", " "), row["reason"]) for row in result.failures.to_dict("records")]
    header = ("table", "approach", "training rows", "repeat, fold", "status", "reason")
    return ReportTable("Failures", header, cells, frozenset({2}),
                       "Each counts with the constant predictor's score.", is_folded=len(cells) > MOST_ROWS_IN_SIGHT)


def _percent(value: Any) -> str:
    number = known(value)
    return NOTHING if number is None else f"{number:.0%}".replace("%", " %")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else NOTHING
