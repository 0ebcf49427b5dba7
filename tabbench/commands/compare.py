"""`compare` and what goes on with its run, `check` and `approaches`."""

from __future__ import annotations

import inspect
import sys
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tabbench.commands.common import (
    DONE,
    FINDINGS,
    JOBS,
    MEMORY_LIMIT,
    SOME_FAILED,
    TIME_LIMIT,
    Data,
    Json,
    MergeLabels,
    NoHeader,
    Query,
    Quiet,
    RunPath,
    Sheet,
    Types,
    answering,
    plain,
    print_answer,
    say,
)
from tabbench.core.errors import OptionMention
from tabbench.options import Options

app = typer.Typer()


def _option_parameters() -> list[inspect.Parameter]:
    """The options of `compare` as typer wants them, made from their one declaration."""
    parameters = []
    for each in fields(Options):
        if each.metadata["is_pythons"]:
            continue
        name, is_flag, is_list = OptionMention(each.name).typed, each.type == "bool", each.name in ("drop", "types")
        kind: Any = bool if is_flag else list[str] if is_list else str | None
        default = [] if is_list else each.default if is_flag or each.default in (None, MISSING) else str(each.default)
        annotation = Annotated[kind, typer.Option(name, help=each.metadata["help"])]
        parameters.append(inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation))
    return parameters


@answering
def compare_command(data: str, json: bool = False, **values: Any) -> int:
    """Compare approaches on a table and say which of them wins at which size."""
    from tabbench.comparison.starting import start_importing

    options = _with_folder(data, Options(**values | {"drop": ",".join(values["drop"])}))
    if not options.dry_run:
        start_importing(Path(str(options.out)), executor=options.executor, is_fresh=options.fresh,
                        is_limited=options.time_limit is not None and options.approaches is None)
    options = options.checked()
    from tabbench.comparison.compare import forecast, run_comparison
    from tabbench.report.live import make_display

    display = make_display(quiet=options.quiet, to_json=json)
    if options.dry_run:
        expected = forecast(data, options, display=display, is_command=True)
        say(expected.to_json().rstrip() if json else expected)
        return DONE
    finished = run_comparison(data, options, display=display, is_command=True)
    return print_answer(finished, json=json, quiet=options.quiet)


def _with_folder(data: str, options: Options) -> Options:
    from tabbench.suite.definition import name_of

    stem = "stdin" if data == "-" else name_of(data)
    return options if options.out is not None else replace(options, out=f"tabbench-{stem}")


compare_command.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
    inspect.Parameter("data", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Data), *_option_parameters(),
    inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)])
app.command("compare")(compare_command)


@app.command("resume")
@answering
def resume_command(run: RunPath, jobs: JOBS = None, time_limit: TIME_LIMIT = None, memory_limit: MEMORY_LIMIT = None,
                   repair: Annotated[bool, typer.Option("--repair", help="Run again what is damaged in the store.")] = False,
                   json: Json = False, quiet: Quiet = False) -> int:
    """Continue an interrupted comparison."""
    from tabbench.comparison.compare import resume
    from tabbench.report.live import make_display

    finished = resume(Path(run), display=make_display(quiet=quiet, to_json=json), is_command=True, is_repaired=repair,
                      jobs=jobs, time_limit=time_limit, memory_limit=memory_limit)
    return print_answer(finished, json=json, quiet=quiet)


@app.command("report")
@answering
def report_command(run: RunPath, format: Annotated[str | None, typer.Option("--format", help="html, md, json or csv.")] = None
                   ) -> int:
    """Show a run's verdict again, computed anew from its store; with --format print that report."""
    from tabbench.comparison.result import reopen
    from tabbench.report import render

    finished = reopen(Path(run))
    if format is None:
        return print_answer(finished, json=False, quiet=False)
    sys.stdout.write(render(finished, format))
    return SOME_FAILED if len(finished.failures) else DONE


@app.command("export")
@answering
def export_command(run: RunPath, out: Annotated[str, typer.Option("--out", help="Folder, or file if it has a suffix.")],
                   approach: Annotated[str, typer.Option("--approach", help="recommended, best or its name.")] = "recommended"
                   ) -> int:
    """Refit an approach of a run on all rows and write it, without pickle."""
    from tabbench.comparison.export import export_approach

    written, name = export_approach(Path(run), Path(out), approach)
    say(written)
    print(f"{plain(name)}, fitted on all rows", file=sys.stderr)
    return DONE


@app.command("predict")
@answering
def predict_command(model: Annotated[str, typer.Argument(metavar="MODEL", help="A run's winner folder or an exported file.")],
                    data: Data, out: Annotated[str, typer.Option("--out", help="CSV, TSV or Parquet file to write.")],
                    sheet: Sheet = None, no_header: NoHeader = False, query: Query = None) -> int:
    """Predict new rows with a saved model."""
    from tabbench.comparison.predict import predict, write_predictions

    frame, notes = predict(model, data, sheet=sheet, no_header=no_header, query=query)
    for note in notes:
        print(plain(note), file=sys.stderr)
    changed = write_predictions(frame, out, data)
    print(f"{len(frame):,} predictions written to {out}", file=sys.stderr)
    if changed:
        print(f"{changed:,} cells that a spreadsheet would take for formulas begin with an apostrophe now (not in Parquet)",
              file=sys.stderr)
    return DONE


@app.command("check")
@answering
def check_command(data: Data, target: Annotated[str | None, typer.Option("--target", help="Column to predict.")] = None,
                  task: Annotated[str | None, typer.Option("--task", help="auto, binary, multiclass or regression.")] = "auto",
                  drop: Annotated[list[str], typer.Option("--drop", help="Columns to leave out.")] = [],  # noqa: B006
                  missing: Annotated[str | None, typer.Option("--missing", help="Codes for a missing value: NA,-9,?")] = None,
                  group: Annotated[str | None, typer.Option("--group", help="Column of units that belong together.")] = None,
                  time: Annotated[str | None, typer.Option("--time", help="Column that orders the rows.")] = None,
                  fold: Annotated[str | None, typer.Option("--fold", help="Column that names each row's fold.")] = None,
                  test: Annotated[str | None, typer.Option("--test", help="Your own test file.")] = None,
                  types: Types = [], merge_labels: MergeLabels = False, sheet: Sheet = None, no_header: NoHeader = False,  # noqa: B006
                  query: Query = None, json: Json = False) -> int:
    """Read and check a table without fitting any approach. Exit code 3 when there is a warning or worse."""
    from tabbench.comparison.learners_apart import learners_apart

    options = Options(target=target, task=task or "auto", drop=",".join(drop), missing=missing, group=group, time=time, fold=fold,
                      test=test, types=types, merge_labels=merge_labels, sheet=sheet, no_header=no_header, query=query)
    with learners_apart() as learners:
        from tabbench.comparison.check import check

        checked = check(data, options.checked(), learners)
    sys.stdout.write(checked.as_json() if json else checked.as_text())
    return FINDINGS if checked.has_warnings else DONE


@app.command("approaches")
@answering
def approaches_command() -> int:
    """List the approaches."""
    from tabbench.core.approach import SELECTORS
    from tabbench.options import listed_approaches

    for approach in listed_approaches():
        print(f"{approach.name:15} {approach.family:9} {approach.summary}")
    print("\nselectors, joined to any of these but dummy and blend by +, as in mlp+pca:")
    for selector in SELECTORS:
        print(f"{selector.name:15} {selector.summary}")
    return DONE
