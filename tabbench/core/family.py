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
        Name as in an approach's `family` and in result.json.
    order : int, default 90
        Position in lists; families of equal order are sorted by name.
    kind : str, default ""
        Noun for its approaches in a sentence ("linear model"). Reports say if a time limit left no room for a kind. Empty if
        users do not choose between this family and others.
    is_plural : bool, default False
        Whether `kind` is a plural ("boosted trees").
    light, dark : tuple[str, ...], default ()
        Hexadecimal colours of its first, second, ... member in figures on a light and on a dark page, equally many of both.
        Without any, its members are drawn like the user's own estimators.
    """

    name: str
    order: int = LAST
    kind: str = ""
    is_plural: bool = False
    light: tuple[str, ...] = ()
    dark: tuple[str, ...] = ()

    @property
    def one(self) -> str:
        """The noun for one of its approaches, with the article.

        >>> Family("linear", kind="linear model").one, Family("trees", kind="boosted trees", is_plural=True).one
        ('a linear model', 'boosted trees')
        """
        return self.kind if self.is_plural else f"a {self.kind}"


FAMILIES: Registry[Family] = Registry("family", "tabbench.approaches")


def kinds() -> dict[str, Family]:
    """Return the families that users choose between, by name, in listing order."""
    return {family.name: family for family in families_in_order() if family.kind}


def families_in_order() -> list[Family]:
    """Return all registered families in listing order."""
    return sorted(FAMILIES, key=lambda family: (family.order, family.name))
