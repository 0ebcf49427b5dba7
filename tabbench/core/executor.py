"""What runs batches, as the main job sees it: the protocol that an executor implements. Knows no process and no schedule.

An executor is one file in `execution/`, registered in `EXECUTORS`. It takes batches from the schedule that it is handed, has each
of them executed by `execution.run.execute` wherever it likes, puts the results into the store and reports them. Which executor
runs a cell, and where, never changes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from tabbench.core.registry import Registry

if TYPE_CHECKING:  # the options import this, and `tabbench --help` must not wait for numpy
    from tabbench.core.cell import Cell, Result


@dataclass
class Needs:
    """What workers need before their first cell.

    Parameters
    ----------
    modules : dict[str, tuple[str, ...]]
        Modules to import, by the name of the approach that requires them.
    own : dict[str, bytes]
        The user's estimators, pickled, by name.
    aliases : dict[str, str]
        Registered names of approaches, by the names that the user gave them.
    is_cuda_wanted : bool, default False
        Whether to look for a GPU.
    are_imported_first : bool, default False
        Whether workers import all modules before their first cell, as where there is a time limit to plan for; else when a cell
        needs them.
    """

    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own: dict[str, bytes] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    is_cuda_wanted: bool = False
    are_imported_first: bool = False


@dataclass(frozen=True)
class Keeping:
    """Which fitted models to keep in the run's folder: those of one size and split (repeat, fold), with their effort."""

    size: int
    split: tuple[int, int]
    effort: float


class Observer(Protocol):
    """Receives what an executor reports."""

    def learn(self, cell: Cell, result: Result) -> None:
        """Take note that the result of a cell is in the store."""

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """Show what is running and how long all of it may take, if known; called a few times a second at most."""


WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


class Executor(Protocol[WorkT_contra]):
    """Runs what a schedule hands out. A context manager: leaving it ends whatever it has started.

    Attributes
    ----------
    jobs : int
        Number of batches that run at the same time.
    """

    jobs: int

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None: ...

    def is_cuda_available(self) -> bool:
        """Return whether cells may use a GPU. May wait until a worker has looked for one."""

    def starting_seconds(self, startup_seconds: float) -> float:
        """Return how long it still takes until cells can run, if starting a worker takes `startup_seconds` in all."""

    def await_start(self) -> None:
        """Wait until a cell can run."""

    def open_setup(self) -> None:
        """Take note that the frozen setup is in the run's folder, so that workers can load it before their first cell."""

    def run(self, schedule: WorkT_contra, observer: Observer, *, is_stopped: Callable[[], bool] = lambda: False,
            keeping: Keeping | None = None) -> None:
        """Run the schedule until nothing is left, it is stopped or its deadline has passed.

        Whatever finished by then is in the store; whatever could not run is among the skips of the schedule.
        """

    def call(self, function: str, values: Mapping[str, Any]) -> None:
        """Call `module:function` in the background with the run's folder and these values; one call at a time."""

    def await_call(self, deadline: float) -> str | None:
        """Wait for the call until the deadline, a reading of `time.monotonic`: "", why it failed, or None if it still runs."""

    def end_call(self) -> None:
        """Stop a call that still runs."""


class MakeExecutor(Protocol):
    """Makes an executor for a run."""

    def __call__(self, store: Any, *, jobs: int, needs: Needs, memory_limit_bytes: float | None = None,
                 starts_early: bool = True) -> Executor[Any]:
        """Make an executor for the run of an open store.

        Parameters
        ----------
        store : Any
            The run's `store.database.Store`.
        jobs : int
            Number of batches to run at the same time.
        needs : Needs
            What workers need before their first cell.
        memory_limit_bytes : float | None, default None
            Memory limit of all workers together; None is most of the machine's memory.
        starts_early : bool, default True
            Whether workers may start before it is known that there is work for them.

        Returns
        -------
        Executor
            The executor, to be entered as a context manager.
        """


@dataclass(frozen=True)
class ExecutorKind:
    """A way to run batches, as `--executor` names it.

    Parameters
    ----------
    name : str
        What the option calls it.
    summary : str
        One line for a list.
    make : MakeExecutor
        Makes an executor of this kind.
    keeps_limits : bool, default False
        Whether it can end a cell that goes on beyond a time or memory limit; where it can't, such limits are refused.
    most_jobs : int | None, default None
        The largest number of batches that it runs at the same time; None for any.
    uses_this_process : bool, default False
        Whether cells run in the process of the comparison, which then does nothing else meanwhile.
    """

    name: str
    summary: str
    make: MakeExecutor
    keeps_limits: bool = False
    most_jobs: int | None = None
    uses_this_process: bool = False


EXECUTORS: Registry[ExecutorKind] = Registry("executor", "tabbench.execution")
LOCAL = "local"
"""The one that is taken where none is named."""
