"""Measures how often the verdict is wrong with one split, three folds and five, with the approaches that come with tabbench.

    OMP_NUM_THREADS=1 python tools/calibrate_approaches.py [--quick] [--runs 100] [--folder calibration] [--jobs 1]

Replaces its section of docs/calibration.md. With `--quick` it prints the section made from two runs of each table instead, in a
minute. What is kept in the folder is not measured again.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from calibration_few_splits import (
    APPROACHES,
    CASES,
    EFFORT,
    FULL,
    NULL_APPROACHES,
    NULLS,
    ROWS,
    SERIES,
    SIZES,
    TEST_ROWS,
    Record,
    Truths,
    measure,
    metric_of,
)
from calibration_runs import Series

from tabbench.verdict.variance import LUCK_SPREAD, USUAL_LUCK

RUNS, TRAINING_SETS = 100, 200
QUICK_RUNS, QUICK_TRAINING_SETS = 2, 10
LEVEL, SLACK = 0.05, 2.0
"""False claims that are promised, and the standard errors by which a rate may lie above them."""
PROMISED = ("material", "equal")
"""What is said of pairs beside who is better, and may be false in so many runs."""
LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost", "lightgbm", "torch")

Runs = Sequence[Mapping[str, Record]]
Found = Mapping[Series, tuple[Truths, Runs]]
"""Series -> the truth and the records of its runs."""

MINUTES = "a hundred runs of each table take about half an hour"

TITLE = "## Few splits, with the approaches themselves"

HEAD = """
{title}

Under a time limit a plan often has one hold-out split, or three folds of five (`--use-folds 1`, `--use-folds 3`). Here the
approaches that come with tabbench ({approaches}) are planned, executed and judged as in a comparison with
`--effort {effort:g} --repeats 1`, on {rows} rows, of which a split trains on {full:,} and tests the rest: with five folds, with
the first three of them, and with the first alone. {runs} tables of each kind; the truth is the mean loss after training on
{sets} other sets of rows, on {test_rows:,} test rows each. It is measured anew on one core ({minutes}; it
continues where it was stopped), or by two runs of each table in a minute and printed, by

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibrate_approaches.py --runs {runs}
    OMP_NUM_THREADS=1 .venv/bin/python tools/calibrate_approaches.py --quick

Measured on {when}.

A claim is false unless the truth is on its side, however small the true difference. Cells are *false of said (per cent ± standard
error)*; runs are independent, what is said within one is not. In bold: rates that miss the promised 5 % (or 95 %) of runs by more
than two standard errors; *material* and *equal* are so where more runs than that have a false one. No false one in a
hundred is compatible with a rate of 3 %.

**Nobody is better.** Mirror twins (G1). An approach is set against itself with another *seed*, on the same rows and columns, or
against itself on its *twin*'s columns, which are exchangeable with its own. How often one of the two is said to be better:

| another | metric | approach | one split | three folds | five folds |
|---|---|---|---|---|---|"""

CONTESTS = """
**Somebody is better.** All approaches at once, at the full size. *runs*: those in which some pair is decided the wrong way.
*better*, *material*, *equal*: pairs said to be so. *winner*: one named over all others. *hold*: the intervals that hold the
true difference; *all hold*: runs in which all of them do, 95 % by promise. *ahead*, *overtaken*: of two families'
representatives one said to be ahead at {small} rows as well as at {full:,}, or at one of the two only.

