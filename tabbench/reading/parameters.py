"""The text of a source: a name, then parameters after commas, as `xor,rows=2000,seed=1`. A shell needs no quotes."""

from __future__ import annotations

from tabbench.core.errors import BadOption


def split_parameters(text: str, shown: str) -> tuple[str, dict[str, str]]:
    """The name and the parameters; `shown` is the whole source, for the message.

    >>> split_parameters("xor,rows=2000,seed=1", "")
    ('xor', {'rows': '2000', 'seed': '1'})

    Raises
    ------
    BadOption
        A part that is no `name=value`, or a name given twice.
    """
    name, *parts = (part.strip() for part in text.split(","))
    parameters: dict[str, str] = {}
    for part in parts:
        parameter, sign, value = part.partition("=")
        if not (parameter and sign and value):
            raise BadOption(f"{shown} has the part {part!r}; write parameters after commas as name=value")
        if parameter in parameters:
            raise BadOption(f"{shown} gives {parameter} twice; leave one out")
        parameters[parameter] = value
    return name, parameters
