"""What happened, told in a sentence: registry events, results, rejects and records."""

import msgspec

from modelstream.cli.text import duration, size, when
from modelstream.events import (
    Admitted,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    Retired,
    RolledBack,
    version_of,
)
from modelstream.limits import LINE_CHARS_MAX
from modelstream.messages import Position, Reject, Result


def of_event(event: RegistryEvent) -> str:
    """Tell what a registry event says."""
    match event:
        case Admitted():
            what = f"{event.format}, {size(event.size)}, sha-256 {event.digest[:12]}"
            return f"admitted {version_of(event)} for {event.data_type} ({what})"
        case Rejected():
            version = f"{event.name}@{event.version}" if event.version else event.name
            return f"rejected {version or 'a message'} ({event.code}): {event.reason}"
        case Promoted():
            return f"promoted {version_of(event)}: current for {event.data_type}"
        case RolledBack():
            return f"rolled back {version_of(event)}: {event.data_type} goes back to the version before"
        case Planned():
            whose = f"data type {event.data_type}" if event.data_type else "all data types"
            return f"plan {event.version} for {whose}: {event.policy}"
        case Retired():
            return f"retired {version_of(event)}"


def of_result(result: Result) -> str:
    """Tell a record's position, its time, its score and who gave it."""
    position = Position(result.topic, result.partition, result.offset)
    stamp = result.model
    outputs = _cut(msgspec.json.encode(result.outputs))
    by = f"{stamp.name}@{stamp.version} as of {stamp.as_of} in {duration(stamp.took_us)}"
    return f"{position}  {when(result.timestamp)}  {outputs}  {by}"


def of_reject(reject: Reject) -> str:
    """Tell a record's position, its time and why it has no score."""
    position = Position(reject.topic, reject.partition, reject.offset)
    return f"{position}  {when(reject.timestamp)}  {reject.reason}: {reject.detail}"


def of_record(position: Position, timestamp: int, key: bytes | None, value: bytes) -> str:
    """Tell a record's position, its time, its key if it has one, and how it begins."""
    named = "" if key is None else f"{_cut(key)}  "
    return f"{position}  {when(timestamp)}  {named}{_cut(value)}"


def _cut(data: bytes) -> str:
    text = data[: 4 * LINE_CHARS_MAX].decode("utf-8", "replace")
    return text if len(text) <= LINE_CHARS_MAX else f"{text[:LINE_CHARS_MAX]} ..."
