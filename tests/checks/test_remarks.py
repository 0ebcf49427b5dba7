"""Checks of rows, classes and roles: each finds its planted fault and is silent without it."""

import numpy as np
import pandas as pd
import pytest

from tabbench.checks.duplicates import check_duplicates
from tabbench.checks.imbalance import check_imbalance
from tabbench.checks.row_order import check_row_order
from tabbench.checks.undeclared_group import check_undeclared_group
from tabbench.checks.undeclared_time import check_undeclared_time


def repeated(features, copies):
    frame = pd.DataFrame(features)
    return pd.concat([frame, frame.iloc[:copies]], ignore_index=True)


def test_duplicate_rows_are_counted(checked_of, clean):
    features, target = clean(400)
    (finding,) = check_duplicates(checked_of(repeated(features, 100), np.append(target, target[:100])))
    assert (finding.code, finding.severity, finding.spoils) == ("copied-rows", "warn", True)
    assert "100 of 500 rows (20.0%)" in finding.message


def test_repeated_rows_of_few_values_are_a_remark(checked_of):
    rng = np.random.default_rng(0)
    features, target = {"x": rng.integers(0, 9, 300), "y": rng.integers(0, 9, 300)}, rng.integers(0, 2, 300)
    finding = check_duplicates(checked_of(features, target))[0]
    assert (finding.code, finding.severity) == ("duplicate-rows", "info")


def test_conflicting_rows_bound_what_can_be_reached(checked_of, clean):
    features, target = clean(400)
    checked = checked_of(repeated(features, 100), np.append(target, 1 - target[:100]))
    (finding,) = check_duplicates(checked)
    assert finding.code == "conflicting-rows" and "more than 80.0% of these rows" in finding.message


def test_conflicting_numbers_bound_the_variance_explained(checked_of):
    rng = np.random.default_rng(0)
    cell, noise = np.repeat(np.arange(200), 5), rng.normal(size=1_000)
    target = rng.normal(size=200)[cell] + noise
    (finding,) = check_duplicates(checked_of({"cell": cell}, target, "regression"))
    within = (target - pd.Series(target).groupby(cell).transform("mean")) ** 2
    assert f"more than {1 - within.sum() / ((target - target.mean()) ** 2).sum():.1%}" in finding.message


def test_missing_and_signed_zeros_are_equal_features(checked_of):
    features = {"x": np.tile([np.nan, 0.0, -0.0, 1.0], 25), "y": np.tile(["a", "b", "b", "c"], 25)}
    duplicates, conflicts = check_duplicates(checked_of(features, np.tile([0, 1, 0, 1], 25)))
    assert duplicates.code == "duplicate-rows"
    assert conflicts.code == "conflicting-rows" and "75.0%" in conflicts.message  # only 0 and -0 differ in target


def test_distinct_rows_are_silent(checked_of, clean):
    for kind in ("binary", "regression"):
        assert not check_duplicates(checked_of(*clean(kind=kind), kind))


def test_a_file_sorted_by_target_is_a_remark(checked_of, clean):
    for kind in ("binary", "regression"):
        features, target = clean(kind=kind)
        order = np.argsort(target, kind="stable")
        for rows in (np.argsort(order), np.argsort(order[::-1])):
            (finding,) = check_row_order(checked_of(features, target, kind, rows=rows))
            assert (finding.code, finding.severity) == ("sorted-by-target", "info")


def wave(rows):
    return np.sin(np.arange(rows) / 40) + 0.3 * np.random.default_rng(0).normal(size=rows)


def test_row_order_that_tells_the_target_is_said(checked_of, clean):
    features, _ = clean(1_000)
    for target, kind in ((wave(1_000), "regression"), (wave(1_000) > 0, "binary")):
        (finding,) = check_row_order(checked_of(features, target, kind))
        assert (finding.code, finding.severity, finding.subject) == ("ordered-target", "warn", "rows")


