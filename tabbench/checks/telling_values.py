"""Check: values of one column, or its being filled in at all, that give the target away for some of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tabbench.checks.columns import LEAST_ROWS_OF_A_SIDE, Sample, Values, dropping, per_cent
from tabbench.checks.single_feature import ALARM_SHARE
from tabbench.checks.target_copy import is_target_copy
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

PURE_SHARE = 0.995
"""Of the rows with such a value, so many have the same outcome."""
LEAST_CLASS_SHARE = 0.1
"""Of the rows with that outcome, so many have such a value; fewer change no comparison much."""
LEVEL_SHARE, NUMBER_SHARE = 0.25, 0.5
"""The same for one level and one number among others; a width of 0 marks a quarter of the letters I."""
OTHERS_SHARE = 0.02
"""Share of the target's variance that the other levels may tell beside one that stands alone."""
LEAST_SURPRISE = 16.0
"""-log of the probability that rows drawn at random agree so: one in ten million, as many columns and values are looked at."""
MOST_COLUMNS = 2
"""Where more columns have such values, and of different rows, the classes are simply well told apart, as mushrooms are."""
DEFAULT_SHARE = 0.5
"""The commonest value of so many rows may mean that nothing was filled in."""
TAIL_SHARE = 0.1
"""Of a number that is to be predicted, the highest and the lowest tenth are looked at as outcomes."""


@dataclass(frozen=True)
class Telling:
    """Rows of one column that share an outcome: how the values are called, rows, the outcome, the share of it they cover."""

    column: str
    values: str
    rows: int
    outcome: str
    covered: float


def check_telling_values(checked: CheckedTable) -> list[Finding]:
    """Name the few columns with values that go with one outcome only."""
    sample = Sample.of(checked)
    outcomes, halves = _outcomes(sample), _halves(sample)
    told = []
    for values in _may_tell(sample):
        found = max(_telling(values, sample, outcomes, halves), key=lambda telling: telling.covered, default=None)
        if found is not None:
            told.append((found, values))
    # Columns that are filled in together tell one thing, and a family of them is no sign of classes that are well told apart.
    if not told or len({(telling.outcome, telling.rows, telling.covered) for telling, _ in told}) > MOST_COLUMNS:
        return []
    return [_finding(telling) for telling, values in told
            if not is_target_copy(values, sample) and sample.predicted_share(values) < ALARM_SHARE[checked.task.kind]]


def _may_tell(sample: Sample) -> list[Values]:
    """The columns with gaps, a value that most rows have but not all or, where there are classes, any frequent one."""
    rows, repeats = len(sample.positions), sample.repeats
    is_usual = repeats.commonest <= rows - LEAST_ROWS_OF_A_SIDE
    fewest = DEFAULT_SHARE * rows if sample.checked.task.is_regression else LEAST_ROWS_OF_A_SIDE
    may_tell = (repeats.missing > 0) | (is_usual & (repeats.commonest >= fewest))
    return [sample.columns[number] for number in np.flatnonzero(may_tell)]


def _finding(telling: Telling) -> Finding:
    name = telling.column
    return Finding("telling-values", "warn", name,
                   f"nearly all of the {telling.rows:,} rows where `{name}` {telling.values} have {telling.outcome}, "
                   f"{telling.covered:.0%} of all that do; it may have been written down after the outcome was known",
                   f"if it is not known when predicting, leave it out with {dropping(name)}",
                   spoils=True, remedy=dropping(name))


def _telling(values: Values, sample: Sample, outcomes: dict[str, np.ndarray], halves: dict[str, np.ndarray]) -> Iterator[Telling]:
    """The subsets of one column that go with one outcome, or with one half of the target."""
    total = {label: int(is_outcome.sum()) for label, is_outcome in (outcomes | halves).items()}
    of_one = (1.0, LEVEL_SHARE if values.is_nominal else NUMBER_SHARE)
    for words, is_in, is_whole in _subsets(values, sample):
        rows = int(is_in.sum())
        pure, covered = (PURE_SHARE, LEAST_CLASS_SHARE) if is_whole else of_one
        if rows < LEAST_ROWS_OF_A_SIDE or rows > len(is_in) - LEAST_ROWS_OF_A_SIDE:
            continue
        for label, is_outcome in (outcomes | halves if is_whole else outcomes).items():
            hits = int((is_in & is_outcome).sum())
            if hits >= pure * rows and hits >= covered * total[label] and _surprise(
                    rows, total[label] / len(is_in)) >= LEAST_SURPRISE:
                yield Telling(values.column.name, words, rows, label, hits / total[label])


