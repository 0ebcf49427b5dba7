"""Check: two columns, or a few in a plain sum or product, that only together give the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, groupby
from operator import itemgetter

import numpy as np

from tabbench.checks.columns import LEAST_ROWS_FOR_A_SHARE, Sample, Values, dropping, exact_codes, per_cent, quoted
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding
from tabbench.core.table import Column

MOST_ROWS = 2_000
"""Rows that pairs are tried on; what is found is measured on all."""
MOST_COLUMNS = 30
"""Columns that pairs are made of: those that tell most by themselves come first, so a table of many is quick too."""
MOST_LEVELS = 20
"""Levels of a column that is crossed with another one."""
ALARM_SHARE = {"binary": 0.97, "multiclass": 0.97, "regression": 0.997}
"""Share of the target's variance that the two predict together, out of sample."""
MOST_ALONE = 0.8
"""If one of them tells more by itself, the two are no riddle."""
TRIAL_SLACK = 0.1
"""A trial on few rows in 32 bins falls so much short."""
MOST_TERMS = 4
"""Columns of a sum; more are an honest linear law."""
EXACT_SHARE = 1 - 1e-6
"""What a sum tells of the target when it is the target but for rounding."""
ROUNDED_SHARE = 0.999
"""And when rounded too, provided that its weights are all +1 or -1."""
WEIGHT_SLACK = 0.01
SURELY_LACKING, RIDGE = 0.05, 1e-9
"""Share of the target's squares that no sum of columns leaves which is the target, reckoned with a little ridge as well."""
LARGEST = 1e100
"""Squares of larger numbers overflow."""

def _ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(first, second, out=np.full_like(first, np.nan), where=second != 0))


OPERATIONS: tuple[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]], ...] = (
    ("difference", np.subtract), ("sum", np.add), ("product", np.multiply),
    ("ratio", _ratio), ("ratio", lambda first, second: _ratio(second, first)))
"""Word for what comes of two columns -> how."""


def check_combined_columns(checked: CheckedTable) -> list[Finding]:
    """Find a short sum or product that is the target, or a pair of columns that tells it though neither does."""
    sample = Sample.of(checked)
    if len(sample.positions) < LEAST_ROWS_FOR_A_SHARE:
        return []
    alone = sample.shares_alone
    if alone.max(initial=0.0) >= ALARM_SHARE[checked.task.kind]:
        return []
    found = _identity(sample) or _pair(sample, alone)
    if not found:
        return []
    names, words = found
    return [Finding("combined-columns", "warn", names[0],
                    f"{words} the target `{checked.table.target_name}`; together they may be known only with the outcome",
                    f"if so, leave one out with {dropping(names[0])}", spoils=True, remedy=dropping(names[0]))]


def _identity(sample: Sample) -> tuple[list[str], str] | None:
    """The few numbers whose sum with weights, or product of powers, is the target but for rounding."""
    if not sample.checked.task.is_regression:
        return None
    numbers = [values for values in sample.columns if values.column.kind == "number" and not np.isnan(values.values).any()
               and np.ptp(values.values) > 0 and np.abs(values.values).max() < LARGEST]
    target = sample.outcomes[:, 0]
    if not numbers or len(target) < 4 * len(numbers):
        return None
    matrix = np.column_stack([values.values for values in numbers])
    terms = _few_terms(matrix, target, has_scale=True)
    if terms is not None:
        return _said(numbers, terms, "the columns {} add up to")
    is_positive = np.asarray((matrix > 0).all(axis=0))
    if target.min() <= 0 or not is_positive.any():
        return None
    numbers = [values for values, is_kept in zip(numbers, is_positive, strict=True) if is_kept]
    terms = _few_terms(np.log(matrix[:, is_positive]), np.log(target), has_scale=False)
    return None if terms is None else _said(numbers, terms, "a product of powers of the columns {} is")


def _said(numbers: list[Values], terms: list[int], words: str) -> tuple[list[str], str]:
    names = [numbers[term].column.name for term in terms]
    return names, words.format(quoted(names))


