"""The admitter: reads the models topic and writes the registry, one atomic commit a message.

Publishing is open, serving is not: what stands on the registry has been checked, and the joins
read nothing else. The rules are in `models.lifecycle`, the checks in `models.check`.
"""

import hashlib
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from modelstream.core.registry import Registry
from modelstream.errors import Fenced, InvalidMessage, ModelstreamError
from modelstream.events import Admitted, RegistryEvent, decode_events, encode_event
from modelstream.flow import Flow
from modelstream.formats import runtimes
from modelstream.limits import (
    BATCH_BYTES_MAX,
    BATCH_RECORDS_MAX,
    HEARTBEAT_MS,
    POLL_WAIT_MS,
    RECORD_BYTES_MAX,
)
from modelstream.log.base import Log
from modelstream.log.clock import wall_clock_ms
from modelstream.log.outages import wait_out
from modelstream.messages import Outgoing, TopicPartition, VersionId
from modelstream.models.artifacts import artifact_bytes, lowered_bytes, told_digest
from modelstream.models.check import CheckRequest, CheckVerdict, Failed
from modelstream.models.declared import declaration
from modelstream.models.jail import Jail
from modelstream.models.lifecycle import (
    Message,
    data_type_of,
    plan,
    promote,
    promoted,
    promotion,
    published,
    rejected,
    retire,
    roll_back,
)
from modelstream.models.measurements import measure
from modelstream.models.recent import recent_records
from modelstream.models.references import referenced
from modelstream.models.refusal import Refused
from modelstream.models.releases import check_free, release, superseded
from modelstream.wire.descriptor import (
    Action,
    ModelDescriptor,
    decode_descriptor,
    encode_descriptor,
)


class _GivenUp(Exception):
    """Somebody told this member to stop in the middle of a check."""


