"""The sentences of a verification: what tells most stands last."""

from tabbench.core.verification import CellPlace, Damage, Difference, FolderCheck, Rerun, RerunCell
from tabbench.wording.verification import MOST_REPORTED, verification_sentences


def test_a_cell_that_differs_stands_after_all_that_follows_from_it():
    place, other = CellPlace("iris", "linear", 40, 0, 0), CellPlace("iris", "linear", 40, 0, 1)
    reported = [Difference(Damage.REPORTED, "iris", None, "pairs", None, f"value {number}", "linear", "") for number in range(30)]
    damaged = Difference(Damage.RESULT, "iris", place)
    cells = [RerunCell(place, Rerun.DIFFERS, reason="it crashed"), RerunCell(other, Rerun.EQUAL, largest=0.0)]
    lines = verification_sentences([FolderCheck("iris", 2, (damaged, *reported))], cells, seed=1)
    assert lines[0].endswith("result.json says linear (pairs, value 0), but the stored predictions give nothing")
    assert lines[MOST_REPORTED] == "… and 20 more such differences"
    assert lines[MOST_REPORTED + 1].startswith("CHANGED iris: linear, 40 rows, repeat 1, fold 1: its stored result")
    assert [line.split()[0] for line in lines[-3:-1]] == ["equal", "DIFFERS"] and "31 changed" in lines[-1]
