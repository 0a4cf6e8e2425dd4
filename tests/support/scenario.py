"""A whole flow in one thread, turn by turn: admitter, join and monitor on a log in memory."""

import json
from collections.abc import Sequence
from typing import Any

from modelstream import publishing
from modelstream.engines.embedded import Embedded
from modelstream.events import RegistryEvent, decode_event
from modelstream.flow import Flow
from modelstream.formats import recognise
from modelstream.formats.base import Hints
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.models.admit import Admitter
from modelstream.models.check import CheckRequest, CheckVerdict, Passed
from modelstream.models.jail import Jail
from modelstream.quality.monitor import Monitor
from tests.support.flows import Rig, run_until


class TrustingJail(Jail):
    """Lowers what it is given, and checks nothing."""

    def check(self, request: CheckRequest) -> CheckVerdict:
        """Pass it."""
        return Passed(recognise(request.data).lower(request.data, Hints()), (), ())


class Scenario(Rig):
    """What happens is said by calls; what came of it is read from the log."""

    def __init__(self, flow: Flow, log: MemoryLog | None = None) -> None:
        super().__init__(log or MemoryLog(), flow)
        self.now_ms = 1_000_000
        self.admitter = Admitter(flow, self.log, TrustingJail(), now_ms=lambda: self.now_ms)
        self.monitor = self.new_monitor()
        self.join: Embedded = self.engine()
        self.sent = 0
        self._told = 0

    def new_monitor(self) -> Monitor:
        """Return a monitor that knows nothing but the log."""
        return Monitor(self.flow, self.log, now_ms=lambda: self.now_ms)

    def publish(self, data: bytes, name: str, *, stage: bool = False) -> None:
        """Publish a model, and let it be admitted and loaded."""
        publishing.publish(self.log, self.flow, data, name=name, stage=stage)
        self.settle()

    def settle(self) -> None:
        """Let the admitter read what there is, and the join take it in."""
        while self.admitter.position() < self.admitter.end():
            self.admitter.step(0)
        end = self.log.bounds(self.flow.registry, 0)[1]
        machine = self.join.shell.machine
        run_until(self.join, lambda: machine.registry.position == end - 1 and not machine.loading())

    def answer(self, records: Sequence[dict[str, Any]]) -> None:
        """Send records, each with a key of its own, and let them be answered."""
        keys = [f"k{self.sent + number}".encode() for number in range(len(records))]
        values = [json.dumps(record).encode() for record in records]
        topic = next(iter(self.flow.record_topics))
        self.log.append(Outgoing(topic, values, keys=keys, partition=0))
        self.sent += len(records)
        run_until(self.join, lambda: self.join.lag() == 0)

    def label(self, first: int, labels: Sequence[object]) -> None:
        """Say what is so of records, by the number of the first of them."""
        values = [json.dumps({"label": label}).encode() for label in labels]
        keys = [f"k{first + number}".encode() for number in range(len(labels))]
        self.log.append(Outgoing(self.flow.labels, values, keys=keys, partition=0))

    def measure(self) -> None:
        """Let a minute pass, and the monitor tell its figures."""
        self.now_ms += 60_000
        self.monitor.step()
        self.settle()

    def news(self) -> list[RegistryEvent]:
        """Return the registry's events since the last call."""
        batch = self.log.read(self.flow.registry, 0, self._told, 10_000, 1 << 26)
        self._told = batch.next_offset if len(batch) else self._told
        return [decode_event(value) for value in batch.values]

    def close(self) -> None:
        """End everything."""
        self.join.close()
        self.admitter.close()
