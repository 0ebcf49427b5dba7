"""Check: labels that seem to be wrong (confident learning), and numbers that no model comes near.

The judgement of out-of-fold predictions is pure, so that a comparison can put its best approach's predictions in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.checks.columns import MOST_NAMED, Sample, per_cent, told_share
from tabbench.checks.quick_model import CAREFUL, QuickModel, codes_of
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

LABEL_NOISE, DOUBTFUL_TARGET = "label-noise", "doubtful-target"
LEAST_ROWS_FOR_A_SPREAD = 100
"""Fewer residuals do not show how far they usually lie from nought."""
CANDIDATES = 3
QUARTERS = 4
LEAST_IN_QUARTER = 10
LEAST_FLOOR = 0.04
"""Where a model is surest of a class, so many labels must differ: honest classes overlap at their edges and hardly there."""
MOST_FLOOR = 0.4
"""A class whose surest rows are wrong so often has not been learnt, so its labels cannot be doubted."""
MOST_FLOOR_OF_ALL = 0.25
"""The same over all classes: wrong labels beyond it look like nothing but a target that is hard to predict."""
JUDGED_SHARE, JUDGED_QUARTER = 0.2, 50
"""Every class predicted for so many rows must show the floor: labels wrong at random are so in all classes."""
FLATNESS, FLATNESS_OF_MANY = ((0.75, 0.5), (0.9, 0.65)), ((0.5, 0.5), (0.9, 0.65))
"""(error over that of the commonest class, flatness). Where classes overlap, the surest quarter of a class holds
less than half as many other labels as the next quarter; wrong labels make both alike. Of a weak model,
and where there are several classes that overlap in many ways, more is asked."""
MOST_BY_ONE = 0.9
"""If one column tells so much of what the model tells, it may as well be the column that is noisy."""
STANDARD_ERRORS = 2.0
"""By so many the floor itself and its flatness must be shown."""
WILD = 20.0
"""Robust standard deviations from the prediction; heavy tails of honest tables reach 10 to 15 in all but a few rows."""
WILD_ALARM_SHARE = 0.004
LEAST_WILD = 3
COMMONEST_SHARE = 0.4
"""Of a target such as an amount that is mostly 0."""
LEAST_SPREAD = 0.25
"""A stretch of predictions with hardly any spread is judged by a quarter of the whole table's."""
LEAST_NOISE = 0.01
"""And by so much of the target's own spread, where a model is nearly exact."""
ROWS_OF_A_BIN = 50
MOST_BINS = 10


@dataclass(frozen=True)
class Doubt:
    """How many labels or numbers are doubted, and positions of the most doubtful ones, worst first."""

    count: int
    positions: np.ndarray


def check_label_noise(checked: CheckedTable) -> list[Finding]:
    """Doubt targets by a quick, careful model's out-of-fold predictions."""
    if "doubting" not in checked.shared:
        ask_for_predictions(checked)
    model, predicted = QuickModel.of(checked), checked.shared.pop("doubting")
    classes = np.unique(checked.target[model.positions])
    if predicted is None:
        return []
    predictions = predicted()
    if model.is_regression:
        return doubt_target(checked, predictions[:, 0], model.positions)
    probabilities = np.hstack([1 - predictions, predictions]) if predictions.shape[1] == 1 else predictions
    return doubt_labels(checked, probabilities, classes[codes_of(model.outcomes)], classes, model.positions)


def ask_for_predictions(checked: CheckedTable) -> None:
    """Ask for those predictions, unless they can show nothing."""
    model = QuickModel.of(checked)
    target = checked.target[model.positions]
    if model.is_regression:
        checked.shared["doubting"] = model.ask() if _shows_a_spread(target) else None
    else:  # the rows that were drawn may hold none of a very rare class
        checked.shared["doubting"] = model.ask(strength=CAREFUL) if len(np.unique(target)) > 1 else None


