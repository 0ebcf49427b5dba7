"""Measures what a suite's supervisor takes when 100,000 cells are planned: processor time, memory, seconds to the first result.

    python tools/bench_suite.py

Suites of small tables: a hundred tables of a thousand cells, with fits of boosted trees and with cells of a few milliseconds, and
one table with all of them. The supervisor's processor seconds are counted while cells run, for a minute each. The goal is that
of real fits; each result has a price of its own, which the tiny cells show.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

MEASURED_SECONDS = 60.0
LONGEST_START_SECONDS = 240.0
MOST_SHARE, MOST_MB = 0.05, 300
SUITES = {"100 tables of 1,000 fits of boosted trees": (100, 50, "boosting", 1.0, 2_000),
          "100 tables of 1,000 tiny cells": (100, 50, "linear", 0.01, 60),
          "one table of 100,000 tiny cells": (1, 5_000, "linear", 0.01, 60)}
"""Tables and repeats, of 5 folds, 2 sizes and 2 approaches (this one and the constant), the effort, and the rows of a table."""

Row = tuple[str, str, str]


@dataclass(frozen=True)
class Supervised:
    """What a supervisor took."""

    start_seconds: float
    share: float
    megabytes: float
    results_a_second: float

    def rows(self, what: str, *, is_tiny: bool) -> list[Row]:
        """As rows of the page."""
        milliseconds = 1_000 * self.share / self.results_a_second
        return [(f"{what}: processor time of the supervisor, {self.results_a_second:.1f} results a second",
                 f"{self.share:.1%} of a core, {milliseconds:.1f} ms a result", "" if is_tiny else f"{MOST_SHARE:.0%}"),
                (f"{what}: memory of the supervisor", f"{self.megabytes:.0f} MB", f"{MOST_MB} MB"),
                (f"{what}: seconds to the first result", f"{self.start_seconds:.0f}", "")]


def measure() -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as place:
        return [row for what, shape in SUITES.items()
                for row in supervise(Path(place), *shape).rows(what, is_tiny="tiny" in what)]


def supervise(place: Path, tables: int, repeats: int, approach: str, effort: float, rows: int) -> Supervised:
    """Run a suite for a minute after its first result."""
    suite, out = place / f"{approach}{tables}.toml", place / f"{approach}{tables}"
    suite.write_text(definition(tables, repeats, approach, effort, rows))
    began = time.monotonic()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "tabbench", "suite", "run", str(suite), "--out", str(out), "--quiet"],
                               env=environment, start_new_session=True)
    try:
        supervisor = psutil.Process(process.pid)
        await_results(out, began + LONGEST_START_SECONDS)
        start_seconds, before, used = time.monotonic() - began, results_in(out), cpu_seconds(supervisor)
        time.sleep(MEASURED_SECONDS)
        share = (cpu_seconds(supervisor) - used) / MEASURED_SECONDS
        return Supervised(start_seconds, share, supervisor.memory_info().rss / 1e6, (results_in(out) - before) / MEASURED_SECONDS)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def definition(tables: int, repeats: int, approach: str, effort: float, rows: int) -> str:
    """A suite of generated tables."""
    sources = ", ".join(f'"generated:xor,rows={rows},seed={seed}"' for seed in range(tables))
    return (f'name = "many"\ntitle = "Many tiny cells"\ntables = [{sources}]\n\n[options]\napproaches = ["{approach}"]\n'
            f'effort = {effort}\nsizes = [30, "full"]\nrepeats = {repeats}\n')


def await_results(out: Path, deadline: float) -> None:
    """Wait for the first result."""
    while not results_in(out):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no result within {LONGEST_START_SECONDS:.0f} s")
        time.sleep(0.2)


def results_in(out: Path) -> int:
    """How many results the stores hold; they are only looked at."""
    count = 0
    for path in out.glob("tables/*/run.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            try:
                count += connection.execute("SELECT count(*) FROM result").fetchone()[0]
            except sqlite3.OperationalError:  # it is just being made
                continue
        connection.close()
    return count


def cpu_seconds(process: psutil.Process) -> float:
    """Of the process alone."""
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    for each in measure():
        print(*each, sep=" | ")
