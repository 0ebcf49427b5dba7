"""What would flip the answer: exact wording for every outcome, other metrics by the same judge, changes beside the verdict."""

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
from tabbench.verdict.what_if import Answer, Change, Outcome, by_metric, compared, on_changed_data, what_if_frame

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


@pytest.mark.parametrize("answer, verdict, outcome, words", [
    (BOOSTING, BOOSTING, "holds", "boosting wins as well"),
    (LINEAR, BOOSTING, "flips", "linear wins instead of boosting"),
    (BOTH, BOOSTING, "open", "no single approach wins (boosting and linear cannot be told apart)"),
    (replace(BOTH, are_equal=True), BOOSTING, "open", "no single approach wins (boosting and linear are practically equal)"),
    (OTHERS, BOOSTING, "flips", "no single approach wins (linear and mlp cannot be told apart), "
                                "and boosting is shown to be worse"),
    (NOBODY, BOOSTING, "flips", "no approach can be named"),
    (AHEAD, BOOSTING, "open", "boosting is ahead without being shown to be better than every other approach"),
    (AHEAD, BOTH, "flips", "boosting is ahead without being shown to be better than every other approach, "
                        "and linear is shown to be worse"),
    (LINEAR, BOTH, "holds", "linear wins alone"),
    (BOOSTING, BOTH, "flips", "boosting wins, so that linear would not be the one to take"),
    (ALL, BOTH, "holds", "no single approach wins either (boosting, linear and mlp cannot be told apart)"),
    (NOBODY, BOTH, "flips", "no approach can be named"),
    (BOOSTING, NOBODY, "flips", "boosting wins"),
    (BOTH, NOBODY, "flips", "no single approach wins (boosting and linear cannot be told apart)"),
    (NOBODY, NOBODY, "holds", "no approach can be named either"),
    (LINEAR, UNOPPOSED, "holds", "linear is ahead as well"),
    (UNOPPOSED, LINEAR, "holds", "linear wins as well"),
    (BOOSTING, UNOPPOSED, "flips", "boosting is ahead instead of linear"),
    (BOTH, UNOPPOSED, "open", "no single approach wins (boosting and linear cannot be told apart)"),
    (AHEAD, UNOPPOSED, "flips", "boosting is ahead without being shown to be better than every other approach, and linear is "
                                "shown to be worse"),
    (LINEAR, OPEN, "holds", "linear is ahead alone"),
    (BOOSTING, OPEN, "flips", "boosting is ahead"),
    (NOBODY, OPEN, "flips", "no approach can be named"),
    (UNOPPOSED, NOBODY, "flips", "linear wins"),
    (replace(LINEAR, ran=("dummy", "linear")), BOOSTING, "open",
     "linear wins instead of boosting; boosting and mlp were not run"),
    (replace(BOOSTING, ran=RAN[:3]), BOOSTING, "holds", "boosting wins as well; mlp was not run"),
])
def test_every_outcome_has_its_words(answer, verdict, outcome, words):
    assert compared(answer, verdict) == words
    assert (answer.flips(verdict), answer.holds(verdict)) == (outcome == "flips", outcome == "holds")


@pytest.mark.parametrize("change, phrase", [
    (Change("metric", "auc"), "judged by AUC"), (Change("metric", "log_loss"), "judged by log loss"),
    (Change("without", "duration"), "without `duration`"),
    (Change("grouped-by", "patient"), "split by whole groups of `patient`"),
    (Change("in-time-by", "day"), "split forward in time by `day`"),
    (Change("not-grouped", "patient"), "split without keeping `patient` together"),
    (Change("not-in-time", "day"), "split without regard to `day`"),
    (Change("without", ""), "without the most suspicious feature"), (Change("grouped-by", ""), "split by whole groups"),
    (Change("in-time-by", ""), "split forward in time"),
])
def test_every_change_has_its_phrase(change, phrase):
    assert change.phrase == phrase


