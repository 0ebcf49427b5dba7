"""What a stored row must be to be believed: its checksum, and a seal over all rows of its kind, which a lost row would break."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

DIGEST_BYTES = 16
"""Against accidents, not against somebody who would compute new checksums: `verify` runs cells again for that."""


def checksum(*values: object, body: object = b"") -> str:
    """Hex digest of a row's values in their canonical form, whatever types a damaged row may have."""
    head = json.dumps(values, default=repr).encode()
    tail = body if isinstance(body, bytes) else repr(body).encode()
    return hashlib.blake2b(head + b"\n" + tail, digest_size=DIGEST_BYTES).hexdigest()


class Seal:
    """The number of rows and the sum (exclusive or) of their checksums, which a change of one row brings up to date.

    >>> one, two = checksum("a"), checksum("b")
    >>> seal = Seal.of([one, two])
    >>> seal.without(two).text == Seal.of([one]).text
    True
    """

    def __init__(self, count: int = 0, total: int = 0) -> None:
        self._count, self._total = count, total

    @classmethod
    def of(cls, checksums: Iterable[str]) -> Seal:
        """The seal of these rows."""
        seal = cls()
        for each in checksums:
            seal = seal.plus(each)
        return seal

    def plus(self, checksum: str) -> Seal:
        """With a row more."""
        return Seal(self._count + 1, self._total ^ int(checksum, 16))

    def without(self, checksum: str) -> Seal:
        """With a row less."""
        return Seal(self._count - 1, self._total ^ int(checksum, 16))

    @property
    def text(self) -> str:
        """As it is stored."""
        return f"{self._count}:{self._total:0{2 * DIGEST_BYTES}x}"
