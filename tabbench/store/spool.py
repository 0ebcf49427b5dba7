"""Results on their way from a child to the store, one file a cell: checksum, header, compressed predictions.

A file is complete or absent after a kill: written beside and renamed. After a power cut its checksum tells; it is the store that
makes results durable, a moment later.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tabbench.core.cell import Result
from tabbench.core.errors import TabbenchError
from tabbench.core.files import write_atomically
from tabbench.core.finding import Incident

SUFFIX = ".result"
COMPRESSION_LEVEL = 1
"""Level 1 halves float32 probabilities at about 100 MB/s; higher levels cost more than the disk they save."""


class DamagedSpool(TabbenchError):
    """A spooled result whose checksum or form is wrong."""


def spool(result: Result, folder: Path) -> Path:
    """Write a result for the supervisor; gives the file's path."""
    path = folder / f"{result.key}{SUFFIX}"
    write_atomically(path, encode(result), is_durable=False)
    return path


def encode(result: Result) -> bytes:
    """A line with the checksum of all that follows and the header (JSON), then the compressed predictions."""
    body = b"" if result.predictions is None else zlib.compress(
        np.ascontiguousarray(result.predictions, dtype="<f4").tobytes(), COMPRESSION_LEVEL)
    header = json.dumps(result_header(result), allow_nan=False).encode()
    return hashlib.sha256(header + b"\n" + body).hexdigest().encode() + b" " + header + b"\n" + body


def unpack(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the compressed body that `encode` wrote; `DamagedSpool` when it is not whole."""
    checksum, _, rest = content.partition(b" ")
    if hashlib.sha256(rest).hexdigest().encode() != checksum:
        raise DamagedSpool("a spooled result is damaged: its checksum is wrong")
    header, _, body = rest.partition(b"\n")
    return json.loads(header), body


def result_header(result: Result) -> dict[str, Any]:
    """All of a result but its predictions, as plain JSON values."""
    shape = None if result.predictions is None else list(result.predictions.shape)
    return {"key": result.key, "status": result.status, "reason": result.reason, "shape": shape, "tuned": result.tuned,
            "fit_seconds": result.fit_seconds, "predict_seconds": result.predict_seconds, "peak_mb": result.peak_mb,
            "incidents": [incident.to_json() for incident in result.incidents], "environment": result.environment,
            "costs": result.costs}


def result_from(header: dict[str, Any], body: bytes) -> Result:
    """A result from its header and its compressed predictions."""
    values = dict(header)
    shape = values.pop("shape")
    incidents = tuple(Incident.from_json(incident) for incident in values.pop("incidents"))
    result = Result(**values, incidents=incidents)
    if shape is None:
        return result
    return replace(result, predictions=np.frombuffer(zlib.decompress(body), dtype="<f4").reshape(shape))
