from tabbench.report.suite_as_markdown import suite_markdown


def test_markdown_has_every_table_and_is_escaped(suite):
    text = suite_markdown(suite, "tabbench suite report made-up")
    assert text.startswith("# tabbench: Suite made-up\n\n**Over 9 tables, ")
    for title in ("Which approach wins, by training rows", "Scores of every table", "Mean rank and Elo over all tables",
                  "Pairs over all tables", "Pairs by training rows", "Mean ranks by training rows", "Crossings of every table",
                  "Relative fit time", "Improvability", "Every table's own verdict", "Tables that are not finished", "Failures"):
        assert f"\n## {title}\n" in text
    assert "| \\<i\\>first\\</i\\> | 1,000 | RMSE ↓ | 1.0010 | 0.5010 | 0.4010 | 0.4000 |" in text
    assert "a\\|b" in text
    assert text.count("tabbench suite report made-up · csv/") == text.count("\n## ") - 1


def test_tables_without_rows_are_left_out(tiny):
    text = suite_markdown(tiny, "tabbench suite report made-up")
    assert "## Failures" not in text
    assert "## Relative fit time" not in text
