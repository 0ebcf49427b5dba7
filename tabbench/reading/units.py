"""Units, currencies and magnitudes as they stand behind or before a number, and what converts into what."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np


class Unit(NamedTuple):
    """A unit that converts into others of its dimension: base = value * factor + offset."""

    name: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)


PER_CENT, CLOCK = "%", "hh:mm"
MILLION = 6

_UNITS = {
    "mass": {"mg": "1/1000000 mgs milligram milligrams", "g": "1/1000 gr gram grams", "kg": "1 kgs kilo kilos kilogram kilograms",
             "t": "1000 tonne tonnes", "lb": "0.45359237 lbs pound pounds", "oz": "0.028349523125 ounce ounces",
             "st": "6.35029318 stone"},
    "length": {
        "µm": "1/1000000 um μm", "mm": "1/1000 millimetre millimetres millimeter millimeters",
        "cm": "1/100 cms centimetre centimetres centimeter centimeters",
        "m": "1 metre metres meter meters", "km": "1000 kms kilometre kilometres kilometer kilometers",
        "in": "0.0254 inch inches \"", "ft": "0.3048 foot feet '", "yd": "0.9144 yds yard yards",
        "mi": "1609.344 mile miles"},
    "time": {"ms": "1/1000 msec millisecond milliseconds", "s": "1 sec secs second seconds",
             "min": "60 mins minute minutes", "h": "3600 hr hrs hour hours",
             "d": "86400 day days", "wk": "604800 w wks week weeks"},
    "calendar": {"mo": "1 mos month months", "yr": "12 yrs year years"},
    "area": {"m²": "1 m2 sqm", "ft²": "0.09290304 ft2 sqft", "km²": "1000000 km2", "ha": "10000 hectare hectares",
             "acre": "4046.8564224 acres"},
    "volume": {"ml": "1/1000 millilitre millilitres", "cl": "1/100", "l": "1 litre litres liter liters", "m³": "1000 m3"},
    "power": {"W": "1 watt watts", "kW": "1000", "MW": "1000000", "GW": "1000000000"},
    "energy": {"Wh": "1", "kWh": "1000", "MWh": "1000000", "GWh": "1000000000"},
    "frequency": {"Hz": "1", "kHz": "1000", "MHz": "1000000", "GHz": "1000000000"},
    "data": {"kB": "1000", "MB": "1000000", "GB": "1000000000", "TB": "1000000000000"},
    "speed": {"km/h": "1 kmh kph", "mph": "1.609344 mi/h", "m/s": "3.6"},
}
KNOWN = {spelling: Unit(name, dimension, Fraction(facts.split()[0]))
         for dimension, names in _UNITS.items() for name, facts in names.items() for spelling in (name, *facts.split()[1:])}
KNOWN |= dict.fromkeys(("°C", "ºC"), Unit("°C", "temperature", Fraction(1)))
KNOWN |= dict.fromkeys(("°F", "ºF"), Unit("°F", "temperature", Fraction(5, 9), Fraction(-160, 9)))
_LOWER = {spelling.lower(): unit for spelling, unit in KNOWN.items()}
SHORTEST_IN_ANY_CASE = 2
"""KG is kg, but M is not m."""

MAGNITUDES = {"K": 3, "k": 3, "thousand": 3, "tsd": 3, "M": MILLION, "MM": 6, "Mn": 6, "mn": 6, "mio": 6, "mln": 6, "million": 6,
              "millions": 6, "B": 9, "bn": 9, "mrd": 9, "billion": 9, "billions": 9, "trillion": 12, "lakh": 5, "lakhs": 5,
              "lac": 5, "crore": 7, "crores": 7, "cr": 7}
"""Words that multiply, and the power of ten that they stand for."""
OF_MONEY = {"m": 6, "b": 9, "t": 12}
"""What these letters stand for beside a currency."""

CURRENCIES = {"$": "$", "US$": "$", "USD": "$", "€": "€", "EUR": "€", "£": "£", "GBP": "£", "¥": "¥", "JPY": "¥", "CNY": "CNY",
              "₹": "₹", "Rs": "₹", "Rs.": "₹", "INR": "₹", "₽": "₽", "RUB": "₽", "₩": "₩", "KRW": "₩", "CHF": "CHF", "Fr.": "CHF",
              "R$": "R$", "BRL": "R$", "A$": "A$", "AUD": "A$", "C$": "C$", "CAD": "C$", "SEK": "SEK", "NOK": "NOK", "DKK": "DKK",
              "PLN": "PLN", "zł": "PLN", "CZK": "CZK", "Kč": "CZK", "₺": "₺", "TRY": "₺", "₦": "₦", "฿": "฿", "₫": "₫", "₴": "₴"}
IS_CURRENCY = frozenset(CURRENCIES.values())


def known_unit(text: str) -> Unit | None:
    """The unit that is spelled like this; two letters and more in any case."""
    bare = text if text in KNOWN else text.rstrip(".")
    return KNOWN.get(bare) or (_LOWER.get(bare.lower()) if len(bare) >= SHORTEST_IN_ANY_CASE else None)


def magnitude(text: str) -> int | None:
    """The power of ten that a word such as K, Mio. or lakh stands for."""
    bare = text.rstrip(".")
    return MAGNITUDES.get(bare, MAGNITUDES.get(bare.lower()) if len(bare) > 1 else None)


def is_known(unit: str) -> bool:
    """Whether it is a unit, a currency, a per cent sign or nothing: what a person means by a scale."""
    return not unit or unit in (PER_CENT, CLOCK) or unit in IS_CURRENCY or unit in KNOWN


def is_convertible(unit: str, into: str) -> bool:
    """Whether values in one unit can be converted into another without doubt."""
    if unit == into:
        return True
    return unit in KNOWN and into in KNOWN and KNOWN[unit].dimension == KNOWN[into].dimension


def converted(values: np.ndarray, unit: str, into: str) -> np.ndarray:
    """Float64 values in another unit of the same dimension, rounded as seldom as can be."""
    if unit == into:
        return values
    source, goal = KNOWN[unit], KNOWN[into]
    ratio, shift = source.factor / goal.factor, (source.offset - goal.offset) / goal.factor
    scaled: np.ndarray = values * ratio.numerator / ratio.denominator
    return scaled + float(shift) if shift else scaled
