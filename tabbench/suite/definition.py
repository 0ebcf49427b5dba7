"""What a suite is: tables by name, where each comes from, and options; read from TOML and written as TOML. Opens no table."""

from __future__ import annotations

import json
import math
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tabbench.core.errors import BadData, BadOption, UnknownName, UserMistake
from tabbench.core.files import write_atomically
from tabbench.options import Options

FOLDER = Path(__file__).parent / "suites"
"""Where the suites that come with tabbench lie."""
NAME = re.compile(r"[^\W_][\w.-]*")
"""A table's name is its folder's, a suite's that of its run."""
SCHEME = re.compile(r"[a-z-]{2,}:(?!//)")
"""How a source begins that is no file: what follows may hold dots."""
OF_A_TABLE = ("target", "task", "metric", "drop", "missing", "group", "time", "weight", "fold", "test", "types", "merge_labels",
              "sheet", "no_header", "query", "sizes", "folds", "repeats", "use_folds", "margin")
"""Options of `compare` that a table of a suite may have."""
OF_A_SUITE = ("approaches", "effort", "preset", "sizes", "folds", "repeats", "use_folds", "margin", "seed", "device")
"""Options of `compare` that a suite may have for all its tables; those of a call come first, then a table's own."""
FILES = ("test",)
"""Of these, the ones that name a file."""
LISTS = ("approaches", "drop")
"""Of these, the ones that are names."""


@dataclass(frozen=True)
class SuiteTable:
    """A table of a suite.

    Parameters
    ----------
    name : str
        Its name in reports, and its run's folder.
    source : str
        A data set's name, a file, or anything else that `compare` reads.
    origin : str
        What it was drawn from: tables of one origin together count as one. Empty for an origin of its own.
    options : dict[str, Any]
        Options of `compare` for this table, see `OF_A_TABLE`.
    """

    name: str
    source: str
    origin: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A collection of tables to be compared on, with options for all of them.

    Parameters
    ----------
    name : str
        Short name.
    title : str
        One line for a list.
    tables : tuple[SuiteTable, ...]
        In the order in which they are listed.
    options : dict[str, Any]
        Options of `compare` for every table, see `OF_A_SUITE`.
    """

    name: str
    title: str
    tables: tuple[SuiteTable, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


def all_suites() -> list[Suite]:
    """The suites that come with tabbench, by name."""
    return [read_suite(path) for path in sorted(FOLDER.glob("*.toml"))]


def find_suite(name: str) -> Suite:
    """The suite of this name, or the one in a TOML file.

    Raises
    ------
    UnknownName
        There is neither.
    BadData
        The file is no suite.
    """
    path = Path(name)
    if path.suffix == ".toml":
        return read_suite(path)
    if NAME.fullmatch(name) and (FOLDER / f"{name}.toml").is_file():
        return read_suite(FOLDER / f"{name}.toml")
    raise UnknownName.among("suite", name, [each.stem for each in sorted(FOLDER.glob("*.toml"))],
                            "; a suite of your own is named by its file, as mine.toml")


def read_suite(path: Path) -> Suite:
    """The suite in a TOML file; files that it names are looked for beside it.

    Raises
    ------
    BadData
        It cannot be read, or an entry is missing, unknown, of the wrong type or given twice.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"the suite {path} cannot be read ({error.strerror}); look at its name and permissions") from error
    except (ValueError, RecursionError) as error:
        raise BadData(f"the suite {path} is not TOML ({error}); correct that line") from error
    _require(path, "the suite", values, {"name": str, "title": str, "tables": list, "options": dict})
    options = values.get("options", {})
    _require_known(path, "[options]", options, OF_A_SUITE)
    _require_plain(path, "[options]", options)
    tables = tuple(_table(path, each) for each in values.get("tables", ()))
    suite = Suite(values.get("name", path.stem), values.get("title", ""), tables, options)
    _check(path, suite)
    return suite


def _table(path: Path, values: Any) -> SuiteTable:
    values = {"source": values} if isinstance(values, str) else values
    if not isinstance(values, dict) or not isinstance(values.get("source"), str):
        raise BadData(f'the suite {path} has a table without source; write source = "file.csv" or a data set\'s name')
    source = values["source"]
    _require_known(path, f"the table {source}", values, ("name", "source", "origin", *OF_A_TABLE))
    _require(path, f"the table {source}", {key: values[key] for key in values.keys() & {"name", "origin"}},
             {"name": str, "origin": str})
    _require_plain(path, f"the table {source}", values)
    options = {name: _beside(path, str(value)) if name in FILES else value
               for name, value in values.items() if name in OF_A_TABLE}
    return SuiteTable(values.get("name") or name_of(source), _beside(path, source), values.get("origin", ""), options)


def name_of(source: str) -> str:
    """A table's name where none is given: what is left of its source without folders and what a folder's name can't hold.

    >>> name_of("data/My prices.csv.gz"), name_of("Müller.csv"), name_of("generated:xor,noise=0.5")
    ('My-prices', 'Muller', 'generated-xor-noise-0.5')
    >>> name_of("売上 2024.csv")
    '売上-2024'
    """
    without_accents = re.sub(r"[\u0300-\u036f]", "", unicodedata.normalize("NFKD", source))
    stem = Path(unicodedata.normalize("NFC", without_accents)).name.lstrip(".")
    if not SCHEME.match(source):
        stem = stem.split(".")[0]
    return re.sub(r"[^\w.-]+", "-", stem).strip("-._")[:60] or "table"


