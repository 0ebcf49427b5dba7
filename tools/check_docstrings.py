"""Validates the docstrings of all public names with numpydoc; prints one line per fault and exits with 1 if there is any.

    python tools/check_docstrings.py

Public are the names in `tabbench.__all__` and, of its classes, all methods and properties that the class or a base in tabbench
defines; what is inherited from scikit-learn is not checked, and of an exception its summary only, as it is raised, never built.
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
    "ES01": "many summaries say all there is to say, so an extended summary is optional",
    "EX01": "classes have examples that call their methods, and every example costs time in each test run",
    "GL01": "before version 1.11 numpydoc wants the summary one line below the quotes, against PEP 257",
    "RT02": "return values are named, as in scikit-learn's `self : object`",
    "SA01": "methods stand beside the others of their class, so See Also is optional",
}
"""Code of a check -> why it is left out. All others are made."""


def public_names() -> Iterator[tuple[str, Any]]:
    """Yield every public name with its object, methods as `tabbench.Class.method`; one that several classes inherit only once."""
    seen: set[Any] = set()
    for name in tabbench.__all__:
        thing = getattr(tabbench, name)
        yield f"tabbench.{name}", thing
        if inspect.isclass(thing) and issubclass(thing, Exception):
            continue
        bases = inspect.getmro(thing) if inspect.isclass(thing) else ()
        ours = [base for base in bases if base.__module__.startswith("tabbench.")]
        for member in dict.fromkeys(member for base in ours for member in vars(base) if not member.startswith("_")):
            found = inspect.getattr_static(thing, member)
            if isinstance(found, FunctionType | property | classmethod | staticmethod) and found not in seen:
                seen.add(found)
                yield f"tabbench.{name}.{member}", found


def faults(name: str, thing: Any) -> Iterator[str]:
    """Yield the faults that numpydoc finds, and attributes without type or description, which it does not check."""
    for code, message in validate(name)["errors"]:
        if code not in LEFT_OUT:
            yield f"{code} {message}"
    is_described = inspect.isclass(thing) and not issubclass(thing, Exception)
    for attribute in get_doc_object(thing)["Attributes"] if is_described else ():
        if not attribute.type:
            yield f'Attribute "{attribute.name}" has no type'
        if not attribute.desc:
            yield f'Attribute "{attribute.name}" has no description'


def main() -> int:
    """Print the faults and return the exit status."""
    unknown = set(LEFT_OUT) - set(ERROR_MSGS)
    lines = [f"numpydoc has no check {code}" for code in sorted(unknown)]
    lines += [f"{name}: {fault}" for name, thing in public_names() for fault in faults(name, thing)]
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
