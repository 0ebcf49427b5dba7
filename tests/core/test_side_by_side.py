"""Turns: so many at a time, in the order of asking; a part that fails gives its turn back."""

import os
import signal
import threading
import time
from concurrent.futures import CancelledError

import pytest

from tabbench.core.side_by_side import SideBySide


@pytest.mark.parametrize("count", [1, 2])
def test_no_more_parts_than_that_go_on_at_the_same_time_and_outcomes_keep_their_order(count):
    turns, inside, most = SideBySide(count), [], []
    all_inside = threading.Barrier(count)

    def work(part, number):
        inside.append(part)
        all_inside.wait(10)  # nobody would come out if fewer could be inside
        most.append(len(inside))
        inside.remove(part)
        all_inside.wait(10)
        return part, number

    parts = list("abcd")
    assert turns.map(work, parts, range(4)) == list(zip(parts, range(4), strict=True))
    assert max(most) <= count


def test_who_has_waited_longest_comes_next_before_one_that_asks_again():
    turns, order, waiting = SideBySide(1), [], []

    def take(name):
        with turns:
            order.append(name)

    with turns:
        for name in ("first", "second"):
            before = len(turns._waiting)
            waiting.append(threading.Thread(target=take, args=(name,)))
            waiting[-1].start()
            while len(turns._waiting) == before:
                pass
    take("again")
    for thread in waiting:
        thread.join()
    assert order == ["first", "second", "again"]


def test_a_part_that_fails_is_told_and_does_not_keep_its_turn():
    turns = SideBySide(1)
    with pytest.raises(ZeroDivisionError):
        turns.map(lambda part: 1 / part, [1, 0, 2])
    assert turns.map(abs, [-1]) == [1]


def test_ctrl_c_waits_for_turns_that_have_begun_and_not_for_all_of_the_work():
    turns, done = SideBySide(1), []

    def work(part):
        for number in range(1000):
            with turns:
                if (part, number) == (0, 2):
                    os.kill(os.getpid(), signal.SIGINT)
                done.append(part)
                time.sleep(0.001)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            turns.beside(work, [0, 1, 2])
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(done) < 1000
    with pytest.raises(CancelledError):
        turns.map(abs, [1])
