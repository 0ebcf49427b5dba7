"""Check: a column that was computed from the target: a mean of it by level, a running total, the target of the next row."""

from __future__ import annotations

import numpy as np

from tabbench.checks.blocks import exact_codes_of, repeated, repeats
from tabbench.checks.columns import (
    LEAST_EQUAL_VALUES,
    Sample,
    Values,
    dropping,
    level_means,
    matrix_of,
    outcomes_of,
    per_cent,
    plain_values,
)
from tabbench.checks.quick_model import QuickModel
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

MEAN_CORRELATION = 1 - 1e-7
"""Equal but for rounding to a few digits."""
LEAST_REPEATED_SHARE = 0.5
"""Of the rows, so many must have a value that another row has, for a mean by level."""
LEAST_ROWS_IN_STEP = 50
"""Rows along the file that must agree; fewer could by chance."""
EQUAL_STEPS = 0.98
"""Of the steps between neighbouring rows, so many are the target; the others are where a group ends."""
MOST_KEYS = 20
"""Columns by whose levels means are tried."""
QUICK_ROWS = 500
"""Rows that settle most columns."""
CHANCE = 1e-6
"""That a column knows so much of the luck of its rows' targets, if it were honest."""
LEAST_TOLD = 0.8
"""Of the variance between the means, so much must be told: means that are all alike have no luck that could be known."""
EVEN_SHARE = 0.8
"""Of the steps between values, so many alike make a scale, not means."""
MOST_CELLS = 20_000_000
"""Rows times columns up to which all rows are looked at, about three seconds."""
NEARLY_LINEAR = 0.99
"""What a few rows must say of a column before all are asked."""
MOST_CLASSES = 10
"""Classes whose means are looked for."""


def check_made_from_target(checked: CheckedTable) -> list[Finding]:
    """Find columns that are target means by level, running totals of the target or its neighbours' targets."""
    if len(checked.table) < LEAST_ROWS_IN_STEP:
        return []
    sample = _all_rows(checked)
    how = {name: words for name in _may_go_along(checked) if (words := _along_the_file(name, checked))}
    if len(sample.positions) == len(checked.table) and sample.outcomes.shape[1] <= MOST_CLASSES:
        numbers = [int(number) for number in np.flatnonzero(sample.repeats.distinct >= LEAST_EQUAL_VALUES)
                   if sample.columns[number].column.kind == "number" and sample.columns[number].column.name not in how]
        how |= {sample.columns[number].column.name: words for number in numbers if (words := _target_mean(number, sample))}
        how |= _means_by_key([number for number in numbers if sample.columns[number].column.name not in how], sample)
    return [Finding("made-from-target", "warn", name,
                    f"the column `{name}` {words}, so it holds the answers of the rows that are to be predicted",
                    f"leave it out with {dropping(name)}, or compute it from training rows only",
                    spoils=True, remedy=dropping(name))
            for name, words in how.items()]


def _all_rows(checked: CheckedTable) -> Sample:
    """Means of all rows show in all rows only; of a very large table the usual sample is taken."""
    sample, rows = Sample.of(checked), len(checked.table)
    if len(sample.positions) == rows or rows * len(checked.table.columns) > MOST_CELLS:
        return sample
    return Sample(checked, np.arange(rows), checked.target, outcomes_of(checked.target, checked.task.is_regression))


def _target_mean(number: int, sample: Sample) -> str:
    """Whether rows of equal value have just this value, or a linear function of it, as their mean target."""
    values, told = sample.columns[number], sample.repeats
    if told.repeated_values[number] < LEAST_EQUAL_VALUES or told.repeated_rows[number] < LEAST_REPEATED_SHARE * (
            len(values.values) - told.missing[number]):
        return ""
    present = ~np.isnan(values.values)
    if present.mean() < LEAST_REPEATED_SHARE:
        return ""
    value, codes = np.unique(values.values[present], return_inverse=True)
    counts = np.bincount(codes)
    is_repeated = counts > 1
    if np.count_nonzero(is_repeated) < LEAST_EQUAL_VALUES or counts[is_repeated].sum() < LEAST_REPEATED_SHARE * len(codes):
        return ""
    outcomes, name = _numbers(sample)[present], sample.checked.table.target_name
    means = level_means(codes, outcomes, counts)
    if any(_are_linear(value[is_repeated], mean[is_repeated]) for mean in means.T):
        return f"is the mean of `{name}` over the rows with the same value"
    within = ((outcomes - means[codes]) ** 2).sum(axis=0) / max(len(codes) - len(counts), 1)
    if not _is_evenly_spaced(value) and any(
            _knows_the_luck(value[is_repeated], mean[is_repeated], counts[is_repeated], float(noise), values, sample)
            for mean, noise in zip(means.T, within, strict=True)):
        return f"was made from the mean of `{name}` over rows with the same value: it knows it better than rows of their own tell"
    return ""


