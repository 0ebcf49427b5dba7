"""How often a difference that is really there is found: of 5 and 5.5 standard errors of the tested rows alone.

The first twin's columns are made to say more than the others' until the true difference at the full size is `goal` times the
standard deviation of the row-level differences over the root of the rows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration_fits import LEARNERS
from calibration_runs import Series, designs, draw, evidence_of, fit
from calibration_tables import GENERATORS, twin_views, unequal_twins

from tabbench.core.metric import METRICS
from tabbench.verdict.judge import decide_pairs

SIZES = (31, 45, 62, 88, 125, 176, 200, 320)
ROWS, FULL = 400, 320
DESIGNS = (("linear", "rmse"), ("tree", "rmse"), ("linear", "log_loss"), ("tree", "log_loss"), ("linear", "auc"))
CONTESTS = {"two × 8 sizes": (2, 5.0, SIZES), "ten, full size": (10, 5.5, (-1,))}
MOST_FAVOUR, HALVINGS, TRAINING_SETS, TEST_ROWS = 12.0, 10, 30, 8_000


def measure_power(runs: int, folder: Path, version: str) -> str:
    """The table, from what is kept in the folder and what is missing there."""
    lines = [HEAD.format(runs=runs)]
    for learner, metric in DESIGNS:
        for title, (twins, goal, sizes) in CONTESTS.items():
            path = folder / f"power_{learner}_{metric}_{twins}_{runs}.{version}.json"
            if not path.exists():
                path.write_text(json.dumps(found_shares(learner, metric, twins, goal, sizes, runs)))
            for splits, shares in json.loads(path.read_text()).items():
                lines.append(f"| {title} | {learner} | {metric} | {splits} | {goal:g} | "
                             f"{' · '.join(f'{100 * each:.0f}' for each in shares)} |")
    return "\n".join(lines) + "\n"


HEAD = """
## A difference that is there is found

The true difference at the full size is *effect* × σ/√N, with σ the standard deviation of the row-level loss differences and N of
400; {runs} runs. *found* is the percentage in which the better one is said to be better, at each of the sizes 31, 45, 62, 88,
125, 176, 200 and 320 of a family of two, or on average over its nine pairs among ten. The floor is 80 % at the full size.

| contest | learner | metric | splits | effect | found % |
|---|---|---|---|---|---|"""


def found_shares(learner: str, metric: str, twins: int, goal: float, sizes: tuple[int, ...], runs: int) -> dict[str, list[float]]:
    """splits -> at each size how often the first contestant is shown to be better than another one."""
    favour = favour_for(goal, learner, metric, twins)
    series = Series("power", learner, "regression" if metric == "rmse" else "classification")
    GENERATORS["power"] = replace(GENERATORS["G1"], name="power", draw=unequal_twins(favour, twins), views=twin_views(twins),
                                  learners=("own",) * twins, is_null=False, sizes=sizes)
    shares: dict[str, list[np.ndarray]] = {}
    for number in range(runs):
        drawn = draw(series, number)
        whole = evidence_of(drawn, fit(series, number), metric)
        for evidence in designs(whole, drawn.question.plan):
            pairs = decide_pairs(evidence).pairs
            of_first = pairs[pairs["first"] == "contestant0"]
            found = of_first["decision"].str.startswith("first").groupby(of_first["size"]).mean()
            shares.setdefault(str(evidence.n_splits), []).append(found.to_numpy(dtype=np.float64))
    del GENERATORS["power"]
    return {splits: np.mean(each, axis=0).tolist() for splits, each in shares.items()}


def favour_for(goal: float, learner: str, metric: str, twins: int) -> float:
    """How much more the first twin's columns have to say for a true difference of `goal`."""
    low, high = 1.0, MOST_FAVOUR
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if true_effect(middle, learner, metric, twins) < goal else (low, middle)
    return (low + high) / 2


def true_effect(favour: float, learner: str, metric_name: str, twins: int) -> float:
    """The true difference at the full size in standard errors of the tested rows."""
    metric, is_regression = METRICS.get(metric_name), metric_name == "rmse"
    means, spreads = [], []
    for number in range(TRAINING_SETS):
        sample = unequal_twins(favour, twins)(np.random.default_rng([77, number]), FULL + TEST_ROWS, is_regression)
        train, test = slice(0, FULL), slice(FULL, None)
        losses = []
        for columns in twin_views(2):
            answer = LEARNERS[learner](sample.features[train, columns], sample.target[train], sample.features[test, columns],
                                       is_regression, number)
            prediction = answer if is_regression else np.column_stack([1 - answer, answer])
            losses.append(metric.row_loss(sample.target[test], prediction, None))
        means.append(np.mean(losses[1] - losses[0]))
        spreads.append(np.std(losses[1] - losses[0]))
    return float(np.mean(means) / np.mean(spreads) * np.sqrt(ROWS))
