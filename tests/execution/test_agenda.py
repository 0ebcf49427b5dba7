"""The order of stages: whatever the moment at which they end, the best answer so far is there."""

from hypothesis import given
from hypothesis import strategies as st

from tabbench.execution.agenda import Agenda, by_usefulness

SPLITS = [(repeat, fold) for repeat in range(2) for fold in range(5)]
SIZES = [50, 100, 200, 400, 1000]


def run_all(agenda, refuses=lambda stage: False):
    """The places in the order in which they are begun; a stage that is refused is given up."""
    places = []
    for _ in range(100):
        stage = next((each for each in agenda.candidates() if not refuses(each)), None)
        if stage is None:
            return places
        agenda.begin(stage)
        places += stage.places
    raise AssertionError("the agenda does not end")


def test_the_largest_size_split_by_split_then_sizes_then_repeats_then_what_is_optional():
    agenda = Agenda(SPLITS, 5, SIZES, planned_splits=5, planned_sizes=[100, 1000])
    stages = []
    while (stage := next(agenda.candidates(), None)) is not None:
        agenda.begin(stage)
        stages.append((stage.kind, stage.places[0][0], len(stage.places), stage.is_optional))
    assert stages == [*[("split", 1000, 1, False)] * 5, ("size", 100, 5, False), ("splits", 1000, 10, True),
                      ("size", 400, 10, True), ("size", 200, 10, True), ("size", 50, 10, True)]


def test_a_hold_out_split_becomes_three_then_all_folds():
    agenda = Agenda(SPLITS, 5, [1000], planned_splits=1)
    kinds = []
    while (stage := next(agenda.candidates(), None)) is not None:
        agenda.begin(stage)
        kinds.append((stage.kind, [split for _, split in stage.places]))
    assert kinds == [("split", SPLITS[:1]), ("splits", SPLITS[1:3]), ("splits", SPLITS[3:5]), ("splits", SPLITS[5:])]


@given(st.integers(1, 10), st.sets(st.sampled_from(SIZES), min_size=1), st.booleans())
def test_every_place_comes_at_most_once_and_all_of_them_do(planned_splits, planned_sizes, is_ascending):
    agenda = Agenda(SPLITS, 5, SIZES, planned_splits=planned_splits, planned_sizes=sorted(planned_sizes),
                    is_ascending=is_ascending)
    places = run_all(agenda)
    assert len(places) == len(set(places)) and set(agenda.planned()) <= set(places)
    if not is_ascending:
        assert set(places) == {(size, split) for size in SIZES for split in SPLITS}


def test_what_is_given_up_does_not_come_back():
    agenda = Agenda(SPLITS, 5, SIZES)
    for _ in range(5):
        agenda.begin(next(agenda.candidates()))
    first = next(agenda.candidates())
    agenda.begin(first)
    agenda.give_up(first)
    assert first.places[0] not in run_all(agenda)


def test_after_a_split_that_was_given_up_the_other_sizes_use_those_before_it():
    agenda = Agenda(SPLITS, 5, SIZES)
    for _ in range(3):
        agenda.begin(next(agenda.candidates()))
    agenda.give_up(next(agenda.candidates()))
    assert {split for _, split in run_all(agenda)} == set(SPLITS[:3])


def test_ascending_as_a_race_needs_it():
    agenda = Agenda(SPLITS, 5, SIZES, is_ascending=True)
    assert [size for size, _ in run_all(agenda)] == sorted(SIZES * 10)


def test_the_size_that_says_most_first():
    assert by_usefulness(SIZES, 1000) == [100, 1000, 400, 200, 50] and by_usefulness([], 1000) == []
