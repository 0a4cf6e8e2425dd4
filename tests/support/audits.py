"""A flow for tests of the audits, and copies of its log in which something was tampered with."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from modelstream.audit import Report, verify
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, TopicPartition
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until

RECORDS, RESULTS, REJECTS = "wine.records", "wine.results", "wine.rejects"
REGISTRY = "wine.registry"


class Message(NamedTuple):
    """A message of a topic, as a tamperer sees it."""

    value: bytes
    key: bytes | None = None
    timestamp: int = 0

    def json(self) -> Any:
        return json.loads(self.value)

    def saying(self, **fields: Any) -> "Message":
        """Return the message with other fields; those called `model_...` are of its stamp."""
        said = self.json()
        for name, value in fields.items():
            if name.startswith("model_"):
                said["model"][name.removeprefix("model_")] = value
            else:
                said[name] = value
        return self._replace(value=json.dumps(said).encode())


Edit = Callable[[list[Message]], Sequence[Message]]


def story() -> Rig:
    """Return a flow that ran on one partition of 17 records with the keys k0 to k16.

    Records 0 to 11 met plus@1 (as_of 1), and 12 to 16 plus@2 (as_of 3). 5 and 6 were rejected.
    """
    rig = Rig(MemoryLog(), Flow(name="wine"))
    engine = rig.engine()
    try:
        rig.serve(adder(1.0), "plus")
        send_keyed(rig, *({"x": float(i)} for i in range(5)), b"nope", {"y": 1.0})
        send_keyed(rig, *({"x": float(i)} for i in range(7, 12)))
        run_until(engine, lambda: engine.lag() == 0)
        rig.serve(adder(5.0), "plus", "2")
        run_until(engine, lambda: engine.shell.machine.snapshot().plans[0].as_of == 3)
        send_keyed(rig, *({"x": float(i)} for i in range(12, 17)))
        run_until(engine, lambda: engine.lag() == 0)
    finally:
        engine.close()
    return rig


def long_story(records: int) -> Rig:
    """Return a flow in which plus@1 answered so many records, without keys."""
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.serve(adder(1.0), "plus")
    rig.send(*({"x": float(i)} for i in range(records)))
    answer_all(rig)
    return rig


def answer_all(rig: Rig) -> None:
    """Run an engine until every record has its outcome."""
    engine = rig.engine()
    try:
        run_until(engine, lambda: engine.lag() == 0)
    finally:
        engine.close()


def send_keyed(rig: Rig, *records: Any) -> None:
    """Append records whose keys are k0, k1 ... by the number of records there were before."""
    topic = next(iter(rig.flow.record_topics))
    _, end = rig.log.bounds(topic, 0)
    values = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
    keys: list[bytes | None] = [f"k{end + index}".encode() for index in range(len(values))]
    rig.log.append(Outgoing(topic, values, keys, partition=0))


def messages(log: Log, topic: str, partition: int = 0) -> list[Message]:
    """Return every message of a partition."""
    batch = log.read(topic, partition, 0, 10**6, 1 << 30)
    keys = batch.keys or [None] * len(batch)
    return list(map(Message, batch.values, keys, batch.timestamps))


def tampered(rig: Rig, edits: dict[str, Edit], *, committed: int | None = None) -> MemoryLog:
    """Return a copy of a log with other messages on some topics, in each of their partitions.

    `committed` is committed instead of what was.
    """
    log = MemoryLog()
    log.blobs = rig.log.blobs  # type: ignore[assignment]
    for topic, info in rig.log.topics().items():
        log.create_topic(topic, info.partitions)
        for partition in range(info.partitions):
            found: Sequence[Message] = messages(rig.log, topic, partition)
            if topic in edits:
                found = edits[topic](list(found))
            if found:
                values, keys, timestamps = map(list, zip(*found, strict=True))
                log.append(Outgoing(topic, values, keys, partition, timestamps))
    _commit(rig, log, committed)
    return log


def _commit(rig: Rig, log: MemoryLog, committed: int | None) -> None:
    """Commit in a copy what was committed in the original."""
    group = rig.flow.group
    topics = list(rig.flow.record_topics)
    consumer = log.consumer(group, topics, instance="copy")
    while consumer.poll(1000, 0, 1 << 30):
        pass
    covers = {}
    for topic in topics:
        for partition in range(log.topics()[topic].partitions):
            was = rig.log.committed(group, topic, partition)
            if was is not None:
                covers[TopicPartition(topic, partition)] = was if committed is None else committed
    consumer.commit(covers)
    consumer.close()


def verified(rig: Rig, edits: dict[str, Edit], *, committed: int | None = None) -> Report:
    """Verify a tampered copy."""
    return verify(tampered(rig, edits, committed=committed), rig.flow)


def broken(report: Report) -> list[tuple[str, str]]:
    """Return the invariants that were found broken, and where."""
    return [(each.invariant, str(each.position)) for each in report.findings]


def saying(index: int, **fields: Any) -> Edit:
    """Change fields of one message."""
    return lambda found: [
        each.saying(**fields) if at == index % len(found) else each for at, each in enumerate(found)
    ]


def without(index: int) -> Edit:
    """Take a message out."""
    return lambda found: found[:index] + found[index + 1 :]


def with_more(*values: bytes) -> Edit:
    """Append messages."""
    return lambda found: [*found, *map(Message, values)]
