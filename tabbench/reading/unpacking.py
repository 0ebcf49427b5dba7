"""A path or standard input becomes one plain local file: devices refused, gzip, zstd, bzip2 and zip unpacked within limits.

Goes by a file's first bytes, never by its name. Must not know what a table is.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.phrases import counted, first_few

MOST_UNPACKED_BYTES = 32 << 30
"""More than a table that fits into memory, less than a disk."""
BOMB_RATIO = 400
"""Tables of zeros pack 100 to 250 times; gzip's limit, which bombs reach, is 1,030."""
BOMB_CHECK_FROM_BYTES = 128 << 20
"""Below this, what comes out does no harm whatever its ratio."""
PIECE_BYTES = 4 << 20

STANDARD_INPUT = "-"
PACKED_AS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
ZIP_START = b"PK\x03\x04"


@dataclass(frozen=True)
class LocalFile:
    """A plain file to read from; `packing` says what was unpacked to get it, "" if nothing."""

    path: Path
    shown: str
    packing: str = ""


@contextmanager
def local_file(source: Path | str) -> Iterator[LocalFile]:
    """Give the plain file behind `source`; whatever was unpacked is deleted afterwards.

    Raises
    ------
    BadData
        No such file, a folder, a device, an empty file, a broken or overlarge archive.
    """
    with tempfile.TemporaryDirectory(prefix="tabbench-") as scratch:
        if str(source) == STANDARD_INPUT:
            path, name = Path(scratch) / "input", "standard input"
            with path.open("wb") as target:
                _copy(sys.stdin.buffer, target, name, lambda: None)
        else:
            path = Path(source).expanduser()
            name = path.name
            _refuse_what_is_no_file(path)
        if path.stat().st_size == 0:
            raise BadData(f"{name} is empty; give a table with a header line")
        yield _unpacked(path, name, Path(scratch) / "unpacked")


def _refuse_what_is_no_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise BadData(f"there is no file {path}; check the path") from None
    except OSError as error:
        raise BadData(f"{path} cannot be opened ({error.strerror}); check the path and its permissions") from error
    if stat.S_ISDIR(mode):
        raise BadData(f"{path} is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise BadData(f"{path} is a device or a pipe; name a regular file, or pipe into `tabbench ... -`")
    if not os.access(path, os.R_OK):
        raise BadData(f"{path} may not be read; change its permissions")


def _unpacked(path: Path, name: str, target_path: Path) -> LocalFile:
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(ZIP_START):
        return _unzipped(path, name, target_path)
    for magic, packing in PACKED_AS.items():
        if start.startswith(magic):
            try:
                with path.open("rb") as raw, target_path.open("wb") as target:
                    _copy(pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), packing), target, name, raw.tell)
            except (OSError, pa.ArrowInvalid) as error:
                raise BadData(f"{name} cannot be unpacked as {packing}: it is damaged or cut off; get it again") from error
            return LocalFile(target_path, name, packing)
    return LocalFile(path, name)


def _unzipped(path: Path, name: str, target_path: Path) -> LocalFile:
    try:
        with zipfile.ZipFile(path) as archive:
            if "[Content_Types].xml" in archive.namelist():
                _require_no_bomb(sum(each.file_size for each in archive.infolist()), path.stat().st_size, name)
                return LocalFile(path, name)  # a workbook is a zip file as well
            members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
            if len(members) != 1:
                inside = first_few([each.filename for each in members]) or "none"
                raise BadData(f"{name} holds {counted(len(members), 'file')} ({inside}) where one table is wanted; unpack it")
            with archive.open(members[0]) as packed, target_path.open("wb") as target:
                _copy(packed, target, name, lambda: members[0].compress_size)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError, LookupError, UnicodeDecodeError,
            OSError) as error:
        raise BadData(f"{name} cannot be unpacked as zip: {error}; unpack it yourself") from error
    return LocalFile(target_path, name, "zip")


def _copy(packed: Any, target: BinaryIO, name: str, consumed: Callable[[], int | None]) -> None:
    written = 0
    while piece := packed.read(PIECE_BYTES):
        written += len(piece)
        _require_no_bomb(written, consumed(), name)
        target.write(piece)


def _require_no_bomb(unpacked: int, packed: int | None, name: str) -> None:
    is_bomb = packed is not None and unpacked > BOMB_CHECK_FROM_BYTES and unpacked > BOMB_RATIO * packed
    if is_bomb or unpacked > MOST_UNPACKED_BYTES:
        raise BadData(f"{name} unpacks to more than {unpacked >> 20:,} MB, more than a table of its packed size would; "
                      "unpack it yourself")