def _surprise(rows: int, base: float) -> float:
    return -rows * float(np.log(base)) if 0 < base < 1 else 0.0


def _outcomes(sample: Sample) -> dict[str, np.ndarray]:
    """What a row may have: a class; for numbers the highest or the lowest tenth, or the one value that very many have."""
    name, target = sample.checked.table.target_name, sample.target
    if not sample.checked.task.is_regression:
        return {f"`{name}` = {sample.checked.task.classes[code]}": target == code for code in np.unique(target)}
    low, high = np.quantile(target, [TAIL_SHARE, 1 - TAIL_SHARE])
    tails = {f"`{name}` above {high:g}": target > high, f"`{name}` below {low:g}": target < low}
    values, counts = np.unique(target, return_counts=True)
    commonest = values[counts.argmax()]
    return tails | ({f"`{name}` = {commonest:g}": target == commonest} if counts.max() >= LEAST_CLASS_SHARE * len(target) else {})


def _halves(sample: Sample) -> dict[str, np.ndarray]:
    """The upper and the lower half of a number to be predicted; columns filled in for one of them only are no accident."""
    if not sample.checked.task.is_regression:
        return {}
    name, median = sample.checked.table.target_name, float(np.median(sample.target))
    return {f"`{name}` above {median:g}": sample.target > median, f"`{name}` of at most {median:g}": sample.target <= median}


def _subsets(values: Values, sample: Sample) -> Iterator[tuple[str, np.ndarray, bool]]:
    """(words, rows, whether they are all that is filled in or left open) for what is said of a value."""
    is_missing = np.isnan(values.values)
    if is_missing.any():
        yield "is missing", is_missing, True
        yield "is not missing", ~is_missing, True
    codes = values.exact_codes
    counts = np.bincount(codes)
    common = int(counts.argmax())
    if counts[common] >= DEFAULT_SHARE * len(codes) and not is_missing[codes == common].any():
        yield f"is not {_spelled(values, common)}", (codes != common) & ~is_missing, True
    if len(counts) > 2 and not sample.checked.task.is_regression:
        for code in np.flatnonzero(counts >= LEAST_ROWS_OF_A_SIDE):
            is_in = codes == code
            if not is_missing[is_in].any() and _is_alone(values, is_in, sample):
                yield f"is {_spelled(values, int(code))}", is_in, False


def _is_alone(values: Values, is_in: np.ndarray, sample: Sample) -> bool:
    """Whether a value says what its neighbours do not: other levels say nothing, numbers just below and above are mixed.

    The island of Torgersen has one kind of penguin, but so do the other islands lack some; a petal 0.2 cm wide is of the one kind
    that narrow petals are of.
    """
    if values.is_nominal:
        others = Sample(sample.checked, sample.positions[~is_in], sample.target[~is_in], sample.outcomes[~is_in])
        return others.explained_share(Values(values.column, values.values[~is_in])) < OTHERS_SHARE
    value = values.values[is_in][0]
    order = np.argsort(values.values, kind="stable")
    below = order[values.values[order] < value][-LEAST_ROWS_OF_A_SIDE:]
    above = order[values.values[order] > value][:LEAST_ROWS_OF_A_SIDE]
    commonest = np.bincount(sample.target[is_in]).argmax()
    return all(len(side) == LEAST_ROWS_OF_A_SIDE and (sample.target[side] == commonest).mean() <= 0.5 for side in (below, above))


def _spelled(values: Values, code: int) -> str:
    """The value behind a code as it stands in the file, or nearly so."""
    value, column = values.values[np.flatnonzero(values.exact_codes == code)[0]], values.column
    if column.levels and not np.isnan(value):
        return repr(column.levels[int(value)])
    return "a certain text" if column.kind == "text" else "one date" if column.kind == "date" else f"{value:g}"


CHECKS.register(Check("telling-values", "values of a column that give the target away for some rows", check_telling_values, (
    PossibleFinding("telling-values", "warn",
                    f"of at least {LEAST_ROWS_OF_A_SIDE} rows with a value or a gap, {per_cent(PURE_SHARE)} have one "
                    f"outcome, and {per_cent(LEAST_CLASS_SHARE)} of all that have it are among them"),
)))
