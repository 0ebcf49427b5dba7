"""The schedule of a suite: every batch once, table by table, and no worker waits for another table's last cells."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tabbench.core.cell import Batch, Cell
from tabbench.execution.schedule import Schedule
from tabbench.execution.work import InFlight
from tabbench.suite.schedule import SuiteSchedule, Waiting


def batches(table, approaches=("a", "b"), sizes=(20, 40), folds=2):
    return [Batch((Cell(table, "t", "s", name, 1, {}, size, 0, fold, 0, "cpu"),))
            for size in sizes for name in approaches for fold in range(folds)]


@dataclass(eq=False)
class Table:
    name: str
    schedule: Schedule
    learned: int = 0
    is_ready: bool = True
    handed: list = field(default_factory=list)

    def assign(self, batch):
        self.handed.append(batch)


class Suite:
    """A suite of named tables, whose broken ones cannot be begun."""

    def __init__(self, names, broken=(), **shape):
        self.begun, self.ended = [], []
        self.shape, self.broken = shape, set(broken)
        waiting = [Waiting(name, len(batches(name, **shape)), 1.0) for name in names]
        self.schedule = SuiteSchedule(waiting, self.begin, lambda table: self.ended.append(table.name))

    def begin(self, waiting):
        self.begun.append(waiting.name)
        return None if waiting.name in self.broken else Table(
            waiting.name, Schedule(batches(waiting.name, **self.shape), jobs=2))

    def finish(self, batch):
        self.schedule.owner(batch.cells[0]).learned += len(batch.cells)
        self.schedule.costs.learn(batch.cells[0], 0.5)


@given(st.integers(0, 5), st.sets(st.sampled_from("abcde")), st.integers(1, 3), st.randoms())
def test_every_batch_is_handed_out_once_and_every_table_ends(count, broken, workers, random):
    suite = Suite("abcde"[:count], broken)
    running, ran = [], []
    while suite.schedule.pending_batches or running:
        while len(running) < workers:
            batch = suite.schedule.next(0.0, [InFlight(each.cells) for each in running])
            if batch is None:
                break
            running.append(batch)
        if running:
            batch = running.pop(random.randrange(len(running)))
            suite.finish(batch)
            ran.append(batch)
        suite.schedule.end_done()
    usable = [name for name in "abcde"[:count] if name not in broken]
    assert sorted(batch.key for batch in ran) == sorted(batch.key for name in usable for batch in batches(name))
    assert sorted(suite.ended) == usable and suite.begun == list("abcde"[:count])
    assert suite.schedule.tables_done == len(set(suite.begun) - broken) and not suite.schedule.has_waiting


def test_a_table_is_begun_when_the_one_before_has_nothing_to_hand_out_but_has_not_ended():
    suite = Suite("ab")
    first = [suite.schedule.next(0.0) for _ in range(8)]
    assert {batch.cells[0].table for batch in first} == {"a"} and suite.begun == ["a"]
    assert suite.schedule.next(0.0, [InFlight(first[-1].cells)]).cells[0].table == "b" and suite.ended == []
    assert suite.schedule.side_by_side(first[-1]) == 1, "the other table keeps the workers busy"


def test_what_lacks_memory_is_not_overtaken_by_another_table():
    suite = Suite("ab")
    suite.schedule.next(0.0)
    assert suite.schedule.next(0.0, room_mb=0.0) is None and suite.begun == ["a"]


def test_giving_up_leaves_what_has_begun_without_an_end():
    suite = Suite("abc")
    batch = suite.schedule.next(0.0)
    suite.schedule.drop_rest()
    suite.schedule.end_done()
    assert [each.name for each in suite.schedule.given_up] == ["b", "c"]
    assert suite.schedule.pending_batches == 0 and [each.name for each in suite.schedule.begun] == ["a"]
    suite.finish(batch)  # its worker was just done
    suite.schedule.end_done()
    assert suite.ended == ["a"]


def test_an_approach_whose_library_does_not_load_is_left_out_of_tables_that_are_begun_later():
    suite, ran = Suite("ab"), []
    suite.schedule.drop_approaches({"a": "it is broken"})
    while (batch := suite.schedule.next(0.0)) is not None:
        suite.finish(batch)
        ran.append(batch)
    assert {batch.cells[0].table for batch in ran} == {"a", "b"}
    assert {batch.cells[0].approach for batch in ran} == {"b"}


def test_time_left_counts_the_tables_to_come():
    suite = Suite("abc")
    assert suite.schedule.remaining_seconds() == 3.0
    suite.finish(suite.schedule.next(0.0))
    assert suite.schedule.remaining_seconds() is None, "nothing is known of b"
    for _ in range(3):
        suite.finish(suite.schedule.next(0.0))
    assert suite.schedule.remaining_seconds() > 2.0


def test_a_table_whose_checks_go_on_is_ended_later():
    suite = Suite("a")
    for batch in [suite.schedule.next(0.0) for _ in range(8)]:
        suite.finish(batch)
    [table] = suite.schedule.begun
    table.is_ready = False
    suite.schedule.end_done()
    assert suite.ended == []
    table.is_ready = True
    suite.schedule.end_done()
    assert suite.ended == ["a"]


def test_the_time_left_grows_with_what_the_tables_before_took():
    suite = Suite("abc")
    first = [suite.schedule.next(0.0) for _ in range(8)]
    for batch in first:
        suite.finish(batch)
    before = suite.schedule.remaining_seconds()
    for batch in [suite.schedule.next(11.0) for _ in range(8)]:
        suite.finish(batch)
    assert before == 2.0, "as forecast"
    assert suite.schedule.remaining_seconds() == (5 + 11) / (5 + 1)


def test_what_is_tried_again_on_its_own_waits_for_its_own_table_only():
    suite = Suite("ab")
    first = suite.schedule.next(0.0)
    assert not suite.schedule.is_exhausted(first)
    while (batch := suite.schedule.next(0.0)).cells[0].table == "a":
        suite.finish(batch)
    assert suite.schedule.is_exhausted(first) and not suite.schedule.is_exhausted(batch) and suite.schedule.has_waiting
