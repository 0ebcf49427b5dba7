"""A child: a fork of the server or `python -m tabbench.execution.child FOLDER`. Runs batches from standard input, one at a time.

Speaks one JSON object a line. Finished results go to the run's spool folder; the line only names the file.
Ends when its standard input ends, so that it never outlives its supervisor.
"""

from __future__ import annotations

import base64
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tabbench.execution.warden import become_watched

WARDEN_SECONDS = 5.0
"""A warden ends as soon as all that it had to kill is dead."""
PRELOADED = ("tabbench.execution.run", "tabbench.execution.kept_models", "tabbench.store.setups", "tabbench.store.spool",
             "pyarrow.pandas_compat", "scipy.linalg", "tabbench.linear.elastic_net", "tabbench.linear.logistic")
"""What the cells need that are run first: those of the constant predictor and of linear models. Importing scikit-learn would take
as long again."""
IDLE_SECONDS = 0.5
"""A child that has waited so long for an order imports what later ones need; an order that comes meanwhile has to wait."""
MEMORY_EXIT_CODE = 77
"""How a child says that it ran out of memory: it cannot be trusted with another cell."""


def run(folder: Path) -> None:
    """Obey the supervisor until it says stop or is gone."""
    become_watched()
    faulthandler.enable()
    orders: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    child = Child(folder, _private_stdout())
    while (order := child.next_of(orders))["do"] != "stop":
        child.obey(order)


