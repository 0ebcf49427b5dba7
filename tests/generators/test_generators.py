"""The generators do what they say, and their numbers stay: suites of different dates are compared."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tabbench.cli import app
from tabbench.core.generator import GENERATORS

DIGESTS = {
    "almost_constant_target": "de90cb08cf29", "constant_columns": "972536d103a4", "contradictions": "dbfb58cc923e",
    "copied_rows": "5d9f7f757408", "crossing": "0ef001f8a87b", "drift": "411c859bc8be",
    "extreme_cells": "173c4500d62e", "friedman1": "158cdd16121f", "friedman2": "5e8561bdd1cf",
    "friedman3": "2ad93480bbe7", "groups": "5f802bc7703f", "heavy_tailed_target": "3cb5d6cbc772",
    "heavy_tails": "30a5a967442e", "independent": "a67ca6de06c7", "linear": "c74d2e5016c1",
    "many_levels": "d1d7e65d62e0", "mostly_zero": "4e3884c39fe9", "near_copies": "0bf98631dcba",
    "nothing": "ccdb30cbccd8", "offsets": "a96ee930f409", "outlier_rows": "f56eb1d268bf",
    "outlier_targets": "b23071a3faf8", "peaking": "176caab9b455", "periodic": "fae688f13e31",
    "rare_class": "19ca25c03be6", "scales": "f77fa9518dad", "separable": "c037921d6357",
    "steps": "1be92a8e2da4", "target_scale": "61f1243a4d01", "telling_gaps": "41763ac2dbc7",
    "tiny_classes": "a532e71cbebf", "waves": "b5d67df4e3f6", "wide": "a3c398139390",
    "wrong_labels": "7b6a40077073", "xor": "7adff4857cf0",
}


def table_of(name, **parameters):
    return GENERATORS.get(name).table(**parameters)


@pytest.mark.parametrize("name", DIGESTS)
def test_numbers_stay(name):
    text = table_of(name, rows=60, seed=1).to_csv(index=False, float_format="%.5g")
    assert hashlib.sha256(text.encode()).hexdigest()[:12] == DIGESTS[name], "register other numbers under another name"


def test_command_lists_them_with_their_parameters():
    listed = CliRunner().invoke(app, ["datasets", "generators"])
    assert listed.exit_code == 0
    lines = [line.split() for line in listed.stdout.splitlines()]
    assert [line[0] for line in lines[::2]] == GENERATORS.names()
    assert lines[2 * GENERATORS.names().index("xor") + 1] == ["rows=1000,seed=0,task=binary,noise=0.5,columns=6"]


def test_friedman_s_formulas():
    x = table_of("friedman1", noise=0)
    expected = 10 * np.sin(np.pi * x["x1"] * x["x2"]) + 20 * (x["x3"] - 0.5) ** 2 + 10 * x["x4"] + 5 * x["x5"]
    np.testing.assert_allclose(x["y"], expected, rtol=1e-5)
    x = table_of("friedman2", noise=0)
    reactance = x["x2"] * x["x3"] - 1 / (x["x2"] * x["x4"])
    np.testing.assert_allclose(x["y"], np.hypot(x["x1"], reactance), rtol=1e-5)
    x = table_of("friedman3", noise=0)
    reactance = x["x2"] * x["x3"] - 1 / (x["x2"] * x["x4"])
    np.testing.assert_allclose(x["y"], np.arctan(reactance / x["x1"]), rtol=1e-4)


def test_only_both_columns_of_xor_tell():
    table = table_of("xor", rows=4000, noise=0)
    is_yes = table["y"] == "yes"
    assert np.array_equal(is_yes, table["x1"] * table["x2"] > 0)
    assert abs(np.corrcoef(table["x1"], is_yes)[0, 1]) < 0.05


def test_noise_is_the_standard_deviation_around_the_score():
    clean, noisy = (table_of("linear", rows=4000, noise=noise) for noise in (0, 2.0))
    assert (noisy["y"] - clean["y"]).std() == pytest.approx(2.0, rel=0.05)


def test_rows_come_about_as_named():
    assert table_of("groups", rows=103, size=10)["group"].value_counts().tolist() == [10] * 10 + [3]
    assert table_of("copied_rows", rows=200, share=0.3).duplicated().sum() == 60
    assert (table_of("rare_class", rows=1000, share=0.03)["y"] == "yes").sum() == 30
    assert table_of("drift")["time"].is_monotonic_increasing
    assert table_of("heavy_tails", rows=5000).drop(columns="y").kurt().min() > 1


def test_faults_are_there():
    spread = table_of("scales").filter(like="x").std()
    assert spread.max() / spread.min() > 1e20
    offsets = table_of("offsets")["x1"]
    assert offsets.nunique() > 500
    assert offsets.astype(np.float32).nunique() < 5
    assert table_of("extreme_cells")["x1"].abs().max() >= 1e19
    constant = table_of("constant_columns")
    assert constant["missing"].isna().all()
    assert (constant[["constant", "huge_constant", "word"]].nunique() == 1).all()
    near = table_of("near_copies")
    assert 0 < (near["copy1"] - near["x1"]).abs().max() < 1e-5
    assert (table_of("mostly_zero")["count1"].quantile([0.25, 0.75]) == 0).all()
    assert table_of("wide").shape == (300, 501)
    assert table_of("many_levels")["code"].nunique() > 200
    assert 0.4 < table_of("telling_gaps")["x1"].isna().mean() < 0.8


def test_targets_are_at_fault():
    outliers = table_of("outlier_targets", rows=1000)["y"].abs()
    assert outliers.nlargest(2).min() > 100 * outliers.median()
    assert table_of("target_scale")["y"].std() > 1e19
    assert (table_of("almost_constant_target")["y"] == 0).mean() == pytest.approx(0.97, abs=0.005)
    assert table_of("heavy_tailed_target")["y"].min() > 0
    sizes = table_of("tiny_classes", rows=1000)["y"].value_counts()
    assert len(sizes) == 8
    assert sizes["class1"] == 500 and sizes["class7"] < 10
    table = table_of("contradictions", rows=200)
    assert table.groupby(table.columns[:-1].tolist())["y"].nunique().eq(2).sum() == 50
    separable = table_of("separable")
    score = (separable.filter(like="x") * np.linspace(0.9, 0.2, 8)).sum(axis=1).groupby(separable["y"])
    assert score.min()["yes"] > 0.8 and score.max()["no"] < -0.8
    right, wrong = table_of("wrong_labels", share=0.0), table_of("wrong_labels")
    pd.testing.assert_frame_equal(right.drop(columns="y"), wrong.drop(columns="y"))
