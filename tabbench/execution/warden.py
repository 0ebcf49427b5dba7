"""Stands between the supervisor and a worker, and ends whatever the worker has started, however it ends.

On Linux it adopts the worker's orphans, those with a session of their own too. It runs no code of anybody else's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import psutil

ADOPT_ORPHANS = 36
"""prctl's PR_SET_CHILD_SUBREAPER."""
PARENT_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""


def has_warden() -> bool:
    """Whether workers have one on this system."""
    return sys.platform == "linux"


def become_watched() -> None:
    """Return in a new process, and stay behind as its warden; elsewhere than on Linux just return."""
    if not has_warden():
        return
    _prctl(ADOPT_ORPHANS, 1)
    _prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
    # A signal that comes before the handler is there must wait for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    worker = os.fork()
    if worker:
        _watch(worker)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _watch(worker: int) -> NoReturn:
    def end_all(number: int, frame: FrameType | None) -> NoReturn:
        _end_children()
        _end_alike(number)

    for standard in (0, 1):  # the pipes are the worker's, and their ends must be seen
        os.close(standard)
    signal.signal(signal.SIGTERM, end_all)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    while True:
        pid, status = os.waitpid(-1, 0)  # orphans that it has adopted end here as well
        if pid == worker:
            break
    _end_children()
    _end_alike(status)


def _end_children() -> None:
    """Kill children until there are none: those of a killed one become its own."""
    while True:
        for child in psutil.Process().children():
            os.kill(child.pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _end_alike(status: int) -> NoReturn:
    """End as the worker has ended, so that the supervisor sees what it would have seen of it."""
    if os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})  # it is blocked while its own handler runs
        os.kill(os.getpid(), number)
        signal.pause()
    os._exit(os.waitstatus_to_exitcode(status))


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value)
