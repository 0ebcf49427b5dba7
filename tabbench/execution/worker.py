"""One supervised worker as the supervisor sees it: its process, its orders, what it is busy with."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tabbench.core.cell import Batch, Cell, Status
from tabbench.execution.child import MEMORY_EXIT_CODE, WARDEN_SECONDS
from tabbench.execution.machine import descendants
from tabbench.execution.processes import note_used, start_process
from tabbench.execution.warden import has_warden
from tabbench.execution.work import InFlight

LOG_TAIL_CHARACTERS = 300
MOST_LOG_BYTES = 4_000_000
LOG_HEAD_BYTES = LOG_END_BYTES = 500_000
"""What is kept of a longer log: how it began and how it ended."""
POLICE_SECONDS = 0.5
"""Reading the memory of a process tree takes milliseconds; twice a second is soon enough to act."""
EXIT_SECONDS = 5.0
"""Between the end of a dying process's answers and its exit status; one that lives on has spoiled its answers."""


@dataclass(frozen=True)
class Event:
    """A line from a worker, or the end of its answers (`values` is None)."""

    worker: Worker
    values: dict[str, Any] | None


class Worker:
    """A worker process and its state.

    Threads are fixed before it imports anything, standard error goes to a log in the run's folder, and it leads a
    process group of its own, so that Ctrl-C reaches only the supervisor and ending it ends what it started.

    `owner` is the name of the user's own estimator that this worker is kept for, None for approaches that come with tabbench:
    what foreign code does to a process must not reach anybody else's cells. It may find the modules `imported` when it begins.
    """

    def __init__(self, number: int, folder: Path, events: queue.Queue[Event], *, threads: int, owner: str | None = None,
                 imported: Collection[str] = ()) -> None:
        self.number = number
        self.owner = owner
        self.log = folder / "logs" / f"child-{number}.log"
        self.batch: Batch | None = None
        self.cell: Cell | None = None
        self.is_side_by_side = False
        self.seen_bytes = 0
        self.cell_started = 0.0
        self.is_warm = False
        self.imported_first: set[str] = set()
        self.loaded: set[str] = set()
        self.began = time.monotonic()
        self.is_cuda_available = False
        self.ended_for: tuple[Status, str] | None = None
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = start_process(folder, log, threads, lambda pid: events.put(Event(self, {"pid": pid})), imported)
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()

    @property
    def is_free(self) -> bool:
        """Whether it can take a batch."""
        return self.is_warm and self.batch is None and self.ended_for is None

    @property
    def awaited_seconds(self) -> float:
        """How long it has been at its cell or, before all cells, at its imports; 0 when it owes nothing."""
        if self.ended_for is not None or (self.is_warm and self.batch is None):
            return 0.0
        return time.monotonic() - (self.cell_started if self.is_warm else self.began)

    def order(self, **values: Any) -> None:
        """Send one order; a worker that has just died will be noticed by the end of its answers."""
        assert self.process.stdin is not None
        line = json.dumps(values).encode() + b"\n"
        with contextlib.suppress(OSError, ValueError):  # ValueError: it was ended, and its standard input closed
            self.process.stdin.write(line)
            self.process.stdin.flush()

    def learn(self, own: Mapping[str, bytes], aliases: Mapping[str, str]) -> None:
        """Teach it the user's own approaches, pickled, and other names of registered ones."""
        self.order(do="learn", own={name: base64.b64encode(pickled).decode() for name, pickled in own.items()},
                   aliases=dict(aliases))

    def run(self, batch: Batch, folder: Path, modules: Mapping[str, Collection[str]], threads: int, side_by_side: int = 1,
            kept_effort: float | None = None) -> None:
        """Hand it a batch of the run in this folder; so many fits may go on at the same time, each with so many threads.

        It imports the modules of an approach before its cell, of which that is no part. With `kept_effort` the models are kept in
        that folder, as fitted with that effort.
        """
        self.batch, self.cell, self.is_side_by_side = batch, None, side_by_side > 1
        self.cell_started = time.monotonic()
        self.order(do="run", folder=str(folder), cells=[cell.to_json() for cell in batch.cells],
                   modules={name: sorted(needed) for name, needed in modules.items()}, threads=threads,
                   side_by_side=side_by_side, kept_effort=kept_effort)

    def note_loaded(self, modules: Collection[str]) -> bool:
        """It has imported what a cell needs; whether that was something new."""
        is_new = not self.loaded >= set(modules)
        self.loaded |= set(modules)
        note_used(modules)
        self.cell_started = time.monotonic()
        return is_new

    def begin(self, key: str) -> None:
        """It has begun a cell of its batch."""
        if self.batch is not None:
            self.cell = next(cell for cell in self.batch.cells if cell.key == key)
            self.cell_started = time.monotonic()

    def in_flight(self) -> InFlight:
        """How its batch stands."""
        cells = self.batch.cells if self.batch is not None else ()
        place = cells.index(self.cell) if self.cell in cells else 0
        return InFlight(cells[place:], tuple(cell.approach for cell in cells[:place]), time.monotonic() - self.cell_started,
                        self.is_side_by_side)

    def end(self, status: Status, reason: str) -> None:
        """End it and all that it started; `status` and `reason` become its cell's or its call's."""
        self.ended_for = (status, reason)
        self.kill()

    def kill(self) -> None:
        """End it and all that it started at once; finished work is already on disk."""
        if self.process.poll() is None:
            self.process.terminate()  # its warden ends the others
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(WARDEN_SECONDS)
        if self.process.pid is not None:
            end_group(self.process.pid)
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):  # an order that never reached the dead worker
                self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # its group is dead; who would tell of it may hang
            self.process.wait(EXIT_SECONDS)
        self.shorten_log()

    def resident_bytes(self) -> int:
        """Resident memory of the worker and all that it started; reading it takes a millisecond, see `seen_bytes`.

        Not its warden's, which is the copy of a process with everything in it and shares that with the others.
        """
        total = 0
        try:
            for pid in self._processes():
                total += psutil.Process(pid).memory_info().rss
        except (OSError, psutil.NoSuchProcess, psutil.AccessDenied):
            return total
        finally:
            self.seen_bytes = total
        return total

    def _processes(self) -> list[int]:
        if self.process.pid is None:
            return []
        return [*([] if has_warden() else [self.process.pid]), *descendants(self.process.pid)]

    def why_it_died(self) -> tuple[Status, str]:
        """The status and reason for what it was at: a cell, or a call."""
        if self.ended_for is not None:
            return self.ended_for
        try:
            code = self.process.wait(timeout=EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "crashed", "its process answered with something else than results"
        if code == MEMORY_EXIT_CODE:
            return "out_of_memory", "it ran out of memory"
        if code >= 0:
            return "crashed", f"its process ended with exit code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        hint = "; often the system's out-of-memory killer" if name == "SIGKILL" else ""
        return "crashed", f"its process was ended by {name}{hint}"

    @property
    def was_killed(self) -> bool:
        """Whether a signal that no fault raises has ended it."""
        return self.process.returncode in (-signal.SIGKILL, -signal.SIGTERM)

    def last_words(self) -> str:
        """The end of what it wrote to its log, on one line."""
        try:
            with self.log.open("rb") as stream:
                end = stream.seek(0, os.SEEK_END)
                start = self._log_start if self._log_start <= end else 0  # it was shortened
                stream.seek(max(start, end - LOG_END_BYTES))
                text = stream.read().decode(errors="replace")
        except OSError:  # it is gone, or on a disk that fails: how the worker ended is told all the same
            return ""
        return " ".join(text[-LOG_TAIL_CHARACTERS:].split())

    def shorten_log(self) -> None:
        """Keep head and end of a log that has grown large, as where an estimator prints every row."""
        if not self.log.exists() or self.log.stat().st_size <= MOST_LOG_BYTES:
            return
        with self.log.open("r+b") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(-LOG_END_BYTES, os.SEEK_END)
            last = stream.read()
            stream.truncate(LOG_HEAD_BYTES)
            stream.seek(0, os.SEEK_END)
            left_out = size - LOG_HEAD_BYTES - len(last)
            stream.write(f"\n[… {left_out:,} bytes left out …]\n".encode() + last)

    def _listen(self, events: queue.Queue[Event]) -> None:
        assert self.process.stdout is not None
        try:
            with self.process.stdout as answers:
                for line in answers:
                    values = json.loads(line)
                    if not isinstance(values, dict):
                        break
                    events.put(Event(self, values))
        except ValueError:
            return
        finally:  # a line that is no answer ends the worker as its death does
            events.put(Event(self, None))


def end_group(pid: int) -> None:
    """Kill a process group, or the process where there are none."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            psutil.Process(pid).kill()
    except (ProcessLookupError, psutil.NoSuchProcess, PermissionError):
        return


def end_orphan(pid: int, created: float) -> None:
    """End a worker that outlived its supervisor; a process number that went to someone else is left alone."""
    try:
        process = psutil.Process(pid)
        is_ours = abs(process.create_time() - created) < 1.0
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or someone else's
        return
    if is_ours:
        with contextlib.suppress(psutil.Error):
            process.terminate()
            process.wait(timeout=WARDEN_SECONDS)
        end_group(pid)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(timeout=10)
