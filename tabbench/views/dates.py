"""Dates as numbers: the parts in which people think of a date, and a running day."""

from __future__ import annotations

import numpy as np
import pandas as pd

CALENDAR_PARTS = ("year", "month", "day", "weekday", "day_number")
SECONDS_PER_DAY = 86_400


def part_names(values: pd.Series) -> tuple[str, ...]:
    """The parts that these dates have: the hour only where one of them has a time of day."""
    moments = values.dropna()
    has_time = bool((moments != moments.dt.normalize()).any())
    return (*CALENDAR_PARTS, "hour") if has_time else CALENDAR_PARTS


def date_parts(values: pd.Series, names: tuple[str, ...]) -> np.ndarray:
    """Float64 (n, len(names)), NaN where the date is missing. The hour has a fraction; day 0 is 1970-01-01."""
    dates = values.dt
    days = (dates.normalize() - pd.Timestamp(0)).dt.total_seconds() / SECONDS_PER_DAY
    seconds = dates.hour * 3600 + dates.minute * 60 + dates.second
    parts = {"year": dates.year, "month": dates.month, "day": dates.day, "weekday": dates.day_of_week,
             "day_number": days, "hour": seconds / 3600}
    return np.column_stack([parts[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names])
