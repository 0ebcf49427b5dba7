"""The commands: parse, call, print. No logic, and nothing heavy is imported before a command needs it."""

from __future__ import annotations

import functools
import inspect
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from tabbench.core.errors import OptionMention, TabbenchError
from tabbench.core.threads import THREAD_VARIABLES
from tabbench.options import Options

LONGEST_STEM = 60

DONE, MISTAKE, SOME_FAILED, FINDINGS, INTERRUPTED = 0, 1, 3, 3, 130

app = typer.Typer(name="tabbench", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
                  pretty_exceptions_enable=False,
                  help="Which approach wins on your table, at your size: a linear model, boosted trees or a neural net?")
datasets = typer.Typer(no_args_is_help=True, help="Data sets by name: list, show, fetch.")
app.add_typer(datasets, name="datasets")

Data = Annotated[str, typer.Argument(metavar="DATA", help="A file, a data set's name, or - for standard input.")]
RunPath = Annotated[str, typer.Argument(metavar="DIR", help="The folder of a run.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON to standard output, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; errors only.")]
JOBS = Annotated[str | None, typer.Option("--jobs", help="Number of workers, one cell each (the number of cores).")]
TIME_LIMIT = Annotated[str | None, typer.Option("--time-limit", help="Wall time of this call: 90, 90s, 10m, 1h.")]
MEMORY_LIMIT = Annotated[str | None, typer.Option("--memory-limit", help="Memory of the whole process tree: 8GB.")]


def main() -> None:
    """Run the command line; the only place where an exit code is made."""
    for name in THREAD_VARIABLES:
        # Workers take the cores; several threads of this process would wait for each other, on a busy machine for seconds.
        os.environ.setdefault(name, "1")
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    app()


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def answering(command: Callable[..., int | None]) -> Callable[..., None]:
    """Turn mistakes into a sentence on standard error, and what a command returns into an exit code."""

    @functools.wraps(command)
    def wrapped(*args: Any, **values: Any) -> None:
        try:
            code = command(*args, **values)
        except TabbenchError as error:
            print(f"tabbench: {_plain(error.typed)}", file=sys.stderr)
            code = MISTAKE
        except KeyboardInterrupt:
            code = INTERRUPTED
        raise SystemExit(code or DONE)

    return wrapped


def _plain(text: str) -> str:
    from tabbench.wording.safe_text import plain

    return plain(text)


def _option_parameters() -> list[inspect.Parameter]:
    """The options of `compare` as typer wants them, made from their one declaration."""
    parameters = []
    for each in fields(Options):
        name, is_flag, is_list = OptionMention(each.name).typed, each.type == "bool", each.name == "drop"
        kind: Any = bool if is_flag else list[str] if is_list else str | None
        default = [] if is_list else each.default if is_flag or each.default in (None, MISSING) else str(each.default)
        annotation = Annotated[kind, typer.Option(name, help=each.metadata["help"])]
        parameters.append(inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation))
    return parameters


@answering
def compare_command(data: str, json: bool = False, **values: Any) -> int:
    """Compare approaches on a table and say which of them wins at which size."""
    from tabbench.comparison.compare import forecast, run_comparison
    from tabbench.report.live import make_display

    options = _with_folder(data, Options(**values | {"drop": ",".join(values["drop"])}).checked())
    display = make_display(quiet=options.quiet, to_json=json)
    if options.dry_run:
        expected = forecast(data, options, display=display, is_command=True)
        sys.stdout.write(expected.to_json() if json else f"{expected}\n")
        return DONE
    finished = run_comparison(data, options, display=display, is_command=True)
    return _print_answer(finished, json=json, quiet=options.quiet)


def _with_folder(data: str, options: Options) -> Options:
    stem = re.sub(r"[^\w-]+", "-", Path(data).name.lstrip(".").split(".")[0]).strip("-")[:LONGEST_STEM] or "stdin"
    return options if options.out is not None else replace(options, out=f"tabbench-{stem}")


compare_command.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
    inspect.Parameter("data", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Data), *_option_parameters(),
    inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)])
app.command("compare")(compare_command)


@app.command("resume")
@answering
def resume_command(run: RunPath, jobs: JOBS = None, time_limit: TIME_LIMIT = None, memory_limit: MEMORY_LIMIT = None,
                   json: Json = False, quiet: Quiet = False) -> int:
    """Continue an interrupted comparison."""
    from tabbench.comparison.compare import resume
    from tabbench.report.live import make_display

    finished = resume(Path(run), display=make_display(quiet=quiet, to_json=json), is_command=True, jobs=jobs,
                      time_limit=time_limit, memory_limit=memory_limit)
    return _print_answer(finished, json=json, quiet=quiet)


