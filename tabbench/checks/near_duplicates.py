"""Check: rows that are other rows but for a column, for noise, or drawn between two others, on both sides of a split."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.checks.blocks import exact_codes_of
from tabbench.checks.columns import (
    MIXER,
    NAMING_SHARE,
    Sample,
    Values,
    dropping,
    has_own_splits,
    learners_of,
    per_cent,
    quoted,
)
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

LEAST_ROWS_OF_NEIGHBOURS = 60
"""Among fewer, the sixteenth neighbour is as far away as a quarter of the table."""
QUERIES = 1_000
"""Rows whose neighbours are looked up: a share of 5 % is known to within 1.5 %."""
ALARM_SHARE = 0.05
"""Share of rows that are another one in disguise from which scores are too good by something to speak of."""
SAME_TARGET_SHARE = 0.9
"""Of the pairs, so many must have the same target; else they are just alike."""
LEAST_NUMBERS = 3
"""Numbers that rows are compared in; in fewer dimensions close neighbours are chance."""
FINE_SHARE = 0.2
"""Share of distinct values from which a number can tell near from equal."""
NEIGHBOURS = 16
CLOSE = 0.1
"""A nearest neighbour within a tenth of the distance of the sixteenth. By chance in three dimensions 1.5 % of rows have one."""
BETWEEN_COSINE = -1 + 1e-6
"""Directions to two neighbours that are opposite to rounding: the row lies on the line between them."""
SAME_DIRECTION = 1e-3
"""Of a standard deviation: numbers that vary less beside the others are those others in other units."""
MOST_COLUMNS = 200


def check_near_duplicates(checked: CheckedTable) -> list[Finding]:
    """Say that rows repeat others in all but one column, nearly, or lie between two others.

    Splits of the user's own may keep such rows together, and are asked for shared rows where they are made.
    """
    sample = Sample.of(checked)
    if len(sample.positions) < LEAST_ROWS_OF_NEIGHBOURS or checked.table.group is not None or has_own_splits(checked):
        return []
    return _but_for_one(sample) or _close_or_between(sample)


def _but_for_one(sample: Sample) -> list[Finding]:
    """Rows that are equal in every column but one, down to numbers that all but name a row."""
    columns = sample.columns
    if not 2 <= len(columns) <= MOST_COLUMNS:
        return []
    digests = [_hashed(values, number) for number, values in enumerate(columns)]
    total = np.sum(digests, axis=0, dtype=np.uint64)
    is_first = ~pd.Series(total).duplicated().to_numpy()  # exact copies are another check's
    names = [number for number, values in enumerate(columns)
             if values.column.kind in ("number", "date") and len(np.unique(values.values)) >= NAMING_SHARE * is_first.sum()]
    worst = (0.0, "")
    for number, values in enumerate(columns):
        if not any(name != number for name in names):
            continue
        rest = (total - digests[number])[is_first]
        codes = pd.factorize(rest)[0]
        share = float((np.bincount(codes)[codes] > 1).mean())
        if not _repeat_together(codes, [columns[name].values[is_first] for name in names if name != number]):
            continue
        if share > worst[0] and _same_target(codes, sample.outcomes[is_first]):
            worst = (share, values.column.name)
    if worst[0] < ALARM_SHARE:
        return []
    share, name = worst
    return [Finding("near-duplicates", "warn", name,
                    f"{share:.1%} of the rows equal another one in all columns but `{name}`, so training and test rows are not "
                    "independent", f"leave `{name}` out with {dropping(name)}, which keeps equal rows together",
                    spoils=True, remedy=dropping(name))]


def _repeat_together(codes: np.ndarray, naming: list[np.ndarray]) -> bool:
    """Whether rows that share a naming number mostly share the code; if not, they share both by chance."""
    repeats = len(codes) - len(np.unique(codes))
    return any(2 * repeats >= len(values) - len(np.unique(values)) for values in naming)


def _hashed(values: Values, number: int) -> np.ndarray:
    return np.asarray(pd.util.hash_array(values.values + 0.0, categorize=False) * (MIXER + np.uint64(2 * number)))


def _same_target(codes: np.ndarray, outcomes: np.ndarray) -> bool:
    """Whether rows of one code mostly have one outcome."""
    is_shared = np.bincount(codes)[codes] > 1
    if not is_shared.any():
        return False
    frame = pd.DataFrame(outcomes[is_shared])
    spread = frame.groupby(codes[is_shared]).transform("std").to_numpy()
    return bool((spread <= 0.05 * outcomes.std(axis=0)).all(axis=1).mean() >= SAME_TARGET_SHARE)


def _close_or_between(sample: Sample) -> list[Finding]:
    """Rows that are another one with noise, or on the line between two others of the same target."""
    is_fine = (sample.repeats.distinct >= FINE_SHARE * len(sample.positions)) & (sample.repeats.missing == 0)
    numbers = [number for number in np.flatnonzero(is_fine) if sample.columns[number].column.kind == "number"]
    if len(numbers) < LEAST_NUMBERS:
        return []
    scaled, raw = _ranked(sample.matrix[numbers]).T, _standard(sample.matrix[numbers]).T
    if not _has_directions(raw[:, :MOST_COLUMNS]) and not _has_directions(raw):
        return []
    first = np.flatnonzero(~pd.Series([row.tobytes() for row in np.ascontiguousarray(scaled)]).duplicated())
    if len(first) < LEAST_ROWS_OF_NEIGHBOURS:
        return []
    queries, nearest, distances = _neighbours(scaled[first], sample.checked)
    outcomes = sample.outcomes[first]
    has_same, by_chance = (_agree(outcomes[queries], outcomes[nearest[:, place]]) for place in (0, -1))
    is_close = distances[:, 0] <= CLOSE * distances[:, -1]
    names = quoted([sample.columns[number].column.name for number in numbers])
    least_same = max(SAME_TARGET_SHARE, 1 - (1 - by_chance.mean()) / 2)
    if (is_close & has_same).mean() >= ALARM_SHARE and has_same[is_close].mean() >= least_same:
        return [_near("are another row with a little noise", float((is_close & has_same).mean()), names)]
    is_between = _lie_between(raw[first], queries, nearest)
    return [] if is_between.mean() < ALARM_SHARE else [
        _near("lie exactly between two others, as rows do that were made up to balance classes", float(is_between.mean()), names)]


def _agree(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether outcomes (q, k) are the same but for little."""
    return np.asarray((np.abs(first - second) <= 0.05 * first.std(axis=0)).all(axis=1))


