"""The demo as a program: where the flow lives, what runs beside the story, and how it ends."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console

from modelstream.demo.chapters import CHAPTERS
from modelstream.demo.lines import Lines
from modelstream.demo.producer import Producer
from modelstream.demo.screen import Screen
from modelstream.demo.service import Service
from modelstream.demo.story import Story
from modelstream.demo.watch import Watch
from modelstream.demo.world import load_biopsies
from modelstream.engines.background import Background
from modelstream.engines.topics import prepare
from modelstream.errors import ModelstreamError
from modelstream.flow import load_flow
from modelstream.log import open_log

_FLOW = """\
# The flow of `modelstream demo`: diagnoses of biopsies, by the model that is current.
name = "biopsies"
log = "file:./log"
"""
_RECORDS_PER_SECOND = 500.0
# How long records stream: long enough to look at, or only to be sure.
_SECONDS_LIVE = 22.0
_SECONDS_PLAIN = 8.0
# Windows of answers in the story, counted as the time they take.
_WINDOWS = 8.5
# A window goes through all patients that stream, so that accuracies can be compared.
_PACE_MIN = 300
# A record that every run sends, whole.
_A_KEY = "biopsy-001000"


def tell(keep: Path | None, seconds: float | None, live: bool | None) -> bool:
    """Tell the story on standard output; return whether all of it held. Raises ModelstreamError."""
    console = Console()
    live = console.is_terminal if live is None else live
    if seconds is None:
        seconds = _SECONDS_LIVE if live else _SECONDS_PLAIN
    with _directory(keep) as directory, _quiet():
        broken = play(directory, console, seconds, live=live)
    for text in broken:
        console.out(f"BROKEN: {text}", highlight=False)
    if not broken:
        console.out(_farewell(keep), highlight=False)
    return not broken


def play(directory: Path, console: Console, seconds: float, *, live: bool) -> list[str]:
    """Play the story in an empty directory; return what did not hold. Raises ModelstreamError."""
    (directory / "flow.toml").write_text(_FLOW, encoding="utf-8")
    flow = load_flow(directory / "flow.toml")
    titles = [chapter.title for chapter in CHAPTERS]
    train, stream = load_biopsies()
    with ExitStack() as stack:
        log = stack.enter_context(closing(open_log(flow.log)))
        prepare(flow, log)
        (topic,) = flow.record_topics
        producer = Producer(log, topic, stream, _RECORDS_PER_SECOND)
        service = Service(log, flow)
        watch = Watch(log, flow, producer.truth)
        screen = Screen(console, titles, producer, service, watch)
        story = Story(
            flow=flow,
            log=log,
            files=directory,
            train=train,
            producer=producer,
            watch=watch,
            serving=stack.enter_context(Background("service", service.run)),
            producing=stack.enter_context(Background("producer", producer.run)),
            teller=screen if live else Lines(console, titles),
            pace=max(_PACE_MIN, int(_RECORDS_PER_SECOND * seconds / _WINDOWS)),
        )
        with screen.showing() if live else nullcontext():
            _tell_chapters(story)
    return story.broken


def _tell_chapters(story: Story) -> None:
    """Tell the chapters in order; what cannot go on is told as broken, like a check."""
    for number, chapter in enumerate(CHAPTERS):
        story.teller.begin(number)
        try:
            chapter.act(story)
        except ModelstreamError as error:
            story.check(False, f"{chapter.title}: {error}")
            return
    story.teller.end()


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """Return an empty directory, which stays only where it was asked for."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="modelstream-demo-") as name:
            yield Path(name)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        used = any(keep.iterdir())
    except OSError as error:
        raise ModelstreamError(f"cannot use {keep}: {error}; give a directory") from error
    if used:
        raise ModelstreamError(f"{keep} is not empty; give a directory that is, or a new one")
    yield keep


@contextmanager
def _quiet() -> Iterator[None]:
    """Let modelstream log warnings alone; the story itself tells the rest."""
    logger = logging.getLogger("modelstream")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _farewell(keep: Path | None) -> str:
    """Return what to do next."""
    flow = f"{keep or './demo'}/flow.toml"
    commands = {
        "modelstream demo --keep ./demo": "the same, but the log stays; then",
        f"modelstream models {flow}": "every version, and why two were refused",
        f"modelstream explain {flow} {_A_KEY}": "why that record has its answer",
        f"modelstream verify {flow}": "the invariants, from the topics alone",
    }
    if keep:
        commands.pop("modelstream demo --keep ./demo")
    width = max(map(len, commands))
    told = [f"  {command:{width}}  {what}" for command, what in commands.items()]
    return "\n".join(["All of it held. What you can do next:", *told])