| table | metric | splits | runs | better | material | equal | winner | hold | all hold | ahead | overtaken |
|---|---|---|---|---|---|---|---|---|---|---|---|"""

READING = """
What one split says is of models that were fitted once: the luck of their training rows is assumed, not seen. Two approaches that
predict alike there, as `linear` does and a `blend` that gives it all the weight, have an interval of hardly any width and are
called practically equal, whatever their difference is on average. The sentence says "judged by a single split" then, and nothing
else is held back: read "practically equal" as said of these two models. Three folds have no such case here."""


def share(records: Sequence[Record], part: str, whole: str) -> tuple[int, int, float, float]:
    """How many of `whole` there were, how many of them were of `part`, the share of them and its standard error.

    Runs are independent of each other, what is said within one is not: the error is that of a ratio of sums over runs.
    """
    parts, wholes = (np.array([each[name] for each in records], dtype=np.float64) for name in (part, whole))
    total = max(float(wholes.sum()), 1.0)
    rate = float(parts.sum()) / total
    return int(wholes.sum()), int(parts.sum()), rate, float(np.sqrt(np.sum((parts - rate * wholes) ** 2)) / total)


def summed(run: Mapping[str, Record], names: Sequence[str]) -> Record:
    """What was counted in several contests of one run."""
    return {count: sum(run[name][count] for name in names) for count in run[names[0]]}


def section(found: Found) -> str:
    """The page's section."""
    truths, runs = next(iter(found.values()))
    lines = [HEAD.format(title=TITLE, approaches=", ".join(APPROACHES), effort=EFFORT, rows=ROWS, full=FULL, runs=len(runs),
                         sets=len(truths.losses), test_rows=TEST_ROWS, minutes=MINUTES, when=_provenance()),
             *_null_rows(found), CONTESTS.format(small=SIZES[0], full=FULL),
             *(_contest_row(series, runs, count) for series, (_, runs) in found.items() for count in CASES),
             "", _tables(found), "", *(_summary(found, count) for count in CASES), _luck(found), READING]
    return "\n".join(lines).rstrip("\n") + "\n"


def _null_rows(found: Found) -> list[str]:
    rows = []
    for kind in NULLS:
        for series, (_, runs) in found.items():
            for names in [(name,) for name in NULL_APPROACHES] + [NULL_APPROACHES]:
                if series.of.is_null:
                    cells = [_cell(_nulls(runs, [kind], names, count), "claims_false", "runs", LEVEL) for count in CASES]
                    who = names[0] if len(names) == 1 else "together"
                    rows.append(f"| {kind} | {metric_of(series)} | {who} | {' | '.join(cells)} |")
    return rows


def _nulls(runs: Runs, kinds: Sequence[str], names: Sequence[str], count: int) -> list[Record]:
    return [summed(run, [f"{kind} {name} {count}" for kind in kinds for name in names]) for run in runs]


def _contest_row(series: Series, runs: Runs, count: int) -> str:
    of_case = [run[f"contest {count}"] for run in runs]
    claims, material, equal, winners, ahead, overtaken = (
        _bold(_cell(of_case, f"{name}_false", name), name in PROMISED and is_above(*_runs_with(of_case, f"{name}_false"), LEVEL))
        for name in ("claims", "material", "equal", "winners", "steady", "crossed"))
    hold = _holding(of_case, "intervals_false", "intervals")
    all_hold = _holding(of_case, "runs_outside", "runs", LEVEL)
    cells = [_cell(of_case, "runs_false", "runs", LEVEL), claims, material, equal, winners, hold, all_hold, ahead, overtaken]
    return f"| {series.generator} | {metric_of(series)} | {count} | {' | '.join(cells)} |"


def _runs_with(records: Sequence[Record], name: str) -> tuple[float, float, int]:
    """The share of runs in which this was counted at all, its standard error and the number of runs."""
    of_runs = [{"runs": each["runs"], name: min(each[name], 1)} for each in records]
    runs, _, rate, error = share(of_runs, name, "runs")
    return rate, error, runs


def _cell(records: Sequence[Record], part: str, whole: str, level: float | None = None) -> str:
    said, false, rate, error = share(records, part, whole)
    text = f"{false} of {said:,} ({100 * rate:.1f} ± {100 * error:.1f})" if said else "none"
    return _bold(text, is_above(rate, error, said, level))


def _holding(records: Sequence[Record], part: str, whole: str, level: float | None = None) -> str:
    said, _, rate, error = share(records, part, whole)
    return _bold(f"{100 * (1 - rate):.1f} ± {100 * error:.1f}", is_above(rate, error, said, level))


def is_above(rate: float, error: float, said: int, level: float | None) -> bool:
    """Whether a rate is above its level by more than luck, by the larger of its own standard error and the level's."""
    return level is not None and rate > level + SLACK * max(error, (level * (1 - level) / max(said, 1)) ** 0.5)


def _bold(text: str, is_missed: bool) -> str:
    return f"**{text}**" if is_missed else text