def _near(what: str, share: float, names: str) -> Finding:
    return Finding("near-duplicates", "warn", "rows",
                   f"{share:.1%} of the rows {what} (by {names}), so training and test rows are not independent",
                   "leave such rows out, or give --group with a column that names the row they were made from", spoils=True)


def _has_directions(raw: np.ndarray) -> bool:
    """Whether standardised columns (m, p) vary in three directions or more."""
    return bool(np.linalg.matrix_rank(raw - raw.mean(axis=0), tol=SAME_DIRECTION * np.sqrt(len(raw))) >= LEAST_NUMBERS)


def _standard(columns: np.ndarray) -> np.ndarray:
    """Columns (p, m) in units of their standard deviations, whatever the size of the numbers."""
    small = columns / np.abs(columns).max(axis=1, keepdims=True)
    return np.asarray(small / small.std(axis=1, keepdims=True))


def _ranked(columns: np.ndarray) -> np.ndarray:
    """Ranks from 0 to 1 in columns (p, m), equal for equal values, so that no tail decides what is near."""
    codes = exact_codes_of(columns)
    return np.asarray(codes / np.maximum(codes.max(axis=1, keepdims=True), 1))


def _neighbours(points: np.ndarray, checked: CheckedTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Some rows, their nearest neighbours (q, 16) and the distances to these."""
    queries = np.random.default_rng([checked.seed, 3]).permutation(len(points))[:QUERIES]
    count = min(NEIGHBOURS, len(points) - 1)
    distances, found = learners_of(checked).ask("neighbours", points, points[queries], count=count + 1)()
    nearest = found.astype(np.int64)
    is_self = nearest == queries[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    return queries, nearest[~is_self].reshape(-1, count), distances[~is_self].reshape(-1, count)


def _lie_between(points: np.ndarray, queries: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """For each queried row whether it lies on the line between two of its neighbours (in three dimensions at least)."""
    if points.shape[1] > MOST_COLUMNS:  # who lies between others does so in some of the columns, too
        may_lie = _lie_between(points[:, :MOST_COLUMNS], queries, nearest)
        may_lie[may_lie] = _lies_between(points, queries[may_lie], nearest[may_lie])
        return may_lie
    return _lies_between(points, queries, nearest)


def _lies_between(points: np.ndarray, queries: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    directions = points[nearest] - points[queries][:, None, :]
    lengths = np.linalg.norm(directions, axis=2, keepdims=True)
    directions = directions / np.where(lengths > 0, lengths, 1)
    cosines = np.einsum("qid,qjd->qij", directions, directions)
    return np.asarray(cosines.min(axis=(1, 2), initial=0.0) <= BETWEEN_COSINE)


CHECKS.register(Check("near-duplicates", "rows that are other rows in disguise", check_near_duplicates, (
    PossibleFinding("near-duplicates", "warn",
                    f"{per_cent(ALARM_SHARE)} of the rows are another row but for a column or a little noise, or "
                    f"lie between two others; in {LEAST_ROWS_OF_NEIGHBOURS} rows or more"),
)))
