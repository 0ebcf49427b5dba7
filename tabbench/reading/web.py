"""A table at an https address: downloaded once into the cache, and checked when the address ends with its checksum."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from tabbench.core.errors import BadData, BadOption
from tabbench.reading.cards import cache_folder
from tabbench.reading.downloading import download, hash_of, require_https
from tabbench.reading.located import Located

SCHEMES = ("https:", "http:")
LONGEST_NAME = 100
"""The end of a file's name tells its format."""
CHECKSUM = re.compile("sha256=([0-9a-f]{64})")


def locate_url(source: str) -> Located:
    """The file behind an address such as `https://example.org/cars.csv#sha256=…`, from the cache if it is there.

    Raises
    ------
    BadOption
        What follows the # is no checksum.
    BadData
        It is no such address, the file cannot be downloaded, or is not the one that the checksum names.
    """
    require_https(source)
    url, fragment = urldefrag(source)
    checksum = CHECKSUM.fullmatch(fragment)
    if fragment and not checksum:
        raise BadOption(f"{source} ends with #{fragment}; write #sha256= and 64 hexadecimal digits, or nothing")
    path = cached_path(url)
    if not path.is_file():
        _fetch(url, path)
    if checksum and (found := hash_of(path, "sha256")) != checksum[1]:
        path.unlink()
        raise BadData(f"{url} is another file than expected: its sha256 is {found}, not {checksum[1]}; it was not kept")
    return Located(path)


def cached_path(url: str) -> Path:
    """Where the file behind an address is kept; remove it to have it downloaded again."""
    name = re.sub(r"[^\w.-]+", "-", unquote(Path(urlsplit(url).path).name)).lstrip(".")[-LONGEST_NAME:] or "table"
    return cache_folder() / "url" / hashlib.sha256(url.encode()).hexdigest()[:16] / name


def _fetch(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / "part"
        download(url, part, cure=f"try again later, or put the file at {path}")
        part.replace(path)
