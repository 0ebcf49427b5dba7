"""The process that workers are forked from: `python -m tabbench.execution.fork_server PID [MODULE ...]`.

It has imported what most cells need, and the modules that are named.

Importing takes a worker more than a second, being forked a few milliseconds. Starts no thread and computes nothing, so that a
copy of it is as good as a new process. Its standard input is a socket, over which requests come and pids and exit codes go. PID
is its supervisor.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

from tabbench.execution import child

FILES_OF_WORKER = 4
"""Standard input, standard output, standard error and working folder."""
MOST_BYTES = 1 << 16
LOOK_SECONDS = 1.0
"""So often it looks whether its supervisor is there: a copy of that one may hold the socket open."""
IDLE_SECONDS = 600.0
"""A server that has no worker and was asked for none for so long ends: a notebook may stay open for days."""


def main() -> None:
    """Import, then fork a worker for each request, until the supervisor is gone."""
    os.chdir("/")  # a folder that something works in cannot be unmounted
    server = ForkServer(socket.socket(fileno=0), int(sys.argv[1]))
    child.preload(server.end_if_alone, ahead=sys.argv[2:])
    server.serve()


class ForkServer:
    """The state of the server: its socket, what has been read of the next request, and the workers that it is the parent of."""

    def __init__(self, link: socket.socket, supervisor: int) -> None:
        self._link, self._supervisor = link, supervisor
        self._read, self._files = b"", list[int]()
        self._numbers: dict[int, int] = {}

    def serve(self) -> None:
        """Answer requests."""
        signal.signal(signal.SIGCHLD, self._tell_ends)
        while (request := self._next_request()) is not None:
            child.load(request["modules"])
            self._fork(request)

    def _fork(self, request: dict[str, Any]) -> None:
        files, self._files = self._files[:FILES_OF_WORKER], self._files[FILES_OF_WORKER:]
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # an end is told after the beginning
        try:
            pid = _forked()
        except OSError as error:
            os.write(files[2], f"cannot start a worker: {error.strerror}\n".encode())
            self._answer(number=request["number"], ended=1)
        else:
            if pid == 0:
                self._become_worker(request, files)
            self._numbers[pid] = request["number"]
            self._answer(number=request["number"], pid=pid)
        for file in files:
            os.close(file)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _become_worker(self, request: dict[str, Any], files: list[int]) -> None:
        """In the new process: what a new interpreter would have got and done."""
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        self._link.detach()  # its place is standard input's now
        for standard, file in enumerate(files[:3]):
            os.dup2(file, standard)
        os.fchdir(files[3])
        for file in (*files, *self._files):
            os.close(file)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[:] = os.environ["PYTHONPATH"].split(os.pathsep)
        importlib.invalidate_caches()
        _draw_other_random_numbers()
        child.run(Path(request["folder"]))
        raise SystemExit(0)

    def _tell_ends(self, number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                pid, status = ended
                if pid in self._numbers:  # a library may have started a process of its own
                    self._answer(number=self._numbers.pop(pid), ended=os.waitstatus_to_exitcode(status))

    def _next_request(self) -> dict[str, Any] | None:
        """The next line, whose files have come with it; None where the supervisor is gone or has no use for workers."""
        idle_since = time.monotonic()
        while b"\n" not in self._read:
            while not select.select([self._link], [], [], LOOK_SECONDS)[0]:
                is_idle = not self._numbers and time.monotonic() - idle_since > IDLE_SECONDS
                if is_idle or self._is_orphan:
                    return None
            data, files, _, _ = socket.recv_fds(self._link, MOST_BYTES, FILES_OF_WORKER)
            if not data:
                return None
            self._read += data
            self._files += files
        line, _, self._read = self._read.partition(b"\n")
        return dict(json.loads(line))

    def _answer(self, **values: int) -> None:
        with contextlib.suppress(OSError):  # nobody is there any more, which the next request will show
            self._link.sendall(json.dumps(values).encode() + b"\n")

    @property
    def _is_orphan(self) -> bool:
        return os.getppid() != self._supervisor

    def end_if_alone(self) -> None:
        """End if the supervisor is gone."""
        hang_up = select.poll()
        hang_up.register(self._link, 0)
        if hang_up.poll(0) or self._is_orphan:
            raise SystemExit(0)


def _forked() -> int:
    with warnings.catch_warnings():
        # Python counts the allocator's own thread, which allocators stop and start around a fork.
        warnings.filterwarnings("ignore", "This process", DeprecationWarning)
        return os.fork()


def _draw_other_random_numbers() -> None:
    """Every copy would draw the same ones."""
    import numpy as np

    random.seed()
    np.random.seed()  # what code that names no generator draws from


if __name__ == "__main__":
    main()
