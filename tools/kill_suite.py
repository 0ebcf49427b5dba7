"""Kill a suite's run at random moments until it has ended by itself, and compare its answers with those of an undisturbed run.

python tools/kill_suite.py NAME --kills 20 [--folder DIR] [options of `tabbench suite run`]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

BY_THE_CLOCK = {"costs", "timing", "cost_crossovers", "budget_crossovers", "cost_limits", "winner_map", "cost"}
"""Entries of a result that hold measured times, or follow from them."""
LONGEST_SECONDS = 15.0
"""A run is killed at the latest so long after its start."""


def main() -> None:
    """Run the suite once in peace and once with kills; exit with 1 if the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=LONGEST_SECONDS, help="seconds until a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("kill-suite"))
    known, options = parser.parse_known_args()
    command = [sys.executable, "-m", "tabbench", "suite", "run", known.name, "--quiet", *options]
    quiet, killed = known.folder / "undisturbed", known.folder / "killed"
    shutil.rmtree(killed, ignore_errors=True)
    subprocess.run([*command, "--out", str(quiet)], check=False)
    kills = kill_at_random([*command, "--out", str(killed)], known.kills, known.longest, random.Random(known.seed))
    subprocess.run([*command, "--out", str(killed)], check=False)
    differing = [name for name, answer in answers(quiet).items() if answers(killed).get(name) != answer]
    print(f"{kills} kills; {len(answers(quiet))} answers, of which differ: {', '.join(differing) or 'none'}")
    sys.exit(bool(differing))


def kill_at_random(command: list[str], kills: int, longest: float, choice: random.Random) -> int:
    """Start the command anew after each kill, until it ends by itself or was killed so often; gives how often it was."""
    for done in range(kills):
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(choice.uniform(0.3, longest))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:
            return done
    return kills


def answers(folder: Path) -> dict[str, Any]:
    """The results of a suite and its tables, by their places in the folder, without what was measured by the clock."""
    paths = [*folder.glob("result.json"), *sorted(folder.glob("tables/*/result.json"))]
    return {path.relative_to(folder).as_posix(): without_times(json.loads(path.read_text(encoding="utf-8"))) for path in paths}


def without_times(values: Any) -> Any:
    """The same values, less the entries that hold times."""
    if isinstance(values, dict):
        return {name: without_times(value) for name, value in values.items() if name not in BY_THE_CLOCK}
    return [without_times(each) for each in values] if isinstance(values, list) else values


if __name__ == "__main__":
    main()
