"""A fitted approach as files without pickle: what is written, read back and checked.

Where the bytes lie is `model/members.py`'s work; what the parts mean is known only to the approach that made them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from tabbench.core.errors import BadData, TabbenchError
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.model.description import require_sound
from tabbench.model.members import ARRAYS, DESCRIPTION, blob_name, read_members, refuse_pickle_name, write_members

FORMAT = 2
"""The number of the file format; raised when an older tabbench could not read what is written."""
READ_FORMATS = (1, FORMAT)
"""Format 1 knew no notation and no unit of its columns; otherwise they are the same."""

STORABLE_TYPES = frozenset({"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                            "float16", "float32", "float64"})
"""NumPy types that safetensors keeps bit by bit."""


@dataclass(frozen=True, eq=False)
class SavedModel:
    """All that is needed to predict with a fitted approach elsewhere.

    Parameters
    ----------
    approach, version
        Which approach fitted it, as in `core.approach.Approach`.
    task : Task
        The task with all classes, in the order of the probability columns.
    columns : tuple[Column, ...]
        The feature columns that new data are conformed to, in order.
    view_name, view
        The fitted view of the table.
    model : Parts
        The fitted approach.
    about : dict[str, Any]
        Plain JSON for the reader: table, rows, fingerprint, target, library versions, score.
    """

    approach: str
    version: int
    task: Task
    columns: tuple[Column, ...]
    view_name: str
    view: Parts
    model: Parts
    about: dict[str, Any] = field(default_factory=dict)


def save_model(path: str | Path, saved: SavedModel) -> Path:
    """Write the model and return its path: a single file when the name has a suffix, else a folder.

    The file appears at once and complete, or not at all. A model that is already there is replaced.

    Raises
    ------
    BadOption
        When something that is not a tabbench model is in the way, the suffix is a pickle's, or the place cannot be written.
    TabbenchError
        When the parts hold something else than plain JSON, numeric arrays and bytes.
    """
    path = Path(path)
    refuse_pickle_name(path)
    arrays: list[np.ndarray] = []
    blobs: list[bytes] = []
    content = {"approach": saved.approach, "version": saved.version, "task": saved.task.to_json(),
               "columns": [column.to_json() for column in saved.columns], "view_name": saved.view_name,
               "view": _describe(saved.view, arrays, blobs), "model": _describe(saved.model, arrays, blobs),
               "about": saved.about}
    members = {ARRAYS: safetensors.numpy.save({str(number): array for number, array in enumerate(arrays)})}
    members |= {blob_name(number): blob for number, blob in enumerate(blobs)}
    content["members"] = {name: _digest(data) for name, data in members.items()}
    try:
        document = {"format": FORMAT, "sha256": _content_digest(content), "content": content}
        description = json.dumps(document, indent=1, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise TabbenchError(f"the {saved.approach} model cannot be saved: its values are not plain JSON ({error})") from error
    return write_members(path, {DESCRIPTION: description, **members})


def load_model(path: str | Path) -> SavedModel:
    """The model that `save_model` wrote, checked byte by byte. Nothing in the file is ever executed.

    Raises
    ------
    BadData
        When there is no model, it is damaged, a newer tabbench wrote it, or it is another program's file.
    """
    path = Path(path)
    members = read_members(path)
    try:
        content = _checked_content(path, members)
        arrays = safetensors.numpy.load(members[ARRAYS])
        require_sound(content)
        return SavedModel(content["approach"], content["version"], Task.from_json(content["task"]),
                          tuple(Column.from_json(column) for column in content["columns"]), content["view_name"],
                          _rebuild(content["view"], arrays, members), _rebuild(content["model"], arrays, members),
                          content["about"])
    except BadData:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise BadData(f"{path} is a damaged or incomplete tabbench model ({type(error).__name__}); export it again") from error


def _checked_content(path: Path, members: dict[str, bytes]) -> dict[str, Any]:
    """What the description says, once its own digest and every member's are right."""
    document = json.loads(members[DESCRIPTION], parse_constant=_refuse_constant)
    if not isinstance(document["format"], int):
        raise BadData(f"{path} has no format number; it was not written by tabbench")
    if document["format"] not in READ_FORMATS:
        raise BadData(f"{path} has model format {document['format']} and this tabbench reads formats up to {FORMAT}; "
                      "use the version of tabbench that wrote it")
    content: dict[str, Any] = document["content"]
    expected = {DESCRIPTION: document["sha256"], **content["members"]}
    found = {name: _digest(data) for name, data in members.items()} | {DESCRIPTION: _content_digest(content)}
    changed = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if changed:
        raise BadData(f"{path}: {changed[0]} is missing or was changed after the model was saved; export the model again")
    return content


def _describe(parts: Parts, arrays: list[np.ndarray], blobs: list[bytes]) -> dict[str, Any]:
    """The parts as JSON in which arrays and blobs are numbers: their places in the lists that this extends."""
    described: dict[str, Any] = {"values": parts.values, "arrays": {}, "blobs": {}, "children": {}}
    for name, array in parts.arrays.items():
        if array.dtype.name not in STORABLE_TYPES:
            raise TabbenchError(f"the array {name!r} of type {array.dtype} cannot be saved; use booleans, integers or floats")
        described["arrays"][name] = len(arrays)
        arrays.append(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))
    for name, blob in parts.blobs.items():
        described["blobs"][name] = len(blobs)
        blobs.append(blob)
    for name, child in parts.children.items():
        described["children"][name] = _describe(child, arrays, blobs)
    return described


def _rebuild(described: dict[str, Any], arrays: dict[str, np.ndarray], members: dict[str, bytes]) -> Parts:
    """The parts that `_describe` took apart. Arrays are copied, since models may work on them in place."""
    return Parts(described["values"],
                 {name: arrays[str(number)].copy() for name, number in described["arrays"].items()},
                 {name: members[blob_name(number)] for name, number in described["blobs"].items()},
                 {name: _rebuild(child, arrays, members) for name, child in described["children"].items()})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _content_digest(content: dict[str, Any]) -> str:
    """Digest of the description's canonical JSON, so that layout does not count and every value does."""
    return _digest(json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