def _beside(path: Path, source: str) -> str:
    """A file beside the suite by its whole path, also one that is gone; everything else stays as it is.

    What has neither a dot nor a folder may be a data set's name.
    """
    place = (path.parent / source).absolute()
    is_path = not SCHEME.match(source) and "://" not in source and ("." in source or "/" in source)
    return str(place) if is_path or place.is_file() else source


def _require(path: Path, where: str, values: Mapping[str, Any], kinds: Mapping[str, type[Any]]) -> None:
    _require_known(path, where, values, tuple(kinds))
    words: dict[type[Any], str] = {str: "a text in quotes", list: "[[tables]] or a list", dict: "a table"}
    for name, value in values.items():
        if not isinstance(value, kinds[name]):
            raise BadData(f"{where} in {path} has {name} = {value!r}; write {words[kinds[name]]}")


def _require_known(path: Path, where: str, values: Mapping[str, Any], known: Sequence[str]) -> None:
    if unknown := values.keys() - set(known):
        raise BadData(f"{where} in {path} does not know the entry {min(unknown)!r}; it takes {', '.join(known)}")


def _require_plain(path: Path, where: str, values: Mapping[str, Any]) -> None:
    """What an option's value may be is checked where it is used; here that it can be one, and be written again."""
    for name, value in values.items():
        is_finite = all(isinstance(each, str | int) or (isinstance(each, float) and math.isfinite(each))
                        for each in (value if isinstance(value, list) else [value]))
        if not is_finite or (name in LISTS and not isinstance(value, str | list)):
            raise BadData(f"{where} in {path} has {name} = {value!r}; write a text, a number, or a list of these")


def _check(path: Path, suite: Suite) -> None:
    try:
        Options(**suite.options).checked()
    except UserMistake as error:
        raise BadData(f"[options] in {path}: {error}") from error
    if not suite.tables:
        raise BadData(f'the suite {path} has no tables; write tables = ["a.csv", "b.csv"]')
    for what, name in (("", suite.name), *((" a table with", table.name) for table in suite.tables)):
        if not NAME.fullmatch(name):
            raise BadData(f"the suite {path} has{what} the name {name!r}; use letters, digits, dots, - and _")
    [(name, count)] = Counter(table.name.lower() for table in suite.tables).most_common(1)
    if count > 1:
        raise BadData(f"the suite {path} has {count} tables called {name}; give each a name of its own: name = \"…\"")


def write_suite(suite: Suite, path: Path) -> None:
    """Write a suite as TOML."""
    write_atomically(path, suite_toml(suite).encode())


def suite_toml(suite: Suite) -> str:
    """A suite as TOML, which `read_suite` reads."""
    lines = [f"name = {_toml(suite.name)}", f"title = {_toml(suite.title)}"]
    if suite.options:
        lines += ["", "[options]", *(f"{name} = {_toml(value)}" for name, value in suite.options.items() if value is not None)]
    for table in suite.tables:
        lines += ["", *table_toml(table)]
    return "\n".join(lines) + "\n"


def table_toml(table: SuiteTable) -> list[str]:
    """The lines of a table."""
    return ["[[tables]]", *_entries(table)]


def table_entries(table: SuiteTable) -> str:
    """A table as an entry of a list of them."""
    return "{" + ", ".join(_entries(table)) + "}"


def _entries(table: SuiteTable) -> list[str]:
    values = {"name": table.name, "source": table.source, "origin": table.origin} | dict(table.options)
    return [f"{name} = {_toml(value)}" for name, value in values.items() if value not in (None, "")]


def _toml(value: Any) -> str:
    """A text, number, boolean or list of these; JSON's forms of them are TOML's, too, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def new_suite(name: str, sources: Iterable[str], target: str | None = None) -> Suite:
    """A suite of files and data sets, whose names are told apart by a number where they are the same.

    Raises
    ------
    BadOption
        No source is given.
    """
    tables: list[SuiteTable] = []
    options = {} if target is None else {"target": target}
    for source in sources:
        tables.append(SuiteTable(_free_name(name_of(source), tables), source, options=options))
    if not tables:
        raise BadOption("a suite needs tables; name files or data sets: tabbench suite new a.csv b.csv")
    return Suite(name, "", tuple(tables))


def with_tables(suite: Suite, sources: Iterable[str], target: str | None = None) -> Suite:
    """The same suite with more tables."""
    tables = list(suite.tables)
    for each in new_suite(suite.name, sources, target).tables:
        tables.append(replace(each, name=_free_name(each.name, tables)))
    return replace(suite, tables=tuple(tables))


def _free_name(name: str, tables: Sequence[SuiteTable]) -> str:
    taken = {table.name.lower() for table in tables}
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(tables) + 2))
    return next(each for each in numbered if each.lower() not in taken)
