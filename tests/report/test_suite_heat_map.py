from tabbench.report.suite_heat_map import WORST, heat_map, pair_map


def test_a_cell_says_how_far_behind_the_best_in_margins(suite):
    header, rows = heat_map(suite)
    assert header == ["training rows", "metric", "baseline", "best score", "linear", "lightgbm", "mlp"]
    first = rows[0]
    assert (first.name, first.link) == ("<i>first</i>", "tables/t0/report.html")
    assert [cell.text for cell in first.cells] == ["1,000", "RMSE ↓", "1.0010", "0.4000", "10", "0.1", "0.0"]
    assert [cell.shade for cell in first.cells[4:]] == [3, 0, 0]
    assert [cell.title for cell in first.cells[4:]] == ["0.5010", "0.4010", "0.4000"]


def test_a_failure_is_told_and_an_absent_table_has_no_row(suite):
    _, rows = heat_map(suite)
    assert len(rows) == 9
    assert rows[2].cells[-1].title.endswith(", 3 of 3 fits failed")


def test_an_approach_that_was_not_run_is_an_empty_cell(suite):
    from dataclasses import replace

    means = suite.means[~((suite.means["table"] == "a|b") & (suite.means["approach"] == "mlp"))]
    _, rows = heat_map(replace(suite, means=means))
    assert (rows[1].cells[-1].text, rows[1].cells[-1].shade, rows[1].cells[-1].title) == ("", -1, "not run")


def test_wins_of_a_pair_add_up_to_the_tables_and_decisions_are_turned(suite):
    names, rows = pair_map(suite)
    assert names[-1] == "dummy"
    wins = {(row.name, other): cell for row in rows for other, cell in zip(names, row.cells, strict=True)}
    assert wins["lightgbm", "dummy"].text == "9 ▲"
    assert wins["dummy", "lightgbm"].text == "0 ▽"
    assert (wins["lightgbm", "dummy"].shade, wins["dummy", "lightgbm"].shade) == (0, WORST)
    assert wins["dummy", "lightgbm"].title == "ahead on 0 of 9: shown to be worse"
    assert wins["dummy", "dummy"].text == ""
    assert all(wins[one, other].value + wins[other, one].value == 9 for one in names for other in names if one != other)