def preload(after_each: Callable[[], None] = lambda: None, ahead: Sequence[str] = ()) -> None:
    """Import what all children need, and modules `ahead`. What does not load is told by the child that needs it for a cell."""
    for module in (*PRELOADED, *ahead):
        load([module])
        after_each()
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _collecting_nothing() -> Iterator[None]:
    """While libraries are imported, hardly anything of which is garbage: looking for it takes a tenth of the time.

    They stay: looking through their objects after each batch would take a sixth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load(modules: Sequence[str]) -> dict[str, str]:
    """Import modules for good; gives those that do not load, and why."""
    new = [module for module in modules if module not in sys.modules]
    if not new:
        return {}
    with _collecting_nothing():
        from tabbench.execution.run import why_it_does_not_load

        return {module: why for module in new if (why := why_it_does_not_load(module)) is not None}


class _DoesNotLoadError(Exception):
    """A module that a cell needs does not load, as has been told."""


class Child:
    """The state of a child: the setup that was opened last, and the user's own approaches."""

    def __init__(self, folder: Path, answers: IO[str]) -> None:
        self.folder = folder
        self.pid = os.getpid()
        self.answers = answers
        self.setup: Any = None
        self.opened = ""
        self.own: dict[str, Any] = {}
        self.ahead: list[str] = []

    def next_of(self, orders: queue.Queue[dict[str, Any]]) -> dict[str, Any]:
        """The next order; while none comes, the modules that others will need are imported, one by one."""
        while self.ahead:
            with contextlib.suppress(queue.Empty):
                return orders.get(timeout=IDLE_SECONDS)
            self._load([self.ahead[0]])
        return orders.get()

    def obey(self, order: dict[str, Any]) -> None:
        """Carry out one order."""
        getattr(self, f"do_{order.pop('do')}")(**order)

    def do_warm(self, modules: list[str], are_imported_first: bool, ask_cuda: bool) -> None:
        """Say that cells may come, which will need these modules, and whether there is a GPU for them."""
        self.ahead = list(modules)
        if are_imported_first:
            self._load(modules)
        cuda = False
        if ask_cuda and self._load(["torch"]):
            from tabbench.nets import is_cuda_available

            cuda = is_cuda_available()
        self._answer(warm=True, cuda=cuda)

    def do_learn(self, own: dict[str, str], aliases: dict[str, str]) -> None:
        """Receive the user's own approaches, the only pickles there are, and other names for registered ones."""
        from tabbench.execution.run import received

        self.own = received({name: base64.b64decode(pickled) for name, pickled in own.items()}, aliases)

    def do_open(self, folder: str) -> None:
        """Load the frozen setup of the run in this folder."""
        from tabbench.store.setups import load_setup

        if folder != self.opened:
            self.setup = None  # two large tables at a time might be too much
            self.setup, self.opened = load_setup(Path(folder)), folder

    def do_run(self, folder: str, cells: list[dict[str, Any]], modules: dict[str, list[str]], threads: int, side_by_side: int,
               kept_effort: float | None) -> None:
        """Run a batch of the run in this folder; with `kept_effort` its models are kept there.

        `modules` are what each approach needs. They are imported before its cell, those of the first one, or of all that are
        fitted side by side, before the table is opened.
        """
        at_first = list(modules) if side_by_side > 1 else [cells[0]["approach"]]
        try:
            self._prepare({module for name in at_first for module in modules.get(name, ())})
            self._run(folder, cells, modules, threads, side_by_side, kept_effort)
        except _DoesNotLoadError:
            self._answer(refused=True)

    def _prepare(self, modules: Collection[str]) -> None:
        """Import what cells need, and tell it."""
        if not self._load(sorted(modules)):
            raise _DoesNotLoadError
        self._answer(loaded=sorted(modules))

    def _run(self, folder: str, cells: list[dict[str, Any]], modules: Mapping[str, Sequence[str]], threads: int,
             side_by_side: int, kept_effort: float | None) -> None:
        from tabbench.core.cell import Batch, Cell
        from tabbench.execution.kept_models import keeping_in
        from tabbench.execution.machine import trim_memory
        from tabbench.execution.run import execute
        from tabbench.store.folder import SPOOL
        from tabbench.store.spool import spool

        self.do_open(folder)
        place = Path(folder) / SPOOL
        batch = Batch(tuple(Cell(**cell) for cell in cells))

        def announce(cell: Cell) -> None:
            lacking = {*modules.get(cell.approach, ())} - sys.modules.keys()
            self._answer(started=cell.key, lacks=sorted(lacking))  # first, so that a crash is this cell's
            if lacking:
                gc.collect()  # what earlier cells have left would stay with the libraries
                self._prepare(lacking)

        try:
            for result in execute(self.setup, batch, own=self.own, threads=threads, side_by_side=side_by_side, announce=announce,
                                  keep=None if kept_effort is None else keeping_in(place, self.setup, kept_effort)):
                self._end_copies()
                place.mkdir(exist_ok=True)  # an estimator may have deleted it
                self._answer(finished=result.key, file=spool(result, place).name)
        except MemoryError:
            traceback.print_exc()
            os._exit(MEMORY_EXIT_CODE)
        except OSError as error:
            self._answer(stuck=f"cannot write to {folder}: {error.strerror or error}")
            return
        gc.collect()
        trim_memory()  # another child may need it now
        self._answer(idle=True)

    def do_call(self, function: str, values: dict[str, Any]) -> None:
        """Call `module:function` with the run's folder and these values."""
        from tabbench.core.errors import TabbenchError

        module, _, name = function.partition(":")
        error = ""
        try:
            getattr(importlib.import_module(module), name)(self.folder, **values)
        except TabbenchError as failure:
            traceback.print_exc()
            error = str(failure)
        except MemoryError:
            traceback.print_exc()
            os._exit(MEMORY_EXIT_CODE)
        self._answer(called=error)

    def _load(self, modules: list[str]) -> bool:
        """Import what has not been imported yet; what does not load is told."""
        self.ahead = [module for module in self.ahead if module not in modules]
        broken = load(modules)
        if broken:
            self._answer(broken=broken)
        return not broken

    def _end_copies(self) -> None:
        """An estimator that forks comes back twice: the copy has nothing to say."""
        if os.getpid() != self.pid:
            os._exit(0)

    def _answer(self, **values: Any) -> None:
        self._end_copies()
        self.answers.write(json.dumps(values) + "\n")
        self.answers.flush()


def _private_stdout() -> IO[str]:
    """Keep standard output for answers; whatever a library prints goes to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _listen(orders: queue.Queue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    # The supervisor is gone: so are we, with everything that an estimator may have started.
    if sys.platform == "linux":
        os.kill(os.getppid(), signal.SIGTERM)  # the warden
        time.sleep(WARDEN_SECONDS)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    preload()
    run(Path(sys.argv[1]))
