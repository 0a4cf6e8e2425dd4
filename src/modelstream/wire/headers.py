"""Headers of results and rejects, by which consumers route them without reading them.

CloudEvents are in the binary mode of their Kafka binding 1.0.2 (`ce_` and the attribute's name).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from modelstream.flow import Flow
from modelstream.messages import Headers, Reject, Result

Messages = Sequence[Result] | Sequence[Reject]
HeaderWriter = Callable[[Messages], list[Headers]]

_CONTENT_TYPES = {
    "json": b"application/json",
    "avro": b"application/avro",
    "protobuf": b"application/protobuf",
}


def header_writer(flow: Flow) -> HeaderWriter | None:
    """Return what writes a flow's headers, None where it wants none."""
    if flow.headers == "none":
        return None
    if flow.headers == "model":
        return _of_messages
    return lambda messages: _cloud_events(flow, messages)


def _of_messages(messages: Messages) -> list[Headers]:
    """Return each message's headers; those that say the same share one list."""
    made: dict[tuple[object, ...], Headers] = {}
    found = []
    for message in messages:
        stamp = bytes(message.stamp) if isinstance(message, Result) else message.reason
        key = (stamp, message.data_type, message.topic, message.partition)
        headers = made.get(key) if isinstance(message, Result) else None
        if headers is None:
            headers = made[key] = _headers(message)
        found.append(headers)
    return found


def _headers(message: Result | Reject) -> Headers:
    if isinstance(message, Result):
        model = message.model
        told = {
            "model": model.name,
            "version": model.version,
            "digest": model.digest,
            "as_of": str(model.as_of),
        }
    else:
        told = {"reason": message.reason, "as_of": str(message.as_of)}
    told |= {"topic": message.topic, "partition": str(message.partition)}
    if message.data_type is not None:
        told["data_type"] = message.data_type
    return [(f"modelstream_{name}", text.encode()) for name, text in told.items()]


def _cloud_events(flow: Flow, messages: Messages) -> list[Headers]:
    """Return each message as an event: its id is the record's position, its time the record's."""
    source = f"/modelstream/{flow.name}".encode()
    written = flow.schemas.results if messages and isinstance(messages[0], Result) else "json"
    kind = (
        b"modelstream.result"
        if messages and isinstance(messages[0], Result)
        else b"modelstream.reject"
    )
    same = [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind),
        ("ce_source", source),
        ("content-type", _CONTENT_TYPES[written]),
    ]
    return [
        [
            *same,
            ("ce_id", f"{message.topic}/{message.partition}/{message.offset}".encode()),
            *_time(message.timestamp),
        ]
        for message in messages
    ]


def _time(timestamp_ms: int) -> Headers:
    """Return the time as RFC 3339 has it; a record without a time, or one past 9999, has none."""
    if not 0 < timestamp_ms < 253_402_300_800_000:
        return []
    at = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return [("ce_time", f"{at:%Y-%m-%dT%H:%M:%S}.{timestamp_ms % 1000:03d}Z".encode())]
