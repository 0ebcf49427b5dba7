"""The command line: its commands put together. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

import typer

from tabbench.commands import board, compare, datasets, suite, verify
from tabbench.core.garbage import look_seldom
from tabbench.core.threads import THREAD_VARIABLES

app = typer.Typer(name="tabbench", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
                  pretty_exceptions_enable=False,
                  help="Which approach wins on your table, at your size: a linear model, boosted trees or a neural net?")
app.add_typer(compare.app)
app.add_typer(verify.app)
app.add_typer(board.app, name="board")
app.add_typer(datasets.app, name="datasets")
app.add_typer(suite.app, name="suite")


def main() -> None:
    """Run the command line; the only place where an exit code is made."""
    look_seldom()
    for name in THREAD_VARIABLES:
        # Workers take the cores; several threads of this process would wait for each other, on a busy machine for seconds.
        os.environ.setdefault(name, "1")
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    app()


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
