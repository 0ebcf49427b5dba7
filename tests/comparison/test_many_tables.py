"""`compare_tables` as a person uses it: folders and finished comparisons in, one answer out."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import tabbench
from tabbench.core.errors import BadOption
from tabbench.core.many_tables import FRAMES
from tabbench.store.database import Store

QUICK = {"preset": "fast", "folds": 2, "repeats": 1, "sizes": "30,full", "quiet": True}
HERE = {"executor": "in-process"}  # workers take longer to start than these cells


def flowers(seed, rows=120):
    random = np.random.default_rng(seed)
    length = random.normal(size=rows)
    kind = np.where(length + random.normal(size=rows) > 0.3, "rose", "tulip")
    return pd.DataFrame({"length": length, "width": random.normal(size=rows), "kind": kind})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two tables; the second run's approach of the user's own does not fit the task, and its margin is 0."""
    folder = tmp_path_factory.mktemp("runs")
    approaches = {"linear": "linear", "wrong": LinearRegression()}
    return [tabbench.compare(flowers(0), "kind", approaches="linear", out=folder / "first", **QUICK, **HERE),
            tabbench.compare(flowers(1), "kind", approaches=approaches, margin=0, out=folder / "second", **QUICK, **HERE)]


@pytest.fixture(scope="module")
def both(runs):
    return tabbench.compare_tables([runs[0].folder, runs[1]])


def test_folders_and_comparisons_give_one_answer(both):
    assert both.sentence == str(both)
    assert both.sentence.startswith("Over 2 tables, nothing can be decided between 2 approaches")
    assert both.sentence.endswith("; wrong was left out, because not every table has it.")
    assert both.tables["size"].tolist() == [60, 60]
    assert both.ranks["approach"].tolist() == ["linear", "dummy"]
    assert (both.decision, both.reason, both.best) == ("none", "few_sources", "linear")


def test_losses_are_those_of_the_stores_in_default_margins(runs, both):
    # 1 % of the constant predictor's loss is the margin of the first run; the second run's own, 0, plays no part.
    means = [run.scores.query("metric == 'log_loss' and size == 60").set_index("approach")["mean"] for run in runs]
    gaps = [100 * (mean["dummy"] - mean["linear"]) / mean["dummy"] for mean in means]
    (pair,) = both.pairs.to_dict("records")
    assert (pair["first"], pair["second"]) == ("dummy", "linear")
    assert pair["difference"] == pytest.approx(np.median([gaps[0], np.mean(gaps), gaps[1]]))
    assert pair["p_second_better"] > pair["p_first_better"]


def test_an_approach_that_failed_is_a_row_beside_its_failure_rate(runs):
    found = tabbench.compare_tables(runs, approaches=["dummy", "linear", "wrong"])
    ranks = found.ranks.set_index("approach")
    assert ranks["failed"].to_dict() == {"linear": 0, "dummy": 0, "wrong": 1}
    assert ranks.loc["wrong", "mean_rank"] == ranks.loc["dummy", "mean_rank"] == 2.5
    assert ranks["mean_rank_without_failures"].isna().all()
    assert found.without_failures["decision"] == "none"
    assert found.sentence == ("One table says nothing about other tables, so there is no verdict over tables; one table was left "
                              "out, because not all of these approaches were run there.")


def test_the_same_table_twice_is_said_and_counts_once(runs, tmp_path):
    shutil.copytree(runs[0].folder, tmp_path / "copy")
    found = tabbench.compare_tables([runs[0], tmp_path / "copy"])
    name = runs[0].table["name"]
    assert found.sentence == ("2 tables from one source say nothing about other tables, so there is no verdict over tables; "
                              f"{name} was given twice and counts once.")
    assert found.tables["table"].tolist() == [name, f"{name} (2)"]


def test_sources_are_taken_as_they_are_said(runs):
    found = tabbench.compare_tables(runs, sources=["garden", "garden"])
    assert found.sentence.startswith("2 tables from one source say nothing")
    with pytest.raises(BadOption, match="1 sources were given for 2 comparisons"):
        tabbench.compare_tables(runs, sources=["garden"])
    with pytest.raises(BadOption, match="was given twice, as of the sources 'garden' and 'field'; a table has one source"):
        tabbench.compare_tables([runs[0], runs[0]], sources=["garden", "field"])


def test_it_shows_itself_in_every_format(runs):
    found = tabbench.compare_tables(runs, sources=["<b>one|", "*two*"])
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert all(len(values[name]) == len(getattr(found, name)) for name in FRAMES)
    assert values["improvability"][0].keys() == {"metric", "tables", "approach", "improvability", "low", "high"}
    assert values["without_failures"] is None
    text, page = found.to_markdown(), found._repr_html_()
    assert text.startswith("# tabbench: many tables\n\n**Over 2 tables, ")
    assert "| linear | 1.00 | 1.00 to 1.00 | 1.00 | 0% |" in text
    assert "\\<b\\>one\\|" in text
    assert "&lt;b&gt;one|" in page
    assert "<b>one" not in page


def test_json_of_failures(runs):
    values = tabbench.compare_tables(runs, approaches=["linear", "wrong"]).to_json()
    assert values["without_failures"]["approaches"] == []
    assert values["without_failures"]["sentence"] in tabbench.compare_tables(runs, approaches=["linear", "wrong"]).to_markdown()
    assert values["ranks"][0]["mean_rank_without_failures"] is None


@pytest.mark.parametrize(("given", "options", "message"), [
    ([], {}, "no comparisons were given"),
    ("nowhere", {}, "compare_tables needs a list of comparisons"),
    ([3], {}, "int is neither a run's folder nor what tabbench.compare gives back"),
    (["nowhere"], {}, "nowhere"),
    (["nowhere"], {"margin": -1}, "margin -1 is not a number of 0 or more"),
])
def test_mistakes_are_told(given, options, message):
    with pytest.raises(BadOption, match=message):
        tabbench.compare_tables(given, **options)


def test_two_versions_of_an_approach_are_not_one(runs, tmp_path):
    shutil.copytree(runs[0].folder, tmp_path / "old")
    with Store(tmp_path / "old") as store:
        entries = store.recall("entries")
        store.remember(entries=[entry | {"version": entry["version"] + (entry["name"] == "linear")} for entry in entries])
    with pytest.raises(BadOption, match=r"linear has version \d+ in .*first and \d+ in .*old; run the older one again"):
        tabbench.compare_tables([runs[0], tmp_path / "old"])


def test_a_run_without_results_is_refused(tmp_path):
    tabbench.compare(flowers(2), "kind", approaches="linear", time_limit=0.01, jobs=1, out=tmp_path / "run", **QUICK)
    with pytest.raises(BadOption, match=r"no approach has finished in \S+run; continue it with tabbench resume"):
        tabbench.compare_tables([tmp_path / "run"])
