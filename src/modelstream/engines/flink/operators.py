"""PyFlink's functions: each hosts something that knows nothing of Flink. Imported where PyFlink is.

All run in thread mode, where timers outlive checkpoints; the defects of PyFlink 2.3 that they work round
are named where they do.
"""

import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

from pyflink.common import Types
from pyflink.datastream.functions import (
    KeyedBroadcastProcessFunction,
    KeyedProcessFunction,
    ProcessFunction,
)
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from modelstream.engines.flink.blocks import decode_block, encode_block
from modelstream.engines.flink.committer import Committer
from modelstream.engines.flink.subtask import Subtask
from modelstream.events import Admitted, decode_event
from modelstream.flow import Flow, flow_of_plain
from modelstream.formats import import_formats
from modelstream.limits import (
    BATCH_BYTES_MAX,
    FLINK_IDLE_MS,
    REGISTRY_READ_RECORDS,
    STATE_ARTIFACT_BYTES_MAX,
)
from modelstream.log import open_log
from modelstream.log.base import Log
from modelstream.messages import TopicPartition

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
# State takes no bytes in thread mode: events are JSON, and artifacts base64.
EVENTS = MapStateDescriptor("registry", Types.LONG(), Types.STRING())
ARTIFACTS = MapStateDescriptor("artifacts", Types.STRING(), Types.STRING())


class Declared:
    """A flow and its log as they travel to a task."""

    def __init__(self, plain: dict[str, Any], url: str) -> None:
        self.plain, self.url = plain, url

    def open(self) -> tuple[Flow, Log]:
        """Return both, in a task."""
        import_formats()
        flow = flow_of_plain(self.plain)
        return flow, open_log(self.url, durability=flow.durability, options=flow.kafka)


class RegistrySource(KeyedProcessFunction):
    """Follows the registry from an offset that is state; there is one, so that events keep their order."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared

    def open(self, runtime_context: Any) -> None:
        self._offset = runtime_context.get_state(ValueStateDescriptor("offset", Types.LONG()))
        self._flow, self._log = self._declared.open()
        self._end_told = False

    def process_element(self, value: str, ctx: Any) -> Iterator[Any]:
        """Begin, unless it goes on from state."""
        if self._offset.value() is None:
            self._offset.update(0)
            _wake(ctx, 1)
        yield from ()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        """Emit what is new: the offset in 8 bytes, then the event; nothing after it tells of the end."""
        offset = self._offset.value()
        read = self._log.arrived if self._end_told else self._log.read
        batch = read(self._flow.registry, 0, offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX)
        for at, event in zip(batch.offsets, batch.values, strict=True):
            yield at.to_bytes(8, "big") + event
        if batch.next_offset > offset:
            self._offset.update(batch.next_offset)
        if not len(batch) and not self._end_told:
            self._end_told = True
            yield offset.to_bytes(8, "big")
        _wake(ctx, 1 if len(batch) else FLINK_IDLE_MS)

    def close(self) -> None:
        self._log.close()


class Join(KeyedBroadcastProcessFunction):
    """Joins partitions of the records with the registry. A partition is a key; its timer is its poll loop.

    So reading, answering and the position are one step of one operator: what is in flight when it is
    killed is read and answered again.
    """

    def __init__(self, declared: Declared) -> None:
        self._declared = declared

    def open(self, runtime_context: Any) -> None:
        self._offset = runtime_context.get_state(ValueStateDescriptor("offset", Types.LONG()))
        self._position = runtime_context.get_state(ValueStateDescriptor("position", Types.LONG()))
        flow, self._log = self._declared.open()
        self._group = flow.group
        self._subtask = Subtask(flow, self._log)
        self._restored = False
        metrics = runtime_context.get_metrics_group()
        self._answered = metrics.counter("answered")
        metrics.gauge("registry_position", lambda: self._subtask.position)

    def process_element(self, value: str, ctx: Any) -> Iterator[Any]:
        """Begin with a partition where its last commit was, unless it goes on from state."""
        if self._offset.value() is None:
            source = _source(value)
            committed = self._log.committed(self._group, *source)
            self._offset.update(max(committed or 0, self._log.bounds(*source)[0]))
            self._position.update(-1)
            _wake(ctx, 1)
        yield from ()

    def process_broadcast_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        """Apply a registry event, and keep it, with its artifact if that is small."""
        self._restore(ctx)
        data = bytes(value)
        offset, event = int.from_bytes(data[:8], "big"), data[8:]
        if not event:
            self._subtask.at_end = True
            return
        state = ctx.get_broadcast_state(EVENTS)
        state.put(offset, event.decode())
        # The artifact first: what is applied may be loaded at once.
        told = decode_event(event)
        if isinstance(told, Admitted):
            self._keep(told, ctx)
        self._subtask.follow([(offset, event)])
        return
        yield  # PyFlink wants a generator

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        """Answer what is there of the key's partition."""
        self._restore(ctx)
        source = _source(ctx.get_current_key())
        before = self._offset.value()
        polled = self._subtask.poll(source, before, self._position.value())
        if polled.block is not None:
            self._answered.inc(polled.next_offset - before)
            yield encode_block(polled.block)
        if polled.next_offset != before:
            self._offset.update(polled.next_offset)
            self._position.update(polled.position)
        _wake(ctx, 1 if polled.block is not None else FLINK_IDLE_MS)

    def close(self) -> None:
        self._subtask.close()
        self._log.close()

    def _keep(self, admitted: Admitted, ctx: Any) -> None:
        lowered = self._log.blobs.get(admitted.lowered)
        if lowered is not None and len(lowered) <= STATE_ARTIFACT_BYTES_MAX:
            text = b64encode(lowered).decode()
            ctx.get_broadcast_state(ARTIFACTS).put(admitted.lowered, text)
            self._subtask.artifacts[admitted.lowered] = lowered

    def _restore(self, ctx: Any) -> None:
        """Apply what state holds of the registry, once; it can be read for the first time here."""
        if self._restored:
            return
        self._restored = True
        for digest, lowered in ctx.get_broadcast_state(ARTIFACTS).items():
            self._subtask.artifacts[digest] = b64decode(lowered)
        events = ctx.get_broadcast_state(EVENTS).items()
        self._subtask.follow(sorted((offset, event.encode()) for offset, event in events))


class Commit(ProcessFunction):
    """Commits blocks to the log; there is one."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared

    def open(self, runtime_context: Any) -> None:
        flow, self._log = self._declared.open()
        self._committer = Committer(flow, self._log, f"{flow.name}.flink")
        self._committed = runtime_context.get_metrics_group().counter("committed")

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        """Commit a block."""
        self._committed.inc(self._committer.commit(decode_block(bytes(value))))
        yield from ()

    def close(self) -> None:
        self._committer.close()
        self._log.close()


def split_of(source: TopicPartition) -> str:
    """Return a partition as the key that it is."""
    return f"{source.partition}|{source.topic}"


def _source(split: str) -> TopicPartition:
    partition, _, topic = split.partition("|")
    return TopicPartition(topic, int(partition))


def _wake(ctx: Any, after_ms: int) -> None:
    ctx.timer_service().register_processing_time_timer(time.time_ns() // 1_000_000 + after_ms)
