"""One-off calls in workers: which worker is at one, whether it has returned, and why it has failed.

Starting, replacing and limiting workers is left to the executor; cells are unknown here.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from tabbench.execution.worker import POLICE_SECONDS, Worker


class CallingExecutor(ABC):
    """An executor one of whose workers can be called, one call at a time.

    Subclasses start workers, take in their answers and limit their memory, and tell `_note_returned` and `_note_death` what they
    have seen.
    """

    def __init__(self) -> None:
        self._workers: list[Worker] = []
        self._called: Worker | None = None
        self._outcome: str | None = None

    @abstractmethod
    def _start_workers(self, count: int) -> None:
        """Have at least so many workers."""

    @abstractmethod
    def _step(self, state: None) -> None:
        """Take in an answer, if one comes soon, and look after the workers."""

    @abstractmethod
    def _limit_memory(self) -> None:
        """End a busy worker if the run has passed its memory limit. Asked for from several threads."""

    def call(self, function: str, values: Mapping[str, Any]) -> None:
        """Have a worker call `module:function` with the run's folder and these values: if possible one that is warm."""
        assert not self._is_calling
        self._start_workers(1)
        shared = [worker for worker in self._workers if worker.owner is None]
        self._called = next((worker for worker in shared if worker.is_warm), shared[0])
        self._outcome = None
        self._called.order(do="call", function=function, values=dict(values))
        # The caller has other things to do meanwhile, and the memory limit holds then too.
        threading.Thread(target=self._watch, args=(self._called,), daemon=True).start()

    def await_call(self, deadline: float) -> str | None:
        """How the call has ended by the deadline (a reading of `time.monotonic`): "" or why it failed, None if it goes on."""
        while time.monotonic() < deadline and self._is_calling:
            self._step(None)
        return self._outcome

    def end_call(self) -> None:
        """End the worker that is still at a call, which never returns then."""
        if self._is_calling and self._called is not None:
            self._called.kill()
            self._workers.remove(self._called)

    @property
    def _is_calling(self) -> bool:
        return self._called in self._workers and self._outcome is None

    def _note_returned(self, error: str) -> None:
        self._outcome = error

    def _note_death(self, worker: Worker, why: str) -> bool:
        """A worker has died, and its call with it; whether it was at one. To be told while it still is one of the workers."""
        was_called = self._is_calling and worker is self._called
        if was_called:
            self._outcome = why
        return was_called

    def _watch(self, worker: Worker) -> None:
        """Keep the memory limit as long as a call goes on."""
        while self._called is worker and self._is_calling and worker.process.poll() is None:
            self._limit_memory()
            time.sleep(POLICE_SECONDS)
