"""A table that is added becomes a card and a Parquet file that read like the table, and nothing is overwritten."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from tabbench.cli import app
from tabbench.core.errors import BadOption, UnknownName
from tabbench.reading import cards
from tabbench.reading.adding import NOT_STATED, add_dataset
from tabbench.reading.locating import locate
from tabbench.reading.reading import read_table


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with a table, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TABBENCH_DATASETS", raising=False)
    lines = [f"{number},\"{'Genève, old' if number % 3 else ''}\",2024-01-{number % 28 + 1:02d},{number % 7}.5"
             for number in range(60)]
    (tmp_path / "My Cars.csv").write_text("\n".join(["id,town,sold,price", *lines]), encoding="utf-8")
    return tmp_path


def test_two_files_describe_the_table_and_read_like_it(place):
    path = add_dataset("My Cars.csv", target="price", title='Cars "used", in CHF', licence="CC0 1.0", drop=("id",))
    assert {each.name for each in path.parent.iterdir()} == {"my_cars.toml", "my_cars.parquet"}
    card = cards.get_card("my_cars")
    assert (card.rows, card.columns, card.target, card.task, card.drop) == (60, 4, "price", "regression", ("id",))
    assert (card.title, card.licence, card.source) == ('Cars "used", in CHF', "CC0 1.0", "My Cars.csv")
    assert cards.fetch(card) == path.with_suffix(".parquet")
    located = locate("my_cars")
    table = read_table(located.data, located.target, drop=located.drop)
    assert table.fingerprint == read_table("My Cars.csv", "price", drop=["id"]).fingerprint


def test_own_cards_are_listed_with_the_shipped_ones_from_a_folder_that_the_environment_names(place, monkeypatch):
    monkeypatch.setenv("TABBENCH_DATASETS", str(place / "shared tables"))
    path = add_dataset("generated:xor,rows=90", name="xor90")
    assert path == place / "shared tables" / "xor90.toml"
    names = [card.name for card in cards.all_cards()]
    assert {"xor90", "penguins"} <= set(names)
    assert names == sorted(names)
    card = cards.get_card("xor90")
    assert (card.target, card.task, card.source, card.licence) == ("y", "binary", "generated:xor,rows=90", NOT_STATED)
    assert len(pd.read_parquet(cards.card_path(card))) == 90


def test_nothing_is_overwritten_and_no_name_is_taken_twice(place):
    add_dataset("My Cars.csv", target="price", folder=place / "elsewhere")
    before = (place / "elsewhere" / "my_cars.parquet").read_bytes()
    with pytest.raises(BadOption, match="is there already and is not overwritten"):
        add_dataset("My Cars.csv", target="town", folder=place / "elsewhere")
    with pytest.raises(BadOption, match="there is a data set penguins"):
        add_dataset("My Cars.csv", target="price", name="penguins")
    with pytest.raises(BadOption, match=r"'\.\./x' is no name of a data set"):
        add_dataset("My Cars.csv", target="price", name="../x")
    assert (place / "elsewhere" / "my_cars.parquet").read_bytes() == before
    assert not (place / "datasets").exists()


def test_a_table_without_its_target_leaves_no_file(place):
    with pytest.raises(UnknownName, match="did you mean 'price'"):
        add_dataset("My Cars.csv", target="prise")
    assert not (place / "datasets").exists()


def test_command_prints_the_card_and_a_mistake_is_one_sentence(place):
    added = CliRunner().invoke(app, ["datasets", "add", "My Cars.csv", "--target", "price", "--drop", "id,sold", "--to", "here"])
    assert (added.exit_code, added.stdout) == (0, "here/my_cars.toml\n")
    assert cards.read_card(place / "here" / "my_cars.toml").drop == ("id", "sold")
    again = CliRunner().invoke(app, ["datasets", "add", "My Cars.csv", "--target", "price", "--to", "here"])
    assert again.exit_code == 1
    assert "choose another --name" in again.output
