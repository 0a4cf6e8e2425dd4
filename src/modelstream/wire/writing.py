"""How a flow's results are written, and read back: the one place that knows what they are written in.

Whoever reads results inside of modelstream reads them as JSON. Rejects are JSON always.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from modelstream.flow import Flow
from modelstream.messages import ModelStamp, Result
from modelstream.wire.results import encode_all
from modelstream.wire.schemas.framed import missing_extra
from modelstream.wire.schemas.framing import HEAD_BYTES, Unreadable, frame
from modelstream.wire.schemas.registry import SchemaRegistry
from modelstream.wire.schemas.result_protobuf import ProtobufResults


class ResultFormat(Protocol):
    """What a flow's results are written in."""

    def prepare(self) -> None:
        """Make sure that results can be written. Raises SchemasUnavailable, InvalidFlow."""
        ...

    def encode(self, results: Sequence[Result]) -> list[bytes]:
        """Return the bytes of results, in order; `prepare` has been called."""
        ...

    def as_json(self, values: Sequence[bytes]) -> Sequence[bytes]:
        """Return results as JSON; what cannot be read stays as it is, and is no JSON."""
        ...


class _Kind(Protocol):
    """Avro or protobuf."""

    @property
    def kind(self) -> str:
        """What a registry calls it."""
        ...

    @property
    def text(self) -> str:
        """The schema of results."""
        ...

    def stamp(self, model: ModelStamp) -> Any:
        """Return a stamp as `write` takes it."""
        ...

    def write(self, result: Result, stamp: Any) -> bytes:
        """Return the bytes of a result."""
        ...

    def plain(self, data: bytes) -> Any:
        """Return a result as its JSON has it. Raises Unreadable."""
        ...


def result_format(flow: Flow) -> ResultFormat:
    """Return what a flow's results are written in. Raises InvalidFlow where an extra is missing."""
    if flow.schemas.results == "json":
        return JSON_RESULTS
    return _Schematic(flow, _avro() if flow.schemas.results == "avro" else ProtobufResults())


def _avro() -> _Kind:
    try:
        from modelstream.wire.schemas.result_avro import AvroResults  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    return AvroResults()


class _Json:
    """Results as JSON."""

    def prepare(self) -> None:
        """Do nothing: JSON can be written always."""

    def encode(self, results: Sequence[Result]) -> list[bytes]:
        """Return the bytes of results."""
        return encode_all(results)

    def as_json(self, values: Sequence[bytes]) -> Sequence[bytes]:
        """Return results as they are."""
        return values


JSON_RESULTS: ResultFormat = _Json()


class _Schematic:
    """Results by a schema, which is registered as `<topic>-value` where the flow has a registry."""

    def __init__(self, flow: Flow, kind: _Kind) -> None:
        self._kind, self._subject = kind, f"{flow.results}-value"
        self._registry = SchemaRegistry(flow.schemas) if flow.schemas.registry else None
        # One byte more tells which message of the file it is.
        more = flow.schemas.results == "protobuf"
        self._head_bytes = HEAD_BYTES + more if self._registry else 0
        self._head = b""

    def prepare(self) -> None:
        """Register the schema, once."""
        if self._registry is not None and not self._head:
            kind = self._kind.kind
            number = self._registry.register(self._subject, self._kind.text, kind)
            self._head = frame(number, first_message=kind == "PROTOBUF")

    def encode(self, results: Sequence[Result]) -> list[bytes]:
        """Return the bytes of results; those of one score call share their stamp."""
        stamps = {bytes(each.stamp): each for each in results}
        made = {raw: self._kind.stamp(each.model) for raw, each in stamps.items()}
        write, head = self._kind.write, self._head
        return [head + write(each, made[bytes(each.stamp)]) for each in results]

    def as_json(self, values: Sequence[bytes]) -> Sequence[bytes]:
        """Return results as JSON."""
        return [self._plain(value) for value in values]

    def _plain(self, value: bytes) -> bytes:
        try:
            return msgspec.json.encode(self._kind.plain(value[self._head_bytes :]))
        except (Unreadable, msgspec.MsgspecError, ValueError, TypeError):
            return value
