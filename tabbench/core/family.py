"""What a family of approaches is: how it is called, where it stands and how it is drawn. Knows none of its members."""

from __future__ import annotations

from dataclasses import dataclass

from tabbench.core.registry import Registry

LAST = 90
"""Where families stand that don't say where: after ours."""


@dataclass(frozen=True)
class Family:
    """A family of approaches. An approach may also name one that is not registered: it has no colours and no kind then.

    Parameters
    ----------
    name : str
        As in an approach's `family` and in result.json.
    order : int
        Families are listed by it, those of equal order by name.
    kind : str, default ""
        What its approaches are in a sentence ("linear model"), with `is_plural` where that is one ("boosted trees"). That a time
        limit left no room for a kind is told. Empty where the family is no kind between which people choose.
    light, dark : tuple[str, ...]
        Hexadecimal colours of its first, second, ... member in figures, on a light and on a dark page, as many of one as of the
        other. Without any its members are drawn like a user's own estimators.
    """

    name: str
    order: int = LAST
    kind: str = ""
    is_plural: bool = False
    light: tuple[str, ...] = ()
    dark: tuple[str, ...] = ()

    @property
    def one(self) -> str:
        """One of its approaches, with the article.

        >>> Family("linear", kind="linear model").one, Family("trees", kind="boosted trees", is_plural=True).one
        ('a linear model', 'boosted trees')
        """
        return self.kind if self.is_plural else f"a {self.kind}"


FAMILIES: Registry[Family] = Registry("family", "tabbench.approaches")


def kinds() -> dict[str, Family]:
    """The families that people choose between by name, in the order in which they are listed."""
    return {family.name: family for family in families_in_order() if family.kind}


def families_in_order() -> list[Family]:
    """All registered families as they are listed."""
    return sorted(FAMILIES, key=lambda family: (family.order, family.name))
