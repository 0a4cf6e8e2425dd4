"""The story: what its chapters share, how they wait, and what was checked on the way.

A chapter waits for counts and events, never for time to pass; a time limit ends a story that is
stuck.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modelstream.demo.producer import Producer
from modelstream.demo.teller import Teller, in_words
from modelstream.demo.watch import Tally, Watch, Window
from modelstream.demo.world import Biopsies
from modelstream.engines.background import Background
from modelstream.errors import ModelstreamError
from modelstream.events import RegistryEvent
from modelstream.flow import Flow
from modelstream.limits import DEMO_STEP_SECONDS_MAX
from modelstream.log.base import Log
from modelstream.messages import Position
from modelstream.publishing import publish

_POLL_SECONDS = 0.02


# Registry events that one message caused, by registry offset.
Verdict = dict[int, RegistryEvent]


class Stuck(ModelstreamError):
    """Something that the rest of the story rests on did not happen, or not in time."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the chapters work with. `pace` is the number of answers that one window waits for."""

    flow: Flow
    log: Log
    files: Path
    train: Biopsies
    producer: Producer
    watch: Watch
    producing: Background
    serving: Background
    teller: Teller
    pace: int
    broken: list[str] = field(default_factory=list)

    def fact(self, text: str) -> None:
        """Tell what was seen."""
        self.teller.tell("fact", text)

    def check(self, held: bool, text: str) -> None:
        """Tell what should be so, and whether it is; the story fails in the end if it is not."""
        self.teller.tell("held" if held else "broken", text)
        if not held:
            self.broken.append(text)

    def need(self, held: bool, text: str) -> None:
        """Check what the rest of the story rests on. Raises Stuck where it does not hold."""
        self.check(held, text)
        if not held:
            raise Stuck("the story cannot go on from here")

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Watch until something is so. Raises Stuck, and what ended a thread."""
        deadline = time.monotonic() + DEMO_STEP_SECONDS_MAX
        while True:
            self.producing.raise_error()
            self.serving.raise_error()
            for event in self.watch.poll():
                self.teller.tell("event", in_words(event))
            if done():
                return
            if time.monotonic() > deadline:
                raise Stuck(f"{what}: not so after {DEMO_STEP_SECONDS_MAX:.0f} s")
            time.sleep(_POLL_SECONDS)

    def publish(
        self, file: str, artifact: bytes, name: str, feature_names: Sequence[str] = ()
    ) -> Verdict:
        """Publish an artifact as a file, as a user would; return the verdict."""
        path = self.files / file
        path.write_bytes(artifact)
        position = publish(self.log, self.flow, path, name=name, feature_names=feature_names)
        return self.verdict(position)

    def verdict(self, position: Position) -> Verdict:
        """Wait for what the registry says of a message of the models topic, by offset."""
        self.until(lambda: bool(self.watch.verdict(position)), f"a verdict on {position}")
        return self.watch.verdict(position)

    def answers(self, window: Window) -> Tally:
        """Wait for `pace` answers in a window; return their count."""
        self.until(
            lambda: self.watch.tally(window).total >= self.pace,
            f"{self.pace} answers of {window.version}",
        )
        return self.watch.tally(window)
