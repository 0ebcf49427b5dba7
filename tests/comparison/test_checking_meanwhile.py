"""Checks beside cells of workers, and before those of this process."""

import threading

from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.prepare import Prepared, findings_of


def test_the_findings_are_the_same_in_a_thread_and_before_what_comes_next(small_setup):
    prepared = Prepared(small_setup, ())
    before = threading.active_count()
    at_once = Checking(prepared, in_thread=False)
    assert at_once.is_ready and threading.active_count() == before
    meanwhile = Checking(prepared)
    assert meanwhile.finish().findings == at_once.finish().findings == findings_of(small_setup)
