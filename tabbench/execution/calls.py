"""One-off calls in children: which child is at which, what has returned, and why one has failed.

Starting, replacing and limiting children is left to the executor; cells are unknown here.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from tabbench.execution.worker import POLICE_SECONDS, Worker


class CallingExecutor(ABC):
    """An executor whose children can be called. Calls are numbered from 0, in the order in which they are made.

    Who inherits starts children, takes in their answers and limits their memory, and tells `_note_returned` and `_note_death`
    what it has seen.
    """

    def __init__(self) -> None:
        self._workers: list[Worker] = []
        self._called: list[Worker] = []
        self._returned: dict[int, str] = {}

    @abstractmethod
    def _start_workers(self, count: int) -> None:
        """Have at least so many children."""

    @abstractmethod
    def _step(self, state: None) -> None:
        """Take in an answer, if one comes soon, and look after the children."""

    @abstractmethod
    def _limit_memory(self) -> None:
        """End a busy child if the run has passed its memory limit. Asked for from several threads."""

    def call(self, function: str, values: Mapping[str, Any]) -> None:
        """Have a child call `module:function` with the run's folder and these values: one that is warm and has nothing to do."""
        self._start_workers(1)
        children = [worker for worker in self._workers if worker.is_warm] or self._workers
        child, number = min(children, key=list(self._pending.values()).count), len(self._called)
        self._called.append(child)
        child.order(do="call", function=function, number=number, values=dict(values))
        # The caller has other things to do meanwhile, and the memory limit holds then too.
        threading.Thread(target=self._watch, args=(number,), daemon=True).start()

    def await_calls(self, deadline: float) -> dict[int, str]:
        """What has returned by the deadline, a reading of `time.monotonic`: the call's number, from 0 -> "" or why it failed."""
        while time.monotonic() < deadline and self._pending:
            self._step(None)
        return dict(self._returned)

    def end_calls(self) -> None:
        """End the children that are still at a call; their calls never return."""
        for worker in set(self._pending.values()):
            worker.kill()
            self._workers.remove(worker)

    @property
    def _pending(self) -> dict[int, Worker]:
        """The calls that have not returned, by number, and the children that are at them."""
        return {number: worker for number, worker in enumerate(self._called)
                if number not in self._returned and worker in self._workers}

    def _note_returned(self, number: int, error: str) -> None:
        self._returned[number] = error

    def _note_death(self, worker: Worker, why: str) -> bool:
        """A child has died, and its calls with it; whether it was at any. To be told while it still is one of the children."""
        lost = [number for number, child in self._pending.items() if child is worker]
        self._returned.update(dict.fromkeys(lost, why))
        return bool(lost)

    def _watch(self, number: int) -> None:
        """Keep the memory limit as long as a call goes on."""
        while number in self._pending and self._called[number].process.poll() is None:
            self._limit_memory()
            time.sleep(POLICE_SECONDS)