def doubt_labels(checked: CheckedTable, probabilities: np.ndarray, labels: np.ndarray, classes: np.ndarray, positions: np.ndarray
                 ) -> list[Finding]:
    """Whether labels seem wrong, from out-of-fold probabilities (m, C) of the classes (C,) at positions (m,) of the table."""
    codes = np.searchsorted(classes, labels)
    doubt = doubtful_labels(probabilities, codes)
    if doubt is None:
        return []
    sample = Sample.of(checked)
    outcomes = (codes[:, None] == np.arange(len(classes))).astype(np.float64)
    likely = sorted(sample.columns, key=sample.explained_share)[-CANDIDATES:]
    if max(sample.predicted_share(values) for values in likely) >= MOST_BY_ONE * told_share(outcomes, probabilities):
        return []
    share = doubt.count / len(labels)
    name = checked.table.target_name
    return [Finding(LABEL_NOISE, "warn", name,
                    f"about {share:.0%} of the labels in `{name}` look wrong: so many differ from the prediction even where a "
                    f"model is surest, the most doubtful in {_rows(checked, positions[doubt.positions])}",
                    "look at these rows; wrong labels hold every approach back alike")]


def doubtful_labels(probabilities: np.ndarray, labels: np.ndarray) -> Doubt | None:
    """The labels (m,) that are probably wrong, by confident learning on out-of-fold probabilities (m, C); None if it is overlap.

    A label is doubted where another class is predicted with at least the mean probability that rows of that class get
    (Northcutt, Jiang and Chuang 2021, doi:10.1613/jair.1.12125). Honest overlap makes such rows too, so it counts only if
    labels differ about as often where the model is surest as where it is less sure.
    """
    rows, n_classes = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    is_other = predicted != labels
    base_error = 1 - np.bincount(labels).max() / rows
    floor = _floor(predicted, probabilities.max(axis=1), is_other)
    error = float(is_other.mean() / base_error) if base_error else np.inf
    if floor is None or not _is_flat(floor, error, FLATNESS if n_classes == 2 else FLATNESS_OF_MANY):
        return None
    thresholds = np.array([probabilities[labels == code, code].mean() if (labels == code).any() else 2.0
                           for code in range(n_classes)])
    doubted = np.flatnonzero(is_other & (probabilities[np.arange(rows), predicted] >= thresholds[predicted]))
    worst = doubted[np.argsort(probabilities[doubted, labels[doubted]], kind="stable")]
    count = min(len(doubted), round(floor.first * rows))
    return Doubt(count, worst[:count])


@dataclass(frozen=True)
class _Floor:
    """Shares of other labels in the surest and the next quarter of the rows of each predicted class, all classes together."""

    first: float
    second: float
    rows: int


def _floor(predicted: np.ndarray, confidence: np.ndarray, is_other: np.ndarray) -> _Floor | None:
    """The floor, if every class that is predicted often shows one and half the rows can be looked at."""
    first, second, rows = 0, 0, 0
    for code in np.unique(predicted):
        of_class = np.flatnonzero(predicted == code)
        quarter = len(of_class) // QUARTERS
        if quarter < LEAST_IN_QUARTER:
            continue
        surest = of_class[np.argsort(-confidence[of_class], kind="stable")]
        share = float(is_other[surest[:quarter]].mean())
        is_judged = len(of_class) >= JUDGED_SHARE * len(predicted) or quarter >= JUDGED_QUARTER
        if share > MOST_FLOOR or (is_judged and share < LEAST_FLOOR):
            return None
        first += int(is_other[surest[:quarter]].sum())
        second += int(is_other[surest[quarter:2 * quarter]].sum())
        rows += quarter
    is_known = QUARTERS * rows >= len(predicted) / 2 and first <= MOST_FLOOR_OF_ALL * rows
    return _Floor(first / rows, second / rows, rows) if is_known else None


