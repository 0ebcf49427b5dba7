import pandas as pd

from tabbench.report.suite_as_files import suite_csv, write_suite_reports


def test_csv_is_safe_in_a_spreadsheet_and_joins_lists(suite):
    assert "'=1+1" in suite_csv("approaches", suite.approaches.assign(name="=1+1"))
    assert "mlp lightgbm" in suite_csv("cliques", suite.cliques)


def test_files_are_written_over_and_the_same_again(suite, tmp_path):
    write_suite_reports(suite, tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    write_suite_reports(suite, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == first
    assert pd.read_parquet(tmp_path / "parquet" / "means.parquet")["size"].dtype.kind == "i"
