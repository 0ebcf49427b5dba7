"""Runs batches one after the other in this process: the same numbers as in workers, without their start and their safety net."""

from __future__ import annotations

import importlib
import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tabbench.core.approach import Approach
from tabbench.core.cell import Batch, Result
from tabbench.core.errors import TabbenchError
from tabbench.core.executor import EXECUTORS, ExecutorKind, Keeping, Needs, Observer
from tabbench.core.process_settings import limited_threads, silent_warnings
from tabbench.core.setup import Setup
from tabbench.execution.run import execute, received, why_it_does_not_load
from tabbench.execution.work import Work
from tabbench.store.database import Store
from tabbench.store.setups import load_setup


class InProcessExecutor:
    """Implements `Executor` for few rows, whose cells take about as long as a worker takes to start.

    Nothing here could end a fit that goes on beyond a deadline, or survive one that ends the process.

    Parameters
    ----------
    store : Store
        The run's store.
    needs : Needs
        As for workers; modules that are imported already cost nothing.
    jobs, memory_limit_bytes, starts_early
        Have no use here, where one batch runs at a time and no process is started.
    """

    jobs = 1

    def __init__(self, store: Store, *, needs: Needs, jobs: int = 1, memory_limit_bytes: float | None = None,
                 starts_early: bool = True) -> None:
        self._store, self._needs = store, needs
        self._setup: Setup | None = None
        self._opened: Path | None = None
        self._own: dict[str, Approach] = {}
        self._outcome: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing was started."""

    def is_cuda_available(self) -> bool:
        """Whether torch sees a GPU here."""
        from tabbench.nets import is_cuda_available

        return is_cuda_available()

    def starting_seconds(self, startup_seconds: float) -> float:
        """This process has started."""
        return 0.0

    def await_start(self) -> None:
        """There is nothing to wait for."""

    def open_setup(self) -> None:
        """It is loaded when the first cell asks for it."""

    def run(self, schedule: Work, observer: Observer, *, is_stopped: Callable[[], bool] = lambda: False,
            keeping: Keeping | None = None) -> None:
        """Run all that is scheduled. Models are kept under a time limit only, which is refused for this executor."""
        schedule.drop_approaches(self._broken())
        while not is_stopped() and (batch := schedule.next(time.monotonic())) is not None:
            results = self.results_of(batch)
            self._store.put(results)
            for cell, result in zip(batch.cells, results, strict=True):
                observer.learn(cell, result)
            observer.show((), schedule.remaining_seconds())

    def results_of(self, batch: Batch) -> list[Result]:
        """Execute a batch; a result a cell, in their order."""
        folder = self._store.folder_of(batch)
        if self._setup is None:
            self._own = received(self._needs.own, self._needs.aliases)
        if self._setup is None or folder != self._opened:
            self._setup, self._opened = load_setup(folder), folder
        with limited_threads(1), silent_warnings():  # as in a worker, whose warnings go to its log
            # The user's terminal is no log; the reasons are among the comparison's failures.
            return list(execute(self._setup, batch, own=self._own, log=io.StringIO()))

    def call(self, function: str, values: Mapping[str, Any]) -> None:
        """Call it now."""
        module, _, name = function.partition(":")
        try:
            getattr(importlib.import_module(module), name)(self._store.folder, **values)
        except TabbenchError as error:
            self._outcome = str(error)
        else:
            self._outcome = ""

    def await_call(self, deadline: float) -> str | None:
        """How the call ended."""
        return self._outcome

    def end_call(self) -> None:
        """It has ended."""

    def _broken(self) -> dict[str, str]:
        """Approaches whose library does not load, and why; the others' are loaded, so that they can be told their threads."""
        reasons = {(name, module): why_it_does_not_load(module) for name, modules in self._needs.modules.items()
                   for module in modules}
        return {name: f"{module} does not load ({why})" for (name, module), why in reasons.items() if why is not None}


EXECUTORS.register(ExecutorKind("in-process", "one batch after the other in this process, without a safety net",
                                InProcessExecutor, most_jobs=1, uses_this_process=True))
