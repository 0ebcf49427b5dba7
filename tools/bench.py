"""Writes docs/benchmarks.md, section by section; each carries its own date, versions and machine.

    python tools/bench.py [SECTION ...] [FILE=TARGET ...] [--data DIR] [--yardstick DIR] [--results FILE] [--winner]
        [--nets PYTHON]

Measures the sections that are named, or all but `gpu`, and replaces these in the page. The figures go into docs/benchmarks.json,
too; what is more than 10 % worse than the ones there is named. FILE=TARGET are tables of your own for
the sections `linear` and `scale`. The sections `peers` and `by-hand` need what is not in the repository: DIR/TABLE/{train.csv,
test.csv, card.json}, and a folder with by_hand.py, as bench_peers.py and bench_by_hand.py say; `nets` can use an interpreter with
other nets. Let the machine do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow
from bench_guard import compared

from tabbench.comparison.prepare import versions
from tabbench.execution.machine import cpu_model, machine_memory_bytes, usable_cores
from tabbench.reading.cards import card_path, find_card

FIGURES = Path(__file__).parents[1] / "docs" / "benchmarks.json"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`, a section at a time. Ratios hold within one run on one machine; single times are noisy.
"""
GOALS_HEADER = ("what", "measured", "goal")
LINEAR_TABLES = ("adult", "credit_g", "diamonds")
LINEAR_MOST_ROWS = 10_000
"""Longer tables are cut to this many rows."""
BY_HAND_TABLES = ("telco_churn", "credit_g", "wine_quality")

Table = Sequence[Sequence[str]]
"""A header and rows."""


@dataclass(frozen=True)
class Given:
    """What the sections are measured on besides the repository's own tables."""

    files: dict[str, str]
    data: Path | None
    yardstick: Path | None
    results: Path | None
    with_winner: bool
    nets: str | None


@dataclass(frozen=True)
class Section:
    """A part of the page. `measure` gives its tables; `needs` says what of `Given` it can't do without.

    `picture` is what measuring draws beside the page, as Markdown.
    """

    title: str
    about: str
    measure: Callable[[Given], list[Table]]
    needs: tuple[str, ...] = ()
    picture: str = ""


def main() -> None:
    """Measure the sections, one after the other, and put each into the page when it is done."""
    names, given = read_arguments()
    for name in names:
        missing = [f"--{need}" for need in SECTIONS[name].needs if getattr(given, need) is None]
        if missing:
            print(f"{name}: left as it is, {' and '.join(missing)} not given", file=sys.stderr)
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        tables = SECTIONS[name].measure(given)
        body = "\n\n".join(filter(None, [circumstances(), *map(markdown, tables), SECTIONS[name].picture]))
        PAGE.write_text(with_section(PAGE.read_text() if PAGE.exists() else HEAD, name, body))
        print(body)
        machine = f"{usable_cores()} cores, {machine_memory_bytes() / 1e9:.0f} GB, {cpu_model()}"
        rows = [row for header, *rows in tables if tuple(header) == GOALS_HEADER for row in rows]
        for line in compared(FIGURES, name, rows, machine):
            print(f"more than 10 % worse than the last time: {line}", file=sys.stderr)


def read_arguments() -> tuple[list[str], Given]:
    """The names of the sections to measure, and on what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="SECTION or FILE=TARGET", help=f"sections: {', '.join(SECTIONS)}")
    parser.add_argument("--data", type=Path, help="folder with a folder a table: train.csv, test.csv, card.json")
    parser.add_argument("--yardstick", type=Path, help="folder with by_hand.py, or such a script")
    parser.add_argument("--results", type=Path, help="JSON lines of other systems' losses on the same test files")
    parser.add_argument("--winner", action="store_true", help="also the saved winner of a comparison, five minutes a table")
    parser.add_argument("--nets", help="an interpreter that has pytabkit and skorch")
    arguments = parser.parse_args()
    names = [word for word in arguments.words if "=" not in word]
    unknown = sorted(set(names) - set(SECTIONS))
    if unknown:
        parser.error(f"no section is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    files = dict(word.rsplit("=", 1) for word in arguments.words if "=" in word)
    given = Given(files, arguments.data, arguments.yardstick, arguments.results, arguments.winner, arguments.nets)
    return names or [name for name in SECTIONS if name != "gpu"], given


def measure_promises(given: Given) -> list[Table]:
    """Start, reading, the supervisor's share, whole comparisons."""
    from bench_promises import promises

    return [(GOALS_HEADER, *promises())]


def measure_start(given: Given) -> list[Table]:
    """What a small comparison waits for."""
    from bench_start import start

    return [(GOALS_HEADER, *start())]


def measure_linear(given: Given) -> list[Table]:
    """Shipped tables and the user's own, each up to a number of rows."""
    import numpy as np
    from bench_linear import linear_rows, matrix

    cards = {name: find_card(name) for name in LINEAR_TABLES}
    files = {str(card_path(card)): card.target for card in cards.values() if card is not None} | given.files
    rows = []
    for path, target in files.items():
        X, y = matrix(path, target)
        kept = np.sort(np.random.default_rng(0).permutation(len(X))[:LINEAR_MOST_ROWS])
        rows += linear_rows(X[kept], y[kept], Path(path).name.split(".")[0])
    return [(GOALS_HEADER, *rows)]


def measure_scale(given: Given) -> list[Table]:
    """Generated tables and the user's own."""
    from bench_scale import scale

    return [(GOALS_HEADER, *scale(given.files))]


def measure_wide(given: Given) -> list[Table]:
    """Generated tables of thousands of columns."""
    from bench_wide import wide

    return [(GOALS_HEADER, *wide())]


