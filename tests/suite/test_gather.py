"""What is read from a suite's folder, and that a table without a result is a row with its reason."""

import json

import pandas as pd
import pytest

from tabbench.core.errors import BadData, BadOption
from tabbench.suite.assemble import suite_result
from tabbench.suite.gather import gather
from tabbench.suite.verify import run_folders


@pytest.fixture(scope="module")
def result(garden):
    return suite_result(garden)


def test_tables_stand_in_the_order_of_the_definition_with_what_became_of_them(result):
    assert result.suite == {"name": "garden", "title": "All of the garden"}
    assert result.tables["name"].tolist() == ["trees", "flowers", "weeds", "stones"]
    assert result.tables["state"].tolist() == ["finished", "finished", "partial", "absent"]
    assert result.tables["reason"].tolist() == ["", "", "2 of 12 cells are still to be run", "no such file: stones.csv"]
    assert result.tables["report"].tolist()[:2] == ["tables/trees/report.html", "tables/flowers/report.html"]


def test_scores_of_splits_have_the_means_of_the_tables_own_result(garden, result):
    own = json.loads((garden / "tables" / "trees" / "result.json").read_text())
    known = {(row["approach"], row["size"]): row["mean"] for row in own["scores"] if row["metric"] == "rmse"}
    means = result.means[result.means["table"] == "trees"]
    found = {(row.approach, row.size): row.score for row in means.itertuples()}
    assert found == pytest.approx(known)


def test_the_baseline_stands_beside_every_score(result):
    dummy = result.scores[result.scores["approach"] == "dummy"]
    assert dummy["score"].to_numpy() == pytest.approx(dummy["baseline_score"].to_numpy(), rel=1e-6)
    assert result.tables["baseline_score"].notna().tolist() == [True, True, True, False]


def test_a_failed_cell_has_the_baselines_score_and_its_reason(result):
    wrong = result.scores[result.scores["approach"] == "wrong"]
    assert wrong["failed"].all()
    assert wrong["score"].tolist() == wrong["baseline_score"].tolist()
    assert set(result.failures["table"]) == {"flowers"}
    assert result.failures["reason"].str.len().gt(0).all()
    assert result.tables.set_index("name").loc["flowers", "failed"] == 4


def test_three_tables_decide_nothing_and_one_of_the_same_content_counts_once(result):
    overall = result.verdicts.iloc[0]
    assert (overall["bucket"], overall["decision"], overall["reason"]) == ("all", "none", "few_sources")
    assert overall["tables"] == 3
    assert overall["sources"] == 2
    assert "trees was given twice and counts once" in overall["sentence"]


def test_without_a_definition_the_tables_are_those_that_are_there(copied):
    (copied / "suite.toml").unlink()
    found = suite_result(copied)
    assert found.suite["name"] == "garden"
    assert found.tables["name"].tolist() == ["flowers", "trees", "weeds"]


def test_mistakes_are_told(copied, tmp_path):
    with pytest.raises(BadOption, match="is not a suite's folder"):
        suite_result(tmp_path)
    (copied / "suite.toml").write_text("name = ")
    with pytest.raises(BadData, match=r"suite\.toml is not TOML"):
        suite_result(copied)
    (tmp_path / "empty" / "tables").mkdir(parents=True)
    with pytest.raises(BadOption, match=r"no table of the suite in .* has any result yet"):
        suite_result(tmp_path / "empty")


@pytest.mark.parametrize("change", [lambda text: "{", lambda text: text.replace('"mean": 0.', '"mean": 9.')])
def test_a_result_that_was_changed_is_made_again_from_the_store(copied, result, change):
    path = copied / "tables" / "trees" / "result.json"
    assert change(path.read_text()) != path.read_text()
    path.write_text(change(path.read_text()))
    pd.testing.assert_frame_equal(suite_result(copied).means, result.means)


def test_a_damaged_folder_gets_one_sentence(copied):
    (copied / "manifest.json").write_text("[1")
    with pytest.raises(BadData, match=r"manifest.json is not JSON .*; delete it and run the suite again"):
        gather(copied)
    (copied / "manifest.json").write_text("[1]")
    with pytest.raises(BadData, match=r"manifest.json is not a suite's manifest; delete it"):
        gather(copied)
    (copied / "manifest.json").unlink()
    (copied / "suite.toml").write_text("[[tables]]\norigin = 'x'\n")
    with pytest.raises(BadData, match="has a table without name and source; put the suite's definition back"):
        gather(copied)


def test_tables_are_named_by_their_sources_too(copied):
    (copied / "manifest.json").unlink()
    (copied / "suite.toml").write_text('tables = ["a/trees.csv", {source = "flowers.csv"}]\n')
    assert [each.name for each in gather(copied).tables] == ["trees", "flowers"]
    assert [each.name for each in run_folders(copied)] == ["flowers", "trees"], "others are no part of the suite any more"
