"""What a data check says and what a training guard saw: one record each, plain enough for JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from shlex import quote
from typing import Any, Literal, Self

Severity = Literal["info", "warn", "block"]

_IN_AN_EPOCH = re.compile(r"(?:(?P<words>.+?), )??(?:net (?P<net>\d+), )?epoch (?P<epoch>\d+)")


@dataclass(frozen=True)
class Remedy:
    """An option that does away with what was found, and the columns to give it: several to drop, else one.

    >>> print(Remedy("group", ("patient id",)), Remedy("drop", ("price, EUR", "b")))
    --group 'patient id' --drop '"price, EUR",b'
    """

    option: Literal["drop", "group", "time"]
    columns: tuple[str, ...]

    def __str__(self) -> str:
        """As typed in a shell."""
        given = ",".join(map(_escaped, self.columns)) if self.option == "drop" else self.columns[0]
        return f"--{self.option} {quote(given)}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order."""
        return {"option": self.option, "columns": list(self.columns)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Remedy:
        """The remedy that was written so."""
        return cls(values["option"], tuple(values["columns"]))


def _escaped(name: str) -> str:
    """A name in a list with commas."""
    return '"' + name.replace('"', '""') + '"' if re.search('[,"]|^ ', name) else name


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed about the data.

    `code` is kebab-case and stable ("constant-column"); `subject` a column, class or row range; `message` one
    sentence that says what was found and, where something was done about it, what; `cure` what the user can do, of which
    `remedy` is the part that a program can do. A finding `spoils` a comparison when scores may be about something that is not
    known when predicting: its verdict is suspect.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    cure: str = ""
    spoils: bool = False
    remedy: Remedy | None = field(default=None, compare=False)

    @property
    def sentence(self) -> str:
        """Message and cure as a person reads them."""
        return f"{self.message}; {self.cure}" if self.cure else self.message

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order; without a remedy as ever, for the stores of earlier runs."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "remedy"}
        return values if self.remedy is None else values | {"remedy": self.remedy.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Finding:
        """The finding that was written so; those of earlier runs have no remedy."""
        remedy = values.get("remedy")
        return cls(**{**values, "remedy": None if remedy is None else Remedy.from_json(remedy)})


@dataclass(frozen=True)
class Moment:
    """Where a training was when something happened: in an epoch, of one net or of all, each from 1; or what `words` say.

    >>> Moment(net=2, epoch=7).text, Moment(epoch=7).text, BEFORE_TRAINING.text
    ('net 2, epoch 7', 'epoch 7', 'before training')
    """

    net: int | None = None
    epoch: int | None = None
    words: str = ""

    @property
    def text(self) -> str:
        """As people read it and as it is stored."""
        parts = (self.words, "" if self.net is None else f"net {self.net}", "" if self.epoch is None else f"epoch {self.epoch}")
        return ", ".join(part for part in parts if part)

    @classmethod
    def read(cls, text: str) -> Self:
        """What `text` has written: the only place where it is taken apart again.

        >>> Moment.read("first, net 2, epoch 7")
        Moment(net=2, epoch=7, words='first')
        """
        found = _IN_AN_EPOCH.fullmatch(text)
        if found is None:
            return cls(words=text)
        return cls(None if found["net"] is None else int(found["net"]), int(found["epoch"]), found["words"] or "")


BEFORE_TRAINING, AFTER_TRAINING = Moment(words="before training"), Moment(words="after training")


@dataclass(frozen=True)
class Incident:
    """One thing that went wrong in training and what the guard did about it.

    `where` is for people; `net` and `epoch` (from 1; None for none or all) say the same for programs. `details` holds plain
    values for programs, such as rows, steps and rates.
    """

    code: str
    where: str
    evidence: str
    diagnosis: str
    action: str
    outcome: str
    details: dict[str, Any] = field(default_factory=dict)
    net: int | None = None
    epoch: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys in a fixed order; the place as text alone, which `from_json` reads."""
        return {name: value for name, value in asdict(self).items() if name not in ("net", "epoch")}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """From what `to_json` wrote."""
        moment = Moment.read(values["where"])
        return cls(**values, net=moment.net, epoch=moment.epoch)
