"""From the store to a `Comparison`: scores, costs, verdicts, failures.

Fits nothing and reads no data file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.composed import LONGEST_NAME
from tabbench.checks.label_noise import DOUBTFUL_TARGET, LABEL_NOISE, doubt_labels, doubt_target
from tabbench.comparison import records
from tabbench.comparison.run import Entry, Place, Run, on_all_splits
from tabbench.core.cell import PROTOCOL_NUMBER, Cell
from tabbench.core.check import CheckedTable
from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.core.effort import point_name
from tabbench.core.family import kinds
from tabbench.core.finding import Finding, Severity
from tabbench.core.limits import Limited
from tabbench.core.metric import METRICS, Metric
from tabbench.core.prediction import as_taken
from tabbench.core.setup import Setup
from tabbench.core.skip import Skip, SkipKind
from tabbench.options import ALPHA
from tabbench.store.database import Store
from tabbench.verdict.affordable import cost_limits, winner_map
from tabbench.verdict.budget import budget_crossovers
from tabbench.verdict.contestants import contestants
from tabbench.verdict.crossover import cost_crossovers
from tabbench.verdict.evidence import LossEvidence, build_evidence
from tabbench.verdict.extrapolation import extrapolate
from tabbench.verdict.judge import Judgement, decide_pairs, headline_size, judge
from tabbench.verdict.outcome import Headline
from tabbench.verdict.scores import score_table
from tabbench.verdict.scoring import Predictions, Question, ScoreCell, constant_loss, margin_value, score_cell
from tabbench.verdict.selection import selection_frame
from tabbench.verdict.what_if import Answer, ChangeOutcome, WhatIf, by_metric, on_changed_data
from tabbench.verdict.winners import lacking_families, winner_row
from tabbench.wording.affordable import limit_sentence
from tabbench.wording.extrapolation import refusal_words
from tabbench.wording.limits import unjudged_sentence
from tabbench.wording.terms import no_probabilities
from tabbench.wording.verdict import closing_sentence, doubted
from tabbench.wording.what_if import change_phrase, what_if_sentence

KEPT_PREDICTION_BYTES = 512_000_000
"""Predictions that are kept in memory while metric after metric is computed; beyond it they are read again."""
KEPT_SCORE_BYTES = 128_000_000
"""The same of row losses, which the verdict, the table of scores and the other metrics' answers ask for."""


def judge_run(run: Run, store: Store) -> Comparison:
    """The comparison that the store's results support: whole approaches at whole sizes only."""
    setup, cells = run.setup, run.cells()
    finished = store.finished()
    present = on_all_splits({place for place, cell in cells.items() if cell.key in finished}, len(setup.splits.splits))
    skips = _skipped(cells, present, run.skips)
    if not present:
        return _nothing_judged(run, skips)
    details = {place: store.header(cell.key) for place, cell in cells.items() if place[:2] in present}
    predictions = predictions_of(store, cells, setup)
    metric = METRICS.get(setup.task.metric)
    question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
    score = _scored_once(question)
    evidence = _evidence(run, question, predictions, present, run.margin, score)
    stopped, headline, missing = _conditions(run, skips, evidence)
    verdicts = judge(evidence, alpha=ALPHA, seed=setup.seed, full_size=setup.splits.full_size,
                     skipped=[(skip.approach, skip.size) for skip in skips], stopped=stopped, missing=missing)
    metrics = [METRICS.get(name) for name in setup.task.metrics]
    scores = score_table(question, metrics, predictions, present, approaches=evidence.approaches, alpha=ALPHA,
                         score=score)
    costs = records.costs(details, setup)
    more_rows = extrapolate(evidence, seed=setup.seed) if run.extrapolates else None
    findings = [*_with_doubts(run, verdicts.winners, predictions), *_without_probabilities(details, metric)]
    return Comparison(
        table=_table(setup), protocol=_protocol(run, metric.higher_is_better, evidence.margin, headline, findings),
        approaches=_approaches(run), scores=scores, winners=verdicts.winners, pairs=verdicts.pairs,
        crossovers=verdicts.crossovers, other_crossovers=verdicts.other_crossovers,
        family_crossovers=verdicts.family_crossovers,
        sentence=_sentence(verdicts.headline, _limited(run, missing, skips), findings),
        findings=records.frame("findings", [finding.to_json() for finding in findings]),
        incidents=records.incidents(details, setup), failures=records.failures(details, setup),
        skipped=records.frame("skipped", [vars(skip) for skip in skips]), costs=costs,
        cost_crossovers=cost_crossovers(costs, evidence.representatives),
        budget_crossovers=_budget_crossovers(costs, evidence), timing=run.timing | records.floor(details),
        reading=setup.table.reading, columns=_columns(setup),
        selection=selection_frame(records.choices(details), [column.name[:LONGEST_NAME] for column in setup.table.columns],
                                  verdicts.pairs),
        training=records.training(run, details), tuned=records.tuned(run, details, headline),
        extrapolation=records.frame("extrapolation", []) if more_rows is None else _told_refusals(more_rows.pairs),
        extrapolated_scores=records.frame("extrapolated_scores", []) if more_rows is None else more_rows.scores,
        what_if=_told_changes([
            *_by_metrics(run, question, predictions, evidence, Answer.at(verdicts.winners, verdicts.pairs, headline), stopped,
                          verdicts.lacking, score),
            *_on_changed_data(run, store, verdicts, headline)]),
        cost_limits=_told_limits(cost_limits(evidence, verdicts.pairs, costs, headline, verdicts.lacking[headline])),
        winner_map=winner_map(evidence, verdicts.pairs, costs, verdicts.lacking))


