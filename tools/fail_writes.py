"""Let the k-th write, or the k-th sync, of a small comparison fail, for every k, and continue it afterwards.

python tools/fail_writes.py [--every 1] [--minutes 60] [--kinds full,error,short,sync]

Needs a C compiler and Linux: the calls of the C library are replaced, so that SQLite's and Arrow's fail as well. No failure may
show a traceback or lose what was finished, and what is continued must answer what an undisturbed run answers.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn.linear_model  # noqa: F401 - here and below: loaded once and not by every process

import tabbench.comparison.compare
import tabbench.report.as_html  # noqa: F401

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
static long left = -1, seen = 0; static int kind = 0;
enum { NONE, FULL, ERROR, SHORT, SYNC };
void fail_at(int which, long number) { kind = which; left = number; seen = 0; }
long calls_seen(void) { return seen; }
static int is_file(int fd) { struct stat s; return !fstat(fd, &s) && S_ISREG(s.st_mode); }
static int fails(int fd, int is_sync) {
    if (kind == NONE || is_sync != (kind == SYNC) || !is_file(fd)) return 0;
    seen++;
    if (left > 0) { left--; return 0; }
    if (left < 0) return 0;
    if (kind != FULL) left = -1;
    return kind;
}
#define WRITE(name, parameters, arguments, size) \
ssize_t name parameters { \
    static ssize_t (*real) parameters; if (!real) real = dlsym(RTLD_NEXT, #name); \
    int how = fails(fd, 0); \
    if (how == FULL) { errno = ENOSPC; return -1; } \
    if (how == ERROR) { errno = EIO; return -1; } \
    if (how == SHORT && size > 1) size /= 2; \
    return real arguments; }
WRITE(write, (int fd, const void *b, size_t n), (fd, b, n), n)
WRITE(pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o), n)
WRITE(pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), n)
#define SYNCS(name) int name(int fd) { \
    static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, #name); \
    if (fails(fd, 1)) { errno = EIO; return -1; } return real(fd); }
SYNCS(fsync)
SYNCS(fdatasync)
"""
KINDS = {"full": 1, "error": 2, "short": 3, "sync": 4}
BY_THE_CLOCK = {"costs", "timing", "cost_crossovers", "budget_crossovers", "cost_limits", "winner_map"}
NEVER = 10**9


def main() -> None:
    """Print what came of the failures; exit with 1 where one was not handled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="try each so many-th call only")
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so many")
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args()
    if "TABBENCH_FAILING" not in os.environ:
        _start_again()
    with tempfile.TemporaryDirectory(prefix="tabbench-fail-") as place, contextlib.chdir(place):
        bad = campaign(given.kinds.split(","), given.every, time.monotonic() + 60 * given.minutes)
    sys.exit(bool(bad))


def _start_again() -> None:
    """The same command with the library in front of the C library."""
    place = Path(tempfile.mkdtemp(prefix="tabbench-failing-"))
    (place / "failing.c").write_text(SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", place / "failing.so", place / "failing.c", "-ldl"], check=True)
    library = str(place / "failing.so")
    done = subprocess.run([sys.executable, *sys.argv], env=os.environ | {"LD_PRELOAD": library, "TABBENCH_FAILING": library},
                          check=False)
    shutil.rmtree(place)
    sys.exit(done.returncode)


def campaign(kinds: list[str], every: int, ends: float) -> list[str]:
    """All failures; gives the sentences about those that were not handled."""
    write_table()
    calls = {}
    for kind in kinds:
        said = apart(lambda kind=kind: compare("undisturbed", kind, NEVER))
        calls[kind] = int(said.split()[0])
        shutil.move("undisturbed", f"whole-{kind}")
    expected, bad, counts = answer(f"whole-{kinds[0]}"), [], Counter[str]()
    for kind, most in calls.items():
        print(f"{kind}: {most} calls", flush=True)
        for number in range(0, most, every):
            if time.monotonic() > ends:
                break
            shutil.rmtree("run", ignore_errors=True)
            first = apart(lambda kind=kind, number=number: compare("run", kind, number))
            again = apart(lambda: compare("run", "full", NEVER))
            found = verdict(first, again, expected)
            counts[f"{kind}: {found}"] += 1
            if found not in ("a sentence", "no harm"):
                bad.append(f"{kind} {number}: {found}: {first[-1500:]} / {again[-1500:]}")
                print(bad[-1], flush=True)
    for name, count in sorted(counts.items()):
        print(f"{name} {count}")
    print(f"{sum(counts.values())} failures, {len(bad)} of them not handled")
    return bad


def write_table() -> None:
    """The table of the campaign, small and the same each time."""
    random = np.random.default_rng(0)
    x = random.normal(size=90)
    pd.DataFrame({"x": x, "z": random.normal(size=90), "y": np.where(x + random.normal(size=90) > 0, "a", "b")}).to_csv(
        "table.csv", index=False)


def compare(out: str, kind: str, number: int) -> str:
    """Run the command in this process with one failure; gives the calls that were seen, the exit code and what it said."""
    from typer.testing import CliRunner

    from tabbench.cli import app

    library = ctypes.CDLL(os.environ["TABBENCH_FAILING"])
    library.fail_at(KINDS[kind], ctypes.c_long(number))
    done = CliRunner().invoke(app, ["compare", "table.csv", "--target", "y", "--approaches", "dummy,linear", "--effort", "0.02",
                                    "--folds", "2", "--repeats", "1", "--sizes", "full", "--executor", "in-process", "--quiet",
                                    "--out", out])
    seen = library.calls_seen()
    library.fail_at(0, ctypes.c_long(-1))
    text = io.StringIO()
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        traceback.print_exception(done.exception, file=text)
    return f"{seen} {done.exit_code} {done.output}{text.getvalue()}"


def apart(work: Callable[[], str]) -> str:
    """What a piece of work says in a process of its own."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        os.close(reader)
        said = "DIED"
        try:
            said = work()
        finally:
            os.write(writer, said.encode()[:60_000])
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    return said


def answer(folder: str) -> dict[str, object]:
    """A run's result without what was measured by the clock."""
    values = json.loads((Path(folder) / "result.json").read_text())
    return {name: value for name, value in values.items() if name not in BY_THE_CLOCK}


def verdict(first: str, again: str, expected: dict[str, object]) -> str:
    """What came of one failure."""
    if "Traceback" in first + again or not (first and again) or "DIED" in first + again:
        return "TRACEBACK"
    if again.split()[1] != "0" or answer("run") != expected:
        return "LOST"
    code = int(first.split()[1])
    said = first.split(" ", 2)[2]
    return "no harm" if code == 0 else "a sentence" if said.startswith("tabbench: ") and code == 1 else "NO SENTENCE"


if __name__ == "__main__":
    main()
