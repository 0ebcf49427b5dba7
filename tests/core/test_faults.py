"""The catalogue of faults is true to the code and to its printed page."""

import json
import re
from pathlib import Path

import pytest

import tabbench
from tabbench.core.faults import FAULTS, KINDS, PROVOCATIONS, TRACES, as_markdown, incident
from tabbench.core.finding import AFTER_TRAINING, BEFORE_TRAINING, Incident, Moment

PACKAGE = Path(tabbench.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "guards.md"


def sources():
    """All that raises incidents."""
    paths = [*(PACKAGE / "nets").glob("*.py"), *(PACKAGE / "estimators").glob("guarded*.py")]
    return "\n".join(path.read_text() for path in paths)


def raised():
    """Codes in calls of `incident` and of what passes a code on to it."""
    calls = re.findall(r"(?:incident|note_less_memory)\(\s*((?:\"[A-Z]\d\d\"|if|else|is_early|\s)+),", sources())
    return {code for call in calls for code in re.findall(r"\"([A-Z]\d\d)\"", call)}


def test_what_is_raised_is_in_the_catalogue_and_the_other_way_round():
    assert raised() == {code for code, fault in FAULTS.items() if fault.trace == "incident"}


def test_no_other_code_is_mentioned_in_the_code():
    mentioned = set(re.findall(r"\b[DLONRSA]\d\d\b", sources()))
    assert raised() <= mentioned <= set(FAULTS)


def test_every_kind_of_fault_has_a_heading_and_every_trace_words():
    assert {code[0] for code in FAULTS} == set(KINDS)
    assert {fault.trace for fault in FAULTS.values()} == set(TRACES)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_texts_are_parts_of_sentences(fault):
    for text in (fault.title, fault.seen, fault.why, fault.guard, fault.cure):
        assert text and text == text.strip() and not text.endswith(".")


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8").partition(PROVOCATIONS)[:2] == as_markdown().partition(PROVOCATIONS)[:2], (
        "docs/guards.md differs from the catalogue: run python tools/guards_page.py")


def test_the_page_ends_with_what_was_measured():
    measured = PAGE.read_text(encoding="utf-8").partition(PROVOCATIONS)[2]
    assert all(peer in measured for peer in ("scikit-learn", "skorch", "pytabkit", "tabbench"))


def test_an_incident_tells_the_cause_from_the_catalogue():
    found = incident("O01", Moment(net=2, epoch=7), "loss inf", action="halved", outcome="training went on", step=3)
    assert (found.code, found.diagnosis, found.details) == ("O01", FAULTS["O01"].why, {"step": 3})
    assert (found.where, found.net, found.epoch) == ("net 2, epoch 7", 2, 7)


MOMENTS = [Moment(2, 7), Moment(epoch=7), Moment(12, 340, "small, wide"), Moment(epoch=1, words="first"), BEFORE_TRAINING,
           AFTER_TRAINING, Moment(words="first, before training"), Moment()]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.text)
def test_a_moment_is_read_as_it_was_written(moment):
    assert Moment.read(moment.text) == moment


@pytest.mark.parametrize("where", ["before training", "after training", "epoch", "net 2, epoch x", "epoch 3, later", ""])
def test_a_place_without_epoch_has_none(where):
    assert Moment.read(where) == Moment(words=where)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.text)
def test_a_stored_incident_has_its_place_as_text_alone_and_comes_back_whole(moment):
    found = incident("O01", moment, "loss inf", action="halved", outcome="healed", step=3)
    stored = found.to_json()
    assert list(stored) == ["code", "where", "evidence", "diagnosis", "action", "outcome", "details"]
    assert Incident.from_json(json.loads(json.dumps(stored))) == found


def test_an_unknown_code_is_an_error():
    with pytest.raises(KeyError):
        incident("Z99", Moment(epoch=1), "", action="none", outcome="healed")
