"""Values as people read them, in one line and without a terminal's control characters."""

from datetime import UTC, datetime


def plain(text: str) -> str:
    """Return a text with every character that cannot be printed written as an escape.

    Names, reasons and records come from outside; none of them may move a reader's cursor.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def when(at_ms: int | None) -> str:
    """Return a time in milliseconds since the epoch as UTC, to the second."""
    if at_ms is None:
        return "-"
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return f"{at_ms} ms"


def duration(us: float) -> str:
    """Return a duration given in microseconds."""
    if us < 1000:
        return f"{us:.0f} µs"
    return f"{us / 1000:.1f} ms" if us < 1_000_000 else f"{us / 1_000_000:.1f} s"


def size(count: int | None) -> str:
    """Return a number of bytes."""
    if count is None:
        return "-"
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def rate(per_second: float | None) -> str:
    """Return records a second; `-` where there is no telling."""
    if per_second is None:
        return "-"
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{per_second:.2g}/s"


def counted(count: int, noun: str) -> str:
    """Return a number of things: `1 record`, `2,000 records`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
