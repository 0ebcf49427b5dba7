"""The incidents of one training, as they happen."""

from __future__ import annotations

from tabbench.core.faults import incident
from tabbench.core.finding import Incident, Moment
from tabbench.nets.training_options import TrainingOptions

MOST_RECORDS = 20
"""Incidents of one class and member that are written down one by one."""


class Journal:
    """Incidents in the order in which they happened; callbacks hear of each that is written down."""

    def __init__(self, options: TrainingOptions) -> None:
        self._options = options
        self.incidents: list[Incident] = []

    def note(self, record: Incident) -> None:
        """Write an incident down, up to a number of each kind: the next would say no more."""
        if sum(_subject(each) == _subject(record) for each in self.of(record.code)) < MOST_RECORDS:
            self.incidents.append(record)
            self._options.tell("on_incident", self._options.as_named(record))

    def note_less_memory(self, code: str, action: str, epoch: int) -> None:
        """Memory ran out, and less is computed at once."""
        self.note(incident(code, Moment(epoch=epoch), "the allocator had no room", action=action, outcome="healed"))

    def of(self, code: str) -> list[Incident]:
        """Those of one class."""
        return [each for each in self.incidents if each.code == code]


def moment_of(member: int, epoch: int) -> Moment:
    """Where an incident of one member happened: members count from 0, nets from 1."""
    return Moment(net=member + 1, epoch=epoch)


def _subject(record: Incident) -> int | str:
    """The net that an incident is about; of all nets, its place."""
    return record.where if record.net is None else record.net