def _is_flat(floor: _Floor, error: float, tiers: tuple[tuple[float, float], ...]) -> bool:
    """Whether the floor is shown to be there and to be nearly as high as what follows; `error` relative to the base one."""
    tier = next((tier for tier in tiers if error <= tier[0]), None)
    variance = floor.first * (1 - floor.first)
    if tier is None or floor.first - STANDARD_ERRORS * np.sqrt(variance / floor.rows) < LEAST_FLOOR:
        return False
    flatness = tier[1]
    spread = np.sqrt((variance + flatness**2 * floor.second * (1 - floor.second)) / floor.rows)
    return bool(floor.first - flatness * floor.second >= STANDARD_ERRORS * spread)


def doubt_target(checked: CheckedTable, predictions: np.ndarray, positions: np.ndarray) -> list[Finding]:
    """Whether numbers lie wildly far from out-of-fold predictions (m,) at positions (m,) of the table."""
    doubt = wild_residuals(predictions, checked.target[positions])
    if doubt is None:
        return []
    name, severity = checked.table.target_name, "warn" if doubt.count >= WILD_ALARM_SHARE * len(positions) else "info"
    return [Finding(DOUBTFUL_TARGET, severity, name,  # type: ignore[arg-type]
                    f"{doubt.count:,} of {len(positions):,} values of `{name}` lie more than {WILD:.0f} robust standard "
                    f"deviations from what a model predicts, the wildest in {_rows(checked, positions[doubt.positions])}",
                    "look at these rows for other units or slips of the pen; RMSE hangs on them")]


def wild_residuals(predictions: np.ndarray, target: np.ndarray) -> Doubt | None:
    """The targets (m,) that lie wildly far from predictions (m,), by the spread among rows of like prediction."""
    if not _shows_a_spread(target):
        return None
    rows = len(target)
    residual = target - predictions
    place = pd.Series(predictions).rank(method="first").to_numpy() - 1
    frame = pd.Series(residual).groupby((place * max(1, min(MOST_BINS, rows // ROWS_OF_A_BIN)) // rows).astype(np.int64))
    away = (residual - frame.transform("median")).abs()
    spread = 1.4826 * away.groupby(frame.ngroup()).transform("median")
    whole = 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
    scale = 1.4826 * float(np.median(np.abs(target - np.median(target))))
    wildness = (away / np.maximum(spread, max(LEAST_SPREAD * whole, LEAST_NOISE * scale, np.finfo(float).tiny))).to_numpy()
    count = int((wildness > WILD).sum())
    return None if count < LEAST_WILD else Doubt(count, np.argsort(-wildness, kind="stable")[:count])


def _shows_a_spread(target: np.ndarray) -> bool:
    """Whether there are rows enough; around a value that most have, no other has any spread to be measured by."""
    rows = len(target)
    return rows >= LEAST_ROWS_FOR_A_SPREAD and bool(np.unique(target, return_counts=True)[1].max() < COMMONEST_SHARE * rows)


def _rows(checked: CheckedTable, positions: np.ndarray) -> str:
    """The first few rows as a person counts them in the file."""
    named = ", ".join(f"{checked.table.rows[position] + 1:,}" for position in positions[:MOST_NAMED])
    return f"row {named}" if len(positions) == 1 else f"rows {named}"


CHECKS.register(Check("label-noise", "labels and numbers that seem to be wrong", check_label_noise, (
    PossibleFinding(LABEL_NOISE, "warn",
                    f"{per_cent(LEAST_FLOOR)} of the labels differ from the prediction even where a model is surest"),
    PossibleFinding(DOUBTFUL_TARGET, "warn",
                    f"{per_cent(WILD_ALARM_SHARE)} of the values lie {WILD:.0f} robust standard deviations from what "
                    "a model predicts"),
    PossibleFinding(DOUBTFUL_TARGET, "info", f"{LEAST_WILD} values do"),
), ask_for_predictions))
