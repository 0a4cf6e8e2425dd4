import io

import pytest
from rich.console import Console

from modelstream.core.stats import VersionStats
from modelstream.demo.producer import Producer
from modelstream.demo.screen import Screen
from modelstream.demo.service import Service, VersionLine
from modelstream.demo.watch import Point, Tally, Watch
from modelstream.demo.world import load_biopsies
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import VersionId

TITLES = ("Records wait", "A model comes", "Verify")
OLD, NEW = VersionId("tree", "1"), VersionId("logistic", "1")


class Stage:
    """A screen, and what it shows."""

    def __init__(self, width: int = 80) -> None:
        self.console = Console(
            record=True, width=width, height=24, file=io.StringIO(), force_terminal=True
        )
        log, flow = MemoryLog(), Flow(name="biopsies")
        log.create_topic("biopsies.records")
        _, stream = load_biopsies()
        self.producer = Producer(log, "biopsies.records", stream, 100)
        self.service = Service(log, flow)
        self.watch = Watch(log, flow, self.producer.truth)
        self.screen = Screen(self.console, TITLES, self.producer, self.service, self.watch)

    def serve(self) -> None:
        stats = VersionStats()
        stats.add(1234, 0, 250.0)
        self.service.versions = (
            VersionLine(OLD, "pmml", "admitted", stats.summary()),
            VersionLine(NEW, "onnx", "current", stats.summary()),
        )
        self.watch.points.extend([Point(OLD, Tally(23, 25)), Point(NEW, Tally(25, 25))])
        self.producer.send(30)
        self.watch.outcomes.update(list(self.producer.truth)[:20])
        self.watch.rejected.update(list(self.producer.truth)[:1])

    def drawn(self) -> str:
        self.console.print(self.screen.picture())
        return self.console.export_text()


def test_the_first_picture_needs_nothing_yet() -> None:
    drawn = Stage().drawn()
    assert "0 records sent" in drawn
    assert "no answer yet" in drawn
    assert all(title in drawn for title in TITLES)


def test_the_picture_shows_counts_accuracy_versions_and_where_the_story_is() -> None:
    stage = Stage()
    stage.serve()
    stage.screen.begin(1)
    stage.screen.tell("event", "logistic@1 is current")
    stage.screen.tell("broken", "[the sea] is dry")
    drawn = stage.drawn()
    assert "30 records sent · 19 answered · dead letters: 1" in drawn
    assert "right: 96.0% of the last answers" in drawn
    assert "✓ Records wait" in drawn
    assert "▶ A model comes" in drawn
    assert "  Verify" in drawn
    assert "◆ logistic@1 is current" in drawn
    assert "✗ [the sea] is dry" in drawn
    (tree,) = [line for line in drawn.splitlines() if "tree@1 pmml" in line]
    assert tree.split()[-6:-1] == ["pmml", "admitted", "1,234", "250", "250"]


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_picture_fits_the_terminal(width: int) -> None:
    stage = Stage(width)
    stage.serve()
    for _ in range(20):
        stage.screen.tell("fact", "a long word " * 40)
    lines = stage.drawn().splitlines()
    assert len(lines) <= 24
    assert {len(line) for line in lines} == {width}


def test_the_last_picture_stays_with_every_chapter_done() -> None:
    stage = Stage()
    with stage.screen.showing():
        stage.screen.begin(2)
        stage.screen.end()
    last = stage.console.export_text().split("╭")[-1]
    assert all(f"✓ {title}" in last for title in TITLES)


def test_a_story_that_broke_off_does_not_look_finished() -> None:
    stage = Stage()
    with stage.screen.showing():
        stage.screen.begin(1)
    last = stage.console.export_text().split("╭")[-1]
    assert "▶ A model comes" in last