def chosen(comparison: Comparison) -> dict[str, str | None]:
    """Return the `recommended` approach at the headline size and the `best` one, that of the lowest mean loss.

    Where nothing is shown to beat a constant prediction the best one stands for the recommended one, which there is none of; over
    families that were not run there is neither.
    """
    rows = comparison.winners[comparison.winners["size"] == comparison.protocol["headline_size"]].dropna(subset=["best"])
    if rows.empty or (rows.iloc[0]["decision"] != "none" and rows.iloc[0]["recommended"] is None):
        return {"recommended": None, "best": None}
    best, recommended = str(rows.iloc[0]["best"]), rows.iloc[0]["recommended"]
    return {"recommended": best if recommended is None else str(recommended), "best": best}


def winner_of(run: Run, store: Store) -> str | None:
    """The approach that `judge_run` recommends at the headline size, or the best one over a constant that is not beaten.

    Takes a tenth of its time. None where there is none, or nothing was run.
    """
    setup, cells, finished = run.setup, run.cells(), store.finished()
    present = on_all_splits({place for place, cell in cells.items() if cell.key in finished}, len(setup.splits.splits))
    if not present:
        return None
    question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
    evidence = _evidence(run, question, predictions_of(store, cells, setup), present, run.margin)
    stopped, headline, missing = _conditions(run, _skipped(cells, present, run.skips), evidence)
    pairs = decide_pairs(evidence, alpha=ALPHA, seed=setup.seed, stopped=stopped, has_crossings=False).pairs
    lacking, recommended = lacking_families(evidence, headline, missing, stopped), None
    for size in reversed([each for each in evidence.sizes if each >= headline]):
        row = winner_row(evidence, size, pairs[pairs["size"] == size], lacking.get(size, ()), recommended)
        recommended = row["recommended"]
    return str(row["best"]) if row["decision"] == "none" else recommended


def _conditions(run: Run, skips: Sequence[Skip], evidence: LossEvidence
                ) -> tuple[list[tuple[str, int]], int, dict[str, list[str]]]:
    """What a race has stopped, the headline size, and the families that are missing there."""
    stopped = [(skip.approach, skip.size) for skip in skips if skip.kind is SkipKind.RACE]
    headline = headline_size(evidence, stopped)
    return stopped, headline, missing_families(run.entries, skips, evidence.present(headline), headline)


def evidence_for_tables(run: Run, store: Store) -> LossEvidence | None:
    """The deciding metric's evidence to be set beside other tables', or None where nothing has finished.

    Its margin is the default one, whatever the run's own was: it is the scale on which tables are compared.
    """
    setup, cells, finished = run.setup, run.cells(), store.finished()
    present = on_all_splits({place for place, cell in cells.items() if cell.key in finished}, len(setup.splits.splits))
    question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
    if not present:
        return None
    metric, predictions = METRICS.get(setup.task.metric), predictions_of(store, cells, setup)
    evidence = _evidence(run, question, predictions, present, None)
    return replace(evidence, margin=margin_value(metric, None, constant_loss(question, metric)))


def _evidence(
    run: Run, question: Question, predictions: Predictions, present: Collection[tuple[str, int]], margin: float | None,
    score: ScoreCell = score_cell,
) -> LossEvidence:
    entries = [entry for entry in run.entries if any(name == entry.name for name, _ in present)]
    return build_evidence(
        question, METRICS.get(question.task.metric), predictions, present, approaches=[each.name for each in entries],
        families={each.name: each.family for each in entries}, cost_ranks={each.name: each.cost_rank for each in entries},
        representatives=[each.name for each in entries if each.represents], margin=margin, score=score)


