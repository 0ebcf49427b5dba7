"""A process that imports scikit-learn while the table is read, and fits what the checks ask while they look at other things.

Imports nothing heavy: a command starts the process first of all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from tabbench.checks.learners import LEARNERS, MODULES, receive, send
from tabbench.execution.processes import environment

if TYPE_CHECKING:
    from tabbench.core.check import Learners

CALL = [sys.executable, "-P", "-m", "tabbench.checks.learners"]


@contextmanager
def learners_apart() -> Iterator[Learners | None]:
    """Learners in a process of their own; None where this process has imported scikit-learn, or no other one can be started."""
    process = None if sys.modules.keys() >= {*MODULES} else _started()
    if process is None:
        yield None
        return
    learners = LearnersApart(process)
    try:
        yield learners
    finally:
        learners.close()


def _started() -> subprocess.Popen[bytes] | None:
    try:
        return subprocess.Popen(CALL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                env=environment(threads=1))
    except OSError:
        return None


class LearnersApart:
    """Implements `Learners`: asks the process one question after the other.

    Where it has died, as for lack of memory, this process answers itself, and tells what fails.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._turn = ThreadPoolExecutor(1)
        self._is_closed = False

    def ask(self, name: str, *arrays: np.ndarray, **settings: Any) -> Callable[[], np.ndarray]:
        """Have a learner answer meanwhile."""
        return self._turn.submit(self._answer, name, arrays, settings).result

    def close(self) -> None:
        """End the process, and with it what is still asked."""
        self._is_closed = True
        self._process.kill()
        self._turn.shutdown(cancel_futures=True)
        self._process.communicate()

    def _answer(self, name: str, arrays: tuple[np.ndarray, ...], settings: dict[str, Any]) -> np.ndarray:
        try:
            send(cast("IO[bytes]", self._process.stdin), {"name": name, "settings": settings}, arrays)
            [answer] = receive(cast("IO[bytes]", self._process.stdout))[1]
        except (OSError, EOFError):
            if self._is_closed:
                raise
            return LEARNERS[name](*arrays, **settings)
        return answer
