"""The kinds of values that arguments hold: a text to a value, or why it cannot be one."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from modelstream.formats.location import is_location
from modelstream.formats.packing import is_model_directory


def file(text: str) -> Path:
    """Return the path of a file that is there."""
    path = Path(text)
    if not path.exists():
        raise ArgumentTypeError(f"there is no file {text!r}")
    if path.is_dir():
        raise ArgumentTypeError(f"{text!r} is a directory; give a file")
    return path


def model(text: str) -> Path | str:
    """Return the path of a model that is there, a file or a SavedModel's directory, or its URL."""
    if is_location(text):
        return text
    path = Path(text)
    return path if is_model_directory(path) else file(text)


def file_or_stdin(text: str) -> Path:
    """Return the path of a file that is there, or `-`."""
    return Path(text) if text == "-" else file(text)


def names(text: str) -> tuple[str, ...]:
    """Return names that commas part."""
    return tuple(name.strip() for name in text.split(","))


def character(text: str) -> str:
    """Return one character; a tab may be written as `tab` too."""
    text = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise ArgumentTypeError(f"{text!r} is not one character, such as ';' or tab")
    return text


def shares(text: str) -> tuple[float, ...]:
    """Return shares, written as `0.05` or `5%`."""
    try:
        return tuple(
            float(each.strip().rstrip("%")) / (100 if each.strip().endswith("%") else 1)
            for each in text.split(",")
        )
    except ValueError:
        raise ArgumentTypeError(f"{text!r} are no shares, such as 1%,10%,50%") from None


def metric(text: str) -> tuple[str, float]:
    """Return a name and its number."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as rmse=0.58") from None


def named_version(text: str) -> str:
    """Return a name and a version, as a person writes them."""
    if not all(text.rpartition("@")):
        raise ArgumentTypeError(f"{text!r} is not NAME@VERSION, such as forest@2")
    return text


def attribute(text: str) -> tuple[str, str]:
    """Return a module and the name of something in it."""
    module, _, name = text.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise ArgumentTypeError(f"{text!r} is not MODULE:NAME, such as train:model")
    return module, name


def time_ms(text: str) -> int:
    """Return a time in milliseconds since the epoch; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time, such as 2026-01-31T12:00:00Z") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a type of whole numbers, from `least` to `most`."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise ArgumentTypeError(
                f"{text!r} is not a whole number from {least}"
                + ("" if most is None else f" to {most}")
            )
        return int(text)

    return number


def seconds(text: str) -> float:
    """Return a duration in seconds."""
    return _number(text, "a number of seconds from 0 up", lambda value: value >= 0)


def positive(text: str) -> float:
    """Return a number above 0."""
    return _number(text, "a number above 0", lambda value: value > 0)


def _number(text: str, wanted: str, fits: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not fits(value):
        raise ArgumentTypeError(f"{text!r} is not {wanted}")
    return value