def _few_terms(matrix: np.ndarray, target: np.ndarray, *, has_scale: bool) -> list[int] | None:
    """The two to four columns of the matrix (m, p) that give the target linearly: exactly, or nearly with weights of one."""
    scale = matrix.std(axis=0)
    usable = np.flatnonzero(scale > 1e-12 * np.maximum(np.abs(matrix).max(axis=0), 1e-300))
    standard = (matrix[:, usable] - matrix[:, usable].mean(axis=0)) / scale[usable]
    centred = target - target.mean()
    if not len(usable) or _lacking_at_most(standard, centred) > SURELY_LACKING or _lacking(standard, centred) > 1 - ROUNDED_SHARE:
        return None
    by_weight = np.argsort(-np.abs(np.linalg.lstsq(standard, centred, rcond=None)[0]), kind="stable")
    for terms in range(1, min(MOST_TERMS, len(usable)) + 1):
        chosen = by_weight[:terms]
        lacking = _lacking(standard[:, chosen], centred)
        weights = np.linalg.lstsq(standard[:, chosen], centred, rcond=None)[0] / scale[usable[chosen]]
        is_plain = has_scale and bool((np.abs(np.abs(weights) - 1) <= WEIGHT_SLACK).all())
        if lacking <= 1 - EXACT_SHARE or (is_plain and lacking <= 1 - ROUNDED_SHARE):
            return [int(column) for column in usable[chosen]] if terms > 1 else None  # one column is another check's
    return None


def _lacking_at_most(columns: np.ndarray, target: np.ndarray) -> float:
    """The same but for little, from the products of the columns: of hundreds they take a tenth of the time."""
    products = columns.T @ columns
    products.flat[::len(products) + 1] += RIDGE * len(columns)
    return float(((target - columns @ np.linalg.solve(products, columns.T @ target)) ** 2).sum() / (target**2).sum())


def _lacking(columns: np.ndarray, target: np.ndarray) -> float:
    """Share of the target's squares that a linear function of the columns leaves."""
    weights = np.linalg.lstsq(columns, target, rcond=None)[0]
    return float(((target - columns @ weights) ** 2).sum() / (target**2).sum())


def _pair(sample: Sample, alone: np.ndarray) -> tuple[list[str], str] | None:
    """Two columns whose difference, sum, product, ratio or crossing tells the target."""
    few = _fewer_rows(sample)
    usual = np.argsort(-alone, kind="stable")[:MOST_COLUMNS]
    if alone.max() >= MOST_ALONE:
        usual = np.array([number for number in usual if alone[number] < MOST_ALONE], dtype=np.int64)
    alarm = ALARM_SHARE[sample.checked.task.kind]
    for first, others in groupby(combinations(sorted(int(number) for number in usual), 2), key=itemgetter(0)):
        tries = [(second, *joined) for _, second in others
                 for joined in _joined(sample.columns[first], sample.columns[second], few.positions)]
        shares = few.told.explained_shares([tried for *_, tried in tries])
        for second, how, values, _ in (tries[number] for number in np.flatnonzero(shares >= alarm - TRIAL_SLACK)):
            if sample.predicted_share(values()) >= alarm:
                names = [sample.columns[number].column.name for number in (first, second)]
                return names, f"the {how} of the columns {quoted(names)} tells nearly everything about"
    return None


class _Few:
    """The rows that pairs are tried on: positions in the sample, and a sample of these alone."""

    def __init__(self, sample: Sample, positions: np.ndarray) -> None:
        self.positions = positions
        self.told = Sample(sample.checked, sample.positions[positions], sample.target[positions], sample.outcomes[positions])


def _fewer_rows(sample: Sample) -> _Few:
    rows = len(sample.positions)
    positions = np.random.default_rng(sample.checked.seed).permutation(rows)[:MOST_ROWS]
    return _Few(sample, np.sort(positions))


def _joined(first: Values, second: Values, few: np.ndarray) -> Iterator[tuple[str, Callable[[], Values], Values]]:
    """(how, the joined column, the same on few rows) for every sensible way to join two columns."""
    if all(values.exact_codes.max() < MOST_LEVELS for values in (first, second)):
        category, crossed = Column("crossing", "category"), first.exact_codes * float(MOST_LEVELS) + second.exact_codes
        yield "crossing", lambda: Values(category, exact_codes(crossed).astype(np.float64)), Values(category, crossed[few])
    if first.is_nominal or second.is_nominal:
        return
    number = Column("joined", "number")
    for how, join in OPERATIONS:
        with np.errstate(over="ignore", invalid="ignore"):
            tried = join(first.values[few], second.values[few])
        tried[~np.isfinite(tried)] = np.nan
        yield how, lambda join=join: Values(number, _whole(join, first, second)), Values(number, tried)  # type: ignore[misc]


def _whole(join: Callable[[np.ndarray, np.ndarray], np.ndarray], first: Values, second: Values) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        joined = join(first.values, second.values)
    return np.where(np.isfinite(joined), joined, np.nan)


CHECKS.register(Check("combined-columns", "columns that only together give the target", check_combined_columns, (
    PossibleFinding("combined-columns", "warn",
                    f"two columns together tell {per_cent(ALARM_SHARE)} of the target's variance and neither "
                    f"{per_cent(MOST_ALONE)}, or a sum or product of up to {MOST_TERMS} is the target but for rounding; "
                    f"in {LEAST_ROWS_FOR_A_SHARE} rows or more"),
)))