def _is_evenly_spaced(value: np.ndarray) -> bool:
    """Whether most steps between the values are the same, as of years, grades and doses; of means they are not."""
    steps = np.diff(value)
    return bool(np.isclose(steps, np.median(steps), rtol=1e-6).mean() >= EVEN_SHARE)


def _knows_the_luck(value: np.ndarray, means: np.ndarray, counts: np.ndarray, noise: float, values: Values, sample: Sample
                    ) -> bool:
    """Whether mean targets of equal values are told closer than so few rows allow, as by a mean pulled to that of all.

    Means of n rows scatter around what an honest column says with the variance `noise` / n, which it can't foresee. Such a mean
    pulled towards the mean of all by a weight of a rows is a line in the value and in the value over n. Where other columns
    tell most of the target and are balanced among the values, as in a panel, only what they leave is noise.
    """
    from scipy.stats import chi2

    scaled = (value - value.mean()) / max(float(value.std()), np.finfo(float).tiny)
    design = np.column_stack([np.ones(len(value)), scaled, 1 / counts, scaled / counts])
    weight, degrees = np.sqrt(counts), len(value) - design.shape[1]
    if degrees < LEAST_EQUAL_VALUES or noise <= 0:
        return False
    line = np.linalg.lstsq(design * weight[:, None], means * weight, rcond=None)[0]
    left = float(np.sum(counts * (means - design @ line) ** 2))
    between = float(np.sum(counts * (means - np.average(means, weights=counts)) ** 2))
    if left > (1 - LEAST_TOLD) * between or chi2.cdf(left / noise, degrees) > CHANCE:
        return False
    others = [number for number, each in enumerate(sample.columns) if each is not values]
    told = QuickModel.of(sample.checked).share(columns=others) if others else 0.0
    return bool(chi2.cdf(left / (noise * (1 - max(told, 0.0))), degrees) <= CHANCE)


def _means_by_key(numbers: list[int], sample: Sample) -> dict[str, str]:
    """Column -> how it is said, for numbers that are the mean target by level of another column: with or without the row itself,
    or pulled to the mean of all."""
    matrix = sample.matrix[[number for number in numbers if not sample.repeats.missing[number]]]
    whole = [sample.columns[number] for number in numbers if not sample.repeats.missing[number]]
    distinct = sample.repeats.distinct
    keys = np.flatnonzero((distinct >= LEAST_EQUAL_VALUES) & (distinct <= len(sample.positions) * LEAST_REPEATED_SHARE))
    how: dict[str, str] = {}
    if not whole:
        return how
    some = np.random.default_rng(sample.checked.seed).permutation(len(sample.positions))[:QUICK_ROWS]
    head = matrix[:, some].T
    for key in (sample.columns[number] for number in keys[:MOST_KEYS]):
        codes = key.exact_codes
        counts, first = np.bincount(codes), np.unique(codes, return_index=True)[1]
        is_constant = (head == matrix[:, first[codes[some]]].T).all(axis=0)
        for outcome in _numbers(sample).T:
            others = (np.bincount(codes, weights=outcome)[codes] - outcome) / np.maximum(counts[codes] - 1, 1)
            may_be = is_constant | _go_together(head, others[some], counts[codes[some]] > 1)
            for values in (whole[number] for number in np.flatnonzero(may_be)):
                if values is not key and values.column.name not in how and _is_mean(values.values, codes, counts, outcome):
                    how[values.column.name] = f"is a mean of `{sample.checked.table.target_name}` by `{key.column.name}`"
    return how


