import io
from dataclasses import replace

import pandas as pd
from rich.console import Console

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.core.faults import FAULTS
from tabbench.report import render
from tabbench.report.console import print_report
from tabbench.report.incidents import incident_groups, incident_line


def with_incidents(comparison: Comparison, *rows: tuple[object, ...]) -> Comparison:
    return replace(comparison, incidents=pd.DataFrame(rows, columns=list(COLUMNS["incidents"])))


def incident(approach: str, size: int, fold: int, code: str, outcome: str = "training went on") -> tuple[object, ...]:
    return approach, size, 0, fold, code, f"net {fold + 1}, epoch 2", f"loss {fold}", "why", f"halved {fold}", outcome


def test_many_alike_are_one_line_with_their_number(comparison: Comparison) -> None:
    same = [incident("mlp", size, fold, "O01") for size in (100, 3200) for fold in range(5) for _ in range(3)]
    (group,) = incident_groups(with_incidents(comparison, *same))
    assert (group.times, group.fits, group.fits_in_all) == (30, 10, 70)
    assert group.how_often == "10 of 70 fits, 30 times"
    assert group.where == "mlp at 100 to 3,200 rows"
    assert (group.seen, group.done) == ("loss 0", "halved 0")
    assert (group.title, group.cure) == (FAULTS["O01"].title, 'lower learning_rate, or let "search" find it')
    assert incident_line(group) == "mlp: learning rate too high from the start, in 10 of 70 fits, 30 times; training went on"


def test_a_single_one_says_where_it_was(comparison: Comparison) -> None:
    (group,) = incident_groups(with_incidents(comparison, incident("mlp", 800, 3, "N04", "healed")))
    assert group.where == "mlp at 800 rows, repeat 1, fold 4, net 4, epoch 2"
    assert group.how_often == "1 of 70 fits"


def test_the_most_severe_come_first_and_outcomes_and_approaches_stay_apart(comparison: Comparison) -> None:
    groups = incident_groups(with_incidents(
        comparison, incident("mlp", 100, 0, "O01"), incident("mlp", 100, 1, "O01"), incident("boosting", 100, 0, "O01"),
        incident("mlp", 100, 2, "O01", "given up"), incident("mlp", 100, 2, "D08", "healed")))
    assert [(group.approach, group.code, group.outcome, group.times) for group in groups] == [
        ("mlp", "O01", "given up", 1), ("mlp", "O01", "training went on", 2), ("boosting", "O01", "training went on", 1),
        ("mlp", "D08", "healed", 1)]


def test_a_strangers_code_is_explained_by_its_own_diagnosis(comparison: Comparison) -> None:
    (group,) = incident_groups(with_incidents(comparison, incident("mlp", 100, 0, "X99", "who knows")))
    assert (group.title, group.cure) == ("why", "–")


def test_both_long_reports_and_the_terminal_tell_it(comparison: Comparison) -> None:
    said = with_incidents(comparison, *(incident("mlp", 100, fold, "O02") for fold in range(5)))
    assert "O02 late divergence" in render(said, "html")
    console = Console(file=io.StringIO(), width=120)
    print_report(said, console)
    assert "O02  mlp: late divergence, in 5 of 70 fits; training went on" in console.file.getvalue()
    assert "| O02 late divergence | mlp at 100 rows | 5 of 70 fits | loss 0 | halved 0 | training went on |" in render(said, "md")
