"""Files that are either whole or absent, also after a power cut."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Write a file so that either the old or the new content is there, if it is to be durable even after a power cut."""
    with replacing(path, is_durable=is_durable) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: Path, *, is_durable: bool = True) -> Iterator[Path]:
    """The place of a new file, which takes that of the old one once it is written whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if is_durable:
            sync(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong first is what is told
            temporary.unlink(missing_ok=True)
        raise
    if is_durable and os.name != "nt":  # where renames are durable by themselves
        sync(path.parent)


def sync(path: Path) -> None:
    """Make what was written to a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
