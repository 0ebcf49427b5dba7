"""Every outcome under a budget has one plain sentence."""

import pytest

from tabbench.verdict.affordable import COSTS, UnderLimit
from tabbench.wording import affordable
from tabbench.wording.affordable import limit_sentence


@pytest.mark.parametrize(("cost", "below", "outcome", "recommended", "told"), [
    ("fit_seconds", 5.0, UnderLimit.TAKEN, "linear", "With less than 5.0 s to train, linear is recommended."),
    ("fit_seconds", 0.2, UnderLimit.NOTHING_LEFT, None,
     "With less than 0.20 s to train, only a constant prediction remains."),
    ("predict_us_per_row", 1.0, UnderLimit.NOTHING_LEFT, None,
     "With less than 1.0 µs a row to predict, only a constant prediction remains."),
    ("peak_mb", 200.0, UnderLimit.NOTHING_LEFT, None,
     "With less than 200 MB of memory, only a constant prediction remains."),
    ("fit_seconds", 5.0, UnderLimit.FAMILY_LACKING, None,
     "With less than 5.0 s to train, nothing is recommended, since a family of approaches was not run."),
    ("fit_seconds", 5.0, UnderLimit.NOTHING_BETTER, None,
     "With less than 5.0 s to train, no remaining approach is shown to be better than a constant prediction."),
])
def test_every_outcome_has_its_sentence(cost, below, outcome, recommended, told):
    assert limit_sentence(cost, below, outcome, recommended) == told


def test_every_cost_has_its_words():
    assert set(affordable.COSTS) == set(COSTS)
