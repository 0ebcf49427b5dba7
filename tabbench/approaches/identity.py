"""What a user's own estimator is made of, as a digest: code, closures, parameters, arrays, versions of packages.

The same script gives the same digest in every process; whatever could change a prediction gives another one. Knows no approach.
"""

from __future__ import annotations

import dis
import functools
import gc
import hashlib
import importlib.metadata
import pickle
import platform
import site
import sys
import sysconfig
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

UNSTABLE_ATTRIBUTES = frozenset({
    "__dict__", "__weakref__", "__doc__", "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__",
    "__firstlineno__", "__static_attributes__", "__abstractmethods__", "_abc_impl", "__module__"})
"""What a class holds besides its behaviour: text, places, and sets whose order is another one in every process."""
INSTALLED = tuple({Path(path).resolve() for path in (
    *(path for name, path in sysconfig.get_paths().items() if "lib" in name),
    *site.getsitepackages(), site.getusersitepackages())})
OURS = __name__.partition(".")[0]
CACHED = type(functools.cache(len))
PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, type(Ellipsis), type(NotImplemented))
NOT_TAKEN_APART = (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError, pickle.PicklingError)
"""What classes throw that cannot be pickled."""
NAMED = (types.BuiltinFunctionType, types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
         types.GetSetDescriptorType, types.MemberDescriptorType, types.MethodWrapperType, np.ufunc)


class Unidentifiable(Exception):
    """An object that cannot be taken apart; the message says which and why."""


def identity_of(estimator: Any) -> str:
    """The digest of all that an estimator's clone would be made of.

    Code of installed packages counts by name and version, everything else by value. What an estimator has learnt doesn't count,
    as a clone forgets it.

    Raises
    ------
    Unidentifiable
        A part of it can't be taken apart.

    >>> from functools import partial
    >>> identity_of(partial(pow, 2)) == identity_of(partial(pow, 2)), identity_of(partial(pow, 2)) == identity_of(partial(pow, 3))
    (True, False)
    """
    try:
        return _Digests().of(estimator).hex()[:32]
    except RecursionError as error:
        raise Unidentifiable("its parts are nested too deeply") from error


