"""`suite`: the same comparison over many tables."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tabbench.commands.common import (
    DONE,
    INTERRUPTED,
    JOBS,
    MEMORY_LIMIT,
    SOME_FAILED,
    TIME_LIMIT,
    Json,
    Quiet,
    answering,
    plain,
    say,
)
from tabbench.commands.verify import verify_command
from tabbench.core.phrases import first_few

if TYPE_CHECKING:
    from tabbench.core.progress import Display
    from tabbench.suite.run import SuiteRun

app = typer.Typer(no_args_is_help=True, help="Suites of many tables: list, show, new, add, run, resume, report, verify.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A suite's name, or a TOML file.")]
SuitePath = Annotated[str, typer.Argument(metavar="DIR", help="The folder of a suite's run.")]
Sources = Annotated[list[str], typer.Argument(metavar="TABLE...", help="Files, or names of data sets.")]
Target = Annotated[str | None, typer.Option("--target", help="Column to predict in all of them.")]


def _option(name: str, help: str) -> Any:
    return typer.Option(f"--{name.replace('_', '-')}", help=help)


@app.command("list")
@answering
def suite_list() -> int:
    """List the suites."""
    from tabbench.suite.definition import all_suites

    for suite in all_suites():
        say(f"{suite.name:12} {len(suite.tables):>4} tables  {suite.title}")
    return DONE


@app.command("show")
@answering
def suite_show(name: Name) -> int:
    """Show a suite's tables and options."""
    from tabbench.suite.definition import find_suite, suite_toml

    sys.stdout.write(suite_toml(find_suite(name)))
    return DONE


@app.command("new")
@answering
def suite_new(tables: Sources, out: Annotated[str, typer.Option("--out", help="TOML file to write.")] = "suite.toml",
              target: Target = None) -> int:
    """Write a suite of your own tables."""
    from tabbench.suite.editing import write_new

    say(write_new(Path(out), tables, target))
    return DONE


@app.command("add")
@answering
def suite_add(suite: Annotated[str, typer.Argument(metavar="SUITE.toml", help="The suite's file.")], tables: Sources,
              target: Target = None) -> int:
    """Add tables to a suite of your own."""
    from tabbench.suite.editing import add_tables

    say(add_tables(Path(suite), tables, target))
    return DONE


@app.command("run")
@answering
def suite_run(
    name: Name,
    approaches: Annotated[str | None, _option("approaches", "Approaches, comma-separated.")] = None,
    effort: Annotated[str | None, _option("effort", "Effort, from 0.01 to 100: 0.1 is fast, 1 balanced, 6 thorough.")] = None,
    preset: Annotated[str | None, _option("preset", "Effort by name: fast, balanced or thorough.")] = None,
    sizes: Annotated[str | None, _option("sizes", "auto, or training sizes and full, mixed: 500,1000,full.")] = None,
    folds: Annotated[str | None, _option("folds", "Folds of the outer cross-validation.")] = None,
    repeats: Annotated[str | None, _option("repeats", "Repeats of it.")] = None,
    use_folds: Annotated[str | None, _option("use_folds", "Run only this many folds of one repeat.")] = None,
    margin: Annotated[str | None, _option("margin", "Smallest difference that matters on each table.")] = None,
    seed: Annotated[str | None, _option("seed", "Random seed.")] = None,
    device: Annotated[str | None, _option("device", "auto, cpu or cuda.")] = None,
    executor: Annotated[str | None, _option("executor", "Where cells run.")] = None,
    jobs: JOBS = None, time_limit: TIME_LIMIT = None, memory_limit: MEMORY_LIMIT = None,
    out: Annotated[str | None, _option("out", "Folder of the run (tabbench-suite-NAME).")] = None,
    fresh: Annotated[bool, _option("fresh", "Start over in a folder that holds a run.")] = False,
    dry_run: Annotated[bool, _option("dry_run", "Only print what would run, with its expected time.")] = False,
    json: Json = False, quiet: Quiet = False,
) -> int:
    """Compare approaches on all tables of a suite; again in the same folder, only what is new is run."""
    from tabbench.suite.definition import find_suite
    from tabbench.suite.freezing import forecast_lines
    from tabbench.suite.run import forecast_definition, run_definition
    from tabbench.suite.run_options import run_options

    given = {"approaches": approaches, "effort": effort, "preset": preset, "sizes": sizes, "folds": folds, "repeats": repeats,
             "use_folds": use_folds, "margin": margin, "seed": seed, "device": device, "executor": executor, "jobs": jobs,
             "time_limit": time_limit, "memory_limit": memory_limit, "out": out, "fresh": fresh, "quiet": quiet}
    suite = find_suite(name)
    options, display = run_options(suite, given), _display(quiet=quiet, to_json=json)
    if dry_run:
        say("\n".join(forecast_lines(forecast_definition(suite, options, display))))
        return DONE
    return _answer(lambda: run_definition(suite, options, display, is_command=True), Path(options.out), json=json, quiet=quiet)


