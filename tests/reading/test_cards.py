"""Every card tells the truth about its table, and a wrong card or file is refused with a sentence."""

import hashlib
import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from tabbench.core.errors import BadData, UnknownName
from tabbench.reading import cards
from tabbench.reading.reading import read_table
from tabbench.reading.target import read_target

CARDS = cards.all_cards()
SHIPPED = [card for card in CARDS if (card.card.parent / card.file).is_file()]
OFFLINE = [card for card in CARDS if card in SHIPPED or card.loader]
ELSEWHERE = [card for card in CARDS if card not in OFFLINE]
OPEN_LICENCES = {"MIT", "CC BY 4.0", "CC0 1.0", "public domain"}
SIZES = (500, 2_000, 10_000, 50_000, 1_000_000)
RATINGS = {"wine_quality"}
"""Few whole numbers that are amounts: only the card can tell."""


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


@pytest.fixture
def serving(monkeypatch):
    """Say what an address gives."""
    def serve(content):
        def write(url, goal, *, cure, most_bytes):
            assert url == "https://example.org/far.csv" and most_bytes == 320
            goal.write_bytes(content)
        monkeypatch.setattr(cards, "download", write)
    return serve


def read_frame(path):
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("card", OFFLINE, ids=lambda card: card.name)
def test_card_describes_its_table(card, cache):
    path = cards.fetch(card)
    content = path.read_bytes()
    frame = read_frame(path)

    assert (hashlib.sha256(content).hexdigest(), len(content)) == (card.sha256, card.bytes)
    assert frame.shape == (card.rows, card.columns)
    assert {card.target, *card.drop} <= set(frame.columns)
    assert card.target not in card.drop
    assert not frame[card.target].isna().any()
    assert cards.card_path(card) == path
    for fact in (card.licence, card.source, card.citation, card.why):
        assert fact


@pytest.mark.parametrize("card", OFFLINE, ids=lambda card: card.name)
def test_the_task_of_a_card_is_what_its_table_makes(card, cache):
    table = read_table(cards.card_path(card), card.target, drop=card.drop)
    assert table.features.shape[1] >= 3
    assert read_target(table, card.task).kind == card.task
    assert read_target(table).kind == card.task or card.name in RATINGS


@pytest.mark.parametrize("card", SHIPPED, ids=lambda card: card.name)
def test_only_openly_licensed_tables_are_shipped(card):
    assert card.licence in OPEN_LICENCES
    assert cards.card_path(card) == card.card.parent / card.file


@pytest.mark.parametrize("card", ELSEWHERE, ids=lambda card: card.name)
def test_a_table_that_is_not_shipped_says_how_it_is_made(card, cache):
    assert not cards.is_here(card)
    with pytest.raises(BadData, match=rf"not on this machine; make it from .*/make_datasets.py {card.name}` in a clone"):
        cards.fetch(card)


def test_tables_cover_tasks_and_sizes():
    assert len(CARDS) >= 45
    assert len(SHIPPED) >= 32
    assert sum(card.bytes for card in SHIPPED) <= 15_000_000, "an install carries the tables"
    for at_least, at_most in zip((0, *SIZES), SIZES, strict=False):
        tasks = {card.task for card in OFFLINE if at_least < card.rows <= at_most}
        assert {"binary", "regression"} <= tasks
        assert "multiclass" in tasks or at_least >= 50_000


def test_every_table_from_a_package_has_a_recipe():
    code = (cards.cards_folder().parent / "tools" / "dataset_recipes.py").read_text()
    recipes = re.findall(r"^def (\w+)\(", code.partition("# Recipes")[2], re.MULTILINE)
    assert recipes == [card.name for card in CARDS if card.package]


@pytest.mark.parametrize("card", OFFLINE, ids=lambda card: card.name)
def test_description_says_what_a_user_must_know(card, cache):
    text = cards.describe_card(card)
    for fact in (card.title, f"{card.rows:,} rows", card.target, card.licence, card.source, card.loader, card.released_in):
        assert fact in text


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_list_has_a_line_for_each(card, cache):
    header, line = cards.list_cards([card]).splitlines()
    assert len(line) <= 130
    assert line.index(card.title) == header.index("title")
    assert line.startswith(f"{card.name} ")
    assert line.endswith(f"  {card.title}")
    assert (card.licence if card in SHIPPED else "scikit-learn" if card.loader else "not shipped") in line


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
    ({"colour": "red"}, "does not know the entry 'colour'"), ({"loader": "sklearn:load_files"}, "or sklearn:load_iris or"),
    ({"package": "plotnine"}, "name==version"),
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


def test_scikit_learns_table_is_checked_before_it_is_written(cache):
    iris = cards.get_card("iris")
    with pytest.raises(BadData, match=rf"its SHA-256 is {iris.sha256}, the card has {'0' * 64}.; install another version"):
        cards.card_path(replace(iris, sha256="0" * 64))
    assert not cache.exists()
    assert cards.card_path(iris).parent.parent == cache


def test_table_that_is_not_shipped_is_fetched_once(far_card, cache, serving):
    card, content = far_card
    with pytest.raises(BadData, match="tabbench datasets fetch far"):
        cards.card_path(card)

    serving(content)
    path = cards.fetch(card)

    assert path.read_bytes() == content
    assert cards.card_path(card) == path
    assert cache in path.parents
    serving(b"never asked")
    assert cards.fetch(card) == path


@pytest.mark.parametrize("content", [b"", b"another file", b"a,b\n1,2\n" * 41])
def test_download_of_another_file_is_not_kept(far_card, cache, serving, content):
    card, _ = far_card
    serving(content)
    with pytest.raises(BadData, match="not kept, as it is not what"):
        cards.fetch(card)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_changed_and_lost_files_are_noticed(far_card, cache):
    card, content = far_card
    beside = card.card.parent / card.file
    beside.write_bytes(content[:-1])
    for get in (cards.fetch, cards.card_path):
        with pytest.raises(BadData, match=rf"its SHA-256 is [0-9a-f]{{64}}, the card has {card.sha256}\); delete it"):
            get(card)
    beside.unlink()
    with pytest.raises(BadData, match="repeat the installation"):
        cards.fetch(replace(card, url=""))
