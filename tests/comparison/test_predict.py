"""New rows and a saved model become predictions, and these a file: what is accepted, what is refused and what is left behind."""

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import tabbench
from tabbench.cli import app
from tabbench.comparison.export import WinnerOnAllRows
from tabbench.comparison.predict import write_predictions
from tabbench.core.errors import BadData, BadOption
from tabbench.core.setup import Setup
from tabbench.core.task import Task
from tabbench.model.saving import save_model
from tabbench.reading.reading import read_table
from tabbench.splitting.splits import make_splits, splits_fingerprint

APPROACHES = ("dummy", "linear", "forest", "lightgbm", "mlp")
ROWS = 90


def stays(rows=ROWS):
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")
    return pd.DataFrame({"nights": rng.integers(1, 15, rows), "price": rng.normal(90, 20, rows).round(2),
                         "place": rng.choice(["0100", "0200", "3000"], rows), "pets": rng.choice(["yes", "no"], rows),
                         "from": start.strftime("%d.%m.%Y")})


def saved_model(path, frame, target, name, effort=0.1):
    table = read_table(frame, "y")
    kinds = {"regression": (), "binary": ("bad", "good")}
    task = Task(target, kinds[target], "rmse" if target == "regression" else "log_loss", ())
    values = table.target.to_numpy() if target == "regression" else (table.target == "good").to_numpy().astype(np.int64)
    plan, _ = make_splits(table, values, task, folds=2, repeats=1)
    setup = Setup(table, task, values, plan, splits_fingerprint(plan), 0)
    return save_model(path, WinnerOnAllRows(setup, name, "cpu").fitted(effort))


@pytest.fixture(scope="module", params=APPROACHES)
def model(request, tmp_path_factory):
    rows = stays()
    rows["y"] = np.where(rows["price"] + 5 * rows["nights"] > 125, "good", "bad")
    return saved_model(tmp_path_factory.mktemp("models") / "stays.tabbench", rows, "binary", request.param)


@pytest.fixture(scope="module")
def narrow_model(tmp_path_factory):
    size = np.arange(60.0)
    return saved_model(tmp_path_factory.mktemp("models") / "narrow.tabbench", pd.DataFrame({"size": size, "y": 3 * size}),
                       "regression", "linear")


@pytest.mark.parametrize("mean", [0.05, 9.0], ids=["mostly zeros", "hardly any zero"])
@pytest.mark.parametrize("name", ["linear", "linear+forest", "linear+pca", "xgboost", "mlp"])
def test_models_of_a_wide_table_are_saved_and_predict(tmp_path, name, mean):
    rng = np.random.default_rng(0)
    counts = pd.DataFrame(rng.poisson(mean, (60, 300)), columns=[f"w{i}" for i in range(300)])
    path = saved_model(tmp_path / "wide.tabbench", counts.assign(y=counts["w0"] + rng.normal(size=60)), "regression", name, 0.01)
    predicted, _ = tabbench.predict(path, counts)
    assert len(predicted) == 60 and np.isfinite(predicted["prediction"]).all()


def other_types(rows):
    """What a program may have made of the rows on their way: categories are numbers, dates are dates, yes and no are 1 and 0."""
    return rows.assign(nights=rows["nights"].astype(str), place=rows["place"].astype(float),
                       pets=(rows["pets"] == "yes").astype(int), **{"from": pd.to_datetime(rows["from"], format="%d.%m.%Y")})


def as_csv(rows):
    return pd.read_csv(io.StringIO(other_types(rows).to_csv(index=False)), dtype=str)


def reordered(rows):
    return rows[rows.columns[::-1]].assign(more=[["a"]] * len(rows))


@pytest.mark.parametrize("changed", [
    other_types, as_csv, reordered, lambda rows: rows.astype(str), lambda rows: rows.astype("category"),
    lambda rows: rows.astype(object), lambda rows: rows.convert_dtypes(dtype_backend="pyarrow")])
def test_the_same_rows_in_other_types_and_order_are_predicted_alike(model, changed):
    expected, _ = tabbench.predict(model, stays())
    predicted, _ = tabbench.predict(model, changed(stays()))
    pd.testing.assert_frame_equal(predicted, expected)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT, "", "NA"])
def test_rows_without_any_value_are_predicted(model, missing):
    predicted, notes = tabbench.predict(model, pd.DataFrame(dict.fromkeys(stays(), [missing] * 3)))
    assert len(predicted) == 3 and predicted.notna().all(axis=None) and notes == []


def test_no_rows_give_the_header_and_a_note(model):
    predicted, notes = tabbench.predict(model, stays().iloc[:0])
    assert predicted.columns.tolist() == ["prediction", "probability_bad", "probability_good"] and len(predicted) == 0
    assert notes == ["frame has no rows to predict"]
    with pytest.raises(BadData, match="lack 1 column"):
        tabbench.predict(model, stays().iloc[:0].drop(columns="pets"))


def test_one_row_is_predicted_as_among_the_others(model):
    among, _ = tabbench.predict(model, stays())
    alone, _ = tabbench.predict(model, stays().iloc[[7]])
    pd.testing.assert_frame_equal(alone, among.iloc[[7]].reset_index(drop=True))


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_one_column_is_enough_for_a_model_of_one_feature(narrow_model, tmp_path, suffix):
    rows, path = pd.DataFrame({"size": [1.0, 20.0]}), tmp_path / f"new.{suffix}"
    rows.to_parquet(path) if suffix == "parquet" else rows.to_json(path, orient="records", lines=True)
    expected, _ = tabbench.predict(narrow_model, rows)
    predicted, _ = tabbench.predict(narrow_model, path)
    pd.testing.assert_frame_equal(predicted, expected)
    np.testing.assert_allclose(predicted["prediction"], [3, 60], atol=2)


