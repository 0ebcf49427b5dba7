"""Every card tells the truth about its table, and a wrong card or file is refused with a sentence."""

import hashlib
import io
import json
from dataclasses import replace
from http.client import IncompleteRead

import pandas as pd
import pytest

from tabbench.core.errors import BadData, UnknownName
from tabbench.reading import cards

CARDS = cards.all_cards()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tabbench"


@pytest.fixture
def far_card(tmp_path):
    """A card whose table is not shipped, and the bytes that its address gives."""
    content = b"a,b\n1,2\n" * 40
    entries = {"name": "far", "title": "Far", "file": "far.csv", "rows": 40, "columns": 2, "target": "b", "task": "regression",
               "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "licence": "CC0 1.0", "source": "us",
               "citation": "none", "why": "a test", "url": "https://example.org/far.csv"}
    return write_card(tmp_path / "far.toml", entries), content


def write_card(path, entries):
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in entries.items()))
    return cards.read_card(path)


def serving(content):
    return lambda url, timeout: io.BytesIO(content)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_card_describes_its_table(card):
    path = cards.card_path(card)
    content = path.read_bytes()
    table = pd.read_parquet(path)

    assert (hashlib.sha256(content).hexdigest(), len(content)) == (card.sha256, card.bytes)
    assert table.shape == (card.rows, card.columns)
    assert {card.target, *card.drop} <= set(table.columns)
    assert card.target not in card.drop
    assert (table[card.target].nunique() == 2) == (card.task == "binary")
    assert pd.api.types.is_numeric_dtype(table[card.target]) == (card.task == "regression")
    assert card.licence in {"MIT", "CC BY 4.0", "CC0 1.0"}, "only openly licensed tables are shipped"
    assert cards.fetch(card) == path


def test_each_kind_of_task_is_shipped():
    assert {card.task for card in CARDS} == {"binary", "multiclass", "regression"}
    assert sum(card.bytes for card in CARDS) < 2_000_000, "an install carries the tables"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_description_says_what_a_user_must_know(card):
    text = cards.describe_card(card)
    for fact in (card.title, f"{card.rows:,} rows", card.target, card.licence, card.source, str(cards.card_path(card))):
        assert fact in text


def test_description_says_that_a_table_is_not_here_yet(far_card, cache):
    assert cards.describe_card(far_card[0]).endswith("not fetched yet, 320 bytes at https://example.org/far.csv")


@pytest.mark.parametrize("name", ["diamonds.csv", "../diamonds", "Diamonds", "", "data/diamonds", "no_such"])
def test_what_is_no_name_of_a_card_finds_none(name):
    assert cards.find_card(name) is None


def test_unknown_name_suggests_a_near_one():
    with pytest.raises(UnknownName, match="did you mean 'diamonds'"):
        cards.get_card("diamond")


@pytest.mark.parametrize(("change", "sentence"), [
    ({"rows": "many"}, "write a whole number"), ({"rows": True}, "write a whole number"), ({"drop": "id"}, "write a list"),
    ({"target": 3}, "write a text in quotes"), ({"task": "ranking"}, "binary or multiclass or regression"),
    ({"sha256": "abc"}, "64 hexadecimal"), ({"file": "../far.csv"}, "without a folder"), ({"url": "file:///etc/hosts"}, "https://"),
    ({"colour": "red"}, "does not know the entry 'colour'"),
])
def test_wrong_card_is_refused(far_card, change, sentence):
    card, _ = far_card
    entries = {name: value for name, value in vars(card).items() if name not in {"card", "drop"}} | change
    with pytest.raises(BadData, match=sentence):
        write_card(card.card, entries)


def test_missing_entry_and_bad_toml_are_named(tmp_path):
    path = tmp_path / "half.toml"
    path.write_text('name = "half"\n')
    with pytest.raises(BadData, match="lacks the entry 'bytes'"):
        cards.read_card(path)
    path.write_text("name = \n")
    with pytest.raises(BadData, match="is not TOML"):
        cards.read_card(path)


def test_table_that_is_not_shipped_is_fetched_once(far_card, cache):
    card, content = far_card
    with pytest.raises(BadData, match="tabbench datasets fetch far"):
        cards.card_path(card)

    path = cards.fetch(card, serving(content))

    assert path.read_bytes() == content
    assert cards.card_path(card) == path
    assert cache in path.parents
    assert cards.fetch(card, serving(b"never asked")) == path


@pytest.mark.parametrize("content", [b"", b"another file", b"a,b\n1,2\n" * 41])
def test_download_of_another_file_is_not_kept(far_card, cache, content):
    card, _ = far_card
    with pytest.raises(BadData, match="not kept, as it is not what"):
        cards.fetch(card, serving(content))
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("error", [TimeoutError("timed out"), IncompleteRead(b"")])
def test_network_that_fails_is_one_sentence(far_card, cache, error):
    def fail(url, timeout):
        raise error
    with pytest.raises(BadData, match="cannot be downloaded"):
        cards.fetch(far_card[0], fail)


def test_no_more_is_read_than_the_card_allows(far_card, cache):
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            assert 0 <= size <= far_card[0].bytes + 1
            return b"x" * size
    with pytest.raises(BadData, match="not kept, as it is not what"):
        cards.fetch(far_card[0], lambda url, timeout: Endless())


def test_changed_and_lost_files_are_noticed(far_card, cache):
    card, content = far_card
    beside = card.card.parent / card.file
    beside.write_bytes(content[:-1])
    with pytest.raises(BadData, match=r"its SHA-256 is .{64}, the card has .{64}"):
        cards.fetch(card)
    beside.unlink()
    with pytest.raises(BadData, match="install tabbench again"):
        cards.fetch(replace(card, url=""))