def winners(*answers):
    rows = [(each.size, each.decision, list(each.approaches), each.best, each.recommended) for each in answers]
    return pd.DataFrame(rows, columns=list(COLUMNS["winners"][:5]))


def pairs(size=1000):
    rows = [(first, second, size, 0.0, -1.0, 1.0, "undecided") for first, second in (("dummy", "linear"), ("boosting", "mlp"))]
    return pd.DataFrame(rows, columns=list(COLUMNS["pairs"][:7]))


def sentence(outcome, *answers):
    row = on_changed_data(outcome, winners(*answers), pd.concat([pairs(each.size) for each in answers]), 1000)
    assert list(what_if_frame([row]).columns) == list(COLUMNS["what_if"])
    return row["sentence"]


def test_a_change_is_told_beside_the_verdict_at_the_same_size():
    without = Outcome(Change("without", "duration"), RAN, LINEAR)
    at_half = replace(BOOSTING, size=500)
    assert sentence(without, at_half, BOOSTING) == "Without `duration`, linear wins instead of boosting."
    assert sentence(replace(without, answer=replace(LINEAR, size=801)), at_half, BOOSTING) == sentence(without, at_half, BOOSTING)
    in_time = Outcome(Change("in-time-by", "day"), RAN, at_half)
    assert sentence(in_time, replace(LINEAR, size=500), BOOSTING) == (
        "At 500 rows, split forward in time by `day`, boosting wins instead of linear.")
    assert sentence(replace(without, failed=2), BOOSTING) == (
        "Without `duration`, linear wins instead of boosting; 2 of its runs failed.")


def test_what_is_not_answered_says_why():
    nothing = Outcome(Change("grouped-by", ""), RAN, reason="no column looks like a group")
    assert sentence(nothing, BOOSTING) == "Split by whole groups: not answered, since no column looks like a group."
    gone = Outcome(Change("without", "duration"), RAN, replace(LINEAR, size=60))
    assert sentence(gone, BOOSTING) == (
        "Without `duration`: not answered, since it was tried at 60 rows, where the comparison has no verdict.")


@pytest.mark.parametrize("answer", [None, BOTH])
def test_an_outcome_is_kept_as_plain_values(answer):
    outcome = Outcome(Change("without", "duration"), RAN, answer, "" if answer else "no time", 3)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


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
    verdict, row = judged(simulate, "auc")
    assert (verdict.decision, verdict.best, verdict.size) == ("winner", "modest", 960)
    assert row["sentence"] == "Judged by AUC, sharp wins instead of modest."
    assert (row["kind"], row["subject"], row["size"], row["flips"]) == ("metric", "auc", 960, True)
    assert judged(simulate, "brier")[1]["decision"] in ("winner", "top_set")


def test_the_deciding_metric_judged_alone_gives_the_verdict(simulate):
    verdict, row = judged(simulate, "log_loss")
    assert row["sentence"] == "Judged by log loss, modest wins as well."
    assert row["approaches"] == list(verdict.approaches)


def test_calibration_alone_chooses_nobody(simulate):
    row = judged(simulate, "calibration_error")[1]
    assert row["decision"] == "none" and row["flips"] is False
    assert row["sentence"] == (
        "Judged by calibration error, nobody can be chosen: a constant prediction is well calibrated, too.")


def test_a_metric_that_is_undefined_everywhere_is_no_answer(simulate):
    question, predictions = question_and_predictions(simulate)
    alone = replace(question, target=np.zeros(ROWS, dtype=np.int64))
    names = ("dummy", "modest")
    evidence = build_evidence(alone, METRICS.get("accuracy"), predictions, [(name, 960) for name in names], approaches=names,
                              families={"dummy": "baseline", "modest": "linear"}, cost_ranks={"dummy": 0, "modest": 1})
    verdict = replace(BOOSTING, size=960)
    row = by_metric(METRICS.get("auc"), alone, predictions, verdict, evidence, margin=None, alpha=0.05, seed=0)
    assert row["sentence"] == "Judged by AUC: not answered, since it is undefined in every test part."
    assert row["decision"] is None and not row["flips"]