class _Digests:
    """Digests of objects by what they are. Two equal objects have the same one, be they one object or two."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, bytes]] = {}  # with the object, lest its number go to another one
        self._open: dict[int, int] = {}

    def of(self, thing: Any) -> bytes:
        if isinstance(thing, PLAIN) and type(thing) in PLAIN:
            return _hash("plain", type(thing).__name__, repr(thing))
        number = id(thing)
        if number in self._known:
            return self._known[number][1]
        if number in self._open:
            return _hash("cycle", str(len(self._open) - self._open[number]))
        self._open[number] = len(self._open)
        digest = self._taken_apart(thing)
        del self._open[number]
        self._known[number] = thing, digest
        return digest

    def all(self, kind: str, things: Iterable[Any]) -> bytes:
        return _hash(kind, *map(self.of, things))

    def _taken_apart(self, thing: Any) -> bytes:
        for kinds, take_apart in self._ways():
            if isinstance(thing, kinds):
                return take_apart(thing)
        if "torch" in sys.modules and isinstance(thing, sys.modules["torch"].Tensor):
            return self._tensor(thing)
        if callable(getattr(thing, "get_params", None)) and _is_cloned_by_parameters(thing):
            return self._estimator(thing)
        return self._instance(thing)

    def _ways(self) -> list[tuple[Any, Callable[[Any], bytes]]]:
        return [
            (type, self._class), (types.FunctionType, self._function), (types.CodeType, self._code),
            (types.MethodType, lambda each: self.all("method", [each.__self__, each.__func__])),
            (CACHED, self._cached), (NAMED, self._named), (types.ModuleType, self._module), (types.CellType, self._cell),
            (property, lambda each: self.all("property", [each.fget, each.fset, each.fdel])),
            ((staticmethod, classmethod), lambda each: self.all(type(each).__name__, [each.__func__])),
            (np.ndarray, self._array), (np.generic, lambda each: self._array(np.asarray(each))),
            (typing.TypeVar, lambda each: self.all("type variable", [each.__name__, each.__bound__, each.__constraints__])),
            (np.dtype, lambda each: _hash("dtype", repr(each))),
            (types.MappingProxyType, lambda each: self._unordered(dict(each)))]

    def _class(self, thing: type) -> bytes:
        if _is_installed(thing.__module__):
            return self._by_name(thing)
        attributes = {name: value for name, value in vars(thing).items() if name not in UNSTABLE_ATTRIBUTES}
        return _hash("class", thing.__qualname__, self.all("bases", [type(thing), *thing.__bases__]), self._unordered(attributes))

    def _function(self, thing: types.FunctionType) -> bytes:
        if _is_installed(thing.__module__) and _is_found_by_name(thing):
            return self._by_name(thing)
        known = thing.__globals__
        globals_used = {name: known[name] for name in _globals_in(thing.__code__) if name in known}
        parts = [thing.__code__, thing.__defaults__, thing.__closure__]
        return _hash("function", self.all("parts", parts), *map(self._unordered, (
            thing.__kwdefaults__ or {}, globals_used, {k: v for k, v in vars(thing).items() if k != "__wrapped__"})))

    def _cached(self, thing: Any) -> bytes:
        """A function under `functools.lru_cache`, by that function."""
        if not any(thing.__wrapped__ is each for each in gc.get_referents(thing)):  # functools.wraps names another one
            raise Unidentifiable(f"the cache {thing.__qualname__} hides its function")
        own = {name: value for name, value in vars(thing).items()
               if name not in (*functools.WRAPPER_ASSIGNMENTS, "__wrapped__", "cache_parameters")}
        return _hash("cached", self.all("parts", [thing.__wrapped__, thing.cache_parameters()]), self._unordered(own))

    def _code(self, code: types.CodeType) -> bytes:
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags, code.co_names,
                 code.co_varnames, code.co_freevars, code.co_cellvars)
        return _hash("code", code.co_code, repr(shape), self.all("constants", code.co_consts),
                     getattr(code, "co_exceptiontable", b""), platform.python_version())

    def _cell(self, cell: types.CellType) -> bytes:
        try:
            return self.all("cell", [cell.cell_contents])
        except ValueError:  # not yet filled
            return _hash("empty cell")

    def _module(self, module: types.ModuleType) -> bytes:
        """An installed one by its version; one of the user's by its source and by those of his modules that it uses."""
        if _is_installed(module.__name__):
            return _hash("module", module.__name__, _version(module.__name__))
        source = getattr(module, "__file__", None)
        if source is None:
            raise Unidentifiable(f"the module {module.__name__} has no source")
        values = [value for value in vars(module).values() if isinstance(value, types.ModuleType | type | types.FunctionType)]
        used: set[Any] = {value if isinstance(value, types.ModuleType) else sys.modules.get(value.__module__ or "")
                          for value in values}
        others = {each.__name__: each for each in used
                  if each not in (None, sys.modules["__main__"]) and not _is_installed(each.__name__)}
        return _hash("module", module.__name__, _source(source), self._unordered(others))

    def _named(self, thing: Any) -> bytes:
        if isinstance(thing, np.ufunc) and thing.__name__.endswith(" (vectorized)"):
            raise Unidentifiable(f"numpy.frompyfunc hides the function of {thing.__name__}")
        owner = getattr(thing, "__self__", None)
        if isinstance(thing, types.BuiltinFunctionType | types.MethodWrapperType) and not isinstance(owner, types.ModuleType):
            return _hash("of", thing.__name__, self.of(owner))
        owner = getattr(thing, "__objclass__", None)
        return _hash("named", thing.__name__, str(getattr(thing, "__module__", "")), self.of(owner) if owner else b"")

    def _by_name(self, thing: Any) -> bytes:
        return _hash("name", thing.__module__, thing.__qualname__, _version(thing.__module__))

    def _array(self, values: np.ndarray) -> bytes:
        if values.dtype.hasobject:
            return _hash("array", repr(values.dtype), repr(values.shape), self.all("values", values.ravel().tolist()))
        return _hash("array", repr(values.dtype), repr(values.shape), values.tobytes())

    def _tensor(self, tensor: Any) -> bytes:
        """By its values, as what it is pickled as differs between processes; NumPy has no bfloat16."""
        try:
            values = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy(force=True)
        except (TypeError, RuntimeError) as error:  # sparse, quantised, nested, without data
            raise Unidentifiable(f"a {tensor.dtype} tensor has no NumPy form ({str(error).splitlines()[0]})") from error
        return _hash("tensor", str(tensor.dtype), str(tensor.requires_grad), self._array(values))

    def _estimator(self, thing: Any) -> bytes:
        """As `clone` copies it: parameters, what metadata it asks for and how it is to give frames back."""
        kept = {name: getattr(thing, name, None) for name in ("_metadata_request", "_sklearn_output_config")}
        return _hash("estimator", self.of(type(thing)), self._unordered(thing.get_params(deep=False)), self._unordered(kept))

    def _instance(self, thing: Any) -> bytes:
        if isinstance(thing, (set, frozenset)):
            return _hash("set", self.of(type(thing)), *sorted(map(self.of, thing)))
        if type(thing) in (list, tuple, dict):
            return self.all(type(thing).__name__, thing.items() if isinstance(thing, dict) else thing)
        try:
            how = thing.__reduce_ex__(4)
        except NOT_TAKEN_APART as error:
            raise Unidentifiable(f"{type(thing).__name__} cannot be taken apart ({error})") from error
        if isinstance(how, str):
            return self._global(thing, how)
        maker, arguments, state, items, entries = (*how, *[None] * 5)[:5]
        attributes = self._unordered(state) if isinstance(state, dict) else self.of(state)
        return _hash("instance", self.of(maker), self.all("arguments", arguments), attributes,
                     self.all("items", items or ()), self.all("entries", entries or ()))

    def _global(self, thing: Any, name: str) -> bytes:
        """What is pickled as a name only, which says enough where a version stands behind it."""
        if not _is_installed(thing.__module__):
            raise Unidentifiable(f"{name} is pickled by its name only")
        return _hash("global", thing.__module__, name, _version(thing.__module__))

    def _unordered(self, values: dict[Any, Any]) -> bytes:
        """A mapping whose order means nothing, such as the attributes of an object."""
        return _hash("mapping", *sorted(self.of(key) + self.of(value) for key, value in values.items()))


