"""A table becomes a data set that can be shared: its rows as Parquet, and beside them the card that describes them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tabbench.core.errors import BadOption, OptionMention
from tabbench.core.files import write_atomically
from tabbench.reading.card import NAME, read_card
from tabbench.reading.cards import card_files, own_folder
from tabbench.reading.locating import locate
from tabbench.reading.reading import read_table
from tabbench.reading.source import NamedTable, read_source
from tabbench.reading.target import read_target

NOT_STATED = "not stated"
"""The licence of a table of which nobody said it: such a table must not be passed on."""


def add_dataset(source: str, *, folder: Path | None = None, target: str | None = None, name: str | None = None,
                title: str | None = None, licence: str | None = None, citation: str | None = None, why: str | None = None,
                drop: tuple[str, ...] = ()) -> Path:
    """Write a card and the table's Parquet file into a folder.

    Parameters
    ----------
    source : str
        A file, or any other name of a table.
    folder : Path | None, default None
        Where to; by default where own data sets are looked for (TABBENCH_DATASETS or ./datasets).
    target : str | None, default None
        Column to predict; by default the source's own, or one called target, label, y or class.
    name : str | None, default None
        Name of the data set; by default made from the source's.
    title, licence, citation, why : str | None
        Entries of the card.
    drop : tuple[str, ...]
        Columns that leak or identify.

    Returns
    -------
    card : Path
        The card's file.

    Raises
    ------
    UserMistake
        A table that cannot be read, a name that is taken or no name, or files that are there already.
    """
    located = locate(source)
    if located is not None:
        target, drop = target or located.target, drop or located.drop
    raw = read_source(source if located is None else located.data)
    rows = NamedTable(raw.name, pa.table(raw.columns), raw.description)
    table = read_table(rows, target, drop=drop)
    name = _free_name(name, raw.name)
    folder = own_folder() if folder is None else folder
    card, parquet = folder / f"{name}.toml", folder / f"{name}.parquet"
    _refuse_to_overwrite(card, parquet)
    content = _as_parquet(rows.table)
    entries = {"name": name, "title": title or name.replace("_", " "), "file": parquet.name,
               "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": len(rows),
               "columns": rows.table.num_columns, "target": table.target_name, "task": read_target(table).kind,
               "drop": list(drop), "licence": licence or NOT_STATED, "source": source if located else Path(source).name,
               "citation": citation or "", "why": why or ""}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(parquet, content)
    write_atomically(card, _as_toml(entries).encode())
    read_card(card)
    return card


def _free_name(name: str | None, stem: str) -> str:
    found = name or re.sub(r"[^a-z0-9_-]+", "_", stem.lower()).strip("_-")
    if name is None and not NAME.fullmatch(found):
        raise BadOption.about(f"no name of a data set can be made of {stem!r}; give one of small letters, digits, - and _ with ",
                              OptionMention("name"))
    if not NAME.fullmatch(found):
        raise BadOption.about(OptionMention("name"), f" {found!r} is no name of a data set; use small letters, digits, - and _")
    if found in card_files():
        raise BadOption.about(f"there is a data set {found} ({card_files()[found]}); choose another ", OptionMention("name"))
    return found


def _refuse_to_overwrite(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise BadOption.about(f"{path} is there already and is not overwritten; remove it or choose another ",
                                  OptionMention("name"))


def _as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _as_toml(entries: dict[str, Any]) -> str:
    """A line an entry. A text in JSON is one in TOML, too, but for a letter that TOML wants escaped."""
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f")
                   for name, value in entries.items())
