"""The one place where the text that names a table is understood.

A file's path, or else the name of a data set, `generated:NAME`, `openml:ID`, `openml-task:ID` or an https address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from tabbench.core.errors import BadOption, UnknownName
from tabbench.reading import generated, openml, sqlite, web
from tabbench.reading.cards import card_path, fetch, find_card, get_card
from tabbench.reading.located import Located

SCHEMES: dict[str, Callable[[str], Located]] = {
    generated.SCHEME: generated.locate_generated,
    openml.DATA_SCHEME: openml.locate_data,
    openml.TASK_SCHEME: openml.locate_task,
    **dict.fromkeys(web.SCHEMES, web.locate_url),
}
SCHEME = re.compile(r"[a-z][a-z-]+:(?=.)")
"""Two letters at least: one is a drive of Windows."""


def locate(source: str) -> Located | None:
    """The table that a text names, fetched or made if need be; None for what can only be a path or standard input.

    >>> locate("penguins").target, locate("generated:xor").task, locate("penguins.csv")
    ('species', 'binary', None)

    Raises
    ------
    UserMistake
        An unknown kind of source, a name or an id that there is not, a download that does not work.
    """
    if os.path.exists(source):  # noqa: PTH110 - unlike a `Path`, it takes a text that is too long for a file to be none
        return None
    card = find_card(source)
    if card is not None:
        return Located(card_path(card), target=card.target, task=card.task, drop=card.drop)
    scheme = SCHEME.match(source)
    if scheme is None or scheme[0] == sqlite.SCHEME:  # a file, which the reader understands
        return None
    if scheme[0] not in SCHEMES:
        raise UnknownName.among("kind of source", scheme[0], [*SCHEMES, sqlite.SCHEME], f"; and there is no file {source}")
    return SCHEMES[scheme[0]](source)


def fetched(source: str) -> Path:
    """The file of a data set, of OpenML or of an address, downloaded if need be.

    Raises
    ------
    UserMistake
        There is no such table, or it cannot be obtained.
    """
    scheme = SCHEME.match(source)
    if scheme is None:
        return fetch(get_card(source))
    located = locate(source)
    if located is None or scheme[0] == generated.SCHEME:
        raise BadOption(f"{source} needs no download; name it to tabbench compare as it is")
    return located.data if isinstance(located.data, Path) else openml.kept_file(source)
