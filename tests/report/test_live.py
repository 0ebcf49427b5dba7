import io
from dataclasses import replace

import pytest

from tabbench.core.progress import Progress
from tabbench.report.live import make_display

START = Progress(0, 0, 200, (), {}, 0.0, None)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def run(display: object, seconds_a_cell: float, total: int = 200) -> None:
    for done in range(total + 1):
        left = (total - done) * seconds_a_cell
        display.update(replace(START, done=done, total=total, elapsed_seconds=done * seconds_a_cell, remaining_seconds=left,  # type: ignore[attr-defined]
                               failed=int(done > 50), leaders={500: "linear", 1000: "linear", 2000: "boosting"}))


def test_a_log_gets_about_ten_lines() -> None:
    stream = io.StringIO()
    run(make_display(quiet=False, to_json=False, stream=stream), seconds_a_cell=0.2)
    lines = stream.getvalue().splitlines()
    assert 8 <= len(lines) <= 14
    assert lines[-1].startswith("200 of 200 cells, 1 failed, 0 left, 40 s so far; best so far: 500–1,000 linear · 2,000 boosting")
    assert "to go" in lines[3]


@pytest.mark.parametrize(("seconds_a_cell", "most"), [(0.0001, 3), (60.0, 80)])
def test_a_log_is_never_flooded(seconds_a_cell: float, most: int) -> None:
    stream = io.StringIO()
    run(make_display(quiet=False, to_json=False, stream=stream), seconds_a_cell, total=2000)
    assert 2 <= len(stream.getvalue().splitlines()) <= most


def test_a_slow_cell_is_still_told_of() -> None:
    stream = io.StringIO()
    display = make_display(quiet=False, to_json=False, stream=stream)
    display.update(START)
    for seconds in range(1, 31):
        display.update(replace(START, elapsed_seconds=float(seconds)))
    assert len(stream.getvalue().splitlines()) == 4


def test_a_second_run_is_told_of_like_the_first() -> None:
    stream = io.StringIO()
    display = make_display(quiet=False, to_json=False, stream=stream)
    told = []
    for total in (200, 50):
        before = len(stream.getvalue())
        run(display, seconds_a_cell=0.5, total=total)
        display.close()
        told.append(stream.getvalue()[before:].splitlines())
    assert told[1][0].startswith("0 of 50 cells") and told[1][-1].startswith("50 of 50 cells")


def test_nothing_to_run_says_nothing() -> None:
    stream = io.StringIO()
    display = make_display(quiet=False, to_json=False, stream=stream)
    display.update(replace(START, total=0))
    display.close()
    assert stream.getvalue() == ""


def test_said_lines_are_made_safe_everywhere() -> None:
    for stream in (io.StringIO(), Terminal()):
        display = make_display(quiet=False, to_json=False, stream=stream)
        display.say("first [red]name[/red]\nsecond\x1b[2J\u202e")
        display.close()
        assert stream.getvalue() == "first [red]name[/red]\nsecond\n"


def test_a_log_in_another_encoding_does_not_stop_the_run() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    display = make_display(quiet=False, to_json=False, stream=stream)
    display.say("naïve 漢字")
    display.close()
    assert raw.getvalue() == b"na?ve ??\n"


def test_quiet_is_silent() -> None:
    stream = Terminal()
    display = make_display(quiet=True, to_json=False, stream=stream)
    display.say("anything")
    run(display, 1.0)
    display.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize("to_json", [False, True])
def test_a_terminal_gets_a_block_that_goes_away(to_json: bool) -> None:
    stream = Terminal()
    display = make_display(quiet=False, to_json=to_json, stream=stream)
    running = tuple(f"mlp at 2,000, fold {fold}\x1b[2J" for fold in range(20))
    display.update(replace(START, done=40, failed=2, running=running, leaders={500: "linear"}, elapsed_seconds=65.0,
                           remaining_seconds=130.0))
    display.close()
    display.close()
    text = stream.getvalue()
    assert "40 of 200 cells, 2 failed, 160 left" in text
    assert "mlp at 2,000, fold 7" in text
    assert "mlp at 2,000, fold 8" not in text
    assert "and 12 more" in text
    assert "500 linear" in text
    assert "\x1b[2J" not in text
    assert text.count("\x1b[?25h") == text.count("\x1b[?25l") == 1
    assert ("40 of 200 cells done, 2 of them failed, in 1 min 5 s" in text) is not to_json


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    run(make_display(quiet=False, to_json=False, stream=stream), 0.2)
    assert "\x1b" not in stream.getvalue()
