"""What a verdict said of one run against what is true, and the rates over many runs with their standard errors.

Knows evidence and truth, no generator's inside.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from tabbench.verdict.crossover import crossing_frame
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.judge import decide_pairs

SURE = 3.0
"""Standard errors of a brute-force truth beyond which its sign, or its place beside the margin, is taken as known."""
ALPHA = 0.05

Record = dict[str, float]


def judged(evidence: LossEvidence, truth: dict[str, list[float]], *, is_null: bool) -> Record:
    """What one verdict got right and wrong, 0 or 1 each, NaN where the question does not arise."""
    decided, full = decide_pairs(evidence), max(evidence.sizes)
    pairs = decided.pairs
    names = evidence.representatives
    is_full = (pairs["size"] == full).to_numpy()
    of_two = (pairs["first"].isin(names) & pairs["second"].isin(names)).to_numpy()
    claims = pairs["decision"].str.partition("_")[0].map({"first": -1, "second": 1}).fillna(0).to_numpy()
    difference, error = (np.interp(pairs["size"], truth["sizes"], truth[name]) for name in ("difference", "standard_error"))
    is_known = np.abs(difference) > SURE * error
    wrong = claims != 0 if is_null else is_known & (claims * difference < 0)
    outside = (pairs["low"] > difference + SURE * error) | (pairs["high"] < difference - SURE * error)
    material = pairs["decision"].str.endswith("materially").to_numpy()
    equal = pairs["decision"].eq("equal").to_numpy()
    size, slack = np.abs(difference), SURE * error
    record = {
        "false_at_full": wrong[is_full].any(), "false_over_sizes": _any(wrong, of_two & ~is_full),
        "outside": _any(outside, of_two & ~is_full),
        "false_equal": (equal & (size > evidence.margin + slack)).any(),
        "false_material": (material & ((size < evidence.margin - slack) | wrong)).any(),
        "naive_t": _naive(evidence, full, "t"), "naive_wilcoxon": _naive(evidence, full, "wilcoxon"),
    }
    return {name: float(value) for name, value in (record | _crossing(crossing_frame(decided.crossings), truth, is_null)).items()}


def rates(records: Sequence[Record]) -> dict[str, tuple[float, float, int]]:
    """Mean (of widths the median), its binomial standard error and number of runs in which the question arose, by name."""
    found = {}
    for name in records[0]:
        values = np.array([each[name] for each in records], dtype=np.float64)
        values = values[~np.isnan(values)]
        if len(values):
            rate = float(np.median(values) if name == "width_ratio" else values.mean())
            found[name] = (rate, float(np.sqrt(max(rate * (1 - rate), 0.0) / len(values))), len(values))
    return found


def true_crossings(truth: dict[str, list[float]]) -> list[float]:
    """Sizes at which the truth changes its sign between two sizes at which it is known, on a logarithmic line between them."""
    sizes, difference = np.array(truth["sizes"], dtype=np.float64), np.array(truth["difference"])
    known = np.flatnonzero(np.abs(difference) > SURE * np.array(truth["standard_error"]))
    found = []
    for left, right in pairwise(known):
        if difference[left] * difference[right] < 0:
            share = abs(difference[left]) / (abs(difference[left]) + abs(difference[right]))
            found.append(float(sizes[left] ** (1 - share) * sizes[right] ** share))
    return found


def _any(values: np.ndarray, chosen: np.ndarray) -> float:
    return float(values[chosen].any()) if chosen.any() else np.nan


def _crossing(found: pd.DataFrame, truth: dict[str, list[float]], is_null: bool) -> dict[str, float]:
    """Whether the reported set of sizes holds the true crossings, whether it has two ends, and how wide it is."""
    if is_null or len(truth["sizes"]) < 2:
        return {"covered": np.nan, "bounded": np.nan, "width_ratio": np.nan}
    true, kinds = true_crossings(truth), set(found["kind"])
    brackets = found[found["kind"].isin(["bracket", "several"])]
    covered = all(_holds(found, place) for place in true) and len(brackets) <= len(true)
    is_bounded = bool(true) and kinds == {"bracket"}
    return {"covered": float(covered), "bounded": float(is_bounded) if true else np.nan,
            "width_ratio": float((brackets["high"] / brackets["low"]).iloc[0]) if is_bounded else np.nan}


def _holds(found: pd.DataFrame, place: float) -> bool:
    if set(found["kind"]) == {"undecided"}:
        return True
    inside = ~(found["low"] > place) & ~(found["high"] < place) & found["kind"].ne("none")
    return bool(inside.any())


def _naive(evidence: LossEvidence, size: int, test: str) -> float:
    """Whether the test that most people use on the splits' scores finds a difference of the first two at this size."""
    from scipy.stats import ttest_rel, wilcoxon

    if evidence.n_splits < 2:
        return np.nan
    first, second = (evidence.loss[name, size] for name in evidence.present(size)[:2])
    if np.array_equal(first, second):
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ties among few differences
        found = ttest_rel(first, second) if test == "t" else wilcoxon(first, second)
    return float(found.pvalue < ALPHA)
