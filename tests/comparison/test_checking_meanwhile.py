"""Checks beside cells of workers, and before those of this process."""

import threading
import time

from tabbench.checks import running
from tabbench.comparison.checking_meanwhile import Checking
from tabbench.comparison.prepare import Prepared, findings_of
from tabbench.core.check import Check


def test_the_findings_are_the_same_in_a_thread_and_before_what_comes_next(small_setup):
    prepared = Prepared(small_setup, ())
    before = threading.active_count()
    at_once = Checking(prepared, in_thread=False)
    assert at_once.is_ready and threading.active_count() == before
    meanwhile = Checking(prepared)
    assert meanwhile.finish().findings == at_once.finish().findings == findings_of(small_setup)


def test_tables_are_checked_one_after_the_other(small_setup, monkeypatch):
    at_work, most = [], []

    def look(checked):
        at_work.append(checked)
        time.sleep(0.05)  # the other table's thread has begun by then
        most.append(len(at_work))
        at_work.pop()
        return []

    monkeypatch.setattr(running, "CHECKS", [Check("slow", "a look that takes a while", look, ())])
    for checking in [Checking(Prepared(small_setup, ())) for _ in range(3)]:
        checking.finish()
    assert most == [1, 1, 1]