@app.command("report")
@answering
def report_command(run: RunPath, format: Annotated[str | None, typer.Option("--format", help="html, md, json or csv.")] = None
                   ) -> int:
    """Show a run's verdict again, computed anew from its store; with --format print that report."""
    from tabbench.comparison.result import reopen
    from tabbench.report import render

    finished = reopen(Path(run))
    if format is None:
        return _print_answer(finished, json=False, quiet=False)
    sys.stdout.write(render(finished, format))
    return SOME_FAILED if len(finished.failures) else DONE


@app.command("export")
@answering
def export_command(run: RunPath, out: Annotated[str, typer.Option("--out", help="Folder, or file if it has a suffix.")],
                   approach: Annotated[str | None, typer.Option("--approach", help="Its name (the best).")] = None) -> int:
    """Refit an approach of a run on all rows and write it, without pickle."""
    from tabbench.comparison.export import export_approach

    print(export_approach(Path(run), Path(out), approach))
    return DONE


@app.command("predict")
@answering
def predict_command(model: Annotated[str, typer.Argument(metavar="MODEL", help="A run's winner folder or an exported file.")],
                    data: Data, out: Annotated[str, typer.Option("--out", help="CSV, TSV or Parquet file to write.")]) -> int:
    """Predict new rows with a saved model."""
    from tabbench.comparison.predict import predict, write_predictions

    frame, notes = predict(model, data)
    for note in notes:
        print(_plain(note), file=sys.stderr)
    write_predictions(frame, out, data)
    print(f"{len(frame):,} predictions written to {out}", file=sys.stderr)
    return DONE


@app.command("check")
@answering
def check_command(data: Data, target: Annotated[str | None, typer.Option("--target", help="Column to predict.")] = None,
                  task: Annotated[str | None, typer.Option("--task", help="auto, binary, multiclass or regression.")] = "auto",
                  drop: Annotated[list[str], typer.Option("--drop", help="Columns to leave out.")] = [],  # noqa: B006
                  group: Annotated[str | None, typer.Option("--group", help="Column of units that belong together.")] = None,
                  time: Annotated[str | None, typer.Option("--time", help="Column that orders the rows.")] = None,
                  fold: Annotated[str | None, typer.Option("--fold", help="Column that names each row's fold.")] = None,
                  test: Annotated[str | None, typer.Option("--test", help="Your own test file.")] = None,
                  json: Json = False) -> int:
    """Read and check a table without fitting any approach. Exit code 3 when there is a warning or worse."""
    from tabbench.comparison.check import check

    checked = check(data, Options(target=target, task=task or "auto", drop=",".join(drop), group=group, time=time,
                                  fold=fold, test=test).checked())
    sys.stdout.write(checked.as_json() if json else checked.as_text())
    return FINDINGS if checked.has_warnings else DONE


@app.command("approaches")
@answering
def approaches_command() -> int:
    """List the approaches."""
    from tabbench.approaches.composed import listed_approaches
    from tabbench.core.approach import SELECTORS

    for approach in listed_approaches():
        print(f"{approach.name:15} {approach.family:9} {approach.summary}")
    print("\nselectors, joined to any of these but dummy and blend by +, as in mlp+pca:")
    for selector in SELECTORS:
        print(f"{selector.name:15} {selector.summary}")
    return DONE


@datasets.command("list")
@answering
def datasets_list() -> int:
    """List the data sets."""
    from tabbench.reading.cards import all_cards

    for card in all_cards():
        print(f"{card.name:18} {card.rows:>9,} rows  {card.columns:>4} columns  {card.task:11} {card.title}")
    return DONE


@datasets.command("show")
@answering
def datasets_show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> int:
    """Show a data set's card."""
    from tabbench.reading.cards import describe_card, get_card

    print(describe_card(get_card(name)))
    return DONE


@datasets.command("fetch")
@answering
def datasets_fetch(name: Annotated[str, typer.Argument(metavar="NAME")]) -> int:
    """Make sure that a data set's table is on this machine and intact; prints its path."""
    from tabbench.reading.cards import fetch, get_card

    print(fetch(get_card(name)))
    return DONE


def _print_answer(finished: Any, *, json: bool, quiet: bool) -> int:
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


if __name__ == "__main__":
    main()
