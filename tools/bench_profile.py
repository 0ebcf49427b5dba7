"""Measures where the time of a limited run goes, in the supervisor by step and in the workers by approach.

    python tools/bench_profile.py [--limit 60s] TABLE=TARGET ...

Prints the page's table: wall seconds, and processor seconds in brackets. Fifty times a second it is looked what each worker does
by what it was ordered and has answered, and how much processor time it has used since. The run begins as that of a command does:
with the workers' start. The machine should do nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

Spent = dict[str, list[float]]
"""Step or approach -> wall and processor seconds."""
Row = tuple[str, ...]

STEPS = {
    "reading and splitting": ("tabbench.comparison.compare", "read_and_split"),
    "first look, with what is left of the workers' start": ("tabbench.comparison.running", "_look_first"),
    "planning": ("tabbench.comparison.running", "choose_plan"),
    "waiting for the checks": ("tabbench.comparison.concluding", "take_findings"),
    "cells": ("tabbench.comparison.running", "_run_plan"),
    "judging": ("tabbench.comparison.compare", "judged"),
    "reports, while the winner is fitted": ("tabbench.comparison.result", "write_reports"),
}
IMPORTS, REST, WHOLE = "interpreter and imports", "the rest: handing out, the winner's fit after the reports", "whole"
STARTING, WINNER, WAITING = "starting", "the winner on all rows", "waiting"
NO_FITS = frozenset({STARTING, WAITING})
FITTING = "seconds in which a worker fits"
LIMIT = "60s"
LOOK_SECONDS = 0.02
SHIPPED = ("credit_g", "diamonds")
MOST_NOT_FITTING = 0.1


def main() -> None:
    """Run each table, print a column for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--limit", default=LIMIT)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(profile_of(*given.tables[0].split("=", 1), given.limit)))
        return
    tables = {Path(path).name.split(".")[0]: (path, target) for path, target in (each.split("=", 1) for each in given.tables)}
    profiles = in_new_processes(tables, given.limit)
    for row in [*shares(profiles, given.limit), *seconds_table(profiles)]:
        print("| " + " | ".join(row) + " |")


def profile(data: Path | None) -> tuple[list[Row], list[Row]]:
    """The share that is not fitting, and where the seconds go, of shipped and generated tables and one of the folder `data`."""
    with tempfile.TemporaryDirectory() as place:
        profiles = in_new_processes(chosen_tables(Path(place), data), LIMIT)
    return shares(profiles, LIMIT), seconds_table(profiles)


def shares(profiles: Mapping[str, Mapping[str, Spent]], limit: str) -> list[Row]:
    """How much of each run is no fit: as long as any worker fits, and of every worker's time."""
    measures = {"the wall time in which no worker fits anything": not_fitting_at_all,
                "the workers' time in which nothing is fitted": not_fitting}
    return [(f"{name}, {limit}: share of {words}", f"{share(each):.0%}", f"≤ {MOST_NOT_FITTING:.0%}")
            for name, each in profiles.items() for words, share in measures.items()]


def chosen_tables(place: Path, data: Path | None) -> dict[str, tuple[str, str]]:
    """Name -> file and target; generated ones are written into `place`."""
    from bench_scale import generated_table
    from bench_wide import tables

    from tabbench.reading.cards import card_path, find_card

    cards = {name: find_card(name) for name in SHIPPED}
    chosen = {name: (str(card_path(card)), card.target) for name, card in cards.items() if card is not None}
    if data is not None and (data / "telco_churn").is_dir():
        card = json.loads((data / "telco_churn" / "card.json").read_text())
        chosen["telco_churn"] = (str(data / "telco_churn" / "train.csv"), card["target"])
    generated = {"genes": tables()["genes"], "300,000 × 40": generated_table(300_000, numbers=28)}
    for number, (name, table) in enumerate(generated.items()):
        table.to_csv(place / f"{number}.csv", index=False)
        chosen[name] = (str(place / f"{number}.csv"), "y")
    return chosen


