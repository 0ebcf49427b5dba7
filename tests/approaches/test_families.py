"""Families: in order, each in colours of its own, and known to whatever lists them."""

import re

from tabbench.approaches.composed import listed_approaches
from tabbench.core.family import FAMILIES, families_in_order, kinds
from tabbench.report.drawing import family_colours

COLOUR = re.compile("#[0-9a-f]{6}")


def test_families_are_listed_in_order():
    names = [family.name for family in families_in_order()]
    assert names[:5] == ["baseline", "linear", "trees", "net", "blend"] and names[-1] == "own"
    assert [family.one for family in kinds().values()] == ["a linear model", "boosted trees", "a neural net"]


def test_every_approach_stands_in_a_registered_family():
    assert {approach.family for approach in listed_approaches()} <= set(FAMILIES.names())


def test_no_colour_is_used_twice_and_each_is_defined_for_light_and_dark():
    for scheme in ("light", "dark"):
        colours = [colour for family in FAMILIES for colour in getattr(family, scheme)]
        assert len(set(colours)) == len(colours) and all(map(COLOUR.fullmatch, colours))
    assert all(len(family.light) == len(family.dark) for family in FAMILIES)
    styles = family_colours()
    light, dark = styles.split("@media (prefers-color-scheme: dark)")
    assert "--net-0: #0a8265;" in light and "--net-0: #3fc79f;" in dark
    assert styles.count("{") == styles.count("}")
