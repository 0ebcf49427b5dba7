"""A board merges what several people have handed in, names what conflicts, and believes no file that was changed."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from stored import change_results
from typer.testing import CliRunner

import tabbench
from tabbench.cli import app
from tabbench.core.board import ROW_COLUMNS, Submission
from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.suite import board_submission as files
from tabbench.suite.board import export_submission, import_published, merge_board
from tabbench.suite.board_submission import METADATA, content_hash, read_submission, write_parquet, write_submission
from tabbench.suite.board_tabarena import COLUMNS

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds", "blank_page")
QUICK = {"folds": 2, "repeats": 1, "sizes": "30,full", "executor": "in-process", "quiet": True}
EVIL = '<script>alert("x")</script>'


def flowers(seed, rows=80):
    random = np.random.default_rng(seed)
    length = random.normal(size=rows)
    kind = np.where(length + random.normal(size=rows) > 0.3, "rose", "tulip")
    return pd.DataFrame({"length": length, "width": random.normal(size=rows), "kind": kind})


@pytest.fixture(scope="module")
def suites(tmp_path_factory):
    """Ada's suite of two tables, and Bob's run of the first of them with one more approach, at another effort."""
    folder = tmp_path_factory.mktemp("suites")
    for name, seed in (("first", 0), ("second", 1)):
        place = folder / "ada" / "tables" / name
        tabbench.compare(flowers(seed), "kind", approaches="linear", out=place, preset="fast", **QUICK)
    (folder / "ada" / "suite.toml").write_text(
        'name = "flowers"\n[[tables]]\nname = "first"\nsource = "openml-task:1234"\n[[tables]]\nname = "second"\n'
        f'source = "{folder / "second.csv"}"\n')
    tabbench.compare(flowers(0), "kind", approaches="linear,linear+univariate", out=folder / "bob", effort=0.05, **QUICK)
    return folder


@pytest.fixture(scope="module")
def handed_in(suites):
    """Both people's submissions as files."""
    folder = suites / "files"
    export_submission(suites / "ada", folder / "ada.board.parquet", "Ada")
    export_submission(suites / "bob", folder / "bob.board.parquet", "Bob")
    return folder


def changed(path, out, *, by=None, table=None, about=None, is_hash_renewed=True, **columns):
    """What a person with a Parquet library could make of a submission."""
    given = read_submission(path)
    rows = given.rows.copy()
    for name, change in columns.items():
        rows[name] = change(rows)
    by, tables = by or given.by, [each | (table or {}) for each in given.tables]
    sha256 = content_hash(by, tables, rows) if is_hash_renewed else given.sha256
    values = {"format": 1, "by": by, "tables": tables, "sha256": sha256} | (about or {})
    write_parquet(rows, ROW_COLUMNS, values, out)
    return out


def test_two_peoples_results_become_one_board(handed_in, tmp_path):
    board = merge_board([handed_in / "ada.board.parquet", handed_in / "bob.board.parquet"], tmp_path / "board")
    assert board.submissions.set_index("by")["rows"].to_dict() == {"Ada": 16, "Bob": 12}
    assert sorted(board.rows["contestant"].unique()) == [
        "dummy", "linear (effort 0.05)", "linear (fast)", "linear+univariate"]
    assert board.conflicts.empty
    assert set(board.rows.loc[board.rows["confirmed"] == 2, "contestant"]) == {"dummy"}  # as a constant knows no effort
    stored = pq.read_table(tmp_path / "board" / "board.parquet").to_pandas()
    assert len(stored) == 24 and {"repeat", "fold", "score", "by", "contestant"} <= set(stored)
    page = (tmp_path / "board" / "board.html").read_text()
    assert "linear+univariate" in page and "Ada" in page and "Bob" in page