def test_an_order_that_a_column_explains_is_a_remark(checked_of, clean):
    features, _ = clean(1_000)
    explained = features | {"height": np.sin(np.arange(1_000) / 40)}
    (finding,) = check_row_order(checked_of(explained, wave(1_000), "regression"))
    assert (finding.code, finding.severity) == ("ordered-target", "info")


def test_row_order_by_date_that_tells_the_target_warns(checked_of, clean):
    features, _ = clean(1_000)
    dates = pd.Series(pd.date_range("2020-01-01", periods=1_000, unit="us"))
    checked = checked_of(features | {"day": dates}, wave(1_000), "regression")
    (finding,) = check_row_order(checked)
    assert (finding.code, finding.severity, finding.subject) == ("ordered-target", "warn", "day")
    assert "--time day" in finding.cure
    shuffled = dates.sample(frac=1, random_state=0).reset_index(drop=True)
    assert check_row_order(checked_of(features | {"day": shuffled}, wave(1_000), "regression"))[0].subject == "rows"


def test_row_order_is_silent_on_shuffled_rows_and_with_a_time(checked_of, clean):
    features, target = clean(1_000)
    assert not check_row_order(checked_of(features, target))
    assert not check_row_order(checked_of(features, wave(1_000), "regression", time=np.arange(1_000)))


def test_rare_classes_are_named(checked_of):
    target = np.repeat([0, 1, 2], [900, 80, 20])
    (finding,) = check_imbalance(checked_of({"x": np.arange(1_000)}, target, "multiclass"))
    assert (finding.code, finding.severity, finding.subject) == ("imbalance", "info", "c2")
    assert "'c2' (20 rows)" in finding.message and "c1" not in finding.message


def test_even_classes_and_numbers_are_silent(checked_of):
    assert not check_imbalance(checked_of({"x": np.arange(100)}, np.repeat([0, 1], [85, 15])))
    assert not check_imbalance(checked_of({"x": np.arange(100)}, np.arange(100) % 26, "multiclass"))
    assert not check_imbalance(checked_of({"x": np.arange(100)}, np.arange(100.0), "regression"))


GROUPS = np.arange(600) % 120


@pytest.mark.parametrize(("name", "values"), [
    ("patient_id", GROUPS), ("customerId", GROUPS), ("ID", GROUPS),
    ("Household", np.array([f"family {code}" for code in GROUPS])),
    ("tail", np.array([f"N{code}AA" for code in np.arange(600) % 250])),
])
def test_columns_of_repeated_identifiers_are_suggested(checked_of, clean, name, values):
    features, target = clean()
    (finding,) = check_undeclared_group(checked_of(features | {name: values}, target))
    assert (finding.code, finding.severity, finding.subject) == ("undeclared-group", "info", name)
    assert f"--group {name}" in finding.cure
    assert not check_undeclared_group(checked_of(features | {name: values}, target, group=GROUPS))


@pytest.mark.parametrize(("name", "values"), [
    ("customer_segments", GROUPS), ("humid", GROUPS), ("amount", GROUPS), ("order_id", np.arange(600)),
    ("patient", np.arange(600) % 3),
    ("title", np.array([f"clerk of rank {code}" for code in np.arange(600) % 250])), ("user_id", GROUPS + 0.5),
])
def test_ordinary_columns_are_not_suggested_as_groups(checked_of, clean, name, values):
    features, target = clean()
    assert not check_undeclared_group(checked_of(features | {name: values}, target))


def test_dates_are_suggested_as_time(checked_of, clean):
    features, target = clean()
    dated = features | {"seen": pd.Series(pd.date_range("2020-01-01", periods=600, unit="us"))}
    (finding,) = check_undeclared_time(checked_of(dated, target))
    assert (finding.code, finding.severity, finding.subject) == ("undeclared-time", "info", "seen")
    assert not check_undeclared_time(checked_of(dated, target, time=np.arange(600)))
    assert not check_undeclared_time(checked_of(features, target))
