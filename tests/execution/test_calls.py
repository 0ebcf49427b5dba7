"""A call says how it ended: with nothing to say, with its own error, or with why its child is no more."""

import time

import psutil
import pytest

from tabbench.core.executor import Needs
from tabbench.execution.local import LocalExecutor

CALLED = """
import os
import time

import numpy as np

from tabbench.core.errors import BadOption


def note(folder, text):
    (folder / "noted").write_text(text)


def refuse(folder):
    raise BadOption("there is nothing to do; give more")


def run_out(folder):
    raise MemoryError


def leave(folder):
    os._exit(3)


def eat(folder, megabytes):
    eaten = np.ones(megabytes * 125_000)
    time.sleep(600)


def sleep(folder):
    time.sleep(600)
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Calls a function of `CALLED`, which children can import like the supervisor."""
    (tmp_path / "called.py").write_text(CALLED)
    monkeypatch.syspath_prepend(tmp_path)
    return lambda executor, name, **values: executor.call(f"called:{name}", values)


def children(store, **limits):
    return LocalExecutor(store, jobs=1, needs=Needs(), **limits)


def soon():
    return time.monotonic() + 30


def test_a_call_gets_the_folder_and_its_values(store, call):
    with children(store) as executor:
        call(executor, "note", text="seen")
        assert executor.await_call(soon()) == ""
    assert (store.folder / "noted").read_text() == "seen"


@pytest.mark.parametrize(("name", "why"), [("refuse", "there is nothing to do; give more"), ("run_out", "it ran out of memory"),
                                           ("leave", "its process ended with exit code 3")])
def test_a_call_that_fails_says_why_and_another_can_follow(store, call, name, why):
    with children(store) as executor:
        call(executor, name)
        assert executor.await_call(soon()) == why
        call(executor, "note", text="seen")
        assert executor.await_call(soon()) == ""


def test_a_call_that_is_late_is_ended_and_says_nothing(store, call):
    with children(store) as executor:
        executor.wait_until_warm()
        call(executor, "sleep")
        assert executor.await_call(time.monotonic() + 0.1) is None
        child = psutil.Process(executor._workers[0].process.pid)
        executor.end_call()
        assert not child.is_running() and executor.await_call(soon()) is None


def test_a_call_that_passes_the_memory_limit_is_ended_while_nobody_waits_for_it(store, call):
    limit = psutil.Process().memory_info().rss + 500e6
    with children(store, memory_limit_bytes=limit) as executor:
        executor.wait_until_warm()
        child = psutil.Process(executor._workers[0].process.pid)
        call(executor, "eat", megabytes=700)
        psutil.wait_procs([child], timeout=30)
        assert not child.is_running()
        why = executor.await_call(soon())
        call(executor, "note", text="seen")
        assert executor.await_call(soon()) == ""
    assert why == (f"the run needed too much memory; --memory-limit is {limit / 1e9:.1f} GB for everything: give more, "
                   "or lower --jobs")


def test_a_call_to_a_child_that_was_just_ended_fails_for_the_same_reason(store, call):
    with children(store) as executor:
        executor.wait_until_warm()
        executor._workers[0].end("out_of_memory", "it was greedy")
        call(executor, "note", text="unseen")
        assert executor.await_call(soon()) == "it was greedy"
