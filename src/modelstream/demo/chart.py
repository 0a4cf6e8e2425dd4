"""The course of the accuracy as a chart of block characters, each column in its version's colour."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.text import Text

from modelstream.demo.watch import Point, Tally
from modelstream.messages import VersionId

_BLOCKS = " ▁▂▃▄▅▆▇█"
_STEPS = len(_BLOCKS) - 1


def chart(
    points: Sequence[Point], width: int, height: int, colours: Mapping[VersionId, str]
) -> list[Text]:
    """Return `height` lines of at most `width` columns; a full column is an accuracy of 1."""
    columns = _merged(points, width)
    lines = []
    for row in range(height - 1, -1, -1):
        line = Text(no_wrap=True)
        for point in columns:
            filled = round(point.tally.accuracy * height * _STEPS) - row * _STEPS
            block = _BLOCKS[min(max(filled, 0), _STEPS)]
            line.append(block, style=colours.get(point.version, ""))
        lines.append(line)
    return lines


def recent_accuracy(points: Sequence[Point], count: int) -> float | None:
    """Return the share of right answers in the last `count` points, None without any."""
    tally = _sum(points[-count:])
    return tally.accuracy if tally.total else None


def _merged(points: Sequence[Point], width: int) -> list[Point]:
    """Put neighbours together until there are no more than `width` columns of about one size.

    A column has the colour of the last version in it.
    """
    columns = min(width, len(points))
    edges = [index * len(points) // columns for index in range(columns)] + [len(points)]
    groups = (points[start:end] for start, end in pairwise(edges))
    return [Point(group[-1].version, _sum(group)) for group in groups]


def _sum(points: Sequence[Point]) -> Tally:
    right = sum(point.tally.right for point in points)
    return Tally(right, sum(point.tally.total for point in points))
