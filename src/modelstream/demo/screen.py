"""The story as one live screen: chapters, the course of the accuracy, versions, what happens.

`picture` only reads what `watch`, `service` and `producer` show; rich calls it some times a second
from a thread of its own.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from modelstream.demo.chart import chart, recent_accuracy
from modelstream.demo.producer import Producer
from modelstream.demo.service import Service, VersionLine
from modelstream.demo.teller import Mark
from modelstream.demo.watch import Watch
from modelstream.messages import VersionId

_MARKS: dict[Mark, tuple[str, str]] = {
    "event": ("◆", "cyan"),
    "fact": ("·", ""),
    "held": ("✓", "green"),
    "broken": ("✗", "bold red"),
}
_COLOURS = ("yellow", "green", "magenta", "blue", "cyan")
_TOLD_LINES = 7
_CHART_LINES = 5
# Points whose accuracy is told as a number: 200 answers, some 3 % of noise.
_RECENT_POINTS = 8
_FRAMES_PER_SECOND = 8
_RATE_SECONDS = 2.0
# Columns that the panel's border and the space between two columns take.
_FRAME_COLUMNS = 6


class Screen:
    """A teller that draws; use `showing` around the story."""

    def __init__(
        self,
        console: Console,
        titles: Sequence[str],
        producer: Producer,
        service: Service,
        watch: Watch,
    ) -> None:
        self._console, self._titles = console, titles
        self._producer, self._service, self._watch = producer, service, watch
        self._chapter = -1
        self._told: deque[tuple[Mark, str]] = deque(maxlen=_TOLD_LINES)
        self._counts: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Draw while in the block; the last picture stays."""
        with Live(
            get_renderable=self.picture,
            console=self._console,
            refresh_per_second=_FRAMES_PER_SECOND,
        ):
            yield

    def begin(self, chapter: int) -> None:
        """Go on to a chapter."""
        self._chapter = chapter

    def end(self) -> None:
        """Show every chapter as done."""
        self._chapter = len(self._titles)

    def tell(self, mark: Mark, text: str) -> None:
        """Add a line to what happened."""
        self._told.append((mark, text))

    def picture(self) -> RenderableType:
        """Return the screen of this moment."""
        versions = self._service.versions
        colours = _colours(versions)
        left = max(map(len, self._titles)) + 2  # a mark and a blank before each
        middle = Table.grid(expand=True, padding=(0, 2, 0, 0))
        middle.add_column(width=left)
        middle.add_column(ratio=1)
        width = self._console.width - left - _FRAME_COLUMNS
        middle.add_row(
            self._chapters(), Group(*self._accuracy(width, colours), _versions(versions, colours))
        )
        return Panel(
            Group(self._figures(), Text(), middle, Text(), *self._happened()),
            title="modelstream demo: diagnoses of 569 real biopsies",
            border_style="dim",
        )

    def _figures(self) -> Text:
        """Return the counts in one line."""
        outcomes, rejected = len(self._watch.outcomes), len(self._watch.rejected)
        return Text(
            f"{len(self._producer.truth):,} records sent · {outcomes - rejected:,} answered · "
            f"dead letters: {rejected} · {self._per_second(outcomes):,.0f} records/s",
            style="bold",
            no_wrap=True,
            overflow="ellipsis",
        )

    def _per_second(self, outcomes: int) -> float:
        """Return the outcomes a second, over the last moments."""
        now = time.monotonic()
        self._counts.append((now, outcomes))
        while len(self._counts) > 2 and now - self._counts[0][0] > _RATE_SECONDS:
            self._counts.popleft()
        since, before = self._counts[0]
        return (outcomes - before) / (now - since) if now > since else 0.0

    def _chapters(self) -> Text:
        lines = []
        for number, title in enumerate(self._titles):
            if number < self._chapter:
                lines.append(Text(f"✓ {title}", "green"))
            elif number == self._chapter:
                lines.append(Text(f"▶ {title}", "bold"))
            else:
                lines.append(Text(f"  {title}", "dim"))
        return Text("\n").join(lines)

    def _accuracy(self, width: int, colours: Mapping[VersionId, str]) -> list[Text]:
        points = list(self._watch.points)
        recent = recent_accuracy(points, _RECENT_POINTS)
        told = "no answer yet" if recent is None else f"{recent:.1%} of the last answers"
        return [Text(f"right: {told}"), *chart(points, width, _CHART_LINES, colours)]

    def _happened(self) -> list[Text]:
        """Return what was told last, as lines that end at the screen's edge."""
        lines = []
        for mark, text in list(self._told):
            sign, style = _MARKS[mark]
            lines.append(Text(f"{sign} {text}", style, no_wrap=True, overflow="ellipsis"))
        return lines + [Text()] * (_TOLD_LINES - len(lines))


def _colours(versions: Sequence[VersionLine]) -> dict[VersionId, str]:
    return {line.id: _COLOURS[i % len(_COLOURS)] for i, line in enumerate(versions)}


def _versions(lines: Sequence[VersionLine], colours: Mapping[VersionId, str]) -> Table:
    """Return a table of every version; durations are those of score calls."""
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("version", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name in ("uses", "p50 µs", "p99 µs"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        stats = line.stats
        table.add_row(
            Text(f"{line.id} {line.format}", colours[line.id]),
            line.state,
            f"{stats.uses:,}",
            f"{stats.p50_us:,.0f}",
            f"{stats.p99_us:,.0f}",
        )
    return table
