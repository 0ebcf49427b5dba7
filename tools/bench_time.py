"""Measures where the wall time of a limited run goes: a row a step, for some tables.

    python tools/bench_time.py [--limit 60s] TABLE=TARGET ...

Prints the page's section. The machine should do nothing else.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = {
    "reading and splitting": ("tabbench.comparison.compare", "read_and_split"),
    "first look (with what is left of the children's start)": ("tabbench.comparison.running", "_look_first"),
    "planning": ("tabbench.comparison.running", "choose_plan"),
    "waiting for the checks": ("tabbench.comparison.running", "_take_findings"),
    "cells": ("tabbench.comparison.running", "_run_plan"),
    "judging": ("tabbench.comparison.compare", "judged"),
    "reports, while the winner is fitted": ("tabbench.comparison.result", "write_reports"),
}


def main() -> None:
    """Run each table, print a column for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--limit", default="60s")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(steps_of(*given.tables[0].split("=", 1), given.limit)))
        return
    columns = {table: json.loads(subprocess.run([sys.executable, __file__, "--one", "--limit", given.limit, table], check=True,
                                                capture_output=True, text=True).stdout.splitlines()[-1])
               for table in given.tables}
    names = [Path(table.split("=")[0]).parent.name or table for table in columns]
    print(f"| seconds of {given.limit} | " + " | ".join(names) + " |\n| --- |" + " --- |" * len(names))
    for step in dict.fromkeys(step for column in columns.values() for step in column):
        print(f"| {step} | " + " | ".join(str(column.get(step, "")) for column in columns.values()) + " |")


def steps_of(path: str, target: str, limit: str) -> dict[str, Any]:
    """Step -> seconds of one run, in this process."""
    began = time.monotonic()
    import tabbench
    import tabbench.comparison.compare as _  # noqa: F401 - loads what is timed below

    spent: dict[str, float] = defaultdict(float)
    spent["interpreter and imports"] = time.monotonic() - began
    for step, (module, name) in STEPS.items():
        setattr(sys.modules[module], name, timed(getattr(sys.modules[module], name), step, spent))
    with tempfile.TemporaryDirectory() as place:
        started = time.monotonic()
        comparison = tabbench.compare(path, target, time_limit=limit, save_winner=True, quiet=True, out=Path(place) / "run")
        whole = time.monotonic() - started
        fitting = float((comparison.costs["fit_seconds"] * comparison.protocol["splits"]).sum())
    jobs = 2
    rows = {step: round(seconds, 1) for step, seconds in spent.items()}
    rows["the rest: planning, handing out, the winner's fit after the reports"] = round(
        whole - sum(seconds for step, seconds in spent.items() if step != "interpreter and imports"), 1)
    rows["whole"] = round(whole + spent["interpreter and imports"], 1)
    # What approaches share is charged to each of them, so this is what they would have needed alone.
    rows["fits would have taken, one after the other"] = round(fitting, 1)
    rows["the same by core and second of the cells' step"] = round(fitting / jobs / max(spent["cells"], 1e-9), 2)
    return rows


def timed(work: Callable[..., Any], step: str, spent: dict[str, float]) -> Callable[..., Any]:
    """The same function; `spent` gets its seconds."""

    @functools.wraps(work)
    def wrapped(*args: Any, **values: Any) -> Any:
        began = time.monotonic()
        try:
            return work(*args, **values)
        finally:
            spent[step] += time.monotonic() - began

    return wrapped


if __name__ == "__main__":
    main()
