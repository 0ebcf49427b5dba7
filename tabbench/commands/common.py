"""What all commands share: arguments, exit codes, and how mistakes are told."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tabbench.core.errors import BadOption, TabbenchError

LEAST_ADDRESS_SPACE_BYTES = 1.5e9
"""With 1.0 GB the libraries do not load on Linux; with 1.5 GB a small comparison of linear models runs."""
DONE, MISTAKE, SOME_FAILED, FINDINGS, INTERRUPTED = 0, 1, 3, 3, 130

Data = Annotated[str, typer.Argument(metavar="DATA", help="A file, a data set's name, generated:NAME, openml:ID, openml-task:ID, "
                                                      "an https address, or - for standard input.")]
RunPath = Annotated[str, typer.Argument(metavar="DIR", help="The folder of a run.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON to standard output, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; errors only.")]
JOBS = Annotated[str | None, typer.Option("--jobs", help="Number of workers, one cell each (the number of cores).")]
Types = Annotated[list[str], typer.Option("--type", help="What a column is: COLUMN=category, number, text or date; may be "
                                                          "repeated.")]
MergeLabels = Annotated[bool, typer.Option("--merge-labels", help="Labels that differ only in case, blanks or a final full stop "
                                                                  "are one.")]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook (the first that holds a table).")]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The first row is no header: columns are called column 1, "
                                                            "column 2, ...")]
Query = Annotated[str | None, typer.Option("--query", help="SELECT statement that gives the table of a SQLite file.")]
TIME_LIMIT = Annotated[str | None, typer.Option("--time-limit", help="Wall time of this call: 90, 90s, 10m, 1h.")]
MEMORY_LIMIT = Annotated[str | None, typer.Option("--memory-limit", help="Memory of the whole process tree: 8GB.")]


def answering(command: Callable[..., int | None]) -> Callable[..., None]:
    """Turn mistakes into a sentence on standard error, and what a command returns into an exit code."""

    @functools.wraps(command)
    def wrapped(*args: Any, **values: Any) -> None:
        try:
            require_address_space()
            code = command(*args, **values)
        except TabbenchError as error:
            code = _refuse(error.typed)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except BrokenPipeError:  # nobody reads on, as in `tabbench approaches | head`: typer ends in silence
            raise
        except OSError as error:  # of a place that no sentence of its own knows
            code = _refuse(f"{shown(error)}; nothing finished is lost: look at the place and the disk, then run the same command "
                           "again")
        except (MemoryError, ImportError) as error:  # a library that does not fit into the address space says the latter
            if isinstance(error, ImportError) and address_space_bytes() == math.inf:
                raise
            code = _refuse("there is too little memory or address space (ulimit -v); nothing finished is lost: allow more, or "
                           "give fewer --jobs")
        raise SystemExit(code or DONE)

    return wrapped


def require_address_space() -> None:
    """Refuse a limit under which libraries of compiled code would end the process without a word.

    Raises
    ------
    BadOption
        The limit is too low.
    """
    if address_space_bytes() < LEAST_ADDRESS_SPACE_BYTES:
        raise BadOption(f"this process may use {address_space_bytes() / 1e9:.1f} GB of address space (ulimit -v), and tabbench "
                        f"needs at least {LEAST_ADDRESS_SPACE_BYTES / 1e9:.1f} GB; allow more, and limit the memory of a run by "
                        "--memory-limit")


def address_space_bytes() -> float:
    """What this process may use, infinite where nothing limits it."""
    if os.name == "nt":
        return math.inf
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if limit == resource.RLIM_INFINITY else limit


def _refuse(sentence: str) -> int:
    print(f"tabbench: {plain(sentence)}", file=sys.stderr)
    return MISTAKE


def shown(error: OSError) -> str:
    """What the operating system says, and about which file."""
    what = error.strerror or str(error)
    return what if error.filename is None else f"{error.filename}: {what}"


def plain(text: str) -> str:
    """A text without what would control a terminal."""
    from tabbench.wording.safe_text import plain

    return plain(text)


def say(text: object) -> None:
    """Print lines that may quote strangers' files: without what would control a terminal."""
    from tabbench.wording.safe_text import plain_lines

    print(plain_lines(text))


def print_answer(finished: Any, *, json: bool, quiet: bool) -> int:
    """Print a finished comparison; gives the exit code."""
    from tabbench.report import render

    if json:
        sys.stdout.write(render(finished, "json"))
    elif not quiet:
        from rich.console import Console

        from tabbench.report.console import print_report

        print_report(finished, Console())
        print(f"\nReport: {finished.folder / 'report.html'}")
    if finished.is_interrupted:
        return INTERRUPTED
    return SOME_FAILED if len(finished.failures) else DONE