def in_new_processes(tables: Mapping[str, tuple[str, str]], limit: str) -> dict[str, dict[str, Spent]]:
    """Name -> what `profile_of` says, each measured in a process of its own."""
    done = {}
    for name, (path, target) in tables.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        answer = subprocess.run([sys.executable, __file__, "--one", "--limit", limit, f"{path}={target}"], check=True,
                                stdout=subprocess.PIPE, text=True)
        done[name] = json.loads(answer.stdout.splitlines()[-1])
    return done


def profile_of(path: str, target: str, limit: str) -> dict[str, Spent]:
    """Seconds of one run in this process, by step, of its workers, by approach, and in which any of them fits."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        from tabbench.comparison.starting import start_importing
        from tabbench.core.executor import LOCAL

        folder = Path(place) / "run"
        start_importing(folder, executor=LOCAL, is_fresh=False, is_limited=True)
        import tabbench
        import tabbench.comparison.compare as _  # noqa: F401 - loads what is timed below

        steps: Spent = {IMPORTS: [time.monotonic() - began, time.process_time()]}
        for step, (module, name) in STEPS.items():
            setattr(sys.modules[module], name, timed(getattr(sys.modules[module], name), step, steps))
        with (looking := Looking()):
            tabbench.compare(path, target, time_limit=limit, save_winner=True, quiet=True, out=folder)
        whole = [time.monotonic() - began, time.process_time()]
    steps[REST] = [whole[kind] - sum(each[kind] for each in steps.values()) for kind in (0, 1)]
    together = {FITTING: [looking.fitting_seconds, 0.0]}
    return {"steps": {**steps, WHOLE: whole}, "workers": dict(looking.spent), "together": together}


def timed(work: Callable[..., Any], step: str, spent: Spent) -> Callable[..., Any]:
    """The same function; `spent` gets its seconds."""

    @functools.wraps(work)
    def wrapped(*args: Any, **values: Any) -> Any:
        began = time.monotonic(), time.process_time()
        try:
            return work(*args, **values)
        finally:
            before = spent.get(step, [0.0, 0.0])
            spent[step] = [before[0] + time.monotonic() - began[0], before[1] + time.process_time() - began[1]]

    return wrapped


class Looking:
    """Looks at the workers of this process again and again: what they do, and how much processor time that takes."""

    def __init__(self) -> None:
        self.spent: Spent = defaultdict(lambda: [0.0, 0.0])
        self.fitting_seconds = 0.0
        self._doing: dict[Any, Doing] = {}
        self._workers: list[Any] = []
        self._used: dict[Any, float] = {}
        self._families: dict[Any, list[psutil.Process]] = {}
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on)

    def __enter__(self) -> None:
        from tabbench.execution.worker import Worker

        start, order, workers, doing = Worker.__init__, Worker.order, self._workers, self._doing

        def noted(worker: Any, number: int, folder: Path, events: Any, **values: Any) -> None:
            doing[worker] = Doing()  # before it has a process, which answers at once
            start(worker, number, folder, Overheard(events, doing), **values)
            workers.append(worker)

        def ordered(worker: Any, **message: Any) -> None:
            cells = worker.batch.cells if message["do"] == "run" else ()
            doing[worker].note_order(message["do"], {cell.key: cell.approach for cell in cells})
            order(worker, **message)

        Worker.__init__, Worker.order = noted, ordered  # type: ignore[method-assign, assignment]
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._has_ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        before = time.monotonic()
        while not self._has_ended.wait(LOOK_SECONDS):
            now = time.monotonic()
            alive = {worker: self._doing[worker].now for worker in list(self._workers) if worker.process.poll() is None}
            self.fitting_seconds += now - before if any_fits(alive.values()) else 0.0
            for worker, doing in alive.items():
                with contextlib.suppress(psutil.Error):  # it has just ended
                    used = sum(sum(each.cpu_times()[:2]) for each in self._family(worker))
                    spent = self.spent[doing]
                    spent[0] += now - before
                    spent[1] += used - self._used.get(worker, 0.0)
                    self._used[worker] = used
            before = now

    def _family(self, worker: Any) -> list[psutil.Process]:
        """The worker's processes, once it has been forked; the first one only watches over the one that works."""
        if worker.process.pid is None:
            return []
        # One that is warm at once may be looked at before the one that works has been forked.
        if len(self._families.get(worker, ())) < 2 or not worker.is_warm:
            process = psutil.Process(worker.process.pid)
            self._families[worker] = [process, *process.children(recursive=True)]
        return self._families[worker]


