"""Patterns that dates and times are written by: those of POSIX strftime, in English.

DMG 4.4, Built-in functions: formatDatetime. Python's own depends on the locale and the platform.
"""

import re
from collections.abc import Callable
from datetime import datetime

from modelstream.errors import UnsupportedModel

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_CLOCK = frozenset("HIMSpRTrXnt%")
# Conversions that stand for others.
_SHORT = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "T": "%H:%M:%S",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}
_CONVERSIONS: dict[str, Callable[[datetime], str]] = {
    "a": lambda moment: _DAYS[moment.weekday()][:3],
    "A": lambda moment: _DAYS[moment.weekday()],
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "C": lambda moment: f"{moment.year // 100:02d}",
    "d": lambda moment: f"{moment.day:02d}",
    "e": lambda moment: f"{moment.day:2d}",
    "g": lambda moment: f"{moment.isocalendar().year % 100:02d}",
    "G": lambda moment: f"{moment.isocalendar().year:04d}",
    "h": lambda moment: _MONTHS[moment.month - 1][:3],
    "H": lambda moment: f"{moment.hour:02d}",
    "I": lambda moment: f"{(moment.hour - 1) % 12 + 1:02d}",
    "j": lambda moment: f"{moment.timetuple().tm_yday:03d}",
    "m": lambda moment: f"{moment.month:02d}",
    "M": lambda moment: f"{moment.minute:02d}",
    "n": lambda _: "\n",
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "S": lambda moment: f"{moment.second:02d}",
    "t": lambda _: "\t",
    "u": lambda moment: f"{moment.isoweekday()}",
    "U": lambda moment: f"{_week(moment, moment.isoweekday() % 7):02d}",
    "V": lambda moment: f"{moment.isocalendar().week:02d}",
    "w": lambda moment: f"{moment.isoweekday() % 7}",
    "W": lambda moment: f"{_week(moment, moment.weekday()):02d}",
    "y": lambda moment: f"{moment.year % 100:02d}",
    "Y": lambda moment: f"{moment.year:04d}",
    "%": lambda _: "%",
}


def date_writer(pattern: str, *, clock: bool) -> Callable[[datetime], str]:
    """Return what writes a moment by a pattern; with `clock` it may ask for times alone.

    Raises UnsupportedModel for a conversion that is not evaluated.
    """
    parts: list[str | Callable[[datetime], str]] = []
    for text, conversion in re.findall(r"([^%]+)|%(.?)", _spelled_out(pattern), re.DOTALL):
        if text:
            parts.append(text)
            continue
        write = _CONVERSIONS.get(conversion)
        if write is None or (clock and conversion not in _CLOCK):
            raise UnsupportedModel(
                f"function 'formatDatetime': conversion %{conversion} of {pattern!r:.80} is not "
                f"evaluated; supported: {', '.join(sorted({*_CONVERSIONS, *_SHORT}))}, of a time "
                f"without a date {', '.join(sorted(_CLOCK))}"
            )
        parts.append(write)
    return lambda moment: "".join(p if isinstance(p, str) else p(moment) for p in parts)


def _spelled_out(pattern: str) -> str:
    def spell(found: re.Match[str]) -> str:
        return _SHORT.get(found.group(1), found.group())

    return re.sub(r"%(.)", spell, pattern, flags=re.DOTALL)


def _week(moment: datetime, weekday: int) -> int:
    """Return the week of the year; days before the first weekday 0 are in week 0."""
    return (moment.timetuple().tm_yday + 6 - weekday) // 7
