"""Sensitivity analysis: exact wording for every outcome and every change."""

from dataclasses import replace

import pytest

from tabbench.verdict.what_if import KINDS, Answer, Change, Unanswered, WhatIf
from tabbench.wording.what_if import PHRASES, change_phrase, compared, what_if_sentence

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


@pytest.mark.parametrize("answer, verdict, words", [
    (BOOSTING, BOOSTING, "boosting wins as well"),
    (LINEAR, BOOSTING, "linear wins instead of boosting"),
    (BOTH, BOOSTING, "no single approach wins (boosting and linear are not separated)"),
    (replace(BOTH, are_equal=True), BOOSTING, "no single approach wins (boosting and linear are practically equal)"),
    (OTHERS, BOOSTING, "no single approach wins (linear and mlp are not separated), and boosting is shown to be worse"),
    (NOBODY, BOOSTING, "no approach can be named"),
    (AHEAD, BOOSTING, "boosting is ahead without being shown to be better than every other approach"),
    (AHEAD, BOTH,
     "boosting is ahead without being shown to be better than every other approach, and linear is shown to be worse"),
    (LINEAR, BOTH, "linear wins alone"),
    (BOOSTING, BOTH, "boosting wins, so that linear would not be recommended"),
    (ALL, BOTH, "no single approach wins either (boosting, linear and mlp are not separated)"),
    (NOBODY, BOTH, "no approach can be named"),
    (BOOSTING, NOBODY, "boosting wins"),
    (BOTH, NOBODY, "no single approach wins (boosting and linear are not separated)"),
    (NOBODY, NOBODY, "no approach can be named either"),
    (LINEAR, UNOPPOSED, "linear is ahead as well"),
    (UNOPPOSED, LINEAR, "linear wins as well"),
    (BOOSTING, UNOPPOSED, "boosting is ahead instead of linear"),
    (BOTH, UNOPPOSED, "no single approach wins (boosting and linear are not separated)"),
    (AHEAD, UNOPPOSED,
     "boosting is ahead without being shown to be better than every other approach, and linear is shown to be worse"),
    (LINEAR, OPEN, "linear is ahead alone"),
    (BOOSTING, OPEN, "boosting is ahead"),
    (NOBODY, OPEN, "no approach can be named"),
    (UNOPPOSED, NOBODY, "linear wins"),
    (replace(LINEAR, ran=("dummy", "linear")), BOOSTING, "linear wins instead of boosting; boosting and mlp were not run"),
    (replace(BOOSTING, ran=RAN[:3]), BOOSTING, "boosting wins as well; mlp was not run"),
])
def test_every_outcome_has_its_words(answer, verdict, words):
    assert compared(answer, verdict) == words


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
    assert change_phrase(change) == phrase


def test_every_kind_of_change_has_a_phrase():
    assert set(PHRASES) == set(KINDS)


WITHOUT, AUC = Change("without", "duration"), Change("metric", "auc")


@pytest.mark.parametrize("found, told", [
    (WhatIf(AUC, LINEAR, BOOSTING), "Judged by AUC, linear wins instead of boosting."),
    (WhatIf(Change("metric", "log_loss"), BOOSTING, BOOSTING), "Judged by log loss, boosting wins as well."),
    (WhatIf(Change("metric", "calibration_error"), NOBODY, suits_constants=True),
     "Judged by calibration error, no approach can be chosen: a constant prediction is well calibrated, too."),
    (WhatIf(AUC, unanswered=Unanswered.UNDEFINED), "Judged by AUC: not answered, since it is undefined in every test part."),
    (WhatIf(WITHOUT, LINEAR, BOOSTING), "Without `duration`, linear wins instead of boosting."),
    (WhatIf(Change("in-time-by", "day"), replace(BOOSTING, size=500), replace(LINEAR, size=500), is_at_headline=False),
     "At 500 rows, split forward in time by `day`, boosting wins instead of linear."),
    (WhatIf(WITHOUT, LINEAR, BOOSTING, failed=2), "Without `duration`, linear wins instead of boosting; 2 of its runs failed."),
    (WhatIf(Change("grouped-by", ""), unanswered=Unanswered.NOT_TRIED, reason="no column looks like a group"),
     "Split by whole groups: not answered, since no column looks like a group."),
    (WhatIf(WITHOUT, unanswered=Unanswered.NO_VERDICT, tried_at=60),
     "Without `duration`: not answered, since it was tried at 60 rows, where the comparison has no verdict."),
])
def test_every_answer_has_its_sentence(found, told):
    assert what_if_sentence(found) == told
