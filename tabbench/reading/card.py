"""A data set's card: what is known of a table before it is opened, and its TOML file. Knows no folder and no network."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from tabbench.core.errors import BadData
from tabbench.core.task import TaskKind
from tabbench.reading.bundled import BUNDLED

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""A card's name is its file's stem, so it must not be able to lead elsewhere or pass for a file."""

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
        Name of the table's file, which lies beside the card or, once fetched or made, in the cache.
    sha256, bytes
        Of that file.
    rows, columns : int
        Of the table, the target included.
    target, task, drop
        How to use it; `drop` names columns that leak or identify.
    licence, source, citation : str
        How it may be used, who published it and how to cite it.
    why : str
        What it is here for.
    url : str, default ""
        Https address of the file when it may not be shipped.
    loader : str, default ""
        `sklearn:load_NAME` when scikit-learn's own copy of the table is read.
    package, member : str, default ""
        The release, as `name==version`, and the file in it from which `tools/make_datasets.py` makes the table's file.
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
    loader: str = ""
    package: str = ""
    member: str = ""

    @property
    def released_in(self) -> str:
        """The package and the file in it, in words."""
        return f"{self.package.replace('==', ' ')}, {self.member}" if self.package else ""


def read_card(path: Path) -> DatasetCard:
    """The card in a TOML file.

    Raises
    ------
    BadData
        When an entry is missing, unknown or of the wrong type, naming it.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadData(f"the card {path} is not TOML ({error}); correct that line") from error
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
        "loader": (entries.get("loader", "") in {"", *BUNDLED}, " or ".join(BUNDLED)),
        "package": (re.fullmatch(r"([\w-]+==[\w.]+)?", entries.get("package", "")), "a release, as name==version"),
    }
    for name, (is_right, rule) in rules.items():
        if not is_right:
            raise BadData(f"the card {path} has {name} = {entries[name]!r}; write {rule}")
