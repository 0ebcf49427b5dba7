"""What a run is made of while it goes on: folder, store, approaches, options, clock, display, costs, and where cells run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tabbench.comparison.plan import Contestants
from tabbench.comparison.planner import all_contestants
from tabbench.comparison.progress import Clock
from tabbench.comparison.resume import recall_options
from tabbench.core.executor import EXECUTORS, Executor
from tabbench.core.progress import Display
from tabbench.costs.prior import PriorCosts
from tabbench.execution.machine import usable_cores
from tabbench.execution.work import Work
from tabbench.options import Options
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder, require_run
from tabbench.store.repair import repair


@dataclass(frozen=True, eq=False)
class Session:
    """A run's folder is locked and its store is open as long as the session is.

    Attributes
    ----------
    prior : PriorCosts | None
        What cells cost on this machine; None where they cost as much as on the measuring machine.
    """

    folder: RunFolder
    store: Store
    options: Options
    contestants: Contestants
    clock: Clock
    display: Display
    prior: PriorCosts | None = None

    @classmethod
    @contextmanager
    def open(cls, options: Options, clock: Clock, display: Display, **given: Any) -> Iterator[Session]:
        """A session in the folder `options.out`; `given` are other attributes, by default what the options name."""
        given = {"contestants": all_contestants(options)} | given
        with RunFolder.open(Path(options.out), is_fresh=options.fresh) as folder, Store(folder.path) as store:
            yield cls(folder, store, options, clock=clock, display=display, **given)

    @classmethod
    @contextmanager
    def reopen(cls, path: Path, display: Display, *, is_command: bool, is_repaired: bool = False, **limits: Any
               ) -> Iterator[Session]:
        """A session of an earlier run with its options, but for `limits` (jobs, time_limit, memory_limit)."""
        with RunFolder.open(require_run(path)) as folder, _opened(folder.path, display, is_repaired=is_repaired) as store:
            options = replace(recall_options(store), out=path, **limits).checked()
            clock = Clock.start(options.limit_seconds, with_process=is_command)
            yield cls(folder, store, options, all_contestants(options), clock, display, measured_costs(options))

    @property
    def leaves_threads(self) -> bool:
        """Whether threads of this process may work while cells run."""
        return not EXECUTORS.get(self.options.executor).uses_this_process

    def executor(self) -> Executor[Work]:
        """What runs this session's cells; to be used as a context manager."""
        options = self.options
        # A run that is there already may lack nothing; then no worker is started.
        return EXECUTORS.get(options.executor).make(
            self.store, jobs=options.jobs or usable_cores(),
            needs=self.contestants.needs(options.device, is_limited=options.limit_seconds is not None),
            memory_limit_bytes=options.limit_bytes, starts_early=self.store.recall("planned") is None)


def _opened(path: Path, display: Display, *, is_repaired: bool) -> Store:
    if is_repaired:
        display.say(f"{repair(path):,} results are intact; what else was planned runs again")
    return Store(path)


def measured_costs(options: Options) -> PriorCosts:
    """What cells cost, scaled to this machine as it is now, before workers of ours keep it busy."""
    return PriorCosts.on_this_machine(options.jobs or usable_cores(), usable_cores())
