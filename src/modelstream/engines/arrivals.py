"""Models that arrive from an iterable: named, numbered, lowered, and told as registry events."""

import hashlib
import logging
import threading
import time
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from pathlib import Path

from modelstream.core.policies.base import Policy
from modelstream.core.policies.single import Latest
from modelstream.core.policies.text import policy_text
from modelstream.core.registry import Registry
from modelstream.engines.loaded import Loaded, load
from modelstream.errors import InvalidModel, ModelUnavailable
from modelstream.events import Admitted, Planned, Promoted, RegistryEvent, version_of
from modelstream.flow import Flow
from modelstream.formats import check_hints, format_named, read_artifact, recognise, runtimes
from modelstream.formats.base import Hints
from modelstream.messages import VersionId
from modelstream.wire.descriptor import ModelDescriptor

ModelSource = str | Path | bytes | tuple[str, "str | Path | bytes"] | ModelDescriptor
_log = logging.getLogger("modelstream")


class Arrivals:
    """The models side of a join without a log; what is here a log would do with its registry."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._registry = Registry()
        self._lowered: dict[VersionId, bytes] = {}
        self._events: list[tuple[int, RegistryEvent]] = []
        self._rejected: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        if flow.answer != Latest():
            self._tell(_declared(flow.answer))

    def read(self, models: Iterable[ModelSource]) -> None:
        """Read models in a thread; a list or tuple at once, so that its last model is first."""
        if isinstance(models, Sequence):
            self._read_all(models)
        else:
            name = "modelstream-models"
            threading.Thread(target=self._read_all, args=(models,), name=name, daemon=True).start()

    async def read_async(self, models: AsyncIterable[ModelSource]) -> None:
        """Read models from an asynchronous iterable."""
        try:
            async for source in models:
                self._arrive(source)
        finally:
            self._end()

    def events(self) -> list[tuple[int, RegistryEvent]]:
        """Return the registry events since the last call."""
        with self._changed:
            events, self._events = self._events, []
        return events

    def load(self, admitted: Admitted) -> Loaded:
        """Bring an arrived model into memory."""
        version = version_of(admitted)
        warm_rows = (1, self._flow.batch_records)
        flow, lowered = self._flow, self._lowered[version]
        loaded = load(
            admitted.format,
            lowered,
            warm_rows,
            flow.remote,
            flow.device,
            functions=flow.functions,
        )
        del self._lowered[version]
        return loaded

    def ended(self) -> bool:
        """Tell whether no further model will arrive."""
        return self._ended

    def notify(self) -> None:
        """Wake a join that waits for a model."""
        with self._changed:
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until a model arrived, was loaded or failed, or no more will come."""
        with self._changed:
            self._changed.wait(timeout=0.05)

    def why_none(self, failures: Mapping[VersionId, str]) -> str:
        """Tell why no model can answer, now that no further one will arrive."""
        reasons = [*self._rejected, *(f"{version}: {why}" for version, why in failures.items())]
        told = f" ({'; '.join(reasons)})" if reasons else ""
        return (
            f"the models came to an end and none of them can answer these records{told}; "
            "give a model for their data type, or use on_no_model='reject'"
        )

    def _read_all(self, models: Iterable[ModelSource]) -> None:
        try:
            for source in models:
                self._arrive(source)
        finally:
            self._end()

    def _end(self) -> None:
        self._ended = True
        self.notify()

    def _arrive(self, source: ModelSource) -> None:
        """Lower a model and tell of it; one that cannot be read is logged and left out."""
        try:
            descriptor = self._descriptor(source)
            self._admit(descriptor)
        except (InvalidModel, ModelUnavailable) as error:
            _log.error("model refused: %s", error)
            self._rejected.append(str(error))
        self.notify()

    def _descriptor(self, source: ModelSource) -> ModelDescriptor:
        if isinstance(source, ModelDescriptor):
            return source
        name, content = source if isinstance(source, tuple) else ("", source)
        if not name:
            name = Path(content).stem if isinstance(content, (str, Path)) else "model"
        data = read_artifact(content, self._flow.remote)
        return ModelDescriptor(name=name, data=data, format=recognise(data).name)

    def _admit(self, descriptor: ModelDescriptor) -> None:
        """Lower an artifact and append its two events."""
        data = descriptor.data
        if data is None:
            raise InvalidModel(
                f"model {descriptor.name!r} has no bytes; a join takes models by value"
            )
        hints = Hints(
            descriptor.feature_names,
            descriptor.labels,
            signature=descriptor.signature_name,
            runtimes=runtimes(),
        )
        flow = self._flow
        each = format_named(descriptor.format, flow.remote, functions=flow.functions)
        check_hints(each.name, hints)
        lowered = each.lower(data, hints)
        version = descriptor.version or self._registry.next_version(descriptor.name)
        position = self._registry.position + 1
        admitted = Admitted(
            name=descriptor.name,
            version=version,
            data_type=descriptor.data_type or self._flow.data_type,
            digest=hashlib.sha256(data).hexdigest(),
            format=each.name,
            lowered=hashlib.sha256(lowered).hexdigest(),
            size=len(data),
            source=position,
            at_ms=time.time_ns() // 1_000_000,
            inputs=(),
            outputs=(),
        )
        self._lowered[version_of(admitted)] = lowered
        promoted = Promoted(
            name=admitted.name,
            version=version,
            data_type=admitted.data_type,
            source=position,
            at_ms=admitted.at_ms,
        )
        self._tell(admitted, promoted)

    def _tell(self, *events: RegistryEvent) -> None:
        with self._changed:
            for event in events:
                position = self._registry.position + 1
                self._registry.apply(event, position)
                self._events.append((position, event))


def _declared(policy: Policy) -> Planned:
    """Return the plan of a join that was given a policy."""
    text = policy_text(policy)
    return Planned(
        version="1",
        data_type="",
        policy=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        source=-1,
        at_ms=time.time_ns() // 1_000_000,
        declared=True,
    )
