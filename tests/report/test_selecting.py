"""What the reports say of feature selection."""

from dataclasses import replace

import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS
from tabbench.report.as_html import to_html
from tabbench.report.as_markdown import to_markdown
from tabbench.report.selecting import selection_lines


def with_effects(comparison, *effects, base="linear", stability=0.71):
    chosen = [{"feature": f"x{place}", "share_of_splits": 0.9} for place in range(9)]
    rows = [("linear+forest", 125 * 2**place, 7.25, stability, chosen, base, effect) for place, effect in enumerate(effects)]
    return replace(comparison, selection=pd.DataFrame(rows, columns=list(COLUMNS["selection"])))


@pytest.mark.parametrize(("effects", "said"), [
    (["helps", "helps", "undecided", "equal"], "helps at 125 to 250 rows, compared with linear"),
    (["helps", "equal", "helps", "hurts"], "helps at 125 and 500 rows, compared with linear, and hurts at 1,000 rows"),
    (["undecided", "equal"], "is not shown to help linear at any size"),
    (["undecided", "hurts"], "is not shown to help linear at any size, and hurts at 250 rows"),
    ([None, None], "cannot be compared with linear, which was not run")])
def test_the_sizes_at_which_it_helps(comparison, effects, said):
    [line] = selection_lines(with_effects(comparison, *effects))
    assert line.startswith(f"linear+forest {said}")
    assert "it keeps 7.25 of 20 columns (stability 0.71)" in line


def test_components_have_no_columns_to_tell(comparison):
    lines = selection_lines(comparison)
    assert "columns" in lines[0]
    assert "columns" not in lines[1]


def test_every_long_format_shows_it(comparison):
    shown = with_effects(comparison, "helps", "undecided")
    for text in (to_html(shown), to_markdown(shown)):
        assert "Feature selection" in text
        assert "helps at 125 rows" in text
        assert "x5 90% and others" in text


def test_nothing_is_said_where_nothing_was_selected(comparison, nothing):
    assert selection_lines(nothing) == []
    assert "Feature selection" not in to_markdown(replace(comparison, selection=comparison.selection[:0]))


def test_many_selectors_are_each_told_in_full(comparison):
    one = with_effects(comparison, "helps", "undecided").selection
    selectors = ("forest", "l1", "univariate", "forest+l1", "forest+univariate", "l1+univariate")
    names = [f"linear+{selector}" for selector in selectors]
    shown = replace(comparison, selection=pd.concat([one.assign(approach=name) for name in names], ignore_index=True))
    for text in (to_html(shown), to_markdown(shown)):
        for name in names:
            assert f"{name} helps at 125 rows, compared with linear; at 250 rows it keeps 7.25 of 20 columns" in text
