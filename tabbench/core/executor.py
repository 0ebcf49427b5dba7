"""What runs batches, as the main job sees it: the protocol that an executor implements. Knows no process and no schedule.

An executor is one file in `execution/`, registered in `EXECUTORS`. It takes batches from the schedule that it is handed, has each
of them executed by `execution.run.execute` wherever it likes, puts the results into the store and reports them. Which executor
runs a cell, and where, never changes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from tabbench.core.cell import Cell, Result
from tabbench.core.registry import Registry


@dataclass
class Needs:
    """What workers have to be ready for before their first cell.

    Parameters
    ----------
    modules : dict[str, tuple[str, ...]]
        Names of the modules that each approach needs, by approach.
    own : dict[str, bytes]
        The user's estimators, pickled, by name.
    aliases : dict[str, str]
        Other names of approaches -> their registered ones.
    is_cuda_wanted : bool, default False
        Whether a GPU is to be looked for.
    """

    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own: dict[str, bytes] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    is_cuda_wanted: bool = False


@dataclass(frozen=True)
class Keeping:
    """Which fitted models are kept in the run's folder: those of one size and split (repeat, fold); their effort is recorded."""

    size: int
    split: tuple[int, int]
    effort: float


class Observer(Protocol):
    """Is told by an executor of what happens."""

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell's result is in the store."""

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """What runs now, and how long all of it may take, where that is known; a few times a second at most."""


WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


class Executor(Protocol[WorkT_contra]):
    """Runs what a schedule hands out. A context manager: leaving it ends whatever it has started.

    Attributes
    ----------
    jobs : int
        How many batches run at the same time.
    """

    jobs: int

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None: ...

    def is_cuda_available(self) -> bool:
        """Whether cells may use a GPU. May wait for a worker that has looked."""

    def starting_seconds(self, startup_seconds: float) -> float:
        """How long it still takes until cells can run, where a worker's start takes so many seconds in all."""

    def open_setup(self) -> None:
        """The run's frozen setup lies in its folder now; workers may load it before their first cell asks for it."""

    def run(self, schedule: WorkT_contra, observer: Observer, *, is_stopped: Callable[[], bool] = lambda: False,
            keeping: Keeping | None = None) -> None:
        """Run what is scheduled until nothing is left, it is stopped or the schedule's deadline has passed.

        What was finished by then is in the store. What could not be run stands among the schedule's skips.
        """

    def call(self, function: str, values: Mapping[str, Any]) -> None:
        """Have `module:function` called with the run's folder and these values, beside whatever else runs; one call at a time."""

    def await_call(self, deadline: float) -> str | None:
        """How the call has ended by the deadline (a reading of `time.monotonic`): "" or why it failed, None if it goes on."""

    def end_call(self) -> None:
        """Break off a call that goes on."""


class MakeExecutor(Protocol):
    """Makes an executor for a run."""

    def __call__(self, store: Any, *, jobs: int, needs: Needs, memory_limit_bytes: float | None = None,
                 starts_early: bool = True) -> Executor[Any]:
        """For the run of an open store.

        Parameters
        ----------
        store : Any
            The run's `store.database.Store`.
        jobs : int
            How many batches at the same time.
        needs : Needs
            What workers have to be ready for.
        memory_limit_bytes : float | None, default None
            Of all of them together; None for most of the machine.
        starts_early : bool, default True
            Whether workers may start before it is known that there is work for them.
        """


@dataclass(frozen=True)
class ExecutorKind:
    """A way to run batches, as `--executor` names it."""

    name: str
    summary: str
    make: MakeExecutor


EXECUTORS: Registry[ExecutorKind] = Registry("executor", "tabbench.execution")
LOCAL = "local"
"""The one that is taken where none is named."""