class Admitter:
    """One member of the group that admits models; the others stand by, without a partition.

    For one thread. `jail` stays the caller's to close. Raises UnknownTopic where the flow's models
    topic is not there.
    """

    def __init__(
        self,
        flow: Flow,
        log: Log,
        jail: Jail,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
        instance: str = "",
    ) -> None:
        self._flow = flow
        self._log = log
        self._jail = jail
        self._now_ms = now_ms
        self._stop = threading.Event()
        self._registry = Registry()
        self._declared = False
        self._source = TopicPartition(flow.models, 0)
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="modelstream-admit")
        self._group = f"{flow.name}.admitter"
        self._consumer = log.consumer(
            self._group, [flow.models], instance=instance or uuid.uuid4().hex
        )

    def step(self, max_wait_ms: int) -> int:
        """Handle the next message, waiting for one if there is none; return how many it were.

        A message that cannot be handled for a reason of this side's is left to be read again.
        Raises JailFailed, LogError.
        """
        if not self._declared and self._source in self._consumer.assignment():
            self._declare()
        handled = 0
        for batch in self._consumer.poll(1, max_wait_ms, RECORD_BYTES_MAX):
            for offset, value in zip(batch.offsets, batch.values, strict=True):
                try:
                    self._fold()
                    self._commit(offset + 1, self._handle(value, offset))
                except Fenced:
                    return handled  # another member has it now, or will; it is read again
                except _GivenUp:
                    self._consumer.rewind({self._source: offset})
                    return handled
                except ModelstreamError:
                    self._consumer.rewind({self._source: offset})
                    raise
                handled += 1
        return handled

    def run(self, stop: threading.Event) -> None:
        """Handle messages until `stop` is set, which ends a check too. Raises what `step` raises."""
        self._stop = stop
        while not stop.is_set():
            wait_out(partial(self.step, POLL_WAIT_MS), stop)

    def position(self) -> int:
        """Return the offset up to which messages were handled, by this or any other member."""
        return self._log.committed(self._group, *self._source) or 0

    def end(self) -> int:
        """Return the offset after the last message that is there."""
        return self._log.bounds(*self._source)[1]

    def close(self) -> None:
        """Leave the group, so that another member takes over at once.

        A check that was given up goes on until it ends, or its jail is closed.
        """
        self._checks.shutdown(wait=False)
        self._consumer.close()

    def _fold(self) -> None:
        """Read on in the registry, which another member may have written since."""
        while True:
            start = self._registry.position + 1
            batch = self._log.read(
                self._flow.registry, 0, start, BATCH_RECORDS_MAX, BATCH_BYTES_MAX
            )
            if not len(batch):
                return
            for offset, event in zip(batch.offsets, decode_events(batch.values), strict=True):
                self._registry.apply(event, offset)

    def _declare(self) -> None:
        """Put what the flow declares among the messages, if it is new."""
        self._fold()
        told = declaration(self._flow, self._registry, self._now_ms())
        if told is not None:
            self._log.append(Outgoing(self._flow.models, [encode_descriptor(told)], partition=0))
        self._declared = True

    def _commit(self, next_offset: int, events: list[RegistryEvent]) -> None:
        values = [encode_event(event) for event in events]
        outgoing = [Outgoing(self._flow.registry, values, partition=0)] if values else []
        self._consumer.commit({self._source: next_offset}, outgoing)

    def _handle(self, value: bytes, offset: int) -> list[RegistryEvent]:
        """Return the events of one message; a refusal is one too."""
        at_ms = self._now_ms()
        message = Message(ModelDescriptor(), offset, at_ms)
        try:
            message = Message(self._decode(value), offset, at_ms)
            return self._obey(message)
        except Refused as refused:
            return [rejected(message, refused, told_digest(message.descriptor))]

    def _decode(self, value: bytes) -> ModelDescriptor:
        try:
            return decode_descriptor(value, self._flow.descriptor_dialect)
        except InvalidMessage as error:
            raise Refused("malformed", str(error)) from error

    def _obey(self, message: Message) -> list[RegistryEvent]:
        registry, flow = self._registry, self._flow
        match message.descriptor.action:
            case Action.PUBLISH | Action.STAGE:
                events = self._publish(message)
            case Action.PROMOTE:
                events = promote(message, registry)
            case Action.ROLLBACK:
                events = roll_back(message, flow, registry)
            case Action.RETIRE:
                events = retire(message, registry)
            case Action.PLAN:
                check_free(message, registry)
                events = plan(message, flow, registry)
            case Action.RELEASE:
                return release(message, flow, registry)
            case Action.MEASURE:
                return measure(message, flow, registry)
        return superseded(message, events, registry)

    def _publish(self, message: Message) -> list[RegistryEvent]:
        """Admit an artifact unless it is a version already; promote it unless it is but staged."""
        descriptor = message.descriptor
        data_type = data_type_of(message, self._flow)
        artifact = artifact_bytes(
            descriptor, self._log.blobs, self._flow.locations, self._flow.remote
        )
        digest = hashlib.sha256(artifact).hexdigest()
        version = published(message, data_type, digest, self._registry)
        stays_back = descriptor.action is Action.STAGE
        if version is not None:
            return [] if stays_back else promotion(message, version, self._registry)
        version = VersionId(
            descriptor.name,
            descriptor.version or self._registry.next_version(descriptor.name),
        )
        admitted = self._admit(message, version, data_type, artifact, digest)
        return [admitted] if stays_back else [admitted, promoted(message, version, data_type)]

    def _admit(
        self, message: Message, version: VersionId, data_type: str, artifact: bytes, digest: str
    ) -> Admitted:
        """Check a new version and keep its lowered form. Raises Refused, JailFailed, LogError."""
        descriptor = message.descriptor
        verdict = self._check(self._request(descriptor, data_type, artifact))
        if isinstance(verdict, Failed):
            raise Refused(verdict.code, verdict.reason)
        admitted = Admitted(
            name=version.name,
            version=version.version,
            data_type=data_type,
            digest=digest,
            format=descriptor.format,
            lowered=hashlib.sha256(verdict.lowered).hexdigest(),
            size=len(artifact),
            source=message.source,
            at_ms=message.at_ms,
            inputs=verdict.inputs,
            outputs=verdict.outputs,
            description=descriptor.description,
            publisher=descriptor.publisher,
            created_at_ms=descriptor.created_at_ms or None,
            metrics=dict(descriptor.metrics),
            feature_names=descriptor.feature_names,
            labels=descriptor.labels,
            signature_name=descriptor.signature_name,
        )
        size = len(encode_event(admitted))
        if size > RECORD_BYTES_MAX:
            raise Refused(
                "too_large",
                f"the model's fields take {size} bytes on the registry, {RECORD_BYTES_MAX} are "
                f"allowed; give it one input that is a vector",
            )
        self._log.blobs.put(verdict.lowered)
        return admitted

    def _request(
        self, descriptor: ModelDescriptor, data_type: str, artifact: bytes
    ) -> CheckRequest:
        return CheckRequest(
            data=artifact,
            format=descriptor.format,
            feature_names=descriptor.feature_names,
            labels=descriptor.labels,
            signature=descriptor.signature_name,
            runtimes=runtimes(),
            models=referenced(descriptor.format, artifact, self._found, self._lowered),
            records=self._recent(data_type),
            golden=descriptor.golden,
            remote=self._flow.remote,
            functions=dict(self._flow.functions),
            bind=dict(self._flow.bind),
        )

    def _recent(self, data_type: str) -> tuple[bytes, ...]:
        return recent_records(self._log, self._flow, data_type) if self._flow.rehearse else ()

    def _found(self, version: VersionId) -> Admitted | None:
        known = self._registry.versions.get(version)
        return None if known is None else known.admitted

    def _lowered(self, admitted: Admitted) -> bytes:
        return lowered_bytes(admitted, self._log, self._flow, self._jail)

    def _check(self, request: CheckRequest) -> CheckVerdict:
        """Check in the jail, in another thread: this one renews the member's lease meanwhile."""
        self._consumer.pause([self._source])
        try:
            pending = self._checks.submit(self._jail.check, request)
            while True:
                try:
                    return pending.result(HEARTBEAT_MS / 1000)
                except TimeoutError:
                    if self._stop.is_set():
                        raise _GivenUp from None
                    self._consumer.poll(1, 0, RECORD_BYTES_MAX)
        finally:
            self._consumer.resume([self._source])
