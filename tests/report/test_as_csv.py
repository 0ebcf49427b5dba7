import csv
import io
from collections.abc import Callable

from tabbench.core.comparison import Comparison
from tabbench.report import render


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_one_row_an_approach_size_and_metric(comparison: Comparison) -> None:
    found = read(render(comparison, "csv"))
    assert len(found) == len(comparison.scores)
    assert list(found[0]) == ["approach", "size", "metric", "mean", "low", "high", "splits", "failed", "fit_seconds",
                              "predict_us_per_row", "peak_mb", "one_row_us"]
    boosting = next(row for row in found if (row["approach"], row["size"], row["metric"]) == ("boosting", "800", "log_loss"))
    expected = comparison.scores.query("approach == 'boosting' and size == 800 and metric == 'log_loss'").iloc[0]
    assert float(boosting["mean"]) == expected["mean"]
    assert boosting["peak_mb"] == "243.0" or float(boosting["peak_mb"]) == 243


def test_the_undefined_is_empty(comparison: Comparison) -> None:
    dummy_auc = next(row for row in read(render(comparison, "csv")) if row["approach"] == "dummy" and row["metric"] == "auc")
    assert dummy_auc["mean"] == ""


def test_no_text_is_a_formula_and_negative_numbers_stay_numbers(hostile: Comparison, make: Callable[..., Comparison]) -> None:
    names = {row["approach"] for row in read(render(hostile, "csv"))}
    assert any(name.startswith("'=HYPERLINK") for name in names)
    assert not any(name.startswith(("=", "+", "-", "@", "\t", "\r")) for name in names)
    negative = make()
    negative.scores["mean"] = -1.5
    assert {row["mean"] for row in read(render(negative, "csv"))} == {"-1.5"}


def test_a_comparison_without_scores_is_a_header(nothing: Comparison) -> None:
    assert render(nothing, "csv").count("\n") == 1
