"""What commits blocks to the log: each record's answer once, whatever Flink has to do again.

The log's own positions are the truth. A block, with its partition's position, is one atomic commit; after a
restart Flink reads again from its last checkpoint, and what was committed since is left out.
"""

import threading

import msgspec

from modelstream.engines.flink.blocks import Block, Messages, outgoing_of
from modelstream.errors import Fenced, LogError
from modelstream.flow import Flow
from modelstream.limits import HEARTBEAT_MS, OWNER_SECONDS_MAX, POLL_WAIT_MS
from modelstream.log.base import Log
from modelstream.messages import Outgoing, TopicPartition
from modelstream.wire.writing import JSON_RESULTS, result_format


class _Placed(msgspec.Struct):
    offset: int


_DECODE_PLACED = msgspec.json.Decoder(_Placed).decode


class Committer:
    """The one member of a flow's group, for one thread; its leases are renewed by another."""

    def __init__(self, flow: Flow, log: Log, instance: str) -> None:
        self._flow, self._log = flow, log
        self._consumer = log.consumer(flow.group, list(flow.record_topics), instance=instance)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._committed: dict[TopicPartition, int] = {}
        self._results = result_format(flow)
        self._renewing = threading.Thread(target=self._renew, daemon=True)
        self._renewing.start()

    def commit(self, block: Block) -> int:
        """Commit what of a block was not committed before; return the number of messages.

        Raises Fenced where another member has the partition, LogError.
        """
        with self._lock:
            source = block.source
            self._own(source)
            done = self._done(source)
            if block.next_offset <= done:
                return 0
            if block.first > done and not self._empty(source, done, block.first):
                raise LogError(
                    f"{source.topic}/{source.partition} was answered up to {done}, and a block "
                    f"begins at {block.first}: the job goes on from a state that is not this log's"
                )
            appends = [
                each
                for messages in block.messages
                if len((each := self._new(messages, block, done)).values)
            ]
            self._consumer.rewind({source: block.next_offset})
            self._consumer.commit({source: block.next_offset}, appends)
            self._committed[source] = block.next_offset
            return sum(len(each.values) for each in appends)

    def close(self) -> None:
        """Leave the group."""
        self._stop.set()
        self._renewing.join()
        with self._lock:
            self._consumer.close()

    def _done(self, source: TopicPartition) -> int:
        if source not in self._committed:
            start = self._log.bounds(*source)[0]
            committed = self._log.committed(self._flow.group, *source)
            self._committed[source] = max(start, committed or 0)
        return self._committed[source]

    def _empty(self, source: TopicPartition, start: int, stop: int) -> bool:
        """Tell whether no record is between two offsets, as where some were deleted."""
        batch = self._log.read(*source, start, 1, 1)
        return not len(batch) or batch.offsets[0] >= stop

    def _new(self, messages: Messages, block: Block, done: int) -> Outgoing:
        """Return the messages of records that were not answered before."""
        if block.first >= done:
            return outgoing_of(messages, block.partition)
        format_ = self._results if messages.topic == self._flow.results else JSON_RESULTS
        offsets = [_DECODE_PLACED(value).offset for value in format_.as_json(messages.values)]
        kept = [at for at, offset in enumerate(offsets) if offset >= done]
        return outgoing_of(messages, block.partition, kept)

    def _own(self, source: TopicPartition) -> None:
        """Wait until a partition is this member's; nothing of it is read here."""
        turns = int(OWNER_SECONDS_MAX * 1000 / POLL_WAIT_MS)
        while source not in self._consumer.assignment():
            self._take_leases(POLL_WAIT_MS)
            turns -= 1
            if not turns:
                raise Fenced(
                    f"another member of group {self._flow.group} has {source.topic}/"
                    f"{source.partition}: stop it, `modelstream serve` of this flow for instance"
                )

    def _take_leases(self, wait_ms: int) -> None:
        held = list(self._consumer.assignment())
        self._consumer.pause(held)
        self._consumer.poll(1, wait_ms, 1)

    def _renew(self) -> None:
        while not self._stop.wait(HEARTBEAT_MS / 2000):
            with self._lock:
                try:
                    self._take_leases(0)
                except LogError:  # it is told at the next commit
                    continue
