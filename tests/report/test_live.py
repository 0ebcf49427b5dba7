import io
from dataclasses import replace

import pytest

from tabbench.core.progress import FamilyLeader, Progress, Provisional
from tabbench.report.live import make_display

START = Progress(0, 0, 200, (), {}, 0.0, None)
LINEAR, FOREST = FamilyLeader("linear", "linear", 0.312), FamilyLeader("trees", "forest", 0.24)
BOOSTING, MLP = FamilyLeader("trees", "boosting", 0.23451), FamilyLeader("net", "mlp", 0.24561)
FIRST_LOOK = Provisional(16000, 1, (BOOSTING, MLP, LINEAR), "log_loss", is_first_look=True)


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


def provisional_lines(*seen: tuple[float, Provisional | None]) -> list[str]:
    stream = io.StringIO()
    display = make_display(quiet=False, to_json=False, stream=stream)
    for seconds, provisional in seen:
        display.update(replace(START, elapsed_seconds=seconds, provisional=provisional))
    return [line for line in stream.getvalue().splitlines() if "provisional" in line]


def test_a_log_names_the_first_leaders_at_once_when_all_are_there() -> None:
    partial = replace(FIRST_LOOK, leaders=(LINEAR,), is_complete=False)
    assert provisional_lines((0.0, None), (1.0, partial), (2.0, FIRST_LOOK), (60.0, FIRST_LOOK)) == [
        "provisional, first look at 16,000 rows, log loss on 1 split: trees boosting 0.2345 · net mlp 0.2456 · linear 0.3120"]


def test_a_log_names_new_leaders_but_is_not_flooded() -> None:
    planned = replace(FIRST_LOOK, is_first_look=False, splits=3)
    other_order = replace(planned, leaders=(BOOSTING, LINEAR, MLP))
    other_member = replace(planned, leaders=(FOREST, MLP, LINEAR))
    other_family = replace(planned, leaders=(MLP, FOREST, LINEAR))
    told = provisional_lines((1.0, FIRST_LOOK), (30.0, planned), (31.0, other_order), (32.0, other_member), (33.0, other_family),
                             (34.0, other_member), (60.0, other_family))
    assert [line.split(": ")[1].split(" · ")[0] for line in told] == ["trees boosting 0.2345", "trees forest 0.2400",
                                                                      "net mlp 0.2456"]
    assert told[1].startswith("provisional, at 16,000 rows, log loss on 3 splits: ")


def test_a_metric_of_which_more_is_better_and_a_strange_name_are_shown_as_such() -> None:
    leaders = FamilyLeader("own", "my\x1b[2Jmodel", 0.91234), FamilyLeader("linear", "linear+pca", -0.5)
    [line] = provisional_lines((0.0, Provisional(500, 2, leaders, "auc", is_first_look=False)))
    assert line == "provisional, at 500 rows, AUC on 2 splits: own mymodel 0.9123 · linear linear+pca −0.5000"


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


def test_a_terminal_shows_the_leaders_of_families_above_those_of_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")  # the row isn't folded
    stream = Terminal()
    display = make_display(quiet=False, to_json=False, stream=stream)
    partial = replace(FIRST_LOOK, leaders=(MLP, LINEAR), is_complete=False)
    display.update(replace(START, leaders={16000: "linear"}, provisional=partial))
    display.close()
    words = " ".join(stream.getvalue().split())
    assert "first look at 16,000 rows, log loss on 1 split: net mlp 0.2456 · linear 0.3120 · others to come" in words
    assert words.index("provisional") < words.index("best so far")


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    run(make_display(quiet=False, to_json=False, stream=stream), 0.2)
    assert "\x1b" not in stream.getvalue()
