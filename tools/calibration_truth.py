"""What is true of each generator, learner and task: the mean difference at every size by brute force, and its standard error.

Two hundred fresh training sets a size, each scored on five thousand fresh rows. The golden file beside this module holds what
came of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from calibration_fits import LEARNERS, learners_of, stacked_nets
from calibration_runs import METRICS_OF, Series, draw

from tabbench.core.metric import METRICS

GOLDEN = Path(__file__).with_name("calibration_truth.json")
TRAINING_SETS, TEST_ROWS, NETS_AT_ONCE = 200, 5_000, 20
Truth = dict[str, dict[str, list[float]]]
"""metric -> sizes, difference, standard_error."""


def known_truth(series: Series) -> Truth:
    """From the golden file; a null needs no entry."""
    if series.of.is_null:
        sizes = list(draw(series, 0).sizes)
        return {metric: {"sizes": sizes, "difference": [0.0] * len(sizes), "standard_error": [0.0] * len(sizes)}
                for metric in METRICS_OF[series.task]}
    golden: dict[str, Truth] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if series.name not in golden:
        golden[series.name] = brute_force(series, draw(series, 0).sizes)
        GOLDEN.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n")
    return golden[series.name]


def brute_force(series: Series, sizes: Sequence[int]) -> Truth:
    """The true mean differences of loss at these sizes, first contestant minus second."""
    scores = np.empty((TRAINING_SETS, len(sizes), len(METRICS_OF[series.task])))
    for place, size in enumerate(sizes):
        for start in range(0, TRAINING_SETS, NETS_AT_ONCE):
            chunk = slice(start, start + NETS_AT_ONCE)
            scores[chunk, place] = _differences(series, size, start)
    mean, error = scores.mean(axis=0), scores.std(axis=0, ddof=1) / np.sqrt(TRAINING_SETS)
    return {metric: {"sizes": list(sizes), "difference": mean[:, place].tolist(), "standard_error": error[:, place].tolist()}
            for place, metric in enumerate(METRICS_OF[series.task])}


def _differences(series: Series, size: int, start: int) -> np.ndarray:
    numbers = range(start, start + NETS_AT_ONCE)
    trains, tests = ([series.of.draw(np.random.default_rng([9, part, size, number]), rows, series.is_regression)
                      for number in numbers] for part, rows in ((1, size), (0, TEST_ROWS)))
    losses = []
    for columns, name in zip(series.of.views, learners_of(series.of, series.learner), strict=True):
        known, unseen = ([each.features[:, columns] for each in part] for part in (trains, tests))
        if name == "net":
            answers = list(stacked_nets(np.stack(known), np.stack([each.target for each in trains]), np.stack(unseen),
                                        series.is_regression, size))
        else:
            answers = [LEARNERS[name](known[place], trains[place].target, unseen[place], series.is_regression, 0)
                       for place in range(len(trains))]
        losses.append([[_loss(metric, test.target, answer) for metric in METRICS_OF[series.task]]
                       for test, answer in zip(tests, answers, strict=True)])
    return np.array(losses[0]) - np.array(losses[1])


def _loss(metric_name: str, target: np.ndarray, answer: np.ndarray) -> float:
    metric = METRICS.get(metric_name)
    prediction = answer if metric_name == "rmse" else np.column_stack([1 - answer, answer])
    return metric.loss(metric.score(target, prediction.astype(np.float64), None))