PREDICTED = pd.DataFrame({"id": ["007", "008"], "prediction": ["good", None], "probability_good": [0.1 + 0.2, 1.0]})


@pytest.mark.parametrize(("name", "read"), [
    ("p.csv", pd.read_csv), ("p.v2.CSV", pd.read_csv), ("p.tsv", pd.read_table), ("p.csv.gz", pd.read_csv),
    ("p.tsv.gz", pd.read_table)])
def test_predictions_are_written_as_the_name_says(tmp_path, name, read):
    write_predictions(PREDICTED, tmp_path / name)
    pd.testing.assert_frame_equal(read(tmp_path / name, dtype={"id": str}), PREDICTED, check_dtype=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_compressed_predictions_are_compressed_and_repeatable(tmp_path):
    write_predictions(PREDICTED, tmp_path / "a.csv.gz")
    write_predictions(PREDICTED, tmp_path / "a.csv")
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == (tmp_path / "a.csv").read_bytes()
    (tmp_path / "other").mkdir()
    write_predictions(PREDICTED, tmp_path / "other" / "a.csv.gz")
    assert (tmp_path / "other" / "a.csv.gz").read_bytes() == (tmp_path / "a.csv.gz").read_bytes()


def test_labels_that_are_formulas_get_an_apostrophe_in_text_and_signs_and_numbers_none(tmp_path):
    labels = ["=1+1", "@SUM(A1)", "-2+3+cmd|' /C calc'!A0", "+", "-", "-1.5", "good", None]
    frame = pd.DataFrame({"id": pd.Series(labels, dtype="category"), "prediction": labels})
    assert write_predictions(frame, tmp_path / "p.csv") == 6
    written = pd.read_csv(tmp_path / "p.csv", dtype=str)
    assert written["prediction"].tolist()[:7] == ["'=1+1", "'@SUM(A1)", "'-2+3+cmd|' /C calc'!A0", "+", "-", "-1.5", "good"]
    assert written["id"].equals(written["prediction"].rename("id"))
    assert write_predictions(frame, tmp_path / "p.parquet") == 0
    assert pd.read_parquet(tmp_path / "p.parquet")["prediction"].tolist()[0] == "=1+1"


def test_parquet_keeps_the_frame_and_an_empty_one_its_header(tmp_path):
    write_predictions(PREDICTED, str(tmp_path / "p.parquet"))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "p.parquet"), PREDICTED)
    write_predictions(PREDICTED.iloc[:0], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "id,prediction,probability_good\n"


@pytest.mark.parametrize(("out", "sentence"), [
    ("", "is a folder; name a file in it"), (".", "is a folder"), ("..", "is a folder"), ("/", "is a folder"),
    ("p.xlsx", r"cannot write predictions as p\.xlsx; let out end in \.csv, \.csv\.gz"), ("p", "let out end in"),
    ("-", "let out end in"), ("p.csv.zip", "let out end in"), ("absent/p.csv", "there is no folder absent"),
    ("old.csv/p.csv", "there is no folder old.csv"),
    ("x" * 300 + ".csv", "cannot write .*choose another place with out")])
def test_places_that_cannot_be_written_are_refused(tmp_path, monkeypatch, out, sentence):
    monkeypatch.chdir(tmp_path)
    Path("old.csv").write_text("old")
    with pytest.raises(BadOption, match=sentence):
        write_predictions(PREDICTED, out)
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]


def test_the_file_of_the_rows_is_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new = tmp_path / "new.csv"
    new.write_text("kept")
    (tmp_path / "link.csv").symlink_to(new)
    for out, data in [(new, new), (str(new), "new.csv"), ("link.csv", new), (new, "link.csv"), ("./new.csv", str(new))]:
        with pytest.raises(BadOption, match="is the file to predict and would be overwritten"):
            write_predictions(PREDICTED, out, data)
    assert new.read_text() == "kept"
    write_predictions(PREDICTED, new, PREDICTED)
    write_predictions(PREDICTED, new, "-")
    assert new.read_text().startswith("id,prediction")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "p.csv").write_text("old")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(BadOption, match="Permission denied"):
        write_predictions(PREDICTED, tmp_path / "p.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"] and (tmp_path / "p.csv").read_text() == "old"


def run_predict(*arguments):
    answer = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return answer.exit_code, answer.stderr


def test_the_command_predicts_one_column_and_a_header_alone(narrow_model, tmp_path):
    (tmp_path / "new.csv").write_text("size\n1\n20\n")
    (tmp_path / "none.csv").write_text("size\n")
    assert run_predict(narrow_model, tmp_path / "new.csv", "--out", tmp_path / "p.csv") == (
        0, f"2 predictions written to {tmp_path / 'p.csv'}\n")
    assert len(pd.read_csv(tmp_path / "p.csv")) == 2
    code, said = run_predict(narrow_model, tmp_path / "none.csv", "--out", tmp_path / "p.csv")
    assert code == 0 and "none has no rows to predict" in said and (tmp_path / "p.csv").read_text() == "prediction\n"


def test_the_command_keeps_its_input(narrow_model, tmp_path):
    (tmp_path / "new.csv").write_text("size\n1\n")
    code, said = run_predict(narrow_model, tmp_path / "new.csv", "--out", tmp_path / "new.csv")
    assert code == 1 and "is the file to predict" in said and (tmp_path / "new.csv").read_text() == "size\n1\n"
    code, said = run_predict(narrow_model, tmp_path / "new.csv", "--out", "")
    assert code == 1 and ". is a folder; name a file in it" in said
