"""Sensitivity analysis: other metrics by the same judge, changes beside the verdict at the same size."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS
from tabbench.core.metric import METRICS
from tabbench.core.task import Task
from tabbench.verdict.evidence import build_evidence
from tabbench.verdict.judge import judge
from tabbench.verdict.scoring import Question
from tabbench.verdict.what_if import Answer, Change, ChangeOutcome, Unanswered, by_metric, on_changed_data

RAN = ("dummy", "linear", "boosting", "mlp")
BOOSTING = Answer(1000, "winner", ("boosting",), "boosting", "boosting", RAN)
LINEAR = replace(BOOSTING, approaches=("linear",), best="linear", recommended="linear")
BOTH = replace(BOOSTING, decision="top_set", approaches=("boosting", "linear"), recommended="linear")
ALL = replace(BOTH, approaches=("boosting", "linear", "mlp"))
OTHERS = replace(BOTH, approaches=("linear", "mlp"), best="mlp")
AHEAD = replace(BOOSTING, decision="top_set")
UNOPPOSED = replace(LINEAR, recommended=None)
OPEN = replace(BOTH, best="linear", approaches=("linear", "boosting"), recommended=None)
NOBODY = replace(BOOSTING, decision="none", approaches=(), best="dummy", recommended=None)


@pytest.mark.parametrize("answer, verdict, outcome", [
    (BOOSTING, BOOSTING, "holds"), (LINEAR, BOOSTING, "flips"), (BOTH, BOOSTING, "open"),
    (replace(BOTH, are_equal=True), BOOSTING, "open"), (OTHERS, BOOSTING, "flips"), (NOBODY, BOOSTING, "flips"),
    (AHEAD, BOOSTING, "open"), (AHEAD, BOTH, "flips"), (LINEAR, BOTH, "holds"), (BOOSTING, BOTH, "flips"), (ALL, BOTH, "holds"),
    (NOBODY, BOTH, "flips"), (BOOSTING, NOBODY, "flips"), (BOTH, NOBODY, "flips"), (NOBODY, NOBODY, "holds"),
    (LINEAR, UNOPPOSED, "holds"), (UNOPPOSED, LINEAR, "holds"), (BOOSTING, UNOPPOSED, "flips"), (BOTH, UNOPPOSED, "open"),
    (AHEAD, UNOPPOSED, "flips"), (LINEAR, OPEN, "holds"), (BOOSTING, OPEN, "flips"), (NOBODY, OPEN, "flips"),
    (UNOPPOSED, NOBODY, "flips"), (replace(LINEAR, ran=("dummy", "linear")), BOOSTING, "open"),
    (replace(BOOSTING, ran=RAN[:3]), BOOSTING, "holds"),
])
def test_what_flips_the_verdict_and_what_leaves_it(answer, verdict, outcome):
    assert (answer.flips(verdict), answer.holds(verdict)) == (outcome == "flips", outcome == "holds")


def winners(*answers):
    rows = [(each.size, each.decision, list(each.approaches), each.best, each.recommended) for each in answers]
    return pd.DataFrame(rows, columns=list(COLUMNS["winners"][:5]))


def pairs(size=1000):
    rows = [(first, second, size, 0.0, -1.0, 1.0, "undecided") for first, second in (("dummy", "linear"), ("boosting", "mlp"))]
    return pd.DataFrame(rows, columns=list(COLUMNS["pairs"][:7]))


def beside(outcome, *answers):
    return on_changed_data(outcome, winners(*answers), pd.concat([pairs(each.size) for each in answers]), 1000)


def test_a_change_stands_beside_the_verdict_at_the_same_size():
    without = ChangeOutcome(Change("without", "duration"), RAN, LINEAR)
    at_half = replace(BOOSTING, size=500)
    found = beside(without, at_half, BOOSTING)
    assert (found.answer, found.verdict.best, found.verdict.size, found.is_at_headline) == (LINEAR, "boosting", 1000, True)
    assert (found.row()["flips"], found.row()["size"]) == (True, 1000)
    assert beside(replace(without, answer=replace(LINEAR, size=801)), at_half, BOOSTING).verdict == found.verdict
    in_time = ChangeOutcome(Change("in-time-by", "day"), RAN, at_half)
    smaller = beside(in_time, replace(LINEAR, size=500), BOOSTING)
    assert (smaller.answer, smaller.verdict.best, smaller.verdict.size, smaller.is_at_headline) == (at_half, "linear", 500, False)
    assert beside(replace(without, failed=2), BOOSTING).failed == 2


def test_what_is_not_answered_says_why():
    nothing = beside(ChangeOutcome(Change("grouped-by", ""), RAN, reason="no column looks like a group"), BOOSTING)
    assert (nothing.unanswered, nothing.reason) == (Unanswered.NOT_TRIED, "no column looks like a group")
    gone = beside(ChangeOutcome(Change("without", "duration"), RAN, replace(LINEAR, size=60)), BOOSTING)
    assert (gone.unanswered, gone.tried_at) == (Unanswered.NO_VERDICT, 60)
    for each in (nothing, gone):
        assert each.row()["approaches"] == [] and each.row()["flips"] is each.row()["size"] is each.row()["decision"] is None


@pytest.mark.parametrize("answer", [None, LINEAR])
def test_a_row_has_the_contracts_columns_but_for_the_words(answer):
    row = beside(ChangeOutcome(Change("without", "duration"), RAN, answer), BOOSTING).row()
    assert {*row, "change", "sentence"} == set(COLUMNS["what_if"])


@pytest.mark.parametrize("answer", [None, BOTH])
def test_an_outcome_is_kept_as_plain_values(answer):
    outcome = ChangeOutcome(Change("without", "duration"), RAN, answer, "" if answer else "no time", 3)
    assert ChangeOutcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


ROWS = 1200
TASK = Task("binary", ("no", "yes"), "log_loss", ("log_loss", "brier", "auc", "accuracy", "calibration_error"))


def question_and_predictions(simulate, seed=0, **task):
    """`sharp` ranks best and is far too sure of itself; `modest` ranks a little worse and is calibrated."""
    random = np.random.default_rng(seed)
    score = 1.5 * random.normal(size=ROWS)
    target = (random.random(ROWS) < 1 / (1 + np.exp(-score))).astype(np.int64)
    noisy = score + random.normal(size=ROWS)
    logits = {"dummy": np.zeros(ROWS), "sharp": 12 * score, "modest": 0.5 * noisy}
    plan = simulate.random_folds(ROWS, 5, 2, seed)

    def predictions(name, size, split):
        chance = np.clip(1 / (1 + np.exp(-logits[name][plan.splits[split].test])), 1e-9, 1 - 1e-9)
        return np.column_stack([1 - chance, chance]).astype(np.float32)

    return Question(replace(TASK, **task), target, plan), predictions


def judged(simulate, metric, **task):
    question, predictions = question_and_predictions(simulate, **task)
    present = [(name, size) for name in ("dummy", "sharp", "modest") for size in (100, 960)]
    evidence = build_evidence(question, METRICS.get("log_loss"), predictions, present, approaches=("dummy", "modest", "sharp"),
                              families={"dummy": "baseline", "sharp": "net", "modest": "linear"},
                              cost_ranks={"dummy": 0, "modest": 1, "sharp": 2})
    verdicts = judge(evidence, full_size=960)
    verdict = Answer.at(verdicts.winners, verdicts.pairs, 960)
    return verdict, by_metric(METRICS.get(metric), question, predictions, verdict, evidence, margin=None, alpha=0.05, seed=0)


def test_another_metric_may_choose_another_winner(simulate):
    verdict, found = judged(simulate, "auc")
    row = found.row()
    assert (verdict.decision, verdict.best, verdict.size) == ("winner", "modest", 960)
    assert (found.verdict, found.answer.decision, found.answer.best) == (verdict, "winner", "sharp")
    assert (row["kind"], row["subject"], row["size"], row["flips"]) == ("metric", "auc", 960, True)
    assert judged(simulate, "brier")[1].answer.decision in ("winner", "top_set")


def test_the_deciding_metric_judged_alone_gives_the_verdict(simulate):
    verdict, found = judged(simulate, "log_loss")
    assert found.answer == found.verdict == verdict and found.row()["holds"] is True
    assert found.row()["approaches"] == list(verdict.approaches)


def test_calibration_alone_chooses_nobody(simulate):
    found = judged(simulate, "calibration_error")[1]
    assert found.row()["decision"] == "none" and found.row()["flips"] is False
    assert found.suits_constants and not judged(simulate, "brier")[1].suits_constants


def test_a_metric_that_is_undefined_everywhere_is_no_answer(simulate):
    question, predictions = question_and_predictions(simulate)
    alone = replace(question, target=np.zeros(ROWS, dtype=np.int64))
    names = ("dummy", "modest")
    evidence = build_evidence(alone, METRICS.get("accuracy"), predictions, [(name, 960) for name in names], approaches=names,
                              families={"dummy": "baseline", "modest": "linear"}, cost_ranks={"dummy": 0, "modest": 1})
    verdict = replace(BOOSTING, size=960)
    found = by_metric(METRICS.get("auc"), alone, predictions, verdict, evidence, margin=None, alpha=0.05, seed=0)
    assert found.unanswered is Unanswered.UNDEFINED
    assert found.row()["decision"] is None and not found.row()["flips"]
