"""Downloads: https, a time limit on silence, a limit on size, and one sentence for whatever goes wrong. Knows no table."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from tabbench.core.errors import BadData

if TYPE_CHECKING:
    from http.client import HTTPResponse

SILENCE_SECONDS = 60
"""How long a server may say nothing."""
MOST_BYTES = 4 << 30
"""More than a table that a comparison can hold."""
PIECE_BYTES = 1 << 20


def download(url: str, goal: Path, *, cure: str, most_bytes: int = MOST_BYTES) -> None:
    """Write what is at the address to a file that does not exist yet.

    Parameters
    ----------
    url : str
        Begins with https://, or with http:// where the host is this machine.
    goal : Path
        The file, in a folder that exists.
    cure : str
        What to do when the address cannot be reached, for the message.
    most_bytes : int, default 4 GiB
        More are refused.

    Raises
    ------
    BadData
        An address that is not https, a server that does not answer or says no, or too many bytes.
    """
    import urllib.request  # with the system's encryption, which takes long to load and which few commands need
    from http.client import HTTPException
    from urllib.error import HTTPError

    require_https(url)
    request = urllib.request.Request(url, headers={"User-Agent": "tabbench", "Accept-Encoding": "identity"})
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as answer, goal.open("wb") as file:
            require_https(answer.url)  # after redirects
            _copy(answer, file, url, most_bytes)
    except HTTPError as error:
        with error:
            raise RefusedByServer(url, error.code, error.read(PIECE_BYTES)) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)  # urllib wraps what the system says
        raise BadData(f"{url} cannot be downloaded ({reason}); {cure}") from error


class RefusedByServer(BadData):
    """The server's answer was an error; `content` is what it said."""

    def __init__(self, url: str, code: int, content: bytes) -> None:
        super().__init__(f"{url} cannot be downloaded: the server answers with HTTP status {code}; check the address")
        self.content = content


def require_https(url: str) -> None:
    """Refuse an address that others could read or change on the way; this machine itself may be asked without encryption."""
    with contextlib.suppress(ValueError):  # of what cannot be taken apart
        parts = urlsplit(url)
        if (parts.scheme == "https" and parts.hostname) or (parts.scheme == "http" and _is_this_machine(parts.hostname or "")):
            return
    raise BadData(f"{url} is no address that begins with https://; give one, or download the file yourself and name it")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _copy(answer: HTTPResponse, file: BinaryIO, url: str, most_bytes: int) -> None:
    received = 0
    while piece := answer.read(PIECE_BYTES):
        received += len(piece)
        if received > most_bytes:
            raise BadData(f"{url} holds more than {most_bytes:,} bytes; download it yourself and name the file")
        file.write(piece)
    promised = answer.headers.get("Content-Length")
    if promised is not None and int(promised) != received:
        raise BadData(f"{url} ended after {received:,} of {promised} bytes; try again")


def hash_of(path: Path, algorithm: str) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