def _go_together(numbers: np.ndarray, others: np.ndarray, is_used: np.ndarray) -> np.ndarray:
    """Whether columns (m, p) are nearly linear in the others' mean (m,) among the used rows."""
    if np.count_nonzero(is_used) < LEAST_EQUAL_VALUES:
        return np.ones(numbers.shape[1], dtype=bool)
    largest = np.maximum(np.abs(numbers).max(axis=0), np.finfo(float).tiny)
    centred = (numbers / largest)[is_used]
    centred, mean = centred - centred.mean(axis=0), others[is_used] - others[is_used].mean()
    spread = np.sqrt((centred**2).sum(axis=0) * (mean**2).sum())
    return np.asarray(np.abs(np.einsum("ij,i->j", centred, mean)) >= NEARLY_LINEAR * spread)


def _numbers(sample: Sample) -> np.ndarray:
    """What a mean may be of: the outcomes, and of many classes their rank, too, since labels are often grades."""
    is_ranked = sample.outcomes.shape[1] > 2
    return np.column_stack([sample.outcomes, sample.target]) if is_ranked else sample.outcomes


def _is_mean(values: np.ndarray, codes: np.ndarray, counts: np.ndarray, outcome: np.ndarray) -> bool:
    sums = np.bincount(codes, weights=outcome)
    others = counts[codes] - 1
    has_others = others > 0
    if _are_linear(values[has_others], ((sums[codes] - outcome)[has_others] / others[has_others])):
        return True
    first = np.unique(codes, return_index=True)[1]
    if not np.array_equal(values, values[first][codes]):
        return False
    means = sums / counts
    return _are_linear_by_count(values[first], means, counts)


def _are_linear_by_count(values: np.ndarray, means: np.ndarray, counts: np.ndarray) -> bool:
    """Whether value and mean are linear in each other among levels of equally many rows: a mean pulled to that of all is."""
    is_used = np.zeros(len(values), dtype=bool)
    for count in np.unique(counts[counts > 1]):
        same = counts == count
        if len(np.unique(means[same])) < 3:
            continue
        if not _are_linear(values[same], means[same], fewest=3):
            return False
        is_used |= same
    return int(np.count_nonzero(is_used)) >= LEAST_EQUAL_VALUES


def _file_order(checked: CheckedTable) -> np.ndarray:
    """The file's order, or that of a declared time, in which what is earlier may be known."""
    table = checked.table
    return np.argsort(table.rows if table.time is None else table.time, kind="stable")


def _may_go_along(checked: CheckedTable) -> list[str]:
    """The columns that may be a running total of the target, or its neighbour's, as their first rows show, all at once."""
    table, first = checked.table, _file_order(checked)[:QUICK_ROWS]
    target, columns = checked.target[first].astype(np.float64), matrix_of(table, first)
    may_be = np.zeros(len(columns), dtype=bool)
    for outcome in _outcomes_of(target, checked):
        for numbers, side in ((np.diff(columns), outcome[1:]), (np.diff(columns), outcome[:-1]),
                              (columns[:, 1:], outcome[:-1]), (columns[:, :-1], outcome[1:])):
            may_be |= _may_agree(numbers, side)
    if not checked.task.is_regression:
        distinct, n_classes = repeats(columns).distinct, len(np.unique(target))
        alike = np.flatnonzero((distinct >= n_classes) & (distinct <= n_classes + 1))
        may_be[alike] |= _are_shifted_labels(columns[alike], target)
    return [table.columns[number].name for number in np.flatnonzero(may_be) if table.columns[number].kind != "date"]


