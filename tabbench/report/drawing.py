"""What all figures share: colours by family, safe labels, and the way from a matplotlib figure to inline SVG.

Colours are written as CSS variables, so that the page's light and dark schemes apply to figures too; labels are drawn as
place holders and put in afterwards, so that no name is measured, parsed as mathematics or missing from a font.
"""

from __future__ import annotations

import html
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.family import Family, families_in_order
from tabbench.report.standings import families
from tabbench.wording.safe_text import plain

LONGEST_LABEL = 18
LONGEST_TEXT_IN_FIGURE = 48

_LIKE_OWN = "own"
"""The family in whose colours those without colours are drawn."""
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")


@dataclass(frozen=True)
class Look:
    """How an approach is drawn, the same in every figure."""

    colour: str
    marker: str


def stand_in(token: str) -> str:
    """The colour that stands for a CSS variable until the figure is finished."""
    return _stand_ins()[token]


def _stand_ins() -> dict[str, str]:
    tokens = ("ink", "muted", "grid", "zone", *(_variable(family, shade) for family in _coloured().values()
                                                for shade in range(len(family.light))), "warn")
    return {token: f"#0a{place:02x}b1" for place, token in enumerate(tokens)}


def _coloured() -> dict[str, Family]:
    """The families that have colours, by name, as they are listed."""
    return {family.name: family for family in families_in_order() if family.light}


def _variable(family: Family, shade: int) -> str:
    return f"{re.sub('[^a-z0-9]+', '-', family.name.lower())}-{shade}"


def family_colours() -> str:
    """The families' colours as CSS variables, for light and dark pages."""
    light, dark = (" ".join(f"--{_variable(family, shade)}: {colour};" for family in _coloured().values()
                            for shade, colour in enumerate(getattr(family, scheme))) for scheme in ("light", "dark"))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def looks(comparison: Comparison) -> dict[str, Look]:
    """How each approach of a comparison is drawn."""
    return looks_of(families(comparison))


def looks_of(family_of: Mapping[str, str]) -> dict[str, Look]:
    """A hue a family, a shade and a marker for each member; `family_of` is in listing order."""
    coloured, seen = _coloured(), Counter[str]()
    found = {}
    for name, own_family in family_of.items():
        family = coloured.get(own_family, coloured[_LIKE_OWN])
        place = seen[family.name]
        seen[family.name] += 1
        found[name] = Look(stand_in(_variable(family, place % len(family.light))), _MARKERS[place % len(_MARKERS)])
    return found


class Labels:
    """Texts that stand in the figure as place holders until it is SVG."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def hold(self, text: str) -> str:
        """A place holder for a text; the text itself is made safe."""
        self._texts.append(html.escape(plain(text, LONGEST_TEXT_IN_FIGURE)))
        return f"@@{len(self._texts) - 1}@@"

    def name(self, text: str) -> str:
        """A place holder for an approach's name, shortened to its room."""
        return self.hold(plain(text, LONGEST_LABEL))

    def put_in(self, svg: str) -> str:
        """The SVG with the texts themselves."""
        return re.sub(r"@@(\d+)@@", lambda match: self._texts[int(match.group(1))], svg)


@contextmanager
def drawing_settings(name: str) -> Iterator[None]:
    """Matplotlib's settings while a figure is drawn and written: quiet axes, text as text, ids that don't change."""
    import matplotlib

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"tabbench-{name}",
        "font.family": ["DejaVu Sans"],
        "font.size": 9.0,
        "text.color": stand_in("ink"),
        "text.parse_math": False,
        "axes.edgecolor": stand_in("grid"),
        "axes.labelcolor": stand_in("muted"),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": stand_in("grid"),
        "grid.linewidth": 0.7,
        "xtick.color": stand_in("grid"),
        "xtick.labelcolor": stand_in("muted"),
        "ytick.color": stand_in("grid"),
        "ytick.labelcolor": stand_in("muted"),
        "ytick.major.size": 0.0,
        "xtick.minor.size": 0.0,
    }
    with matplotlib.rc_context(settings):
        yield


def to_inline_svg(figure: Any, labels: Labels, *, name: str, title: str) -> str:
    """A figure as an `<svg>` element: scalable, described for screen readers, the same bytes for the same figure."""
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    svg = text[text.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)
    box = re.search(r'viewBox="([^"]+)"', svg)
    if box is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox")
    head = (f'<svg class="figure-{name}" viewBox="{box.group(1)}" role="img" aria-label="{html.escape(plain(title))}" '
            'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">')
    svg = head + svg[svg.index(">") + 1 :]
    # Several figures stand in one page, and an id may occur in it only once.
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    # The page's own typeface; matplotlib's versions differ in how they write theirs.
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    for token, colour in _stand_ins().items():
        svg = svg.replace(colour, f"var(--{token})")
    return labels.put_in(svg)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near to the wanted ones as a least gap allows, within [low, high] as far as there is room.

    >>> spread([0.5, 0.5, 0.9], 0.25, 0.0, 1.0)
    [0.5, 0.75, 1.0]
    """
    order = sorted(range(len(wanted)), key=lambda place: (wanted[place], place))
    placed = [0.0] * len(wanted)
    floor = low
    for place in order:
        placed[place] = max(floor, wanted[place])
        floor = placed[place] + gap
    ceiling = high
    for place in reversed(order):
        placed[place] = min(ceiling, placed[place])
        ceiling = placed[place] - gap
    return placed


def thinned(positions: Iterable[float], gap: float) -> list[float]:
    """Ascending positions at least `gap` apart; the last one is always kept, since it is the full size."""
    kept: list[float] = []
    for position in sorted(positions, reverse=True):
        if not kept or kept[-1] - position >= gap:
            kept.append(position)
    return kept[::-1]
