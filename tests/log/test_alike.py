"""The log on disk does what the log in memory does, whatever is asked of the two."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from modelstream.errors import ModelstreamError
from modelstream.limits import LEASE_MS
from modelstream.log.base import Consumer, Log
from modelstream.log.disk import DiskLog
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, RecordBatch
from modelstream.messages import TopicPartition as Part
from tests.support.logs import BYTES, WoundClock

TOPICS = {"plain": 2, "kept": 1, "compact": 2}
SOURCES = [Part(topic, number) for topic, count in TOPICS.items() for number in range(count)]
KEYS = [b"", b"k", b"l", b"m"]
NOON = WoundClock().now

sources = st.sampled_from(SOURCES)
instances = st.sampled_from(["x", "y", "z"])
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=6)
times = st.integers(NOON - 2000, NOON + 2000)
Ask = Callable[[int], Any]


@st.composite
def appends(draw: st.DrawFn) -> Outgoing:
    """Mostly good; some go to an unknown topic or partition, or lack a key that they need."""
    count = draw(st.integers(1, 5))

    def column(item: st.SearchStrategy[Any]) -> Any:
        return draw(st.none() | st.lists(item, min_size=count, max_size=count))

    return Outgoing(
        draw(st.sampled_from([*TOPICS, "plain", "kept", "unknown"])),
        [b"%d" % number for number in range(count)],
        column(st.none() | st.sampled_from(KEYS)),
        draw(st.sampled_from([None, None, None, 0, 1])),
        column(times),
        column(st.sampled_from([[], [("h", b"v")]])),
    )


class Pair(RuleBasedStateMachine):
    """Tells both logs the same, and compares what they answer, errors included."""

    @initialize()
    def open_both(self) -> None:
        self.clock = WoundClock()
        self.directory = Path(tempfile.mkdtemp())
        disk = DiskLog(self.directory / "log", clock=self.clock)
        self.logs: list[Log] = [MemoryLog(self.clock), disk]
        self.members: dict[str, list[Consumer]] = {}
        for log in self.logs:
            log.create_topic("plain", 2)
            log.create_topic("kept", retention_ms=1000)
            log.create_topic("compact", 2, compacted=True)
        for instance in ("x", "y", "z"):
            self.join(instance, list(TOPICS))

    def teardown(self) -> None:
        self.logs[1].close()
        shutil.rmtree(self.directory)

    def alike(self, ask: Ask) -> Any:
        memory, disk = answer(ask, 0), answer(ask, 1)
        assert memory == disk
        return memory

    def join(self, instance: str, topics: list[str]) -> None:
        self.members[instance] = [log.consumer("g", topics, instance=instance) for log in self.logs]

    @rule(outgoing=appends())
    def append(self, outgoing: Outgoing) -> None:
        self.alike(lambda which: self.logs[which].append(outgoing))

    @rule(keys=keys)
    def update(self, keys: list[bytes]) -> None:
        values = [b"%d" % number for number in range(len(keys))]
        self.alike(lambda which: self.logs[which].append(Outgoing("compact", values, keys)))

    @rule(count=st.sampled_from([999, 1000, 1001, 2500]))
    def append_many(self, count: int) -> None:
        many = Outgoing("plain", [b"%d" % n for n in range(count)], None, 0, range(count))
        self.alike(lambda which: self.logs[which].append(many))

    @rule(ms=st.sampled_from([1, 999, 1001, LEASE_MS + 1, -10_000_000]))
    def wind(self, ms: int) -> None:
        self.clock.wind(ms)

    @rule(source=sources, offset=st.integers(-1, 20), time=times)
    def delete(self, source: Part, offset: int, time: int) -> None:
        self.alike(lambda which: self.logs[which].delete_before(*source, offset))
        self.alike(lambda which: self.logs[which].offset_at(*source, time))

    @rule(
        source=sources,
        back=st.integers(-1, 30),
        records=st.integers(1, 3000),
        size=st.integers(1, 99),
    )
    def read(self, source: Part, back: int, records: int, size: int) -> None:
        offset = self.logs[0].bounds(*source)[1] - back
        self.alike(lambda which: self.logs[which].read(*source, offset, records, size))

    @rule(instance=instances, topics=st.sampled_from([["plain"], ["kept", "compact"], [*TOPICS]]))
    def replace(self, instance: str, topics: list[str]) -> None:
        self.join(instance, topics)

    @rule(instance=instances)
    def leave(self, instance: str) -> None:
        self.alike(lambda which: self.members[instance][which].close())
        self.join(instance, [*TOPICS])

    @rule(
        instance=instances,
        records=st.sampled_from([1, 3, 2000]),
        size=st.sampled_from([1, 20, BYTES]),
        back=st.sampled_from([0, 0, 0, 1, -1]),
        results=st.lists(appends(), max_size=2),
    )
    def turn(
        self, *, instance: str, records: int, size: int, back: int, results: Sequence[Outgoing]
    ) -> None:
        members = self.members[instance]
        batches = self.alike(lambda which: members[which].poll(records, 0, size))
        moves = {Part(topic, number): after - back for topic, number, after, *_ in batches}
        self.alike(lambda which: members[which].commit(moves, results))

    @rule(instance=instances, back=st.integers(-1, 3))
    def rewind(self, instance: str, back: int) -> None:
        members = self.members[instance]
        batches = self.alike(lambda which: members[which].poll(5, 0, BYTES))
        moves = {Part(topic, number): after - back for topic, number, after, *_ in batches}
        self.alike(lambda which: members[which].rewind(moves))

    @rule(instance=instances, source=sources, pause=st.booleans())
    def pause(self, instance: str, source: Part, pause: bool) -> None:
        members = self.members[instance]
        name = "pause" if pause else "resume"
        self.alike(lambda which: getattr(members[which], name)([source]))

    @invariant()
    def same_state(self) -> None:
        def state(which: int) -> Any:
            log = self.logs[which]
            members = [both[which] for both in self.members.values()]
            return (
                [(log.bounds(*source), log.committed("g", *source)) for source in SOURCES],
                [(member.assignment(), member.lag()) for member in members],
            )

        self.alike(state)


def answer(ask: Ask, which: int) -> Any:
    try:
        told = ask(which)
    except ModelstreamError as error:
        return type(error), str(error)
    if isinstance(told, list):
        return [plain(batch) for batch in told]
    return plain(told) if isinstance(told, RecordBatch) else told


def plain(batch: RecordBatch) -> tuple[Any, ...]:
    columns = (batch.offsets, batch.values, batch.timestamps, batch.keys, batch.headers)
    lists = (None if column is None else list(column) for column in columns)
    return (batch.topic, batch.partition, batch.next_offset, *lists)


TestPair = Pair.TestCase
TestPair.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
