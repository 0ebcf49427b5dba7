"""Check: test rows of the user's own splits that can be told from the training rows (adversarial validation)."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import LEAST_ROWS_OF_A_SIDE, Values, dropping, has_own_splits, learners_of, plain_values, quoted
from tabbench.checks.quick_model import ask_out_of_fold, folds_of
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding
from tabbench.core.split import Split

ALARM_AUC = 0.75
"""How well a quick model tells test from training rows, out of fold: 0.5 if they are of one kind. A shift of one column by one
standard deviation gives 0.76."""
STANDARD_ERRORS_ABOVE = 4.0
"""And so many standard errors above 0.5, for small parts."""
MOST_ROWS = 5_000
"""Rows of each side."""
MOST_SPLITS = 5
NAMED = 3


def check_shifted_splits(checked: CheckedTable) -> list[Finding]:
    """Say how well a model tells the test part of a split of the user's own from its training part, and by what."""
    plan = checked.splits
    if plan is None or not has_own_splits(checked):
        return []
    found = [(_told_apart(checked, split), split) for split in plan.splits[:MOST_SPLITS]]
    (auc, names), split = max(found, key=lambda each: each[0][0])
    if auc < ALARM_AUC:
        return []
    which = "the test rows" if len(plan.splits) == 1 else f"the test rows of fold {split.fold + 1}"
    is_later = names[0] == checked.table.roles.get("time") or any(
        column.name == names[0] and column.kind == "date" for column in checked.table.columns)
    if is_later:  # testing on later rows than those trained on is honest
        return [Finding("shifted-splits", "info", names[0],
                        f"{which} are of another time than the training rows (by {quoted(names)}: an AUC of {auc:.2f})",
                        "that is right if later rows are to be predicted")]
    features = [name for name in names if name != checked.table.target_name]
    is_by_target = names[0] == checked.table.target_name
    cure = (f"the target `{names[0]}` itself is another: compare its values, or use the built-in splits"
            if is_by_target else "use the built-in splits, or, if it only marks the part, leave "
                                 f"`{features[0]}` out with {dropping(features[0])}")
    return [Finding("shifted-splits", "warn", names[0],
                    f"{which} are of another kind than the training rows: a quick model tells them apart with an AUC of "
                    f"{auc:.2f}, most by {quoted(names)}, so scores hold for that change only", cure,
                    spoils=True, remedy=None if is_by_target else dropping(features[0]))]


def _told_apart(checked: CheckedTable, split: Split) -> tuple[float, list[str]]:
    """AUC (0.5 if it could be chance) and the columns that tell most, the target among them."""
    rng = np.random.default_rng([checked.seed, 4])
    sides = [np.sort(rng.permutation(side)[:MOST_ROWS]) for side in (split.train, split.test)]
    if min(len(side) for side in sides) < LEAST_ROWS_OF_A_SIDE:
        return 0.5, [""]
    rows = np.concatenate(sides)
    is_test = np.repeat([0.0, 1.0], [len(side) for side in sides])
    columns = checked.table.columns
    values = [Values(column, plain_values(checked.table.features[column.name].iloc[rows], column)) for column in columns]
    matrix = np.column_stack([*(each.values for each in values), checked.target[rows].astype(np.float64)])
    nominal = np.zeros(matrix.shape[1], dtype=bool)
    fold = folds_of(checked.table.tie[rows], checked.seed)
    predicted = ask_out_of_fold(learners_of(checked), matrix, nominal, is_test[:, None], False, fold)
    told = area_under_curve(predicted()[:, 0], is_test > 0)
    error = np.sqrt((len(rows) + 1) / (12 * len(sides[0]) * len(sides[1])))
    if told < 0.5 + STANDARD_ERRORS_ABOVE * error:
        return 0.5, [""]
    alone = [abs(area_under_curve(np.nan_to_num(column, nan=-1e300), is_test > 0) - 0.5) for column in matrix.T]
    names = [*(column.name for column in columns), checked.table.target_name]
    order = np.argsort(-np.array(alone), kind="stable")[:NAMED]
    return told, [names[number] for number in order if alone[number] >= alone[order[0]] / 2]


def area_under_curve(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """Probability that a positive row scores above another one, ties half; 0.5 where a side is empty.

    >>> area_under_curve(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    positive = int(is_positive.sum())
    others = len(scores) - positive
    if not positive or not others:
        return 0.5
    codes, counts = np.unique(scores, return_inverse=True, return_counts=True)[1:]
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[codes]
    return float((ranks[is_positive].sum() - positive * (positive + 1) / 2) / (positive * others))


CHECKS.register(Check("shifted-splits", "test rows that can be told from training rows", check_shifted_splits, (
    PossibleFinding("shifted-splits", "warn", f"a quick model tells test from training rows with an AUC of {ALARM_AUC:g}"),
    PossibleFinding("shifted-splits", "info", "it does, and by the time, as is right if later rows are to be predicted"),
)))