def _tables(found: Found) -> str:
    """Which tables these are, and how well their truth is known."""
    told = "; ".join(dict.fromkeys(f"{series.generator} {series.of.title}" for series in found))
    errors = ", ".join(f"{truths.largest_error():.4f} for {series.generator} by {metric_of(series)}"
                       for series, (truths, _) in found.items())
    failed = sum(record["failed"] for _, runs in found.values() for run in runs for record in run.values())
    return (f"Tables: {told}. True differences have standard errors of at most {errors}. "
            f"{failed or 'No'} cell{'s' if failed > 1 else ''} failed.")


def _luck(found: Found) -> str:
    """The luck of training rows, which one split cannot show, against what is taken for it."""
    luck = np.concatenate([truths.training_luck() for truths, _ in found.values()])
    taken, ratio = USUAL_LUCK * np.exp(LUCK_SPREAD**2), (ROWS - FULL) / FULL
    short = 1 - np.sqrt((1 + taken * ratio) / (1 + np.median(luck) * ratio))
    return (f"- Training luck: the variance that a row causes by being trained on is {luck.min():.1f} to {luck.max():.1f} times "
            f"(median {np.median(luck):.1f}) that by being tested. One split cannot show it, so {taken:.1f} is taken: with "
            f"{ROWS - FULL} rows tested and {FULL} trained on, the median pair's standard error is {100 * abs(short):.0f} % too "
            f"{'small' if short > 0 else 'large'}.")


def _summary(found: Found, count: int) -> str:
    """What all runs together say of one case."""
    nulls = [record for series, (_, runs) in found.items() if series.of.is_null
             for record in _nulls(runs, NULLS, NULL_APPROACHES, count)]
    contests = [run[f"contest {count}"] for _, runs in found.values() for run in runs]
    alone, wrong = _cell(nulls, "claims_false", "runs", LEVEL), _cell(contests, "runs_false", "runs", LEVEL)
    material, equal = (_percent(*_runs_with(contests, f"{name}_false")) for name in PROMISED)
    decided, hold = share(contests, "claims", "intervals")[2], _holding(contests, "runs_outside", "runs", LEVEL)
    return (f"- {CASES[count].capitalize()}: where nobody is better, {alone} comparisons say that somebody is. Where somebody "
            f"is, {wrong} runs decide a pair the wrong way; {material} % of the runs call a difference material that is not, "
            f"{equal} % call approaches practically equal that are not, and in {hold} % all intervals hold. "
            f"{100 * decided:.0f} % of the pairs are decided.")


def _percent(rate: float, error: float, runs: int) -> str:
    return _bold(f"{100 * rate:.1f} ± {100 * error:.1f}", is_above(rate, error, runs, LEVEL))


def _provenance() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{datetime.datetime.now(datetime.UTC).date()} with Python {platform.python_version()}, {libraries}"


def with_section(page: str, text: str, title: str = TITLE) -> str:
    """The page with this section in the place of the one of this title, or at its end."""
    before, _, after = page.partition(f"\n{title}\n")
    place = after.find("\n## ")
    return before.rstrip("\n") + "\n" + text + ("" if place < 0 else after[place:])


def measure_few_splits(runs: int, folder: Path, jobs: int, training_sets: int = TRAINING_SETS) -> str:
    """The section, from what is kept in the folder and what is missing there."""
    began, found = time.monotonic(), {}
    for series in SERIES:
        found[series] = measure(series, runs, training_sets, folder, jobs)
        print(f"{series.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return section(found)


def main() -> None:
    """Run, or continue, and put the section into the page, or print the quick one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few runs in a temporary folder, printed")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each table")
    parser.add_argument("--folder", type=Path, default=Path("calibration"), help="where predictions and records are kept")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--page", type=Path, default=Path("docs/calibration.md"))
    given = parser.parse_args()
    if given.quick:
        with tempfile.TemporaryDirectory() as folder:
            print(measure_few_splits(QUICK_RUNS, Path(folder), given.jobs, QUICK_TRAINING_SETS))
        return
    given.folder.mkdir(exist_ok=True, parents=True)
    text = measure_few_splits(given.runs, given.folder, given.jobs)
    given.page.write_text(with_section(given.page.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
