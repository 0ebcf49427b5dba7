"""Measures the error rates of the verdict on tables with a known truth, and writes them to docs/calibration.md.

Everything is kept in a folder, file by file of fifty runs, so that it continues where it ended: `make calibrate`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from calibrate_approaches import measure_few_splits
from calibrate_people import measure_people
from calibration_beyond import measure_guesses
from calibration_chances import measure_chances
from calibration_page import write_page
from calibration_power import measure_power
from calibration_rare import measure_rare
from calibration_rates import Record, judged
from calibration_real import measure_real
from calibration_runs import DRAWN_BY, METRICS_OF, RUNS_A_FILE, Series, designs, draw, evidence_of, keep_predictions, kept
from calibration_tables import GENERATORS
from calibration_truth import known_truth
from calibration_widths import measure_widths

import tabbench.verdict

QUICK_LEARNERS = {"linear": tuple(GENERATORS), "tree": tuple(GENERATORS)}
SLOW_LEARNERS = {"lightgbm": ("G1", "G2", "G3", "G4", "G5", "G8"), "net": ("G1", "G2", "G5")}
RUNS = {"linear": 1000, "tree": 1000, "lightgbm": 200, "net": 100}
WITHOUT_A_CONTEST = {("linear", "G3"), ("linear", "G4"), ("linear", "G5")}
"""The linear learner against itself."""


def all_series() -> list[Series]:
    """What the gate asks for, in the order of its cost."""
    return [Series(name, learner, task) for learner, names in (QUICK_LEARNERS | SLOW_LEARNERS).items() for name in names
            if (learner, name) not in WITHOUT_A_CONTEST for task in GENERATORS[name].tasks]


def measure(series: Series, start: int, folder: Path) -> None:
    """Fifty runs of one series: fitted if they are not, judged if the judge has changed since."""
    path = folder / f"{series.name}_{start:05d}.{fingerprint()}.json"
    if path.exists():
        return
    keep_predictions(series, start, folder)
    truth, records = known_truth(series), dict[str, list[Record]]()
    for number, made in kept(series, start, folder):
        drawn = draw(series, number)
        for metric in METRICS_OF[series.task]:
            for evidence in designs(evidence_of(drawn, made, metric), drawn.question.plan):
                found = judged(evidence, truth[metric], is_null=series.of.is_null)
                records.setdefault(f"{metric} {evidence.n_splits}", []).append(found)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(records))
    partial.replace(path)


JUDGED_BY = ("verdict/judge.py", "verdict/variance.py", "verdict/simultaneous.py", "verdict/crossover.py", "verdict/winners.py",
             "verdict/row_moments.py", "verdict/large_units.py", "verdict/steps.py", "verdict/evidence.py", "verdict/scoring.py",
             "verdict/tails.py", "verdict/probabilities.py", "core/constant.py", "core/metric.py", "metrics/classification.py",
             "metrics/regression.py")
GUESSED_BY = (*JUDGED_BY, "verdict/extrapolation.py", "verdict/curve_noise.py", "verdict/learning_curves.py",
              "verdict/contestants.py")
RECORDED_BY = ("calibration_runs.py", "calibration_rates.py", "calibration_truth.json")


def fingerprint(package: Iterable[str] = JUDGED_BY, here: Iterable[str] = RECORDED_BY) -> str:
    """Of all that a record depends on besides predictions: what was said in another version counts no more."""
    root, tools = Path(tabbench.verdict.__file__).parents[1], Path(__file__).parent
    sources = [*(root / name for name in package), *(tools / name for name in here)]
    return hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()[:8]


def collected(folder: Path, wanted: Iterable[Series]) -> dict[tuple[Series, str], list[Record]]:
    """All records that the present judge has made."""
    found: dict[tuple[Series, str], list[Record]] = {}
    for series in wanted:
        for path in sorted(folder.glob(f"{series.name}_*.{fingerprint()}.json")):
            for design, records in json.loads(path.read_text()).items():
                found.setdefault((series, design), []).extend(records)
    return found


def main() -> None:
    """Run, or continue, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("calibration"), help="where runs are kept (some gigabytes)")
    parser.add_argument("--runs", type=int, help="at most so many of each series")
    parser.add_argument("--only", default="", help="series whose name begins with one of these, separated by commas")
    parser.add_argument("--power", type=int, default=200, help="runs of each contest that measures power; 0 for none")
    parser.add_argument("--rare", type=int, default=200, help="runs with each number of rows of a rare class; 0 for none")
    parser.add_argument("--guesses", type=int, default=200, help="runs of each table on which guesses are tested; 0 for none")
    parser.add_argument("--people", type=int, default=150, help="runs of each table as people have them; 0 for none")
    parser.add_argument("--real", type=int, default=30, help="draws of each real table; 0 for none")
    parser.add_argument("--widths", type=int, default=200, help="runs in which widths are compared; 0 for none")
    parser.add_argument("--chances", type=int, default=300, help="runs of each kind on which chances are tested; 0 for none")
    parser.add_argument("--approaches", type=int, default=200, help="runs with the approaches themselves; 0 for none")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--page", type=Path, default=Path("docs/calibration.md"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True, parents=True)
    wanted = [each for each in all_series() if each.name.startswith(tuple(options.only.split(",")))]
    for series in wanted:
        known_truth(series)  # before children ask for it at once
    with ProcessPoolExecutor(options.jobs) as children:
        # All series advance together, so that a calibration that is stopped has something on each.
        for start in range(0, min(max(RUNS.values()), options.runs or max(RUNS.values())), RUNS_A_FILE):
            due = [series for series in wanted if start < RUNS[series.learner]]
            for done in [children.submit(measure, series, start, options.folder) for series in due]:
                done.result()
            print(f"{start + RUNS_A_FILE} runs of {len(due)} series", flush=True)
    if options.only:
        print("no page is written of a part; leave --only out for it")
        return
    of_power = fingerprint(here=(*RECORDED_BY, *DRAWN_BY, "calibration_power.py"))
    of_rare = fingerprint(here=(*RECORDED_BY, *DRAWN_BY, "calibration_rare.py"))
    of_guesses = fingerprint(GUESSED_BY, (*DRAWN_BY, "calibration_beyond.py"))
    more = measure_power(options.power, options.folder, of_power) if options.power else ""
    more += measure_widths(options.widths) if options.widths else ""
    more += measure_rare(options.rare, options.folder, of_rare) if options.rare else ""
    more += measure_guesses(options.guesses, options.folder, of_guesses) if options.guesses else ""
    more += measure_people(options.people) if options.people else ""
    more += measure_real(options.real) if options.real else ""
    more += measure_chances(options.chances, options.real // 4) if options.chances else ""
    more += measure_few_splits(options.approaches, options.folder, options.jobs) if options.approaches else ""
    write_page(options.page, collected(options.folder, wanted), more)


if __name__ == "__main__":
    main()
