"""Tables that have ended are judged and reported in a thread, one by one, while cells of others run.

How long that takes is learnt: so much is kept free before a time limit. Knows no table and no limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

JUDGING_SECONDS, READING_SECONDS, WRITING_SECONDS = 1.0, 0.1, 1.8
"""Of a table's verdict and reports, of its results when the suite is reported, and of the suite's own verdict and files."""
BESIDE_CELLS = 2.0
"""So many times longer it takes while every core runs cells, too."""


class Judging:
    """A queue of one thread; to be used as a context manager.

    Parameters
    ----------
    slowness : float
        How many times longer this machine takes than the one of the figures above; corrected by what is measured.
    in_thread : bool, default True
        Whether cells run in other processes; where they run in this one, a table is judged at once.
    """

    def __init__(self, slowness: float, *, in_thread: bool = True) -> None:
        self._slowness = slowness
        self._in_thread, self._is_beside_cells = in_thread, in_thread
        self._thread = ThreadPoolExecutor(1, "judging")
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._thread.shutdown(wait=kind is None, cancel_futures=True)  # a second Ctrl-C does not wait for all reports

    @property
    def waiting(self) -> int:
        """How many tables are still to be judged."""
        return sum(not future.done() for future in self._futures)

    def submit(self, judge: Callable[[], None]) -> None:
        """Judge a table as soon as those before it are."""
        if self._in_thread:
            self._futures.append(self._thread.submit(self._timed, judge))
        else:
            self._timed(judge)

    def finish(self) -> None:
        """Wait until all are judged, as the cells have ended; what went wrong in the thread is raised here."""
        self._is_beside_cells = False
        for future in self._futures:
            future.result()

    @property
    def table_seconds(self) -> float:
        """Expected seconds of a table while cells run."""
        return self._slowness * JUDGING_SECONDS * BESIDE_CELLS

    def closing_seconds(self, begun: int, reported: int) -> float:
        """Expected seconds from the last cell to the end: for tables that are being run, and for the reports of all that were."""
        return self._slowness * ((self.waiting + begun) * JUDGING_SECONDS + reported * READING_SECONDS + WRITING_SECONDS)

    def _timed(self, judge: Callable[[], None]) -> None:
        began, expected = time.monotonic(), JUDGING_SECONDS * (BESIDE_CELLS if self._is_beside_cells else 1.0)
        judge()
        # Of what has been measured the latest counts most: other work on the machine comes and goes.
        self._slowness = (self._slowness + (time.monotonic() - began) / expected) / 2
