"""Checks the docstrings of all public names with numpydoc's own validation: a line a fault, exit status 1 if there is one.

    python tools/check_docstrings.py

Public is what `tabbench.__all__` names, and of its classes each method and property that the class or a base of ours defines.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import ERROR_MSGS, validate

import tabbench

LEFT_OUT = {
    "ES01": "a summary that says everything needs no second paragraph",
    "EX01": "examples stand with classes and main functions; a method that repeats them would only cost time in every test run",
    "RT02": "scikit-learn names what it returns, `self : object`, and so does this package",
    "SA01": "most methods have no neighbour that a reader would not find beside them",
}
"""Code of a check -> why it is not made. All others are."""


def public_names() -> Iterator[tuple[str, Any]]:
    """Each public name once with its object, methods as `tabbench.Class.method`; what several inherit counts once."""
    seen: set[Any] = set()
    for name in tabbench.__all__:
        thing = getattr(tabbench, name)
        yield f"tabbench.{name}", thing
        bases = inspect.getmro(thing) if inspect.isclass(thing) else ()
        ours = [base for base in bases if base.__module__.startswith("tabbench.")]
        for member in dict.fromkeys(member for base in ours for member in vars(base) if not member.startswith("_")):
            found = inspect.getattr_static(thing, member)
            if isinstance(found, FunctionType | property | classmethod | staticmethod) and found not in seen:
                seen.add(found)
                yield f"tabbench.{name}.{member}", found


def faults(name: str, thing: Any) -> Iterator[str]:
    """What numpydoc says of a name, and attributes without a type or a description, which it doesn't look at."""
    for code, message in validate(name)["errors"]:
        if code not in LEFT_OUT:
            yield f"{code} {message}"
    for attribute in get_doc_object(thing)["Attributes"] if inspect.isclass(thing) else ():
        if not attribute.type:
            yield f'Attribute "{attribute.name}" has no type'
        if not attribute.desc:
            yield f'Attribute "{attribute.name}" has no description'


def main() -> int:
    """Print the faults; 1 if there are any."""
    unknown = set(LEFT_OUT) - set(ERROR_MSGS)
    lines = [f"numpydoc has no check {code}" for code in sorted(unknown)]
    lines += [f"{name}: {fault}" for name, thing in public_names() for fault in faults(name, thing)]
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