class Overheard:
    """A supervisor's queue of events, of which it is noted what the workers do."""

    def __init__(self, events: Any, workers: Mapping[Any, Doing]) -> None:
        self._events, self._workers = events, workers

    def put(self, event: Any) -> None:
        """Note an event and hand it on."""
        self._workers[event.worker].note_answer(event.values or {})
        self._events.put(event)


class Doing:
    """What a worker does `now`: the approach that it fits, or why it fits none.

    As long as it imports what a cell needs, or opens the table, it is starting.
    """

    def __init__(self) -> None:
        self.now = STARTING
        self._is_warm, self._is_called = False, False
        self._approaches: dict[str, str] = {}
        self._cell = ""

    def note_order(self, kind: str, approaches: Mapping[str, str]) -> None:
        """It was ordered something: to run cells, by key these approaches, or a call, as it is for the winner's last fit."""
        if kind == "run":
            self._approaches, self._cell, self.now = dict(approaches), "", STARTING
        elif kind == "call":
            self._is_called, self.now = True, WINNER if self._is_warm else STARTING

    def note_answer(self, values: Mapping[str, Any]) -> None:
        """It has said something."""
        if "warm" in values:
            self._is_warm, self.now = True, WINNER if self._is_called else WAITING
        elif "started" in values:
            self._cell = self._approaches[values["started"]]
            self.now = STARTING if values["lacks"] else self._cell
        elif "loaded" in values:
            self.now = self._cell or STARTING
        elif values.keys() & {"finished", "idle", "called", "refused", "stuck"}:
            self.now = WAITING


def any_fits(doing: Iterable[str]) -> bool:
    """Whether one of the workers that do this fits something."""
    return not NO_FITS.issuperset(doing)


def not_fitting_at_all(measured: Mapping[str, Spent]) -> float:
    """Share of the run's wall time in which no worker fits anything; before workers start, and after they have ended, too."""
    return 1 - measured["together"][FITTING][0] / measured["steps"][WHOLE][0]


def not_fitting(measured: Mapping[str, Spent]) -> float:
    """Share of the workers' wall time; what they do is looked at from their start to the end of the run.

    The winner's last fit uses the cores of all workers, so of it processor time counts.
    """
    workers = measured["workers"]
    wall, used = workers.get(WINNER, [0.0, 0.0])
    idle = sum(workers.get(each, [0.0])[0] for each in NO_FITS) + wall - used
    return idle / sum(wall for wall, _ in workers.values())


def seconds_table(profiles: Mapping[str, Mapping[str, Spent]]) -> list[Row]:
    """A row a step and, below, an approach; the first one is the header."""
    rows: list[Row] = [("wall (processor) seconds", *profiles)]
    for part, words in (("steps", "{}"), ("workers", "the workers together: {}")):
        names = dict.fromkeys(name for each in profiles.values() for name in each[part])
        for name in names:
            cells = [each[part].get(name) for each in profiles.values()]
            rows.append((words.format(name), *("" if cell is None else f"{cell[0]:.1f} ({cell[1]:.1f})" for cell in cells)))
    return rows


if __name__ == "__main__":
    main()
