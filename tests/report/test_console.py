import io
import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.core.errors import BadOption
from tabbench.report.console import print_report


def printed(comparison: Comparison, width: int = 120, encoding: str = "utf-8", **settings: object) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    print_report(comparison, Console(file=stream, width=width, **settings))  # type: ignore[arg-type]
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("kind", ["comparison", "hostile", "nothing"])
def test_every_line_fits_and_the_sentence_comes_last(width: int, kind: str, request: pytest.FixtureRequest) -> None:
    comparison = request.getfixturevalue(kind)
    text = printed(comparison, width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text
    assert "\u202e" not in text
    if kind != "hostile":
        assert " ".join(text.split()).endswith(comparison.sentence)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_number_is_broken(width: int, comparison: Comparison) -> None:
    text = printed(comparison, width)
    boosting = [line for line in text.splitlines() if re.match(r"1  boosting ", line)]
    cells = " ".join(boosting)
    assert all(value in cells for value in ("0.4066", "0.3979…0.4153", "best mean", "30.8", "21.5", "243"))
    linear = " ".join(line for line in text.splitlines() if re.match(r"4  linear ", line))
    assert all(value in linear for value in ("+0.0132", "+0.0084…+0.0180", "materially worse", "1.90", "3.50", "189"))


def test_a_wide_terminal_gets_one_table_and_80_columns_two(comparison: Comparison) -> None:
    assert printed(comparison, 120).count("approach  ") == 1
    assert printed(comparison, 80).count("approach  ") == 2


def test_the_order_of_columns_on_a_wide_terminal(comparison: Comparison) -> None:
    head = next(line for line in printed(comparison, 120).splitlines() if line.startswith("#"))
    assert " ".join(head.split()) == "# approach loss ↓ interval to best interval verdict fit s µs/row MB failed"


def test_what_else_a_reader_must_know(comparison: Comparison) -> None:
    text = printed(comparison, 120)
    assert "boosting, xgboost and lightgbm: not separated (recommended: xgboost, at most " in text
    assert "linear and mlp may cross in score above 800 rows" in text
    assert "catboost: the package catboost is not installed" in text
    assert "mlp at 5,634 rows, repeat 1, fold 4: timed out: no end after 10 minutes" in text
    assert "warning  TotalCharges alone" in text
    assert "Country" not in text


def test_a_smaller_size_can_be_asked_for(comparison: Comparison) -> None:
    raw = io.StringIO()
    print_report(comparison, Console(file=raw, width=120), size=400)
    assert "trained on 400 of 7,043 rows" in raw.getvalue()
    with pytest.raises(BadOption, match="nothing was scored at 401 rows; choose one of the sizes 100, 200, 400"):
        print_report(comparison, Console(file=raw, width=120), size=401)


def test_many_failures_are_cut_short_and_counted(comparison: Comparison) -> None:
    records = [("mlp", 100, 0, fold, "failed", "no memory") for fold in range(40)]
    failures = pd.DataFrame(records, columns=list(COLUMNS["failures"]))
    text = printed(replace(comparison, failures=failures))
    assert text.count("no memory") == 12
    assert "and 28 more" in text


def test_a_terminal_without_unicode_gets_near_ascii(comparison: Comparison, hostile: Comparison) -> None:
    text = printed(comparison, 120, "ascii")
    assert "us/row" in text
    assert "?" not in text
    printed(hostile, 120, "ascii")


def test_names_are_not_read_as_markup(hostile: Comparison) -> None:
    assert "[bold]markup[/bold]" in printed(hostile, 120)


def test_colour_only_on_a_terminal(comparison: Comparison) -> None:
    assert "\x1b[1m" in printed(comparison, 120, force_terminal=True, color_system="standard")
    assert "\x1b" not in printed(comparison, 120)


def test_the_arrow_follows_the_direction(make: Callable[..., Comparison]) -> None:
    text = printed(make(higher=True))
    assert "accuracy" in text
    assert "↑" in text
    assert "higher is better" in text
