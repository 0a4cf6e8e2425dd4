import threading
from pathlib import Path

import pytest

from modelstream.demo import story as module
from modelstream.demo.producer import Producer
from modelstream.demo.story import Story, Stuck
from modelstream.demo.teller import Mark
from modelstream.demo.watch import Watch
from modelstream.demo.world import load_biopsies
from modelstream.engines.background import Background
from modelstream.engines.topics import prepare
from modelstream.errors import LogError
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog


class Heard:
    """A teller that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[Mark, str]] = []

    def begin(self, chapter: int) -> None:
        pass

    def end(self) -> None:
        pass

    def tell(self, mark: Mark, text: str) -> None:
        self.told.append((mark, text))


def idle(stop: threading.Event) -> None:
    stop.wait()


def story_of(heard: Heard, serving: Background | None = None) -> Story:
    flow, log = Flow(name="biopsies"), MemoryLog()
    prepare(flow, log)
    train, stream = load_biopsies()
    producer = Producer(log, "biopsies.records", stream, 100)
    return Story(
        flow=flow,
        log=log,
        files=Path(),
        train=train,
        producer=producer,
        watch=Watch(log, flow, producer.truth),
        producing=Background("producer", idle),
        serving=serving or Background("service", idle),
        teller=heard,
        pace=1,
    )


def test_a_check_that_does_not_hold_is_told_and_kept() -> None:
    heard = Heard()
    story = story_of(heard)
    story.check(True, "the sky is blue")
    story.check(False, "the sea is dry")
    assert heard.told == [("held", "the sky is blue"), ("broken", "the sea is dry")]
    assert story.broken == ["the sea is dry"]


def test_what_the_rest_needs_ends_the_story() -> None:
    story = story_of(Heard())
    story.need(True, "the sky is blue")
    with pytest.raises(Stuck):
        story.need(False, "the sea is dry")
    assert story.broken == ["the sea is dry"]


def test_a_wait_ends_in_time_and_says_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEMO_STEP_SECONDS_MAX", 0.0)
    with pytest.raises(Stuck, match="the sea is dry: not so after 0 s"):
        story_of(Heard()).until(lambda: False, "the sea is dry")


def test_a_wait_raises_what_ended_a_thread() -> None:
    def fail(stop: threading.Event) -> None:
        raise LogError("the disk is full")

    with Background("service", fail) as serving:
        story = story_of(Heard(), serving)
        with pytest.raises(LogError, match="full"):
            story.until(lambda: False, "anything")
