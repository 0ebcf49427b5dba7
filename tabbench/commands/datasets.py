"""`datasets`: tables by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabbench.commands.common import DONE, Data, answering, say

app = typer.Typer(no_args_is_help=True, help="Data sets by name: list, show, fetch, add; generators.")


@app.command("list")
@answering
def datasets_list() -> int:
    """List the data sets: size, task, and the licence if the table is shipped, else how to get it."""
    from tabbench.reading.cards import all_cards, list_cards

    say(list_cards(all_cards()))
    return DONE


@app.command("show")
@answering
def datasets_show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> int:
    """Show a data set's card."""
    from tabbench.reading.cards import describe_card, get_card

    say(describe_card(get_card(name)))
    return DONE


@app.command("fetch")
@answering
def datasets_fetch(name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name, openml:ID, openml-task:ID or an "
                                                                         "https address.")]) -> int:
    """Make sure that a table is on this machine and intact; prints its path."""
    from tabbench.reading.locating import fetched

    say(fetched(name))
    return DONE


@app.command("add")
@answering
def datasets_add(data: Data, target: Annotated[str | None, typer.Option("--target", help="Column to predict.")] = None,
                 name: Annotated[str | None, typer.Option("--name", help="Name of the data set (the file's).")] = None,
                 title: Annotated[str | None, typer.Option("--title", help="What it is, in one line.")] = None,
                 licence: Annotated[str | None, typer.Option("--licence", help="Under which it may be used.")] = None,
                 citation: Annotated[str | None, typer.Option("--citation", help="How to cite it.")] = None,
                 why: Annotated[str | None, typer.Option("--why", help="What it is good for.")] = None,
                 drop: Annotated[list[str], typer.Option("--drop", help="Columns that leak or identify.")] = [],  # noqa: B006
                 to: Annotated[str | None, typer.Option("--to", help="Folder (TABBENCH_DATASETS or ./datasets).")] = None) -> int:
    """Write a table as Parquet and a card that describes it: two files to share. Prints the card's path."""
    from tabbench.options import names
    from tabbench.reading.adding import add_dataset

    card = add_dataset(data, folder=None if to is None else Path(to), target=target, name=name, title=title, licence=licence,
                       citation=citation, why=why, drop=tuple(names(",".join(drop))))
    say(card)
    return DONE


@app.command("generators")
@answering
def datasets_generators() -> int:
    """List what can be generated, with the parameters: generated:NAME,parameter=value."""
    from tabbench.core.generator import GENERATORS

    for generator in GENERATORS:
        given = ",".join(f"{name}={value}" for name, value in generator.parameters.items())
        print(f"{generator.name:22} {generator.summary}\n{'':22} {given}")
    return DONE
