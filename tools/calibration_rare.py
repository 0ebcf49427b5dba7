"""How often the verdict is wrong where the second class has few rows: mirror twins, by the number of its rows in the table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration_runs import Drawn, Series, designs, draw, evidence_of, fit
from calibration_tables import GENERATORS, WIDTH, Sample, of_twins, outcome

from tabbench.core.errors import BadData
from tabbench.verdict.judge import decide_pairs

ROWS = 400
ODDS = (-5.3, -4.7, -3.9)
"""Logarithms of the odds of the second class where the columns say nothing."""
LEARNERS, METRICS = ("linear", "tree"), ("auc", "accuracy", "log_loss")

HEAD = """
## A class of few rows

Mirror twins with {rows} rows, of which on average *rows* are of the second class, {runs} tables each; where a training part would
hold fewer than two of them the tool refuses (*refused*). *15*, *5*, *1*: how often somebody is said to win with so many splits,
at the full size and at any other; the promise is 5 % for each, and {error:.1f} % the standard error of such a rate.

| learner | metric | rows | refused | 15 | 5 | 1 |
|---|---|---|---|---|---|---|"""


def measure_rare(runs: int, folder: Path, version: str) -> str:
    """The table, from what is kept in the folder and what is missing there."""
    lines = [HEAD.format(rows=ROWS, runs=runs, error=100 * np.sqrt(0.05 * 0.95 / runs))]
    for learner in LEARNERS:
        for odds in ODDS:
            path = folder / f"rare_{learner}_{odds}_{runs}.{version}.json"
            if not path.exists():
                path.write_text(json.dumps(false_winners(learner, odds, runs)))
            found = json.loads(path.read_text())
            for metric, rates in found["rates"].items():
                cells = " | ".join(" and ".join(f"{100 * share:.1f}" for share in np.mean(rate, axis=0)) for rate in rates)
                lines.append(f"| {learner} | {metric} | {found['rows']:.0f} | {100 * found['refused']:.0f} % | {cells} |")
    return "\n".join(lines) + "\n"


def false_winners(learner: str, odds: float, runs: int) -> dict[str, object]:
    """Mean rows of the second class, the share of tables refused, and by metric, design and run whether somebody won.

    The last are pairs of 0 or 1: at the full size, and at any other.
    """
    series = Series("rare", learner, "classification")
    GENERATORS["rare"] = replace(GENERATORS["G8"], name="rare", rows=ROWS, draw=twins_at(odds))
    rates: dict[str, list[list[tuple[float, float]]]] = {metric: [[], [], []] for metric in METRICS}
    rows = []
    for number in range(runs):
        drawn = _drawn(series, number)
        if drawn is None:
            continue
        rows.append(int(drawn.sample.target.sum()))
        made = fit(series, number)
        for metric, by_design in rates.items():
            for place, evidence in enumerate(designs(evidence_of(drawn, made, metric), drawn.question.plan)):
                pairs = decide_pairs(evidence).pairs
                is_claimed, is_full = ~pairs["decision"].isin(["equal", "undecided"]), pairs["size"] == max(evidence.sizes)
                by_design[place].append((float((is_claimed & is_full).any()), float((is_claimed & ~is_full).any())))
    del GENERATORS["rare"]
    return {"rows": float(np.mean(rows)), "refused": 1 - len(rows) / runs, "rates": rates}


def twins_at(odds: float) -> Callable[[np.random.Generator, int, bool], Sample]:
    """Draws mirror twins at these odds of the second class."""

    def draw_twins(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, 2 * WIDTH))
        return Sample(features, outcome(random, of_twins(features) + odds, False))

    return draw_twins


def _drawn(series: Series, number: int) -> Drawn | None:
    try:
        return draw(series, number)
    except BadData:
        return None
