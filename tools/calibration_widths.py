"""How wide the interval of one difference is, in true standard deviations: 1.96 would do if the deviation were known.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_widths.py --runs 200

Mirror twins at the full size, with three repeats of five folds and with one; nothing is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from calibration_runs import METRICS_OF, Series, designs, draw, evidence_of, fit

from tabbench.verdict.judge import decide_pairs

WANTED = tuple(Series("G1", learner, task) for learner in ("linear", "tree") for task in ("regression", "classification"))
HEAD = """
## How wide intervals are

The half width of the interval at the full size of mirror twins (G1) over the standard deviation that their difference has over
{runs} runs: 1.96 would do if that were known. *missed*: intervals without the truth, 5 % by promise.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_widths.py --runs {runs}

| learner | metric | splits | half width / true deviation | missed % |
|---|---|---|---|---|
"""


def found(series: Series, runs: int) -> dict[tuple[str, int], np.ndarray]:
    """(metric, splits) -> difference and half width at the full size of each run, (runs, 2)."""
    rows: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for number in range(runs):
        drawn, made = draw(series, number), fit(series, number)
        for metric in METRICS_OF[series.task]:
            for evidence in designs(evidence_of(drawn, made, metric), drawn.question.plan)[:2]:
                full = decide_pairs(evidence).pairs.iloc[-1]
                rows.setdefault((metric, evidence.n_splits), []).append((full["difference"], (full["high"] - full["low"]) / 2))
    return {key: np.array(each) for key, each in rows.items()}


def lines(runs: int) -> Iterator[str]:
    """The section as it is measured."""
    yield from HEAD.format(runs=runs).splitlines()
    for series in WANTED:
        for (metric, splits), values in found(series, runs).items():
            difference, half = values.T
            yield (f"| {series.learner} | {metric} | {splits} | {half.mean() / np.sqrt(np.mean(difference**2)):.2f} | "
                   f"{100 * np.mean(np.abs(difference) > half):.1f} |")


def measure_widths(runs: int) -> str:
    """The section of docs/calibration.md."""
    return "\n".join(lines(runs)) + "\n"


def main() -> None:
    """Print the section line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    for line in lines(parser.parse_args().runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
