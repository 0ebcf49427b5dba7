"""A folder, or a pattern such as data/part-*.csv, stands for files that are parts of one table, one below the other."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from tabbench.core.errors import BadData
from tabbench.core.phrases import first_few

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".arrow", ".feather", ".json", ".jsonl", ".ndjson",
            ".arff", ".xlsx")
PACKED = (".gz", ".zst", ".bz2", ".zip")


def part_files(source: str | Path) -> list[Path] | None:
    """The files that a source stands for, by name; None for one that is itself a file or nothing.

    Raises
    ------
    BadData
        There are no files of tables, or files of several formats.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _of_one_format(str(source), (each for each in path.rglob("*") if not _is_hidden(each.relative_to(path))), "folder")
    if glob.has_magic(str(source)) and not path.exists():
        root = folder_of(path)
        return _of_one_format(str(source), root.glob(str(path.relative_to(root))), "pattern")
    return None


def folder_of(source: Path) -> Path:
    """The folder itself, or the one in which a pattern begins."""
    return next(each for each in (source, *source.parents) if not glob.has_magic(str(each)))


def partition_values(file: Path) -> dict[str, str]:
    """What the folders above a file say of its rows, as Spark and Arrow write it.

    >>> partition_values(Path("sales/year=2024/month=3/part-0.parquet"))
    {'year': '2024', 'month': '3'}
    """
    pairs = (part.split("=", 1) for part in file.parts[:-1] if part.count("=") == 1)
    return {name: value for name, value in pairs if name}


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _of_one_format(source: str, files: Iterable[Path], what: str) -> list[Path]:
    found = sorted(file for file in files if file.is_file() and _format(file))
    formats = sorted({_format(file) for file in found})
    if not found:
        raise BadData(f"{source} is a {what} without files of tables ({', '.join(SUFFIXES[:5])}, ...); name a file")
    if len(formats) > 1:
        cure = f"name one of them by a pattern, as '{Path(source) / ('*' + formats[0])}'"
        raise BadData(f"{source} is a {what} of files of several formats ({first_few(formats)}); "
                      f"{cure if what == 'folder' else 'let it end in one of them'}")
    return found


def _format(file: Path) -> str:
    suffixes = [each.lower() for each in file.suffixes if each.lower() not in PACKED]
    return suffixes[-1] if suffixes and suffixes[-1] in SUFFIXES else ""
