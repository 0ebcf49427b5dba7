import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tabbench.wording.safe_text import markdown, plain, spreadsheet

SPECIAL = "\x1b[31m]0;\x07\u202e\u2066|`*_[]()<>#+-=@\n\r\t\0&;$~!\\.:/w1"
nasty = st.text(st.one_of(st.characters(), st.sampled_from(SPECIAL)), max_size=60)


@given(nasty, st.integers(3, 80))
def test_plain_text_moves_no_cursor_and_keeps_to_its_length(text: str, limit: int) -> None:
    safe = plain(text, limit)
    assert len(safe) <= limit
    assert not {unicodedata.category(each) for each in safe} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert plain(safe, limit) == safe.strip()


def test_plain_text_drops_whole_escape_sequences() -> None:
    assert plain("\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\ \x1b[2Jnow\x9b31m") == "click now"


def test_a_long_name_keeps_both_ends() -> None:
    safe = plain("start" + "x" * 5000 + "end", 21)
    assert safe.startswith("start")
    assert safe.endswith("end")
    assert len(safe) == 21


@given(nasty)
@example("0)")
@example("1.")
def test_markdown_makes_nothing_of_a_text(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse("- " + markdown(text))
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}
    assert kinds <= {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "paragraph_open",
                     "paragraph_close", "inline", "text", "text_special"}
    assert "".join(child.content for token in tokens for child in token.children or []) == plain(text)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert spreadsheet(text) == "'" + text


def test_a_nul_does_not_hide_a_formula() -> None:
    assert spreadsheet("\0=1+1") == "'=1+1"