@app.command("resume")
@answering
def suite_resume(run: SuitePath, jobs: JOBS = None, time_limit: TIME_LIMIT = None, memory_limit: MEMORY_LIMIT = None,
                 json: Json = False, quiet: Quiet = False) -> int:
    """Continue an interrupted run of a suite."""
    from tabbench.suite.run import resume_folder

    folder, display = Path(run), _display(quiet=quiet, to_json=json)
    return _answer(lambda: resume_folder(folder, display, is_command=True, jobs=jobs, time_limit=time_limit,
                                         memory_limit=memory_limit), folder, json=json, quiet=quiet)


app.command("verify")(verify_command)


@app.command("report")
@answering
def suite_report(run: SuitePath, other: Annotated[str | None, typer.Argument(metavar="OTHER", help="Another run to compare with.")
                                                  ] = None,
                 format: Annotated[str | None, typer.Option("--format", help="html, md, json or csv.")] = None) -> int:
    """Report a suite, computed anew from its tables' runs, or what has changed between two runs and whether it is noise."""
    from tabbench.suite.report import report_suite

    report = report_suite(run, other, format)
    if format is None:
        say(report.rstrip("\n"))
    else:
        sys.stdout.write(report)
    return DONE


def _display(*, quiet: bool, to_json: bool) -> Display:
    from tabbench.report.live import make_display

    return make_display(quiet=quiet, to_json=to_json)


def _answer(run: Callable[[], SuiteRun], folder: Path, *, json: bool, quiet: bool) -> int:
    """Run, and report what there is; gives the exit code."""
    try:
        done = run()
        missing = _report(done, json=json, quiet=quiet)
    except KeyboardInterrupt:
        is_interrupted = True
    else:
        is_interrupted = done.is_interrupted
    how = f"Continue with: tabbench suite resume {shlex.quote(str(folder))}"
    if is_interrupted:
        print(plain(f"interrupted; nothing finished is lost. {how}"), file=sys.stderr)
        return INTERRUPTED
    for sentence in missing if json or quiet else ():  # else the verdict says so
        print(plain(sentence), file=sys.stderr)
    if done.unfinished:
        print(plain(f"no time was left for {first_few(done.unfinished)}. {how}"), file=sys.stderr)
    return SOME_FAILED if missing or done.unread or done.unfinished else DONE


def _report(done: SuiteRun, *, json: bool, quiet: bool) -> list[str]:
    """Write and print the reports; gives what the run lacks, in sentences."""
    from tabbench.suite.gather import NoResults
    from tabbench.suite.report import verdict_text, what_is_missing, write_and_read

    try:
        result = write_and_read(done.folder)
    except NoResults:
        if done.is_interrupted:
            return []  # before there was anything to report
        raise
    if json:
        sys.stdout.write((done.folder / "result.json").read_text(encoding="utf-8"))
    elif not quiet:
        say(verdict_text(result, done.folder).rstrip())
    return what_is_missing(result)
