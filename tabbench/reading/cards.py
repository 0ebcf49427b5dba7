"""Data sets by name: the card that says what a table is and where it comes from, and the table's file.

Knows cards and files; reading a table is `data/reading.py`'s work. The network is used by `fetch` alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import tomllib
import urllib.request
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, get_args

from tabbench.core.errors import BadData, UnknownName
from tabbench.core.task import TaskKind

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""A card's name is its file's stem, so it must not be able to lead elsewhere or pass for a file."""

DOWNLOAD_TIMEOUT_SECONDS = 60
"""How long a server may be silent."""


ENTRY_KINDS = {"str": (str, "a text in quotes"), "TaskKind": (str, "a text in quotes"), "int": (int, "a whole number"),
               "tuple[str, ...]": (list, "a list of texts")}
"""How the type of a card's entry is written in TOML."""


@dataclass(frozen=True)
class DatasetCard:
    """What is known of a data set before its table is opened.

    Parameters
    ----------
    name : str
        The card's file name without `.toml`.
    title : str
        One line for a list.
    file : str
        name of the table's file, which lies beside the card or, once fetched, in the cache.
    sha256, bytes
        Of that file.
    rows, columns : int
        Of the table, the target included.
    target, task, drop
        How to use it; `drop` names columns that leak or identify.
    licence, source, citation : str
        Where it comes from and how it may be used.
    why : str
        What it is here for.
    url : str, default ""
        Https address of the file when it may not be shipped.
    card : Path
        The card's own path.
    """

    name: str
    title: str
    file: str
    sha256: str
    bytes: int
    rows: int
    columns: int
    target: str
    task: TaskKind
    licence: str
    source: str
    citation: str
    why: str
    card: Path
    drop: tuple[str, ...] = ()
    url: str = ""


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
    """The table's file.

    Raises
    ------
    BadData
        When it is neither shipped nor fetched yet.
    """
    for path in _places(card):
        if path.is_file():
            return path
    raise BadData(f"the table of data set {card.name} is not on this machine; run `tabbench datasets fetch {card.name}`")


def describe_card(card: DatasetCard) -> str:
    """The card as a few lines for a person, ending with where the table's file is.

    >>> print(describe_card(get_card("penguins")).splitlines()[2])
    table     344 rows, 8 columns; species is to be predicted (multiclass)
    """
    here = [str(path) for path in _places(card) if path.is_file()]
    lines = {
        "table": f"{card.rows:,} rows, {card.columns:,} columns; {card.target} is to be predicted ({card.task})",
        "left out": ", ".join(card.drop),
        "why": card.why,
        "source": card.source,
        "citation": card.citation,
        "licence": card.licence,
        "file": here[0] if here else f"not fetched yet, {card.bytes:,} bytes at {card.url}",
    }
    described = [f"{name:9} {text}" for name, text in lines.items() if text]
    return "\n".join([f"{card.name}: {card.title}", "", *described])


def fetch(card: DatasetCard, open_url: Callable[..., BinaryIO] = urllib.request.urlopen) -> Path:
    """Make sure that the table's file is here and unchanged: check it, after a download when it is not shipped.

    Parameters
    ----------
    card : DatasetCard
        Which data set.
    open_url : Callable[..., BinaryIO]
        Opens an address for reading, as `urllib.request.urlopen`.

    Raises
    ------
    BadData
        When the file is not what the card says, or cannot be downloaded.
    """
    for path in _places(card):
        if path.is_file():
            return _checked(path, card)
    if not card.url:
        raise BadData(f"the table of data set {card.name} should lie beside {card.card} as {card.file}; install tabbench again")
    return _download(card, open_url)


def read_card(path: Path) -> DatasetCard:
    """The card in a TOML file.

    Raises
    ------
    BadData
        When an entry is missing, unknown or of the wrong type, naming it.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadData(f"the card {path} is not TOML ({error}); mend that line") from error
    wanted = {field.name: field for field in fields(DatasetCard) if field.name != "card"}
    required = {name for name, field in wanted.items() if field.default is MISSING}
    for wrong, names in (("lacks", required - entries.keys()), ("does not know", entries.keys() - wanted.keys())):
        if names:
            raise BadData(f"the card {path} {wrong} the entry {min(names)!r}; it takes {', '.join(wanted)}")
    for name, value in entries.items():
        kind, words = ENTRY_KINDS[str(wanted[name].type)]
        if type(value) is not kind:
            raise BadData(f"the card {path} has {name} = {value!r}; write {words}")
    _check_entries(path, entries)
    return DatasetCard(**{**entries, "drop": tuple(entries.get("drop", ()))}, card=path)


def _check_entries(path: Path, entries: dict[str, Any]) -> None:
    rules = {
        "name": (entries["name"] == path.stem and NAME.fullmatch(path.stem), "the file's name without .toml, in small letters"),
        "file": (Path(entries["file"]).name == entries["file"] != "", "a file name without a folder"),
        "sha256": (re.fullmatch("[0-9a-f]{64}", entries["sha256"]), "64 hexadecimal digits"),
        "task": (entries["task"] in get_args(TaskKind), " or ".join(get_args(TaskKind))),
        "url": (entries.get("url", "https://").startswith("https://"), "an address that begins with https://"),
    }
    for name, (is_right, rule) in rules.items():
        if not is_right:
            raise BadData(f"the card {path} has {name} = {entries[name]!r}; write {rule}")


def _places(card: DatasetCard) -> tuple[Path, Path]:
    return card.card.parent / card.file, cache_folder() / card.sha256 / card.file


def _checked(path: Path, card: DatasetCard) -> Path:
    if not _is_right(path, card):
        raise BadData(f"{path} is not the file that the card of {card.name} describes (its checksum differs); "
                      "delete it and fetch or install it again")
    return path


def _is_right(path: Path, card: DatasetCard) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == card.sha256


def _download(card: DatasetCard, open_url: Callable[..., BinaryIO]) -> Path:
    """Download to the cache; the file appears there only when its content is right."""
    goal = _places(card)[1]
    goal.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=goal.parent) as folder:
        part = Path(folder) / card.file
        try:
            with open_url(card.url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as answer:
                # One byte more than the card allows is enough to know that it is another file.
                part.write_bytes(answer.read(card.bytes + 1))
        except (OSError, HTTPException) as error:
            raise BadData(f"{card.url} cannot be downloaded ({error}); try again later or put the file at {goal}") from error
        if not _is_right(part, card):
            raise BadData(f"{card.url} gave another file than the card of {card.name} describes, so it was not kept; "
                          "mend the card's url, bytes and sha256")
        return part.replace(goal)
