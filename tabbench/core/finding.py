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
    """An option that resolves a finding, and the columns to give it: one or more for `drop`, else one.

    >>> print(Remedy("group", ("patient id",)), Remedy("drop", ("price, EUR", "b")))
    --group 'patient id' --drop '"price, EUR",b'
    """

    option: Literal["drop", "group", "time"]
    columns: tuple[str, ...]

    def __str__(self) -> str:
        """Return the option as typed in a shell."""
        given = ",".join(map(_escaped, self.columns)) if self.option == "drop" else self.columns[0]
        return f"--{self.option} {quote(given)}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values, keys in a fixed order."""
        return {"option": self.option, "columns": list(self.columns)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Remedy:
        """Read what `to_json` wrote."""
        return cls(values["option"], tuple(values["columns"]))


def _escaped(name: str) -> str:
    """Return a name as an item of a comma-separated list."""
    return '"' + name.replace('"', '""') + '"' if re.search('[,"]|^ ', name) else name


@dataclass(frozen=True)
class Finding:
    """One thing that a check found in the data.

    Parameters
    ----------
    code : str
        Stable kebab-case code such as "constant-column".
    severity : {"info", "warn", "block"}
        How much it matters: "warn" if it may make results meaningless, "block" if it makes all of them so.
    subject : str
        Column, class or range of rows that it is about.
    message : str
        One sentence: what was found, and what was done about it, if anything.
    cure : str, default ""
        What the user can do.
    spoils : bool, default False
        Whether the verdict is suspect, because scores may rest on something that is not known when predicting.
    remedy : Remedy | None, default None
        The part of the cure that a program can apply.
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
        """Message and cure as one sentence."""
        return f"{self.message}; {self.cure}" if self.cure else self.message

    def to_json(self) -> dict[str, Any]:
        """Return plain values, keys in a fixed order; without a remedy as in the stores of earlier versions."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "remedy"}
        return values if self.remedy is None else values | {"remedy": self.remedy.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Finding:
        """Read what `to_json` wrote; findings of earlier versions have no remedy."""
        remedy = values.get("remedy")
        return cls(**{**values, "remedy": None if remedy is None else Remedy.from_json(remedy)})


@dataclass(frozen=True)
class Moment:
    """When something happened in a training: in an epoch of one net or of all, counted from 1, or as `words` say.

    >>> Moment(net=2, epoch=7).text, Moment(epoch=7).text, BEFORE_TRAINING.text
    ('net 2, epoch 7', 'epoch 7', 'before training')
    """

    net: int | None = None
    epoch: int | None = None
    words: str = ""

    @property
    def text(self) -> str:
        """The moment in words, as shown and stored."""
        parts = (self.words, "" if self.net is None else f"net {self.net}", "" if self.epoch is None else f"epoch {self.epoch}")
        return ", ".join(part for part in parts if part)

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse what `text` wrote.

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

    Parameters
    ----------
    code : str
        Code of the fault, see docs/guards.md.
    where : str
        When it happened, in words.
    evidence : str
        What was measured.
    diagnosis : str
        What is wrong.
    action : str
        What the guard did.
    outcome : str
        What came of it.
    details : dict[str, Any]
        Plain values for programs, such as rows, steps and rates.
    net : int | None, default None
        Net that it happened in, from 1; None for all or none.
    epoch : int | None, default None
        Epoch that it happened in, from 1; None for none.
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
        """Return plain values, keys in a fixed order; the moment as text alone, which `from_json` parses."""
        return {name: value for name, value in asdict(self).items() if name not in ("net", "epoch")}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        moment = Moment.read(values["where"])
        return cls(**values, net=moment.net, epoch=moment.epoch)
