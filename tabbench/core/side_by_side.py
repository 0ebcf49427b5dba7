"""Parts of one fit that go on at the same time, in threads: the libraries let other threads run while they compute."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


class SideBySide:
    """Turns to compute, of which so many are taken at the same time, by whoever has waited longest.

    A context manager: inside it a thread has a turn, for which it waits on the way in. How many there are must not change a
    number, so what is divided into parts is divided in the same way for any.

    >>> SideBySide(2).map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._is_stopped = False
        self._waiting: deque[threading.Lock] = deque()
        self._changing = threading.Lock()

    def __enter__(self) -> None:
        with self._changing:
            self._require_going_on()
            if self._free:
                self._free -= 1
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        gate.acquire()
        self._require_going_on()

    def _require_going_on(self) -> None:
        if self._is_stopped:
            raise CancelledError

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        with self._changing:
            if self._waiting:  # handed over: a thread that asks again at once would come before those that wait
                self._waiting.popleft().release()
            else:
                self._free += 1

    def stop(self) -> None:
        """Give no turn any more: whoever asks for one or waits for one gets a `CancelledError`."""
        with self._changing:
            self._is_stopped = True
            while self._waiting:
                self._waiting.popleft().release()

    def beside(self, work: Callable[..., Outcome], *parts: Sequence[Any], threads: int | None = None) -> list[Outcome]:
        """What the work gives for each part, as `map` hands them over, in a thread each, which takes turns as the work says.

        After Ctrl-C it is waited for the turns that have begun, not for all of the work.
        """
        with ThreadPoolExecutor(threads or max(len(parts[0]), 1)) as pool:
            try:
                return list(pool.map(work, *parts))
            except KeyboardInterrupt:
                self.stop()
                raise

    def map(self, work: Callable[..., Outcome], *parts: Sequence[Any]) -> list[Outcome]:
        """The same where each part is done in one turn."""
        def in_turn(*part: Any) -> Outcome:
            with self:
                return work(*part)

        return self.beside(in_turn, *parts)
