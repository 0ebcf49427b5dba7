"""What OpenML says of its data sets and tasks, from its descriptions in XML. Knows the addresses; reads no table.

API: https://www.openml.org/apis
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from tabbench.core.errors import BadData, BadOption
from tabbench.reading.downloading import RefusedByServer, download

SERVER, SERVER_VARIABLE = "https://www.openml.org", "TABBENCH_OPENML"
"""Another server may be named in the environment."""
MOST_XML_BYTES = 16 << 20
CURE = "try again where there is a network; what was read once is kept and needs none"

CLASSIFICATION, REGRESSION = "1", "2"
"""Types of task that are comparisons of predictions on given splits."""
METRICS = {"area_under_roc_curve": "auc", "predictive_accuracy": "accuracy", "root_mean_squared_error": "rmse",
           "mean_absolute_error": "mae"}
"""Evaluation measures of OpenML that are metrics here."""


@dataclass(frozen=True)
class DataDescription:
    """A data set: what it is called, where its file is, and the columns with a role."""

    id: int
    name: str
    url: str
    md5: str
    target: str | None
    drop: tuple[str, ...]
    licence: str


@dataclass(frozen=True)
class TaskDescription:
    """A task: a data set, its target, and where the splits are; `measure` is OpenML's name of the metric, "" if none is set."""

    id: int
    data_id: int
    target: str
    is_regression: bool
    measure: str
    splits_url: str

    @property
    def metric(self) -> str | None:
        """The metric that decides, or None where none is set or it is unknown here."""
        return METRICS.get(self.measure)


def server() -> str:
    """The address of the server."""
    return os.environ.get(SERVER_VARIABLE, SERVER).rstrip("/")


def server_name() -> str:
    """The server as part of a path."""
    return re.sub(r"[^\w.-]", "-", urlsplit(server()).netloc or "server")


def whole_id(text: str, source: str) -> int:
    """An id as a number."""
    if not (text.isascii() and text.isdigit()):
        raise BadOption(f"{source} has the id {text!r}; write a whole number, as in openml:31")
    return int(text)


def describe_data(data_id: int) -> DataDescription:
    """What the server says of a data set."""
    root = _ask(f"data/{data_id}", f"data set {data_id}")
    roles = [name for tag in ("ignore_attribute", "row_id_attribute") for name in _texts(root, tag)]
    return DataDescription(data_id, _text(root, "name"), _text(root, "url"), _text(root, "md5_checksum").lower(),
                           _text(root, "default_target_attribute") or None, tuple(dict.fromkeys(roles)), _text(root, "licence"))


def describe_task(task_id: int) -> TaskDescription:
    """What the server says of a task.

    Raises
    ------
    BadData
        A task that is neither classification nor regression, or has no splits.
    """
    root = _ask(f"task/{task_id}", f"task {task_id}")
    kind, splits_url = _text(root, "task_type_id"), _text(root, "data_splits_url")
    if kind not in (CLASSIFICATION, REGRESSION):
        raise BadData(f"task {task_id} of OpenML is {_text(root, 'task_type') or 'of no known type'}; choose a task of "
                      "supervised classification or regression")
    data_id = _text(root, "data_set_id")
    if not data_id.isdecimal():
        raise BadData(f"task {task_id} of OpenML names no data set; choose another task")
    if not splits_url:
        raise BadData(f"task {task_id} of OpenML has no splits; use its data set, as openml:{data_id}")
    return TaskDescription(task_id, int(data_id), _text(root, "target_feature"), kind == REGRESSION,
                           _text(root, "evaluation_measure"), splits_url)


def _ask(path: str, what: str) -> ElementTree.Element:
    url = f"{server()}/api/v1/xml/{path}"
    with tempfile.TemporaryDirectory(prefix="tabbench-") as folder:
        file = Path(folder) / "answer.xml"
        try:
            download(url, file, cure=CURE, most_bytes=MOST_XML_BYTES)
        except RefusedByServer as error:
            said = _text(parse_xml(error.content, url), "message") if b"<oml:error" in error.content else ""
            if not said:
                raise
            raise BadData(f"OpenML has no {what} for us ({said}); check the id") from error
        return parse_xml(file.read_bytes(), url)


def parse_xml(content: bytes, url: str) -> ElementTree.Element:
    """The root of a document, which may declare no entities: there is no document type, and only UTF-8 is read.

    Raises
    ------
    BadData
        Anything else.
    """
    try:
        text = content.decode("utf-8")
        if "<!DOCTYPE" in text:
            raise BadData(f"{url} answers with a document type declaration, which OpenML does not use; check the address")
        return ElementTree.fromstring(text)
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise BadData(f"{url} does not answer with XML ({error}); check the address") from error


def _texts(root: ElementTree.Element, tag: str) -> list[str]:
    """The texts of all elements of this name, each of which may hold several after commas."""
    found = [element.text or "" for element in root.iterfind(f".//{{*}}{tag}")]
    return [part.strip() for text in found for part in text.split(",") if part.strip()]


def _text(root: ElementTree.Element, tag: str) -> str:
    return (root.findtext(f".//{{*}}{tag}") or "").strip()
