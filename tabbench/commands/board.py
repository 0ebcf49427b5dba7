"""`board`: results of many people on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from tabbench.commands.common import DONE, answering, plain

app = typer.Typer(no_args_is_help=True, help="Results of many people on one page: export, merge, import.")


@app.command("export")
@answering
def board_export(folder: Annotated[str, typer.Argument(metavar="DIR", help="The folder of a suite or of a run.")],
                 out: Annotated[str, typer.Option("--out", help="File to write: NAME.board.parquet.")],
                 by: Annotated[str, typer.Option("--by", help="Who hands it in.")]) -> int:
    """Write the results of a suite or a run as a submission, one file with a hash of its content."""
    from tabbench.suite.board import export_submission
    from tabbench.wording.board import exported_sentence

    submission = export_submission(folder, out, by)
    print(exported_sentence(out, len(submission.rows), len(submission.tables), submission.sha256))
    return DONE


@app.command("merge")
@answering
def board_merge(inputs: Annotated[list[str], typer.Argument(metavar="FOLDER…", help="Submissions, suites, runs.")],
                out: Annotated[str, typer.Option("--out", help="Folder of the board.")] = "tabbench-board",
                approaches: Annotated[str | None, typer.Option("--approaches", help="Those to compare: a,b.")] = None,
                ) -> int:
    """Merge submissions into a board: one page, one Parquet file, one CSV file with TabArena's columns."""
    from tabbench.suite.board import PAGE, merge_board
    from tabbench.wording.board import conflict_sentence, merged_sentence

    board = merge_board(inputs, out, approaches=None if approaches is None else approaches.split(","))
    for conflict in board.conflicts.to_dict("records"):
        print(plain(f"conflict: {conflict_sentence(conflict)}"))
    print(merged_sentence(len(board.submissions), len(board.tables), len(board.conflicts)), plain(board.sentence))
    print(f"\nBoard: {out}/{PAGE}")
    return DONE


@app.command("import")
@answering
def board_import(file: Annotated[str, typer.Argument(metavar="FILE.csv", help="Published errors with TabArena's columns.")],
                 as_name: Annotated[str, typer.Option("--as", help="What they are called on the board.")],
                 board: Annotated[str, typer.Option("--board", help="Folder of the board.")] = "tabbench-board") -> int:
    """Set published errors beside the results of a board, marked as not run here."""
    from tabbench.suite.board import PAGE, import_published
    from tabbench.wording.board import imported_sentence

    found = import_published(file, as_name, board)
    for sentence in found.refused:
        print(plain(sentence))
    own = found.published[found.published["as_name"] == as_name]
    print(f"{imported_sentence(own['method'].nunique(), own['table'].nunique())}\n")
    print(f"Board: {board}/{PAGE}")
    return DONE
