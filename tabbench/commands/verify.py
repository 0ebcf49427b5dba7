"""`verify`: run random cells of a finished run or suite again."""

from __future__ import annotations

from typing import Annotated

import typer

from tabbench.commands.common import DONE, FINDINGS, answering, say

app = typer.Typer()


@app.command("verify")
@answering
def verify_command(folder: Annotated[str, typer.Argument(metavar="DIR", help="The folder of a run or of a suite.")],
                   cells: Annotated[int, typer.Option("--cells", help="Number of cells to run again.")] = 5,
                   seed: Annotated[int | None, typer.Option("--seed", help="Seed of their choice (drawn).")] = None,
                   jobs: Annotated[int, typer.Option("--jobs", help="Number of workers; 1: this process runs them.")] = 1) -> int:
    """Run random cells again and compare predictions, and check the stored results. Exit code 3: something differs."""
    from tabbench.suite.verify import verify

    verification = verify(folder, cells=cells, seed=seed, jobs=jobs)
    say(verification)
    return DONE if verification.is_equal else FINDINGS
