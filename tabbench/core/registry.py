"""One registry for every kind of thing that can be added in one file: approaches, selectors, metrics, checks.

A registry walks its package once, imports each module there (which must not import a heavy library at
module level) and collects what was registered. Other packages join through the entry-point group `tabbench`; a plug-in that
does not load costs one line of warning and nothing else.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from tabbench.core.errors import TabbenchError, UnknownName

ENTRY_POINT_GROUP = "tabbench"
_LOADING = threading.RLock()
"""Held by the thread that loads registries, as one may ask for names of another; the other threads wait for whole ones."""


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """Name, unique within its registry."""


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """Things of one kind by name, found on first use.

    Parameters
    ----------
    kind : str
        Noun for one of them in messages ("approach").
    package : str
        Package whose modules register them when imported.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._things: dict[str, T] = {}
        self._own: dict[str, T] = {}
        self._is_begun = self._is_loaded = False
        self._failure: Exception | None = None

    def register(self, thing: T) -> T:
        """Add a thing and return it.

        Raises
        ------
        TabbenchError
            The name is taken.
        """
        if _PLUG_INS.are_loading_here:
            self._load_package()  # our own names are taken first, also where a plug-in is the first to ask for this registry
        if thing.name in self._things:
            raise TabbenchError(f"the name of the {self.kind} {thing.name!r} is taken")
        self._things[thing.name] = thing
        return thing

    def put(self, thing: T) -> None:
        """Add a caller's own thing, in the place of an earlier one of that name; it is found by name only, never listed."""
        self._own[thing.name] = thing

    def get(self, name: str) -> T:
        """Return the thing called `name`.

        Raises
        ------
        UnknownName
            There is none; the message suggests similar names.
        """
        self._load()
        if name in self._own:
            return self._own[name]
        if name not in self._things:
            raise UnknownName.among(self.kind, name, self.names())
        return self._things[name]

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._load()
        return sorted(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter([self.get(name) for name in self.names()])

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._things or name in self._own

    def _load(self) -> None:
        if self._is_loaded and _PLUG_INS.are_loaded:
            return
        with _LOADING:
            self._load_package()
            _PLUG_INS.load()

    def _load_package(self) -> None:
        if self._failure is not None:  # what has been imported by then registers no second time
            raise self._failure
        if self._is_begun:
            return
        self._is_begun = True  # first, since a module that is being imported may ask for a name
        try:
            package = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self.package}.{module.name}")
        except BaseException as error:
            self._is_begun = False  # or the next look-up would take a part of the names for all of them
            self._failure = error if isinstance(error, Exception) else None
            raise
        self._is_loaded = True


class _PlugIns:
    """The modules that other packages name in the entry-point group, loaded once per process."""

    def __init__(self) -> None:
        self.are_loaded = self._have_begun = False
        self._thread: int | None = None

    @property
    def are_loading_here(self) -> bool:
        """Whether this thread is loading them."""
        return self._thread == threading.get_ident()

    def load(self) -> None:
        """Import each of them; a failure is reported in one line and not tried again."""
        if self._have_begun:
            return
        self._have_begun, self._thread = True, threading.get_ident()
        for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda each: (each.name, each.value)):
            _load_plug_in(point)
        self._thread, self.are_loaded = None, True


_PLUG_INS = _PlugIns()


def _load_plug_in(point: EntryPoint) -> None:
    try:
        point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module, which may throw anything while it is imported
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        of_package = f" of the package {point.dist.name}" if point.dist else ""
        # Without a handler of the caller's, logging writes the bare line to standard error.
        logging.getLogger("tabbench").warning("the plug-in %s%s was not loaded: %s", point.name, of_package, reason)