def _by_metrics(run: Run, question: Question, predictions: Predictions, evidence: LossEvidence, verdict: Answer,
                stopped: Sequence[tuple[str, int]], lacking: Mapping[int, Collection[str]], score: ScoreCell) -> list[WhatIf]:
    """Which approach would win by each of the task's other metrics."""
    others = [METRICS.get(name) for name in run.setup.task.metrics if name != evidence.metric.name]
    # A margin that was asked for means the same only where both metrics take it as a share of a loss.
    return [
        by_metric(each, question, predictions, verdict, evidence, alpha=ALPHA, seed=run.setup.seed, stopped=stopped,
                  lacking=lacking, score=score,
                  margin=run.margin if each.absolute_margin is evidence.metric.absolute_margin is None else None)
        for each in others]


def _on_changed_data(run: Run, store: Store, verdicts: Judgement, headline: int) -> list[WhatIf]:
    """What the repetitions with one thing changed have answered, unless they were made with other approaches."""
    outcomes = [ChangeOutcome.from_json(values) for values in store.recall("what_if", [])]
    names = tuple(entry.name for entry in run.entries)
    return [on_changed_data(each, verdicts.winners, verdicts.pairs, headline) for each in outcomes if each.names == names]


def _with_doubts(run: Run, winners: pd.DataFrame, predictions: Predictions) -> list[Finding]:
    """The run's findings; on wrong targets the best approach's own predictions of the test rows replace a quick model's."""
    setup = run.setup
    judged = winners[(winners["size"] == setup.splits.full_size) & (winners["decision"] != "none")]
    if judged.empty:  # a constant prediction can doubt nothing
        return list(run.findings)
    sums = np.zeros((len(setup.target), max(setup.task.n_classes, 1)))
    times = np.zeros(len(setup.target))
    for number, split in enumerate(setup.splits.splits):
        predicted = as_taken(predictions(judged.iloc[0]["best"], setup.splits.full_size, number), setup.task, "probabilities")
        if predicted is not None:
            sums[split.test] += predicted.reshape(len(split.test), -1)
            times[split.test] += 1
    rows = np.flatnonzero(times)
    means = sums[rows] / times[rows, None]
    kept = [finding for finding in run.findings if finding.code not in (LABEL_NOISE, DOUBTFUL_TARGET)]
    checked = CheckedTable(setup.table, setup.task, setup.target, setup.seed, setup.splits)
    if setup.task.is_regression:
        return kept + doubt_target(checked, means[:, 0], rows)
    return kept + doubt_labels(checked, means, setup.target[rows], np.arange(setup.task.n_classes), rows)


def _without_probabilities(details: dict[Place, dict[str, Any]], metric: Metric) -> list[Finding]:
    """What is to be known of the scores of approaches that give labels, or scores and labels, but no probabilities."""
    gives = {place[0]: header["tuned"]["gives"] for place, header in details.items() if "gives" in header["tuned"]}
    severity: Severity = "warn" if metric.takes == "probabilities" else "info"
    return [Finding("no-probabilities", severity, name, *no_probabilities(name, each)) for name, each in sorted(gives.items())]


def _sentence(headline: Headline, limited: Limited | None, findings: Sequence[Finding]) -> str:
    return doubted(closing_sentence(headline, limited), findings, is_decided=headline.is_decided)


def _told_limits(limits: pd.DataFrame) -> pd.DataFrame:
    told = [limit_sentence(row.cost, row.below, row.outcome, row.recommended) for row in limits.itertuples()]
    limits = limits.assign(sentence=pd.Series(told, dtype=object))[list(COLUMNS["cost_limits"])]
    return limits.astype({"below": "float64", "down_to": "float64", "size": "int64"})


