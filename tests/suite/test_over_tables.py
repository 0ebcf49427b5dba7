"""What many tables say together, from frames alone."""

import numpy as np
import pytest
from simulated_suites import suite_of

from tabbench.core.errors import BadOption
from tabbench.suite.over_tables import over_tables

MEANS = {"dummy": [1.0] * 12, "linear": [0.5] * 12, "lightgbm": [0.4] * 12}


@pytest.fixture(scope="module")
def suite():
    return suite_of(MEANS)


def test_tables_of_one_origin_count_once_together(suite):
    apart = over_tables(suite.tables, suite.scores, suite.approaches, 0)["verdicts"].iloc[0]
    assert (apart["tables"], apart["sources"], apart["decision"]) == (12, 12, "winner")
    together = suite.tables.assign(origin=["one"] * 10 + [None, None])
    verdict = over_tables(together, suite.scores, suite.approaches, 0)["verdicts"].iloc[0]
    assert (verdict["tables"], verdict["sources"], verdict["decision"]) == (12, 3, "none")


def test_an_approach_without_a_defined_score_is_absent_and_takes_no_table_along(suite):
    lost = (suite.scores["approach"] == "linear") & suite.scores["table"].isin(["t0", "t1"])
    verdict = over_tables(suite.tables, suite.scores.assign(score=suite.scores["score"].mask(lost)), suite.approaches, 0)
    assert verdict["verdicts"]["tables"].iloc[0] == 10


def test_a_metric_that_is_undefined_everywhere_is_a_sentence(suite):
    with pytest.raises(BadOption, match="undefined on every split of every table"):
        over_tables(suite.tables, suite.scores.assign(score=np.nan), suite.approaches, 0)
