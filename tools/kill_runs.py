"""Disturb small comparisons in many ways, continue each, and compare its answer with that of an undisturbed one.

python tools/kill_runs.py supervisor|workers|signals|two|removed|fresh|full [--times 300] [--seed 0] [--minutes 60] [--every 1]

supervisor, workers: SIGKILL at random moments. signals: SIGINT, SIGTERM, SIGHUP. two: a second supervisor on the same folder.
removed: the folder goes away meanwhile. fresh: `--fresh` is killed at each system call that changes a folder (needs strace).
full: a small tmpfs runs full (needs the right to mount). Nothing that was in the store may be lost, no process be left.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from tabbench.core.errors import TabbenchError
from tabbench.store.database import Store
from tabbench.store.folder import require_run

BY_THE_CLOCK = {"costs", "timing", "cost_crossovers", "budget_crossovers", "cost_limits", "winner_map"}
CALLS = ("rename", "renameat", "renameat2", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "fsync", "fdatasync", "ftruncate")
MOST_CALLS = 10_000
GONE_SECONDS = 5.0
MARK = "TABBENCH_CAMPAIGN"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TMPFS_KB = range(64, 1024, 32)
"""Sizes at which the disk is full at different moments."""


class Campaign:
    """One kind of disturbance, many times, in a folder of its own."""

    def __init__(self, place: Path, times: int, seed: int, minutes: float, every: int) -> None:
        self.place, self.times, self.choice, self.ends = place, times, random.Random(seed), time.monotonic() + 60 * minutes
        self.every = every
        self.run, self.counts = place / "run", Counter[str]()
        self.faults: list[str] = []
        write_table(place / "table.csv")
        assert self.compare(place / "undisturbed") == 0
        self.expected = answer(place / "undisturbed")
        began = time.monotonic()
        shutil.rmtree(place / "undisturbed")
        assert self.compare(place / "undisturbed") == 0
        self.seconds = time.monotonic() - began

    def goes_on(self, kind: str = "disturbed") -> bool:
        """Whether neither all times nor the minutes are over."""
        return self.counts[kind] < self.times and time.monotonic() < self.ends

    def command(self, out: Path, *more: str) -> list[str]:
        """The comparison of the campaign."""
        return [sys.executable, "-m", "tabbench", "compare", str(self.place / "table.csv"), "--target", "y", "--approaches",
                "dummy,linear", "--effort", "0.02", "--folds", "2", "--repeats", "2", "--sizes", "30,full", "--quiet",
                "--out", str(out), *(more or ("--jobs", "2"))]

    def start(self, out: Path, *more: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start it, perhaps under another program."""
        command = [*before, *self.command(out, *more)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                env=os.environ | {MARK: str(self.place)})

    def compare(self, out: Path, *more: str) -> int:
        """Run it to its end; gives the exit code."""
        process = self.start(out, *more)
        said = process.communicate()[1]
        self.look_at(said)
        return process.returncode

    def look_at(self, said: str) -> None:
        """A traceback is a fault."""
        if "Traceback" in said:
            self.faults.append(said)

    def check(self, is_right: bool, what: str) -> None:
        """Note a fault."""
        if not is_right:
            self.faults.append(what)
            print(f"FAULT {what}", flush=True)

    def finish(self) -> None:
        """Continue a disturbed run to its end, compare, and leave the place empty."""
        self.check(self.compare(self.run) == 0, "it does not continue")
        self.check(answer(self.run) == self.expected, "another answer")
        shutil.rmtree(self.run, ignore_errors=True)

    def finished(self) -> set[str]:
        """The cells that the store has."""
        try:
            with Store.reading(require_run(self.run)) as store:
                return store.finished()
        except TabbenchError as error:
            self.check("no such run" in str(error) or "is not a run folder" in str(error), f"the store is gone: {error}")
            return set()

    def no_orphans(self) -> None:
        """Whatever a supervisor has started ends with it."""
        deadline = time.monotonic() + GONE_SECONDS
        while (left := started_from(self.place)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.check(not left, f"left: {left}")


def workers_of(run: Path) -> list[int]:
    """Processes that run cells in this folder: workers and their wardens, whose log is there."""
    return [each.pid for each in psutil.process_iter(["cmdline", "open_files"])
            if "tabbench.execution.fork_server" in (each.info["cmdline"] or [])
            and any(Path(file.path).is_relative_to(run) for file in each.info["open_files"] or [])]


def started_from(place: Path) -> list[int]:
    """Processes that come from this campaign's commands, by a variable that they all inherit."""
    return [each.pid for each in psutil.process_iter(["environ"]) if (each.info["environ"] or {}).get(MARK) == str(place)]


def write_table(path: Path) -> None:
    """The table of the campaign, small and the same each time."""
    choice = np.random.default_rng(0)
    x = choice.normal(size=90)
    pd.DataFrame({"x": x, "z": choice.normal(size=90), "y": np.where(x + choice.normal(size=90) > 0, "a", "b")}).to_csv(
        path, index=False)


def answer(folder: Path) -> dict[str, Any]:
    """A run's result without what was measured by the clock."""
    values = json.loads((folder / "result.json").read_text())
    return {name: value for name, value in values.items() if name not in BY_THE_CLOCK}


def kill_supervisor(campaign: Campaign, number: int = signal.SIGKILL) -> None:
    """Stop runs at random moments; a run that ends before is followed by another one."""
    while campaign.goes_on():
        before = campaign.finished() if campaign.run.exists() else set()
        process = campaign.start(campaign.run)
        try:
            process.wait(campaign.choice.uniform(0.1, 1.1 * campaign.seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            campaign.counts["disturbed"] += 1
        said = process.communicate()[1]
        campaign.look_at(said)
        campaign.check(process.returncode in (0, -number, 130), f"exit code {process.returncode}: {said}")
        campaign.no_orphans()
        campaign.check(campaign.finished() >= before, "finished cells are lost")
        if process.returncode == 0:
            campaign.finish()
    campaign.finish()


def send_signals(campaign: Campaign) -> None:
    """As `kill_supervisor`, with each of the signals that ask politely."""
    for number in SIGNALS:
        kill_supervisor(campaign, number)
        campaign.counts[number.name] = campaign.counts.pop("disturbed")


def kill_workers(campaign: Campaign) -> None:
    """Kill one worker at a random moment of every run."""
    while campaign.goes_on():
        process = campaign.start(campaign.run)
        time.sleep(campaign.choice.uniform(0.2, campaign.seconds))
        if process.poll() is None and (workers := workers_of(campaign.run)):
            psutil.Process(campaign.choice.choice(workers)).kill()
            campaign.counts["disturbed"] += 1
        campaign.look_at(process.communicate()[1])
        campaign.check(process.returncode == 0, f"exit code {process.returncode}")
        campaign.no_orphans()
        campaign.finish()


def two_supervisors(campaign: Campaign) -> None:
    """Start two at the same moment: one runs, the other says why it does not."""
    while campaign.goes_on():
        both = [campaign.start(campaign.run) for _ in range(2)]
        said = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        campaign.counts["disturbed"] += 1
        campaign.look_at("".join(said))
        is_refused = codes == [0, 1] and "another tabbench is working" in "".join(said)
        campaign.check(codes == [0, 0] or is_refused, f"{codes}: {said}")
        campaign.finish()


def remove_folder(campaign: Campaign) -> None:
    """Take the folder away while it is written: a sentence, and no process that stays."""
    while campaign.goes_on():
        process = campaign.start(campaign.run)
        time.sleep(campaign.choice.uniform(0.2, campaign.seconds))
        shutil.rmtree(campaign.run, ignore_errors=True)
        said = process.communicate()[1]
        campaign.counts["disturbed"] += 1
        campaign.look_at(said)
        campaign.check(process.returncode == 0 or said.startswith("tabbench: "), f"exit code {process.returncode}: {said}")
        campaign.no_orphans()
        shutil.rmtree(campaign.run, ignore_errors=True)
        campaign.finish()


def start_over(campaign: Campaign) -> None:
    """Kill `--fresh` at each system call that changes a folder; the old or the new run is whole."""
    old = campaign.place / "old"
    shutil.move(campaign.place / "undisturbed", old)
    (old / "notes.txt").write_text("mine")
    for call in CALLS:  # strace counts the calls of each name apart
        for number in range(1, MOST_CALLS, campaign.every):
            shutil.copytree(old, campaign.run)
            if not killed_at(campaign, call, number):
                shutil.rmtree(campaign.run)
                break
            look_at_both(campaign, f"{call} {number}")
            campaign.finish()


def killed_at(campaign: Campaign, call: str, number: int) -> bool:
    """Whether starting over came to this call, and was killed there; otherwise it ran to its end."""
    process = campaign.start(campaign.run, "--fresh", "--executor", "in-process",
                             before=("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                     f"inject={call}:signal=KILL:when={number}"))
    said = process.communicate()[1]
    campaign.check(process.returncode in (0, -signal.SIGKILL), f"{call} {number}: exit code {process.returncode}: {said}")
    return process.returncode != 0


def look_at_both(campaign: Campaign, moment: str) -> None:
    """After `--fresh` was killed at this moment: the old run or the new one is there, and files of other people's."""
    finished = campaign.finished()  # opening the folder brings back what was put aside
    campaign.check((campaign.run / "notes.txt").read_text() == "mine", f"{moment}: another one's file is gone")
    with Store.reading(campaign.run) as store:
        is_old = store.recall("timing") is not None and (campaign.run / "report.html").exists() and len(finished) > 0
        campaign.check(is_old or store.recall("identity") is not None, f"{moment}: neither the old nor the new run")
    campaign.counts["disturbed"] += 1
    campaign.counts["old run" if is_old else "new run"] += 1


def fill_disk(campaign: Campaign) -> None:
    """Run on a disk that is too small, then make it larger and continue."""
    campaign.run.mkdir()
    for size in campaign.choice.sample(TMPFS_KB, len(TMPFS_KB)):
        if time.monotonic() > campaign.ends:
            break
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", campaign.run], check=True)
        try:
            process = campaign.start(campaign.run / "run")
            said = process.communicate()[1]
            campaign.look_at(said)
            campaign.check(process.returncode == 0 or (said.startswith("tabbench: ") and "space" in said), f"{size} kB: {said}")
            campaign.check("fresh" not in said, f"{size} kB: a wrong cure: {said}")
            campaign.counts["disturbed" if process.returncode else "large enough"] += 1
            subprocess.run(["mount", "-o", "remount,size=64m", campaign.run], check=True)
            campaign.check(campaign.compare(campaign.run / "run") == 0, "it does not continue")
            campaign.check(answer(campaign.run / "run") == campaign.expected, "another answer")
        finally:
            subprocess.run(["umount", campaign.run], check=True)


KINDS: dict[str, Callable[[Campaign], None]] = {
    "supervisor": kill_supervisor, "workers": kill_workers, "signals": send_signals, "two": two_supervisors,
    "removed": remove_folder, "fresh": start_over, "full": fill_disk}


def main() -> None:
    """Run one campaign and print its figures; exit with 1 where something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so many")
    parser.add_argument("--every", type=int, default=1, help="of the calls of fresh, each so many-th")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tabbench-kill-") as place:
        campaign = Campaign(Path(place), given.times, given.seed, given.minutes, given.every)
        KINDS[given.kind](campaign)
    for fault in campaign.faults:
        print(fault)
    print(f"{given.kind}: {dict(campaign.counts)}, {len(campaign.faults)} faults")
    sys.exit(bool(campaign.faults))


if __name__ == "__main__":
    main()
