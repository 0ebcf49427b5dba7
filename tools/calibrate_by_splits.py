"""Error rates of verdicts by metrics that are no means over rows, which the splits alone decide; into docs/calibration.md.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibrate_by_splits.py --runs 200
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

import numpy as np
from calibrate_approaches import with_section
from calibration_rates import Record, judged, rates
from calibration_runs import Series, designs, draw, evidence_of, fit

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"
TITLE = "## Metrics that are no means over rows"
NULLS = (Series("G1", "linear", "regression"), Series("G1", "linear", "classification"), Series("G1", "tree", "classification"))
METRICS_WITHOUT_ROWS = {"regression": ("median_absolute_error",), "classification": ("mcc", "average_precision")}
LEVEL, SLACK = 0.05, 2.0

HEAD = """
Average precision, the Matthews correlation, Cohen's kappa, the median absolute error, scorers and functions of one's own have no
losses of single rows, so that the corrected resampled t-test of the scores of the splits decides (Nadeau and Bengio,
doi:10.1023/A:1024068626366), simultaneously for all pairs and sizes of a family as elsewhere. The approaches are mirror twins of
G1, none of which can be better: *full* and *sizes* are as in the first table, *naive t* is the usual paired test. With one split
nothing can be said. Measured on {day} by `tools/calibrate_by_splits.py --runs {runs}`; the tests do so on twenty runs.

| learner | metric | splits | runs | full | sizes | naive t |
|---|---|---|---|---|---|---|
"""


def records_of(series: Series, runs: int) -> dict[tuple[str, int], list[Record]]:
    """What was said in so many runs by (metric, number of splits)."""
    found: dict[tuple[str, int], list[Record]] = {}
    for number in range(runs):
        drawn, made = draw(series, number), fit(series, number)
        nothing = {"sizes": list(drawn.sizes), **{name: [0.0] * len(drawn.sizes) for name in ("difference", "standard_error")}}
        for metric in METRICS_WITHOUT_ROWS[series.task]:
            for evidence in designs(evidence_of(drawn, made, metric), drawn.question.plan):
                found.setdefault((metric, evidence.n_splits), []).append(judged(evidence, nothing, is_null=True))
    return found


def line(series: Series, metric: str, splits: int, records: list[Record]) -> str:
    """One row of the table; a rate above its level by more than two standard errors is in bold."""
    known = rates(records)
    cells = [_rate(known, name, is_nominal=name != "naive_t") for name in ("false_at_full", "false_over_sizes", "naive_t")]
    return f"| {series.learner} | {metric} | {splits} | {len(records)} | {' | '.join(cells)} |"


def _rate(known: dict[str, tuple[float, float, int]], name: str, *, is_nominal: bool) -> str:
    if name not in known:
        return "–"
    rate, error, runs = known[name]
    text = f"{100 * rate:.1f} ± {100 * error:.1f}"
    return f"**{text}**" if is_nominal and rate > LEVEL + SLACK * np.sqrt(LEVEL * (1 - LEVEL) / runs) else text


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="print twenty runs, and write nothing")
    options = parser.parse_args()
    runs = 20 if options.quick else options.runs
    lines = [line(series, *design, records) for series in NULLS for design, records in records_of(series, runs).items()]
    text = HEAD.format(day=datetime.datetime.now(datetime.UTC).date(), runs=runs) + "\n".join(lines) + "\n"
    print(text)
    if not options.quick:
        PAGE.write_text(with_section(PAGE.read_text(), f"\n{TITLE}\n{text}", TITLE))


if __name__ == "__main__":
    main()