def _told_refusals(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.assign(refusal=pd.Series([refusal_words(each) for each in pairs["refusal"]], dtype=object))


def _told_changes(found: Sequence[WhatIf]) -> pd.DataFrame:
    rows = [each.row() | {"change": change_phrase(each.change), "sentence": what_if_sentence(each)} for each in found]
    return pd.DataFrame(rows, columns=list(COLUMNS["what_if"]), dtype=object)


def _nothing_judged(run: Run, skips: Sequence[Skip]) -> Comparison:
    question = Question(run.setup.task, run.setup.target, run.setup.splits, run.setup.table.weight)
    metric = METRICS.get(run.setup.task.metric)
    margin = margin_value(metric, run.margin, constant_loss(question, metric))
    empty = {name: records.frame(name, []) for name in COLUMNS}
    frames = empty | {"approaches": _approaches(run), "skipped": records.frame("skipped", [vars(skip) for skip in skips]),
                      "findings": records.frame("findings", [finding.to_json() for finding in run.findings]),
                      "columns": _columns(run.setup)}
    return Comparison(
        table=_table(run.setup), protocol=_protocol(run, metric.higher_is_better, margin), timing=run.timing,
        sentence=unjudged_sentence(run.limited), reading=run.setup.table.reading, **frames)


def _columns(setup: Setup) -> pd.DataFrame:
    return records.frame("columns", [column.to_json() for column in setup.table.columns_read])


def missing_families(entries: Sequence[Entry], skips: Sequence[Skip], present: Collection[str], headline: int
                     ) -> dict[str, list[str]]:
    """Family -> its approaches that were wanted, where nothing of it was run at the headline size for lack of time.

    A limit that was too short and an interruption are both lack of time; a package that is missing, too little memory or a race
    that an approach has lost are not.
    """
    raced_out = {skip.approach for skip in skips if skip.kind is SkipKind.RACE and skip.size == headline}
    there = {entry.family for entry in entries if entry.name in {*present, *raced_out}}
    missing: dict[str, list[str]] = {}
    for entry in entries:
        own = [skip for skip in skips if skip.approach == entry.name]
        told = [skip for skip in own if skip.size == headline] or own
        is_lacking = any(skip.kind in (SkipKind.TIME, SkipKind.WAITING) for skip in told)
        if entry.family in kinds() and entry.family not in there and is_lacking:
            missing.setdefault(entry.family, []).append(entry.name)
    return missing


def _limited(run: Run, missing: Mapping[str, Sequence[str]], skips: Sequence[Skip]) -> Limited | None:
    """What the run says of its limit; where it says nothing and families still wait to be run, it has been interrupted."""
    lost = {name for names in missing.values() for name in names}
    is_waiting = bool(lost) and not any(skip.kind is SkipKind.TIME for skip in skips if skip.approach in lost)
    return Limited(is_interrupted=True) if run.limited is None and is_waiting else run.limited


def _skipped(cells: Iterable[Place], present: Collection[tuple[str, int]], known: Sequence[Skip]) -> list[Skip]:
    """Every planned or left-out pair that was not judged, with its reason."""
    told = {(skip.approach, skip.size): skip for skip in known}
    absent = ({place[:2] for place in cells} | set(told)) - set(present)
    return [told.get((approach, size), Skip(approach, size, SkipKind.WAITING))
            for approach, size in sorted(absent, key=lambda pair: (pair[1], pair[0]))]


def predictions_of(store: Store, cells: dict[Place, Cell], setup: Setup) -> Predictions:
    """What reads a cell's predictions from the store; those read last are kept."""
    largest = max(len(split.test) for split in setup.splits.splits) * max(setup.task.n_classes, 1) * np.float32().nbytes

    @lru_cache(maxsize=max(1, KEPT_PREDICTION_BYTES // largest))  # every metric asks for every cell
    def read(approach: str, size: int, split: int) -> np.ndarray | None:
        result = store.result(cells[approach, size, split].key)
        return None if result is None else result.predictions

    return read


def _scored_once(question: Question) -> ScoreCell:
    """What scores cells and keeps the scores for whoever asks again, those asked for last."""
    tested = sum(len(split.test) for split in question.plan.splits) * np.float64().nbytes
    return lru_cache(maxsize=max(1, KEPT_SCORE_BYTES // max(tested, 1)))(score_cell)


def _table(setup: Setup) -> dict[str, Any]:
    table = setup.table
    return {"name": table.name, "rows": len(table), "columns": len(table.columns), "target": table.target_name,
            "task": setup.task.kind, "fingerprint": table.fingerprint, "classes": list(setup.task.classes), "roles": table.roles}


def _protocol(run: Run, higher_is_better: bool, margin: float, headline: int | None = None, findings: Sequence[Finding] = ()
              ) -> dict[str, Any]:
    splits = run.setup.splits
    return {"metric": run.setup.task.metric, "direction": "higher" if higher_is_better else "lower", "sizes": list(run.sizes),
            "folds": splits.folds, "repeats": splits.repeats, "margin": margin, "alpha": ALPHA, "seed": run.setup.seed,
            "preset": point_name(run.effort), "effort": run.effort, "number": PROTOCOL_NUMBER, "split_kind": splits.kind,
            "full_size": splits.full_size, "headline_size": headline, "splits": len(splits.splits),
            "suspect": any(finding.spoils for finding in findings), "plan": run.plan}


def _approaches(run: Run) -> pd.DataFrame:
    return records.frame("approaches", [{name: getattr(entry, name) for name in COLUMNS["approaches"]} for entry in run.entries])


def _budget_crossovers(costs: pd.DataFrame, evidence: LossEvidence) -> pd.DataFrame:
    return budget_crossovers(costs, {cell: evidence.mean(*cell) for cell in evidence.loss}, contestants(evidence),
                             margin=evidence.margin)
