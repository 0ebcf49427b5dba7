"""Checks that look for the target in the features: each finds its planted fault and is silent on honest tables."""

import numpy as np
import pandas as pd
import pytest

from tabbench.checks.identifiers import check_identifiers
from tabbench.checks.missingness import check_missingness
from tabbench.checks.running import run_checks
from tabbench.checks.single_feature import check_single_feature
from tabbench.checks.target_copy import check_target_copy

KINDS = ["binary", "multiclass", "regression"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def found(check, checked):
    return [(finding.code, finding.subject) for finding in check(checked)]


@every_kind
@pytest.mark.parametrize("rows", [60, 600, 3_000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_honest_tables_raise_no_alarm(checked_of, clean, kind, rows, seed):
    features, target = clean(rows, kind, seed)
    alarms = [finding for finding in run_checks(checked_of(features, target, kind)) if finding.severity != "info"]
    assert not alarms


CODES = {
    "the same codes": lambda rng, target: target,
    "renamed levels": lambda rng, target: np.array(["x", "y", "z"])[target],
    "missing for one class": lambda rng, target: np.where(target == 1, np.nan, target),
}
NUMBERS = {
    "the same": lambda rng, target: target,
    "other units, rounded": lambda rng, target: np.round(target * -1.8 + 32, 12),
    "logarithm": lambda rng, target: np.log1p(target - target.min()),
    "with gaps": lambda rng, target: np.where(rng.random(len(target)) < 0.3, np.nan, target),
    "very large": lambda rng, target: target * 1e200,
}


@pytest.mark.parametrize(("kind", "make"), [("binary", make) for make in CODES.values()] + [("multiclass", make) for make in
                         CODES.values()] + [("regression", make) for make in NUMBERS.values()])
def test_a_copy_of_the_target_blocks(checked_of, clean, kind, make):
    features, target = clean(kind=kind, leak=make)
    checked = checked_of(features, target, kind)
    (finding,) = check_target_copy(checked)
    assert (finding.code, finding.severity, finding.subject) == ("target-copy", "block", "leak")
    assert "--drop leak" in finding.cure and "`outcome`" in finding.message
    assert not check_single_feature(checked), "a copy is said once"
    assert run_checks(checked)[0] == finding, "the gravest finding comes first"


@pytest.mark.parametrize("make", [
    lambda rng, target: np.where(rng.random(len(target)) < 0.02, 1 - target, target),  # nearly a copy
    lambda rng, target: rng.permutation(target),
    lambda rng, target: np.zeros(len(target)),
])
def test_what_is_no_copy_does_not_block(checked_of, clean, make):
    features, target = clean(leak=make)
    assert not check_target_copy(checked_of(features, target))


def test_two_rows_of_a_class_are_too_few_for_a_copy(checked_of):
    target = (np.arange(100) < 3).astype(int)
    assert not check_target_copy(checked_of({"leak": target, "other": np.arange(100)}, target))


SINGLE = {
    "binary": [lambda rng, target: np.where(target == 1, rng.choice(["No-Show", "Canceled"], len(target)), "Check-Out"),
               lambda rng, target: target + rng.random(len(target)) * 1.001,
               lambda rng, target: 10**12 + target + 0.3 * rng.random(len(target))],
    "multiclass": [lambda rng, target: np.char.add(np.array(list("uvw"))[target], rng.integers(0, 3, len(target)).astype(str))],
    "regression": [lambda rng, target: target + 0.01 * rng.normal(size=len(target)),
                   lambda rng, target: np.abs(target - target.min() - 1) ** 2 + 0.02 * rng.normal(size=len(target))],
}


@pytest.mark.parametrize(("kind", "make"), [(kind, make) for kind, makers in SINGLE.items() for make in makers])
def test_one_column_that_tells_nearly_everything_warns(checked_of, clean, kind, make):
    features, target = clean(1_500, kind, leak=make)
    (finding,) = check_single_feature(checked_of(features, target, kind))
    assert (finding.code, finding.severity, finding.subject) == ("single-feature", "warn", "leak")


def test_a_rare_event_given_away_by_a_threshold_warns(checked_of, clean):
    amount = np.random.default_rng(7).lognormal(size=5_000)
    features, _ = clean(5_000)
    target = amount > np.quantile(amount, 0.98)
    assert found(check_single_feature, checked_of(features | {"amount": amount}, target)) == [("single-feature", "amount")]


def test_a_level_a_row_explains_nothing(checked_of):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 500)
    checked = checked_of({"name": np.array([f"n{row // 2}" for row in range(500)]), "x": rng.normal(size=500)}, target)
    assert not check_single_feature(checked)


def test_identifiers_that_predict_warn(checked_of, clean):
    features, target = clean(1_000, "regression", invoice=lambda rng, target: np.argsort(np.argsort(target)) + 5_000)
    target = target + 0.5 * np.random.default_rng(1).normal(size=1_000)
    codes = np.array([f"K-{number:05d}" for number in features["invoice"]])
    checked = checked_of(features | {"code": codes}, target, "regression")
    assert found(check_identifiers, checked) == [("identifier-predicts", "invoice"), ("identifier-predicts", "code")]


def test_identifiers_that_tell_nothing_and_measured_numbers_are_fine(checked_of, clean):
    features, target = clean(1_000, "regression", invoice=lambda rng, target: rng.permutation(1_000),
                             income=lambda rng, target: (target * 10**6).astype(int),
                             word=lambda rng, target: np.array([f"{value:+.6f} EUR" for value in target]))
    assert not check_identifiers(checked_of(features, target, "regression"))


@every_kind
def test_gaps_that_tell_the_target_warn(checked_of, clean, kind):
    def make(rng, target):
        is_high = target > (np.median(target) if kind == "regression" else 0)
        return np.where(is_high ^ (rng.random(len(target)) < 0.05), rng.normal(size=len(target)), np.nan)

    features, target = clean(1_000, kind, discharge=make)
    findings = [finding for finding in check_missingness(checked_of(features, target, kind)) if finding.severity == "warn"]
    assert [(finding.code, finding.subject) for finding in findings] == [("missingness-predicts", "discharge")]


def test_mostly_missing_columns_are_named(checked_of, clean):
    features, target = clean(empty=lambda rng, target: np.where(rng.random(600) < 0.7, np.nan, 1.5 + rng.random(600)))
    (finding,) = check_missingness(checked_of(features, target))
    assert (finding.code, finding.severity, finding.subject) == ("mostly-missing", "info", "empty")


def test_large_tables_are_sampled(checked_of, clean):
    features, target = clean(60_000, leak=lambda rng, target: np.array(["x", "y"])[target])
    assert found(check_target_copy, checked_of(features, target)) == [("target-copy", "leak")]


def test_text_columns_are_looked_at(checked_of, clean):
    features, target = clean()
    checked = checked_of(features | {"note": pd.Categorical([f"ends {code}" for code in target])}, target)
    assert found(check_target_copy, checked) == [("target-copy", "note")]
