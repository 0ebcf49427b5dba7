"""What a time limit or an interruption has cost a run, in the words that its closing sentence uses.

Imports nothing of ours; knows no clock and no plan.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limited:
    """What a run had to do without.

    Parameters
    ----------
    given_up : tuple[str, ...]
        Noun phrases such as "2 of 3 repeats", "every second size" or "linear+pca and forest". Families of which nothing was run
        are not among them: the sentence begins with those.
    seconds : float | None, default None
        A time limit that would lift it, by the forecast; None where that is unknown.
    is_interrupted : bool, default False
        Whether it was Ctrl-C or a kill and not the limit, so that `tabbench resume` brings what is missing.

    >>> limited = Limited(("2 of 3 repeats",), 240.0)
    >>> Limited.from_json(limited.to_json()) == limited
    True
    """

    given_up: tuple[str, ...] = ()
    seconds: float | None = None
    is_interrupted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same back."""
        return asdict(self) | {"given_up": list(self.given_up)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Limited:
        """What `to_json` wrote."""
        return cls(tuple(values["given_up"]), values["seconds"], values["is_interrupted"])