def test_the_order_in_which_files_are_given_changes_nothing(handed_in, tmp_path):
    names = ["ada.board.parquet", "bob.board.parquet"]
    for out, order in (("one", names), ("two", names[::-1])):
        merge_board([handed_in / name for name in order], tmp_path / out)
    for name in ("board.html", "board.parquet", "tabarena.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_folders_of_files_of_suites_and_of_runs_can_be_merged(handed_in, suites, tmp_path):
    from_files = merge_board([handed_in], tmp_path / "one")
    from_folders = merge_board([suites / "ada", suites / "bob"], tmp_path / "two")
    same = ["table", "contestant", "size", "repeat", "fold", "score"]
    pd.testing.assert_frame_equal(from_files.rows[same], from_folders.rows[same])


def test_of_a_file_only_its_name_is_handed_in(handed_in):
    submission = read_submission(handed_in / "ada.board.parquet")
    assert [table["source"] for table in submission.tables] == ["openml-task:1234", "second.csv"]


def test_equal_duplicates_count_once_and_are_told(handed_in, tmp_path):
    again = changed(handed_in / "ada.board.parquet", tmp_path / "cleo.board.parquet", by="Cleo")
    board = merge_board([handed_in / "ada.board.parquet", handed_in / "ada.board.parquet", again], tmp_path / "board")
    assert len(board.submissions) == 2 and len(board.rows) == 16
    assert board.conflicts.empty and board.rows["confirmed"].eq(2).all()


def test_a_conflicting_duplicate_is_named_and_compared_with_nothing(handed_in, tmp_path):
    def better(rows):
        is_one = (rows["approach"] == "linear") & (rows["size"] == 40) & (rows["fold"] == 1)
        return rows["score"].where(~is_one, rows["score"] / 2)

    other = changed(handed_in / "ada.board.parquet", tmp_path / "eve.board.parquet", by="Eve", score=better)
    board = merge_board([handed_in / "ada.board.parquet", other], tmp_path / "board")
    assert len(board.conflicts) == 2  # one a table
    found = board.conflicts.iloc[0]
    assert (found["contestant"], found["size"], found["repeat"], found["fold"]) == ("linear", 40, 0, 1)
    assert {found["first_by"], found["second_by"]} == {"Ada", "Eve"} and found["reason"] == "score"
    disputed = board.rows[board.rows["is_conflicting"]]
    assert len(disputed) == 6 and set(disputed["contestant"]) == {"linear"} and set(disputed["size"]) == {40}
    assert board.overview is not None and set(board.overview.tables["size"]) == {30}
    exported = pd.read_csv(tmp_path / "board" / "tabarena.csv")
    assert set(exported["method"]) == {"dummy"}
    assert "conflict" in (tmp_path / "board" / "board.html").read_text()


@pytest.mark.parametrize(("about", "conflicts"), [({}, 16), ({"cpu": "Another 9000"}, 0)])
def test_on_another_cpu_a_score_may_differ_within_the_margin(handed_in, tmp_path, about, conflicts):
    def a_little_better(rows):
        return rows["score"] - 1e-4

    def other_predictions(rows):
        return "0" * 64

    other = changed(handed_in / "ada.board.parquet", tmp_path / "eve.board.parquet", by="Eve", table=about, score=a_little_better,
                    predictions=other_predictions)
    board = merge_board([handed_in / "ada.board.parquet", other], tmp_path / "board")
    assert len(board.conflicts) == conflicts


def test_other_settings_under_one_name_are_a_conflict(handed_in, tmp_path):
    other = changed(handed_in / "ada.board.parquet", tmp_path / "eve.board.parquet", by="Eve", settings=lambda rows: '{"C": 2}')
    board = merge_board([handed_in / "ada.board.parquet", other], tmp_path / "board")
    assert set(board.conflicts["reason"]) == {"settings"}


def test_a_file_that_was_changed_after_its_export_is_refused(handed_in, tmp_path):
    path = changed(handed_in / "ada.board.parquet", tmp_path / "a.board.parquet", is_hash_renewed=False,
                   score=lambda rows: rows["score"] * 0.9)
    with pytest.raises(BadData, match="was changed after it was exported"):
        merge_board([path], tmp_path / "board")
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize(("changes", "why"), [
    ({"by": EVIL}, "not a short plain text"),
    ({"about": {"format": 2}}, "another format"),
    ({"about": {"tables": [3]}}, "described by other values"),
    ({"table": {"extra": 1}}, "described by other values"),
    ({"table": {"rows": "80"}}, "rows of a table is not what it should be"),
    ({"table": {"seed": 10**40}}, "seed of a table is not what it should be"),
    ({"table": {"name": "x" * 1000}}, "name of a table is not what it should be"),
    ({"table": {"metric": "happiness"}}, "'happiness' is not known here"),
    ({"table": {"fingerprint": "other"}}, "the protocol of a table is not the digest"),
    ({"table": {"margin": 0.0}}, "margin of a table is not positive"),
    ({"score": lambda rows: np.inf}, "a score is infinite"),
    ({"score": lambda rows: -1.0}, "outside the bounds of log_loss"),
    ({"fold": lambda rows: 7}, "an approach occurs twice|does not have"),
    ({"size": lambda rows: rows["size"] * 100}, "above the full size"),
    ({"effort": lambda rows: 0.0}, "an effort is not positive"),
    ({"fit_seconds": lambda rows: -1.0}, "a time is negative"),
    ({"status": lambda rows: "great"}, "unknown status"),
    ({"protocol": lambda rows: "x"}, "of other tables than it describes"),
    ({"approach": lambda rows: "x"}, "an approach occurs twice"),
])
def test_a_submission_that_says_what_cannot_be_is_refused(handed_in, tmp_path, changes, why):
    path = changed(handed_in / "ada.board.parquet", tmp_path / "a.board.parquet", **changes)
    with pytest.raises(BadData, match=why):
        merge_board([path], tmp_path / "board")


def test_files_of_other_kinds_are_refused_in_a_sentence(handed_in, tmp_path, monkeypatch):
    path = tmp_path / "a.board.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(BadData, match="no file of a board or damaged"):
        merge_board([path], tmp_path / "board")
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(BadData, match="its columns are others"):
        merge_board([path], tmp_path / "board")
    table = pq.read_table(handed_in / "ada.board.parquet")
    pq.write_table(table.replace_schema_metadata({METADATA: b"[" * 100_000}), path)
    with pytest.raises(BadData, match="no file of a board or damaged"):
        merge_board([path], tmp_path / "board")
    monkeypatch.setattr(files, "MOST_ROWS", 10)
    with pytest.raises(BadData, match="holds more than 10 rows"):
        merge_board([handed_in / "ada.board.parquet"], tmp_path / "board")
    monkeypatch.setattr(files, "MOST_FILE_BYTES", 10)
    with pytest.raises(BadData, match="is larger than"):
        merge_board([handed_in / "ada.board.parquet"], tmp_path / "board")


def test_hostile_names_do_no_harm(handed_in, tmp_path):
    def names(rows):
        return rows["approach"].replace({"linear": f"=cmd() {EVIL}"})

    path = changed(handed_in / "ada.board.parquet", tmp_path / "a.board.parquet", table={"name": f"../../{EVIL}"}, approach=names)
    merge_board([path], tmp_path / "board")
    page = (tmp_path / "board" / "board.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    exported = pd.read_csv(tmp_path / "board" / "tabarena.csv")
    assert exported["method"].str.startswith("'=cmd()").any()
    assert sorted(each.name for each in (tmp_path / "board").iterdir()) == [
        "board.html", "board.parquet", "submissions", "tabarena.csv"]


def test_descriptions_of_one_table_must_agree(handed_in, tmp_path):
    other = changed(handed_in / "ada.board.parquet", tmp_path / "eve.board.parquet", by="Eve", table={"margin": 5.0})
    with pytest.raises(BadData, match=r"describe the table 'first' differently \(margin"):
        merge_board([handed_in / "ada.board.parquet", other], tmp_path / "board")


def test_what_is_compared_over_tables_can_be_named(handed_in, tmp_path):
    board = merge_board([handed_in], tmp_path / "board", approaches=["linear (fast)", "linear (effort 0.05)"])
    assert board.overview is not None and board.overview.tables["table"].tolist() == ["first"]
    with pytest.raises(UnknownName, match="no approach 'linaer'"):
        merge_board([handed_in], tmp_path / "other", approaches=["linaer"])


def test_the_csv_has_tabarenas_columns_and_errors(handed_in, tmp_path):
    board = merge_board([handed_in / "ada.board.parquet"], tmp_path / "board")
    exported = pd.read_csv(tmp_path / "board" / "tabarena.csv")
    assert tuple(exported.columns) == COLUMNS
    assert len(exported) == 8 and set(exported["fold"]) == {0, 1} and set(exported["tid"].dropna()) == {1234}
    own = board.rows[(board.rows["size"] == 40) & (board.rows["contestant"] == "linear")]
    errors = exported[exported["method"] == "linear"]["metric_error"]
    assert sorted(errors) == pytest.approx(sorted(own["score"]))


@pytest.fixture
def board(handed_in, tmp_path):
    merge_board([handed_in / "ada.board.parquet"], tmp_path / "board")
    return tmp_path / "board"


def published(path, **columns):
    """Two methods on the first table, on both of its folds."""
    rows = [{"dataset": "flowers", "tid": 1234, "fold": fold, "method": method, "metric_error": 0.3 + fold / 10,
             "metric": "log_loss", "problem_type": "binary"} for method in ("TabNew", EVIL) for fold in (0, 1)]
    pd.DataFrame(rows).assign(**columns).to_csv(path, index=False)
    return path


def test_published_errors_stand_beside_ours_and_in_no_statistic(board, tmp_path):
    before = pq.read_table(board / "board.parquet")
    found = import_published(published(tmp_path / "a.csv"), "Arena 0.1", board)
    row = found.published.set_index("method").loc["TabNew"]
    assert (row["error"], row["splits"], row["is_same_task"], row["own_best"]) == (pytest.approx(0.35), 2, True, "linear")
    assert set(found.overview.ranks["approach"]) == {"dummy", "linear"}
    page = (board / "board.html").read_text()
    assert "Published errors, not run here" in page and "TabNew" in page and "<script>alert" not in page
    assert pq.read_table(board / "board.parquet").equals(before)


def test_published_errors_stay_when_the_board_is_made_anew(board, handed_in, tmp_path):
    import_published(published(tmp_path / "a.csv"), "Arena 0.1", board)
    merged = merge_board([handed_in], board)
    assert set(merged.published["method"]) == {"TabNew", EVIL}


@pytest.mark.parametrize(("columns", "why"), [
    ({"metric": "roc_auc"}, "flowers: another metric .roc_auc, here log_loss."),
    ({"problem_type": "regression"}, "flowers: another kind of problem .regression, here binary."),
    ({"fold": [0, 1, 0, 1], "tid": 1, "dataset": "nobody"}, "1 dataset is not on this board"),
    ({"fold": [0, 5, 0, 5], "tid": "", "dataset": "second"}, "second: other splits .2 .to fold 5., here 2 .to fold 1.."),
])
def test_published_errors_that_do_not_match_are_refused_in_a_sentence(board, tmp_path, columns, why):
    with pytest.raises(BadData, match=why):
        import_published(published(tmp_path / "a.csv", **columns), "Arena", board)


@pytest.mark.parametrize(("columns", "why"), [
    ({"metric_error": [0.1, "nan", 0.1, 0.1]}, "metric_error '.*' in row 3"),
    ({"metric_error": [0.1, "inf", 0.1, 0.1]}, "metric_error 'inf' in row 3"),
    ({"metric_error": -0.5}, "metric_error '-0.5' in row 2"),
    ({"fold": 0.5}, "fold '0.5' in row 2; it must be a whole number"),
    ({"method": "x" * 1000}, "more than 200 characters"),
    ({"method": "one"}, "two rows of one method"),
])
def test_published_files_with_impossible_values_are_refused(board, tmp_path, columns, why):
    with pytest.raises(BadData, match=why):
        import_published(published(tmp_path / "a.csv", **columns), "Arena", board)


def test_mistakes_are_one_sentence(board, handed_in, suites, tmp_path):
    with pytest.raises(BadOption, match="cannot be used"):
        import_published(published(tmp_path / "a.csv"), "../../evil", board)
    with pytest.raises(BadData, match="lacks the column dataset"):
        (tmp_path / "b.csv").write_text("a,b\n1,2\n")
        import_published(tmp_path / "b.csv", "Arena", board)
    with pytest.raises(BadOption, match="holds no board"):
        import_published(tmp_path / "a.csv", "Arena", tmp_path)
    with pytest.raises(BadOption, match=r"must end in \.board\.parquet"):
        export_submission(suites / "bob", tmp_path / "bob.parquet", "Bob")
    with pytest.raises(BadOption, match="there is no"):
        merge_board([tmp_path / "nowhere"], tmp_path / "new")
    with pytest.raises(BadOption, match="something else than a board"):
        merge_board([handed_in], tmp_path)


def test_a_changed_store_hands_in_other_scores_only_under_another_hash(suites, handed_in, tmp_path):
    run = shutil.copytree(suites / "bob", tmp_path / "bob")
    change_results(run, fit_seconds=1e-9)
    changed_run = export_submission(run, tmp_path / "bob.board.parquet", "Bob")
    assert changed_run.sha256 != read_submission(handed_in / "bob.board.parquet").sha256


def test_a_submission_comes_back_as_it_was_written(handed_in, tmp_path):
    given = read_submission(handed_in / "ada.board.parquet")
    write_submission(Submission(given.by, given.sha256, given.tables, given.rows), tmp_path / "copy.board.parquet")
    again = read_submission(tmp_path / "copy.board.parquet")
    assert again.sha256 == given.sha256 and json.dumps(again.tables) == json.dumps(given.tables)
    pd.testing.assert_frame_equal(again.rows, given.rows)


def test_the_commands(suites, tmp_path):
    runner = CliRunner()
    told = runner.invoke(app, ["board", "export", str(suites / "bob"), "--out", str(tmp_path / "b.board.parquet"), "--by", "Bob"])
    assert told.exit_code == 0 and "12 results of 1 table, hash " in told.stdout
    told = runner.invoke(app, ["board", "merge", str(suites / "ada"), str(tmp_path / "b.board.parquet"), "--out",
                               str(tmp_path / "board")])
    assert told.exit_code == 0 and "2 submissions, 2 tables, no conflicts." in told.stdout
    told = runner.invoke(app, ["board", "import", str(published(tmp_path / "a.csv")), "--as", "Arena", "--board",
                               str(tmp_path / "board")])
    assert told.exit_code == 0 and "2 methods on 1 table, marked as not run here." in told.stdout
    assert runner.invoke(app, ["board", "merge", str(tmp_path / "none"), "--out", str(tmp_path / "x")]).exit_code == 1