def _may_agree(columns: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Whether most numbers of columns (p, m) nearly equal an outcome (m,): what `_agree` asks more closely."""
    slack = 1e-6 * np.maximum(np.abs(outcome).max(initial=0.0), np.nanmax(np.abs(columns), axis=1, initial=0.0) * 1e-6)
    is_equal = np.abs(columns - outcome) <= slack[:, None]
    return np.asarray(is_equal.sum(axis=1) >= EQUAL_STEPS * np.maximum((~np.isnan(columns)).sum(axis=1), LEAST_ROWS_IN_STEP))


def _along_the_file(column: str, checked: CheckedTable) -> str:
    """Whether it is a running total of the target, or the target of the row before or after."""
    table, order = checked.table, _file_order(checked)
    kind = next(each for each in table.columns if each.name == column)
    values, target = plain_values(table.features[column], kind)[order], checked.target[order].astype(np.float64)
    first = _along(values[:QUICK_ROWS], target[:QUICK_ROWS], checked)
    return _along(values, target, checked).format(name=table.target_name) if first else ""


def _outcomes_of(target: np.ndarray, checked: CheckedTable) -> list[np.ndarray]:
    """The target itself, or an indicator of each of the first classes."""
    return [target] if checked.task.is_regression else [
        (target == code).astype(np.float64) for code in range(min(checked.task.n_classes, MOST_CLASSES))]


def _along(column: np.ndarray, target: np.ndarray, checked: CheckedTable) -> str:
    """The same for some rows in the file's order."""
    classes = _outcomes_of(target, checked)
    may_know_earlier = checked.table.time is not None
    if not checked.task.is_regression and not may_know_earlier and _is_shifted_label(column, target):
        return "is `{name}` of the row before or after"
    for outcome in classes:
        if any(_agree(np.diff(column), side) for side in (outcome[1:], *([] if may_know_earlier else [outcome[:-1]]))):
            return "is a running total of `{name}` in the file's order"
        if _is_settled_by_order(outcome):
            continue
        if not may_know_earlier and _agree(column[1:], outcome[:-1]):
            return "is `{name}` of the row before"
        if _agree(column[:-1], outcome[1:]):
            return "is `{name}` of the row after"
    return ""


def _is_shifted_label(column: np.ndarray, target: np.ndarray) -> bool:
    """Whether levels and the classes of the row before or after go together one to one, as they do not within the row."""
    n_classes = len(np.unique(target))
    return (n_classes <= repeats(column[None]).distinct[0] <= n_classes + 1
            and bool(_are_shifted_labels(column[None], target)[0]))


def _are_shifted_labels(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The same of columns (p, m) of as many levels as there are classes, or one more."""
    if _is_settled_by_order(target):
        return np.zeros(len(columns), dtype=bool)
    labels, outcomes = exact_codes_of(columns), outcomes_of(target, is_regression=False)
    shifted = np.maximum(repeated(labels[:, 1:], outcomes[:-1]), repeated(labels[:, :-1], outcomes[1:]))
    return np.asarray((shifted >= EQUAL_STEPS) & (repeated(labels, outcomes) < EQUAL_STEPS))


def _agree(numbers: np.ndarray, outcome: np.ndarray) -> bool:
    """Whether nearly all numbers equal an outcome that varies, gaps apart."""
    present = ~np.isnan(numbers)
    numbers, outcome = numbers[present], outcome[present]
    if len(numbers) < LEAST_ROWS_IN_STEP or outcome.std() == 0:
        return False
    slack = 1e-6 * max(float(np.abs(outcome).max()), float(np.abs(numbers).max()) * 1e-6)
    if slack > 1e-3 * outcome.std():
        return False
    is_equal = np.abs(numbers - outcome) <= slack
    commonest = np.unique(outcome, return_counts=True)[1].max()
    return bool(is_equal.mean() >= EQUAL_STEPS and (~is_equal).sum() <= (len(outcome) - commonest) / 4)


def _is_settled_by_order(outcome: np.ndarray) -> bool:
    """Whether neighbouring rows mostly have the same outcome, so that a copy looks like a neighbour's."""
    return bool((np.diff(outcome) == 0).mean() >= EQUAL_STEPS)


def _are_linear(first: np.ndarray, second: np.ndarray, fewest: int = LEAST_EQUAL_VALUES) -> bool:
    if len(np.unique(second)) < fewest:
        return False
    first, second = (numbers / max(float(np.abs(numbers).max()), np.finfo(float).tiny) for numbers in (first, second))
    first, second = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return spread > 0 and abs(float(first @ second)) >= MEAN_CORRELATION * spread


CHECKS.register(Check("made-from-target", "a column that was computed from the target", check_made_from_target, (
    PossibleFinding("made-from-target", "warn",
                    f"a column has a mean of the target for each of {LEAST_EQUAL_VALUES} values or levels, or "
                    f"is a running total or a neighbour's target in {per_cent(EQUAL_STEPS)} of the rows; "
                    f"in {LEAST_ROWS_IN_STEP} rows or more"),
)))
