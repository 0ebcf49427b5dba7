"""What a run left out because of a time limit or an interruption, in the words of its closing sentence.

Imports nothing of ours; knows no clock and no plan.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limited:
    """What a run left out.

    Parameters
    ----------
    given_up : tuple[str, ...], default ()
        Noun phrases such as "2 of 3 repeats", "every second size" or "linear+pca and forest". Families of which nothing was run
        are not among them, since the sentence begins with those.
    seconds : float | None, default None
        Time limit that would suffice according to the forecast; None if unknown.
    is_interrupted : bool, default False
        Whether the cause was Ctrl-C or a kill instead of the limit, so that `tabbench resume` adds what is missing.

    Examples
    --------
    >>> limited = Limited(("2 of 3 repeats",), 240.0)
    >>> Limited.from_json(limited.to_json()) == limited
    True
    """

    given_up: tuple[str, ...] = ()
    seconds: float | None = None
    is_interrupted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values, which `from_json` reads."""
        return asdict(self) | {"given_up": list(self.given_up)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Limited:
        """Read what `to_json` wrote."""
        return cls(tuple(values["given_up"]), values["seconds"], values["is_interrupted"])