def measure_defaults(given: Given) -> list[Table]:
    """Boosters against their libraries' defaults on shipped tables."""
    from bench_defaults import defaults

    return [(GOALS_HEADER, *defaults())]


def measure_profile(given: Given) -> list[Table]:
    """Shipped and generated tables, and one of the folder `data` where it is given."""
    from bench_profile import profile

    shares, seconds = profile(given.data)
    return [(GOALS_HEADER, *shares), seconds]


def measure_peers(given: Given) -> list[Table]:
    """Every table of the folder `data`."""
    from bench_peers import quality

    losses, rows = quality(given.data, results=given.results, with_winner=given.with_winner)
    return [(GOALS_HEADER, *rows), losses]


def measure_by_hand(given: Given) -> list[Table]:
    """Three tables of the folder `data`, each with a fold column."""
    from bench_by_hand import by_hand, write_with_folds

    script = given.yardstick / "by_hand.py" if given.yardstick.is_dir() else given.yardstick
    with tempfile.TemporaryDirectory() as place:
        tables = [write_with_folds(given.data / name, Path(place)) for name in BY_HAND_TABLES if (given.data / name).is_dir()]
        return [(GOALS_HEADER, *by_hand(script, tables))]


def measure_nets(given: Given) -> list[Table]:
    """The guard's share, time and losses beside other nets."""
    from bench_nets import nets

    return [(GOALS_HEADER, *nets(given.nets, given.data, given.results))]


def measure_suite(given: Given) -> list[Table]:
    """The supervisor with 100,000 planned cells."""
    from bench_suite import measure

    return [(GOALS_HEADER, *measure())]


def measure_gpu(given: Given) -> list[Table]:
    """Steps, fits and stacks on a GPU."""
    from bench_gpu import gpu

    return [(GOALS_HEADER, *gpu())]


def circumstances() -> str:
    """Date, machine and versions."""
    found = ", ".join(f"{name} {number}" for name, number in versions().items())
    return (f"{datetime.date.today().isoformat()} · {usable_cores()} cores, {machine_memory_bytes() / 1e9:.0f} GB, "
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()} · {found}, "
            f"pyarrow {pyarrow.__version__}")


def markdown(table: Table) -> str:
    """A table as Markdown; its first row is the header."""
    header, *rows = table
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows))


def with_section(page: str, name: str, body: str) -> str:
    """The page with what was measured in its place, or at the end; all else stays, sections of other scripts too."""
    start, end = f"<!-- measured: {name} -->\n", "\n<!-- end -->"
    if start in page:
        before, rest = page.split(start, 1)
        return before + start + body + end + rest.split(end, 1)[1]
    section = SECTIONS[name]
    return f"{page.rstrip()}\n\n## {section.title}\n\n{section.about}\n\n{start}{body}{end}\n"


SECTIONS = {
    "promises": Section("Speed and memory", "What has to be quick whatever the table is.", measure_promises),
    "start": Section("What a small comparison waits for",
                     "Wall time, but where it says processor seconds; medians.", measure_start),
    "linear": Section("Linear models against the fastest rivals",
                      "The same grid, the same folds, one thread, processor seconds; ours and theirs are fitted in turn three "
                      "times, and medians are given.\nThe rivals are scikit-learn's `ElasticNetCV` with a precomputed Gram "
                      "matrix, its `LogisticRegressionCV` with `newton-cholesky` for l2\nand `liblinear` for l1, both along a "
                      "warm path of C, and glum 3.4.1. Logistic regression with an elastic-net penalty, for which\n"
                      "scikit-learn has no fast solver, is left out. "
                      f"Tables are cut to {LINEAR_MOST_ROWS:,} rows. Other programs ran meanwhile.", measure_linear),
    "scale": Section("Growth with the rows",
                     "A cell of the fast preset, fitted and predicted in a process of its own.", measure_scale,
                     picture="![seconds and peak memory against training rows](scale.png)"),
    "wide": Section("Wide tables", "Wall time of whole commands, the interpreter's start included; of `check` the shortest "
                    "of three.", measure_wide),
    "defaults": Section("Boosters against their libraries' defaults", "Mean loss over three splits of up to 3,000 training rows, "
                        "one thread; `boosting` against the better of the two libraries.", measure_defaults),
    "profile": Section("Where the 60 seconds go", "Limited runs with `--save-winner`, looked at fifty times a second: "
                       "the supervisor's steps, and what both workers do. `make bench DATA=folder` adds telco_churn.",
                       measure_profile),
    "peers": Section("Quality against other systems",
                     "Log loss or RMSE on held-out rows as a ratio to LightGBM with its defaults; below 1 is better. Small "
                     "tables: the mean of ten random splits, marked \\*. Needs `make bench DATA=folder`.",
                     measure_peers, ("data",)),
    "by-hand": Section("Against the script written by hand",
                       "A script with a grid search for every approach, against `tabbench compare --preset balanced` with the "
                       "same approaches, sizes and folds. Needs `make bench DATA=folder YARDSTICK=folder`.", measure_by_hand,
                       ("data", "yardstick")),
    "nets": Section("The guarded net beside others",
                    "Processor seconds on one thread; losses on held-out rows. Other nets need `make bench NETS=python "
                    "DATA=folder RESULTS=file`.", measure_nets),
    "suite": Section("Suites of many cells", "The supervisor's own processor time and memory while two workers run cells of a "
                     "few milliseconds.", measure_suite),
    "gpu": Section("The guarded net on a GPU",
                   "Wall time between two waits for the device. Measured by `make gpu`.", measure_gpu),
}

if __name__ == "__main__":
    main()
