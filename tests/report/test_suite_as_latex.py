import re

import pytest

from tabbench.report.suite_as_latex import latex_tables


@pytest.fixture(scope="module")
def tables(suite):
    return latex_tables(suite, "tabbench suite report made-up")


def test_names_are_escaped_and_the_command_is_named(tables):
    assert "100\\% \\& more\\_ & 1,000" in tables["scores"]
    assert "a$|$b" in tables["scores"]
    assert "$<$i$>$first" in tables["scores"]
    assert all(text.startswith("% tabbench suite report made-up\n") for text in tables.values())


def test_every_row_has_as_many_cells_as_the_table_has_columns(tables):
    for text in tables.values():
        columns = re.search(r"\\begin\{longtable\}\{(.*)\}\n", text).group(1)
        count = len(re.sub(r"p\{[^}]*\}", "p", columns))
        rows = [line for line in text.splitlines() if line.endswith(" \\\\")]
        assert rows
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {count}


def test_only_ascii_and_balanced_braces_are_left(tables):
    for text in tables.values():
        assert text.isascii()
        assert len(re.findall(r"(?<!\\)\{", text)) == len(re.findall(r"(?<!\\)\}", text))
