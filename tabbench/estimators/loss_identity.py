"""What a function of the user's is, in words that are the same in each process: its code and whatever it is bound to.

A checkpoint remembers them, so that a training is not continued with another loss. Knows no torch; tensors are told by their
methods.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

LIBRARIES = ("builtins", "abc", "collections", "functools", "typing", "numpy", "pandas", "scipy", "sklearn", "torch")
"""The code of their classes is told by the versions that a checkpoint remembers."""
PLAIN = (str, bytes, int, float, complex, bool, type(None))


def described(given: Any) -> str:
    """Return the identity of a value: a name, a number, a container, a function or any object with attributes.

    >>> described(functools.partial(max, 1)) == described(functools.partial(max, 2))
    False
    """
    return _Description().of(given)


class _Description:
    """One description; an object that comes again, as in a circle, is named by its place."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    def of(self, value: Any) -> str:
        """Return the words for one value."""
        if isinstance(value, PLAIN):
            return repr(value)
        if id(value) in self._seen:
            return f"again {self._seen[id(value)]}"
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)  # a freed object's id would be given to another one
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        return f"{name}({', '.join(self._parts(value))})"

    def _parts(self, value: Any) -> Iterator[str]:
        if isinstance(value, types.CodeType):
            yield value.co_code.hex()
            yield from map(self.of, (value.co_names, value.co_varnames, value.co_consts))
        elif isinstance(value, types.FunctionType):
            yield from map(self.of, (value.__module__, value.__qualname__, value.__code__))
            yield from map(self.of, (value.__defaults__, value.__kwdefaults__))
            yield from map(self.of, (cell.cell_contents for cell in value.__closure__ or ()))
            yield from map(self.of, self._globals(value))
        elif isinstance(value, functools.partial):
            yield from map(self.of, (value.func, value.args, value.keywords))
        elif isinstance(value, types.MethodType):
            yield from map(self.of, (value.__func__, value.__self__))
        elif isinstance(value, type) and _is_of_the_user(value):
            yield value.__qualname__
            yield from (self.of(item) for base in value.__mro__ if _is_of_the_user(base) for item in _defined(base))
        elif isinstance(value, type | types.ModuleType | types.BuiltinFunctionType):
            yield str(getattr(value, "__qualname__", value.__name__))
        else:
            yield from self._of_data(value)

    def _of_data(self, value: Any) -> Iterator[str]:
        array = value.detach().cpu().numpy() if hasattr(value, "detach") and hasattr(value, "cpu") else value
        if isinstance(array, np.ndarray | np.generic):
            yield f"{array.dtype} {array.shape} {hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}"
        elif isinstance(value, Mapping):
            yield from (f"{self.of(key)}: {self.of(item)}" for key, item in value.items())
        elif isinstance(value, set | frozenset):
            yield from sorted(map(described, value))
        elif isinstance(value, list | tuple):
            yield from map(self.of, value)
        else:
            yield from self._of_object(value)

    def _of_object(self, value: Any) -> Iterator[str]:
        """Its own attributes and, if its class is the user's, the code of that."""
        if _is_of_the_user(type(value)):
            yield self.of(type(value))
        for name, item in sorted(getattr(value, "__dict__", {}).items()):
            yield f"{name}={self.of(item)}"
        for name in getattr(type(value), "__slots__", ()):
            if name != "__dict__" and hasattr(value, name):
                yield f"{name}={self.of(getattr(value, name))}"

    def _globals(self, function: types.FunctionType) -> list[Any]:
        """The numbers, functions and classes of its own module that a function names."""
        named = [(name, function.__globals__[name]) for name in function.__code__.co_names if name in function.__globals__]
        return [(name, value) for name, value in named
                if isinstance(value, (*PLAIN, tuple, np.generic))
                or (isinstance(value, types.FunctionType | type) and value.__module__ == function.__module__)]


def _is_of_the_user(kind: type) -> bool:
    return kind.__module__.partition(".")[0] not in LIBRARIES


def _defined(kind: type) -> Iterator[Any]:
    """The functions that a class defines, and its plain values."""
    for name, item in sorted(vars(kind).items()):
        function = item.fget if isinstance(item, property) else getattr(item, "__func__", item)
        if isinstance(function, types.FunctionType) or (isinstance(item, PLAIN) and not name.startswith("__")):
            yield function
