"""`datasets`: tables by name."""

from __future__ import annotations

from typing import Annotated

import typer

from tabbench.commands.common import DONE, answering

app = typer.Typer(no_args_is_help=True, help="Data sets by name: list, show, fetch.")


@app.command("list")
@answering
def datasets_list() -> int:
    """List the data sets: size, task, and the licence if the table is shipped, else how to get it."""
    from tabbench.reading.cards import all_cards, list_cards

    print(list_cards(all_cards()))
    return DONE


@app.command("show")
@answering
def datasets_show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> int:
    """Show a data set's card."""
    from tabbench.reading.cards import describe_card, get_card

    print(describe_card(get_card(name)))
    return DONE


@app.command("fetch")
@answering
def datasets_fetch(name: Annotated[str, typer.Argument(metavar="NAME")]) -> int:
    """Make sure that a data set's table is on this machine and intact; prints its path."""
    from tabbench.reading.cards import fetch, get_card

    print(fetch(get_card(name)))
    return DONE
