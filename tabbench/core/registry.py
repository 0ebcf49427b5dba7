"""One registry for every kind of thing that can be added in one file: approaches, selectors, metrics, checks.

A registry walks its package once, imports each module there (which must not import a heavy library at
module level) and collects what was registered. Other packages join through the entry-point group `tabbench`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from tabbench.core.errors import TabbenchError, UnknownName

ENTRY_POINT_GROUP = "tabbench"


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What it is called, unique among its kind."""


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """Things of one kind by name, found on first use.

    Parameters
    ----------
    kind : what one of them is called in a message ("approach").
    package : the package whose modules register them when imported.

    Raises
    ------
    TabbenchError : when two things of one kind have the same name.
    UnknownName : by `get`, with near names.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._things: dict[str, T] = {}
        self._is_loaded = False

    def register(self, thing: T) -> T:
        """Add a thing; its name must be new."""
        if thing.name in self._things:
            raise TabbenchError(f"two {self.kind}s are called {thing.name!r}")
        self._things[thing.name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing called `name`."""
        self._load()
        if name not in self._things:
            raise UnknownName.among(self.kind, name, self.names())
        return self._things[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        self._load()
        return sorted(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter([self.get(name) for name in self.names()])

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._things

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True  # first, since a module that is being imported may ask for a name
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        for point in entry_points(group=ENTRY_POINT_GROUP):
            point.load()
