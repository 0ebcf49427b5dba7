"""What is kept free before a time limit grows with the tables, and with how long the first of them have taken."""

import time

import pytest

from tabbench.suite import judging
from tabbench.suite.judging import Judging


def test_more_tables_to_judge_and_to_report_take_longer():
    with Judging(1.0) as here:
        alone, begun, reported = (here.closing_seconds(*counts) for counts in ((0, 0), (3, 0), (3, 25)))
    assert alone == judging.WRITING_SECONDS and begun == alone + 3 * judging.JUDGING_SECONDS
    assert reported == begun + 25 * judging.READING_SECONDS


def test_tables_that_have_taken_longer_than_expected_teach_it(monkeypatch):
    clock = iter([0.0, 8.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    here = Judging(1.0, in_thread=False)
    here.submit(lambda: None)
    assert here.closing_seconds(0, 0) == pytest.approx((1 + 8.0 / judging.JUDGING_SECONDS) / 2 * judging.WRITING_SECONDS)


def test_what_goes_wrong_in_the_thread_is_told_at_the_end():
    def broken():
        raise ValueError("of the table")

    with Judging(1.0) as here:
        here.submit(broken)
        with pytest.raises(ValueError, match="of the table"):
            here.finish()
