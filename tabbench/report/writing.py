"""Writes a report's file so that a reader sees the old content or the new, never half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 through a temporary file beside `path`, flushed to disk, then renamed.

    Raises
    ------
    OSError : when the folder cannot be written; nothing is left behind.
    """
    target = Path(path)
    temporary = target.with_name(f".tabbench-{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