def _hash(*parts: str | bytes) -> bytes:
    found = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big") + data)
    return found.digest()


def _source(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unidentifiable(f"the source {path} cannot be read ({error.strerror})") from error


def _globals_in(code: types.CodeType) -> set[str]:
    """The names that a function's code, and that of what is defined in it, looks up in its module."""
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    names = {str(each.argval) for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*map(_globals_in, inner))


def _is_cloned_by_parameters(thing: Any) -> bool:
    """Whether scikit-learn's `clone` makes a new one of its parameters, rather than what the class itself says."""
    own = getattr(type(thing), "__sklearn_clone__", None)
    return own is None or (_is_installed(own.__module__) and own.__qualname__ == "BaseEstimator.__sklearn_clone__")


def _is_installed(name: str | None) -> bool:
    """Whether a module belongs to Python or to an installed package, whose version stands for it."""
    if name is None or name == "__main__":
        return False
    top = name.partition(".")[0]
    if top == OURS or top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    source = getattr(sys.modules.get(name), "__file__", None) or getattr(sys.modules.get(top), "__file__", None)
    return source is not None and any(Path(source).resolve().is_relative_to(place) for place in INSTALLED)


def _is_found_by_name(thing: types.FunctionType) -> bool:
    return "<" not in thing.__qualname__


def _version(module: str) -> str:
    """The version of the package that a module belongs to."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return platform.python_version()
    found = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(found, str):
        return found
    try:
        return importlib.metadata.version(top)
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(top, [])
        return ",".join(f"{name} {importlib.metadata.version(name)}" for name in names)
