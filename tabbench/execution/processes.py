"""How a worker's process is started: forked from a server that lives as long as this process, or elsewhere than on Linux anew.

Imports nothing heavy: a command starts the server first of all. Knows neither cells nor orders.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Hashable
from itertools import count
from pathlib import Path
from typing import IO, Protocol

from tabbench.core.threads import THREAD_VARIABLES

THREADLESS = frozenset({"tabbench", "scipy", "sklearn", "xgboost", "lightgbm", "torch"})
"""Packages that start no thread when they are imported, so that a process that has imported them can be forked."""
LONGEST_TO_IMPORT = "torch"
"""Takes as long as all other libraries together."""
READ_AT_THE_START = ("PYTHON", "OMP_", "MKL_", "OPENBLAS_", "BLIS_", "KMP_", "GOMP_", "LD_", "LC_", "LANG", "TZ", "MALLOC_",
                     "GLIBC_", "MIMALLOC_")
"""How variables begin that an interpreter or a library reads once: another value takes another server."""
GONE_SECONDS = 5.0
"""Wardens end within it once the server is gone."""
MOST_WORDS = 4_000
"""Bytes of what a server that died has said that a log keeps."""
_USED: set[str] = set()
"""What workers of this process have imported for cells: others that need it find it imported."""


class WorkerProcess(Protocol):
    """What a supervisor needs of a process, as `subprocess.Popen` has it; without a pid it has not begun."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    returncode: int | None

    @property
    def pid(self) -> int | None:
        """Its number, which is that of its group as well."""

    def poll(self) -> int | None:
        """How it has ended, if it has."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""

    def terminate(self) -> None:
        """Ask it to end."""


class ForkedProcess:
    """Implements `WorkerProcess` for a grandchild: the server tells of its beginning and its end."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], log: IO[bytes], on_begin: Callable[[int], None]) -> None:
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._log = os.fdopen(os.dup(log.fileno()), "wb", buffering=0)
        self.pid: int | None = None
        self.returncode: int | None = None
        self._on_begin = on_begin
        self._changed = threading.Condition()

    def poll(self) -> int | None:
        """How it has ended, if it has."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.returncode is not None, timeout) or self.returncode is None:
                raise subprocess.TimeoutExpired("a worker", timeout or 0.0)
            return self.returncode

    def terminate(self) -> None:
        """Ask it to end; one that has not begun counts as ended and will be as soon as it begins."""
        with self._changed:
            if self.pid is None:
                self.note_end(-signal.SIGTERM)
            elif self.returncode is None:
                _terminate(self.pid)

    def note_begin(self, pid: int) -> None:
        """It has begun."""
        with self._changed:
            self.pid = pid
            self._log.close()
            if self.returncode is not None:
                _terminate(pid)
        self._on_begin(pid)

    def note_end(self, returncode: int, why: bytes = b"") -> None:
        """It has ended, before it began for what its log is told."""
        with self._changed:
            if not self._log.closed:
                self._log.write(why)
                self._log.close()
            self.returncode = returncode if self.returncode is None else self.returncode
            self._changed.notify_all()


class Server:
    """The fork server as its supervisor sees it."""

    def __init__(self, threads: int, ahead: Collection[str] = ()) -> None:
        self._link, theirs = socket.socketpair()
        self._words = os.fdopen(os.memfd_create("tabbench"), "r+b")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tabbench.execution.fork_server", str(os.getpid()), *ahead],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=self._words, env=environment(threads),
                start_new_session=True)
        self._owner, self._path = os.getpid(), search_path()
        self._sending = threading.Lock()
        self._numbers = count()
        self._alive: dict[int, ForkedProcess] = {}
        self._last_words = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def start(self, folder: Path, log: IO[bytes], threads: int, on_begin: Callable[[int], None], modules: Collection[str] = ()
              ) -> ForkedProcess:
        """Have a worker forked; it begins when the server has imported these modules, as far as it can be forked then."""
        (orders, stdin), (stdout, answers) = os.pipe(), os.pipe()
        place = _working_folder()
        process = ForkedProcess(os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), log, on_begin)
        files = [orders, answers, log.fileno(), place]
        with self._sending:
            number = next(self._numbers)
            self._alive[number] = process
            is_same = search_path() == self._path
            found = sorted(module for module in modules if is_same and module.partition(".")[0] in THREADLESS)
            request = {"number": number, "folder": str(folder), "environment": environment(threads), "modules": found}
            with contextlib.suppress(OSError):  # it has died, as `_listen` will see
                socket.send_fds(self._link, [json.dumps(request).encode() + b"\n"], files)
        for file in (orders, answers, place):
            os.close(file)
        if not self.is_alive:
            self._listener.join()
            process.note_end(self._process.returncode, self._last_words)
        return process

    def end(self) -> None:
        """End it, and with it all workers that are left; a copy of this process leaves it alone."""
        if os.getpid() != self._owner:
            return
        self._process.kill()
        self._listener.join()
        self._link.close()

    def _listen(self) -> None:
        with self._link.makefile("rb") as answers, contextlib.suppress(OSError):
            for line in answers:
                values = json.loads(line)
                if "pid" in values:
                    self._alive[values["number"]].note_begin(values["pid"])
                else:
                    self._alive.pop(values["number"]).note_end(values["ended"])
        code, left = self._process.wait(), list(self._alive.values())
        # Their wardens end what own estimators have started, and are not to be killed before.
        deadline = time.monotonic() + GONE_SECONDS
        while any(map(_is_running, left)) and time.monotonic() < deadline:
            time.sleep(0.01)
        with self._words:
            self._words.seek(max(self._words.seek(0, os.SEEK_END) - MOST_WORDS, 0))
            self._last_words = self._words.read()
        for process in left:
            process.note_end(code, self._last_words)


def _is_running(process: ForkedProcess) -> bool:
    try:
        return process.pid is not None and Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _working_folder() -> int:
    """A descriptor of it, for which it need not be readable; of the root where it may not even be entered."""
    try:
        return os.open(".", os.O_PATH)
    except PermissionError:
        return os.open("/", os.O_PATH)


_SERVERS: dict[tuple[Hashable, ...], Server] = {}
_STARTING = threading.Lock()


def start_server(threads: int = 1, ahead: Collection[str] = ()) -> Server | None:
    """The server that workers are forked from, started if need be; None where workers are not forked.

    One that is started imports modules `ahead` before it is asked for a worker.
    """
    if sys.platform != "linux":
        return None
    key = (os.getpid(), threads, *_settings())
    with _STARTING:
        if key not in _SERVERS or not _SERVERS[key].is_alive:
            _SERVERS[key] = Server(threads, ahead)
            atexit.register(_SERVERS[key].end)
        return _SERVERS[key]


def _settings() -> tuple[Hashable, ...]:
    """What a process takes over from the one that starts it and a worker cannot change any more."""
    import resource

    variables = sorted(each for each in os.environ.items() if each[0].startswith(READ_AT_THE_START) and each[0] != "PYTHONPATH")
    limits = [resource.getrlimit(number) for name, number in sorted(vars(resource).items()) if name.startswith("RLIMIT_")]
    umask = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Umask"))
    return (*variables, *limits, umask, frozenset(os.sched_getaffinity(0)), os.getpriority(os.PRIO_PROCESS, 0))


def note_used(modules: Collection[str]) -> None:
    """A worker has imported these for its cells."""
    _USED.update(modules)


def used_before(modules: Collection[str]) -> set[str]:
    """Of these, what an earlier worker has imported for its cells."""
    return _USED & set(modules)


def quick_to_import(modules: Collection[str]) -> set[str]:
    """Of these, what does not keep a worker waiting as long as all."""
    return {module for module in modules if module.partition(".")[0] != LONGEST_TO_IMPORT}


def start_process(folder: Path, log: IO[bytes], threads: int, on_begin: Callable[[int], None], modules: Collection[str] = ()
                  ) -> WorkerProcess:
    """Start a worker's process for the run in this folder, which finds these modules imported, if it can."""
    server = start_server(threads)
    if server is not None:
        return server.start(folder, log, threads, on_begin, modules)
    process = subprocess.Popen([sys.executable, "-P", "-m", "tabbench.execution.child", str(folder)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=log, env=environment(threads), start_new_session=True)
    on_begin(process.pid)
    return process


def search_path() -> tuple[str, ...]:
    """Where modules are looked for here: the same places in the same order, none of them relative."""
    return tuple(str(Path(place).absolute()) for place in sys.path)


def environment(threads: int) -> dict[str, str]:
    """This process's variables, with its search path and the threads of numeric libraries.

    With -P beside them, a file beside the user's table does not pass for a library.
    """
    path = os.pathsep.join(search_path())
    return os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
