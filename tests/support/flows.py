"""A flow on a log for tests of the engine: models are put on the registry without an admitter."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from modelstream.core.policies.text import policy_text
from modelstream.engines.embedded import Embedded
from modelstream.engines.topics import prepare
from modelstream.events import Admitted, Promoted, RegistryEvent, encode_event
from modelstream.flow import Flow
from modelstream.formats import recognise
from modelstream.formats.base import Hints
from modelstream.log.base import Log
from modelstream.messages import Outgoing, Reject, Result
from modelstream.wire.results import decode_reject, decode_result
from tests.support.events import planned


class Rig:
    """One flow on one log, with everything a test wants to do to it by hand."""

    def __init__(self, log: Log, flow: Flow) -> None:
        self.log, self.flow = log, flow
        self.plans = 0
        prepare(flow, log)

    def event(self, *events: RegistryEvent) -> None:
        """Append events to the registry."""
        self.log.append(
            Outgoing(self.flow.registry, [encode_event(event) for event in events], partition=0)
        )

    def admit(self, data: bytes, name: str, version: str = "1", data_type: str = "") -> Admitted:
        """Put a version on the registry as the admitter would."""
        form = recognise(data)
        lowered = form.lower(data, Hints())
        admitted = Admitted(
            name=name,
            version=version,
            data_type=data_type or self.flow.data_type,
            digest=hashlib.sha256(data).hexdigest(),
            format=form.name,
            lowered=self.log.blobs.put(lowered),
            size=len(data),
            source=0,
            at_ms=0,
            inputs=(),
            outputs=(),
        )
        self.event(admitted)
        return admitted

    def promote(self, name: str, version: str = "1", data_type: str = "") -> None:
        """Make a version current."""
        data_type = data_type or self.flow.data_type
        self.event(Promoted(name=name, version=version, data_type=data_type, source=0, at_ms=0))

    def serve(self, data: bytes, name: str, version: str = "1", data_type: str = "") -> None:
        """Admit a version and make it current."""
        self.admit(data, name, version, data_type)
        self.promote(name, version, data_type)

    def plan(self, policy: str = "", version: str = "") -> None:
        """Find answers by a policy from now on: the flow's own, unless another one is given."""
        text = policy or policy_text(self.flow.answer)
        self.plans += 1
        self.event(planned(text, version or str(self.plans)))

    def send(self, *records: Any, topic: str = "", partition: int | None = 0) -> None:
        """Append records: bytes as they are, anything else as JSON."""
        values = [
            each if isinstance(each, bytes) else json.dumps(each).encode() for each in records
        ]
        name = topic or next(iter(self.flow.record_topics))
        self.log.append(Outgoing(name, values, partition=partition))

    def engine(self, instance: str = "one") -> Embedded:
        """Return an instance of the join."""
        return Embedded(self.flow, self.log, self.lowered, instance)

    def lowered(self, admitted: Admitted) -> bytes:
        """Bring a lowered form from the log's blobs."""
        data = self.log.blobs.get(admitted.lowered)
        assert data is not None
        return data

    def results(self, partition: int = 0) -> list[Result]:
        """Return every result of a partition."""
        return [decode_result(value) for value in self._values(self.flow.results, partition)]

    def rejects(self, partition: int = 0) -> list[Reject]:
        """Return every reject of a partition."""
        return [decode_reject(value) for value in self._values(self.flow.rejects, partition)]

    def _values(self, topic: str, partition: int) -> Sequence[bytes]:
        found: list[bytes] = []
        offset = 0
        while len(batch := self.log.read(topic, partition, offset, 1000, 1 << 24)):
            found.extend(batch.values)
            offset = batch.next_offset
        return found


def run_until(engine: Embedded, done: Callable[[], bool], seconds: float = 20.0) -> None:
    """Take turns of an engine until a condition holds."""
    deadline = time.monotonic() + seconds
    while not done():
        engine.step(5)
        assert time.monotonic() < deadline, "the engine did not get there"
