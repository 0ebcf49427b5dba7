"""Shows a run while it goes on: a moving display on a terminal, a few plain lines elsewhere, nothing when quiet.

Knows only `core.progress`. Writes to standard error: standard output belongs to the result.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from tabbench.core.errors import as_in_program
from tabbench.core.progress import Display, FamilyLeader, Progress, Provisional, TablesProgress
from tabbench.wording.numbers import decimals_for, duration, fixed, rows
from tabbench.wording.safe_text import LONGEST_NAME, plain
from tabbench.wording.terms import metric_name

if TYPE_CHECKING:
    from rich.console import RenderableType

_REFRESHES_PER_SECOND = 4
_MOST_RUNNING_SHOWN = 8
"""One line a busy worker; a machine with 64 of them must not push the rest off the screen."""

_SECONDS_BETWEEN_LINES = 10.0
_SHARE_BETWEEN_LINES = 0.1
_LEAST_SECONDS_BETWEEN_LINES = 1.0


def make_display(*, quiet: bool, to_json: bool, stream: TextIO | None = None, in_program: bool = False) -> Display:
    """The display that suits the stream (standard error by default).

    With `to_json` the moving display leaves no closing line behind: what remains in the terminal is the JSON. With `in_program`
    options are spelled as in a program.
    """
    stream = sys.stderr if stream is None else stream
    if quiet:
        return QuietDisplay()
    spelled = as_in_program if in_program else str
    if stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown"):
        return MovingDisplay(stream, leaves_summary=not to_json, spelled=spelled)
    return LineDisplay(stream, spelled)


def leaders_by_size(leaders: dict[int, str]) -> str:
    """Who leads at which sizes, neighbours put together.

    >>> leaders_by_size({500: "linear", 1000: "linear", 2000: "boosting"})
    '500–1,000 linear · 2,000 boosting'
    """
    runs: list[tuple[int, int, str]] = []
    for size in sorted(leaders):
        name = plain(leaders[size], LONGEST_NAME)
        if runs and runs[-1][2] == name:
            runs[-1] = (runs[-1][0], size, name)
        else:
            runs.append((size, size, name))
    return " · ".join(f"{low:,} {name}" if low == high else f"{low:,}–{high:,} {name}" for low, high, name in runs)


def leaders_by_family(provisional: Provisional) -> str:
    """Who leads in each family, the best family first, and what that rests on.

    >>> leaders = FamilyLeader("trees", "boosting", 0.2345), FamilyLeader("linear", "linear", 0.312)
    >>> leaders_by_family(Provisional(16000, 1, leaders, "log_loss", is_first_look=True))
    'first look at 16,000 rows, log loss on 1 split: trees boosting 0.2345 · linear 0.3120'
    """
    decimals = decimals_for(provisional.leaders[0].score)
    shown = [f"{_of_family(each)} {fixed(each.score, decimals)}" for each in provisional.leaders]
    look = "first look at" if provisional.is_first_look else "at"
    splits = f"{provisional.splits:,} split{'' if provisional.splits == 1 else 's'}"
    return (f"{look} {rows(provisional.size)} rows, {metric_name(provisional.metric)} on {splits}: "
            + " · ".join(shown if provisional.is_complete else [*shown, "others to come"]))


def _of_family(leader: FamilyLeader) -> str:
    name = plain(leader.approach, LONGEST_NAME)
    return name if name == leader.family else f"{leader.family} {name}"


def counts(progress: Progress) -> str:
    """Cells done, failed and left in words."""
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    tables = "" if progress.tables is None else f"{tables_done(progress.tables)}; "
    return f"{tables}{progress.done:,} of {progress.total:,} cells{failed}, {progress.total - progress.done:,} left"


def tables_done(tables: TablesProgress) -> str:
    """How many tables of a suite are done, and which are being run.

    >>> tables_done(TablesProgress(3, 25, ("adult", "letter")))
    '3 of 25 tables done, at adult, letter'
    """
    at = ", ".join(plain(name, LONGEST_NAME) for name in tables.running)
    return f"{tables.done:,} of {tables.total:,} tables done" + (f", at {at}" if at else "")


def clocks(progress: Progress) -> str:
    """Time gone and, while something is left and known, time to go."""
    gone = f"{duration(progress.elapsed_seconds)} so far"
    if progress.remaining_seconds is None or progress.done == progress.total:
        return gone
    return f"{gone}, about {duration(max(1.0, progress.remaining_seconds))} to go"


def summary(progress: Progress) -> str:
    """The line that closes a run."""
    failed = f", {progress.failed:,} of them failed" if progress.failed else ""
    return f"{progress.done:,} of {progress.total:,} cells done{failed}, in {duration(progress.elapsed_seconds)}"


class QuietDisplay:
    """Shows nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def update(self, progress: Progress) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class LineDisplay:
    """Plain lines for a log: about one a tenth of the cells or every ten seconds, ever rarer in long runs.

    Lines of their own name the families' first leaders, at once, and new ones, as rarely as the others.
    """

    def __init__(self, stream: TextIO, spelled: Callable[[str], str] = str) -> None:
        self._stream = stream
        self._spelled = spelled
        self._shown: Progress | None = None
        self._provisional_shown: Progress | None = None

    def say(self, line: str) -> None:
        """Write the line."""
        for each in line.splitlines() or [""]:
            self._write(plain(self._spelled(each)))

    def update(self, progress: Progress) -> None:
        """Write a line when enough has changed since the last one."""
        if _is_due(progress, self._shown):
            self._shown = progress
            leaders = f"; best so far: {leaders_by_size(progress.leaders)}" if progress.leaders else ""
            self._write(f"{counts(progress)}, {clocks(progress)}{leaders}")
        if progress.provisional is not None and self._is_news(progress, progress.provisional):
            self._provisional_shown = progress
            self._write(f"provisional, {leaders_by_family(progress.provisional)}")

    def close(self) -> None:
        """Flush; what comes next is another run."""
        self._shown = self._provisional_shown = None
        self._stream.flush()

    def _is_news(self, progress: Progress, provisional: Provisional) -> bool:
        before = self._provisional_shown
        has_changed = before is None or before.provisional is None or _who_leads(provisional) != _who_leads(before.provisional)
        return provisional.is_complete and has_changed and _is_due(progress, before)

    def _write(self, line: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()


def _is_due(progress: Progress, shown: Progress | None) -> bool:
    """Whether a line may follow the one that told of `shown`."""
    if shown is None:
        return progress.total > 0
    if progress.done == progress.total:
        return shown.done < progress.total
    waited = progress.elapsed_seconds - shown.elapsed_seconds
    if waited >= max(_SECONDS_BETWEEN_LINES, _SHARE_BETWEEN_LINES * progress.elapsed_seconds):
        return True
    share = (progress.done - shown.done) / progress.total
    return share >= _SHARE_BETWEEN_LINES and waited >= _LEAST_SECONDS_BETWEEN_LINES


def _who_leads(provisional: Provisional) -> tuple[str, set[tuple[str, str]]]:
    """The leading family and each family's leader; the order of the others is not told again."""
    return provisional.leaders[0].family, {(each.family, each.approach) for each in provisional.leaders}


class MovingDisplay:
    """A block at the foot of the terminal that keeps changing; said lines scroll by above it."""

    def __init__(self, stream: TextIO, *, leaves_summary: bool, spelled: Callable[[str], str] = str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._leaves_summary = leaves_summary
        self._spelled = spelled
        self._progress: Progress | None = None
        self._received = 0.0
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def say(self, line: str) -> None:
        """Write the line above the moving block."""
        for each in line.splitlines() or [""]:
            self._console.print(plain(self._spelled(each)), soft_wrap=True)

    def update(self, progress: Progress) -> None:
        """Take the newest snapshot; the screen follows by itself, and the clocks go on between two of them."""
        self._progress, self._received = progress, time.monotonic()
        if not self._live.is_started:
            self._live.start()

    def close(self) -> None:
        """Take the block away, bring the cursor back and leave one line."""
        if not self._live.is_started:
            return
        self._live.stop()
        if self._progress is not None and self._leaves_summary:
            self._console.print(summary(self._progress), soft_wrap=True)

    def _render(self) -> RenderableType:
        return "" if self._progress is None else block(_as_of_now(self._progress, time.monotonic() - self._received))


def _as_of_now(progress: Progress, seconds_since: float) -> Progress:
    left = progress.remaining_seconds
    return replace(
        progress,
        elapsed_seconds=progress.elapsed_seconds + seconds_since,
        remaining_seconds=None if left is None else max(0.0, left - seconds_since),
    )


def block(progress: Progress) -> RenderableType:
    """The moving block: bar and counts, clocks, leaders, what runs now."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(padding=(0, 2))
    head.add_row(ProgressBar(total=max(progress.total, 1), completed=progress.done, width=24), Text(counts(progress)))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("time", clocks(progress))
    if progress.provisional is not None:
        facts.add_row("provisional", Text(leaders_by_family(progress.provisional)))
    if progress.leaders:
        facts.add_row("best so far", Text(leaders_by_size(progress.leaders)))
    for place, line in enumerate(progress.running[:_MOST_RUNNING_SHOWN]):
        facts.add_row("running" if place == 0 else "", Text(plain(line), no_wrap=True, overflow="ellipsis"))
    hidden = len(progress.running) - _MOST_RUNNING_SHOWN
    if hidden > 0:
        facts.add_row("", f"and {hidden} more")
    return Group(head, facts)
