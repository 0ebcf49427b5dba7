"""Ends a piece of work at a chosen call of the operating system, as a kill does: nothing that follows is carried out either."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress

CALLS = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect"})


class Killed(BaseException):
    """The process is dead from here on."""


class Fate:
    """How many calls are left; None where nobody is to be killed."""

    left = None

    def count(self, event, arguments):
        """What is told of every call."""
        if self.left is not None and event in CALLS:
            if self.left == 0:
                raise Killed(event)
            self.left -= 1


FATE = Fate()
sys.addaudithook(FATE.count)  # for good: a hook cannot be taken away, so it counts only where it is told to


@contextmanager
def killed_at(call):
    """Let so many calls pass; what it gives is empty if the work has come to its end before."""
    died, FATE.left = [], call
    try:
        with suppress(Killed):
            yield died
    finally:
        died += [True] * (FATE.left == 0)
        FATE.left = None
