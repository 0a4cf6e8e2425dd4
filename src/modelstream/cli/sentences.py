"""What happened, told in a sentence: registry events, results, rejects and records."""

import msgspec

from modelstream.cli.text import duration, size, when
from modelstream.events import (
    Admitted,
    Drifted,
    Measured,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    Released,
    Retired,
    RolledBack,
    version_of,
)
from modelstream.limits import LINE_CHARS_MAX
from modelstream.messages import Position, Reject, Result


def of_event(event: RegistryEvent) -> str:
    """Tell what a registry event says."""
    match event:
        case Released():
            return _of_release(event)
        case Measured():
            told = [f"{each.name}@{each.version} {each.records:,}" for each in event.versions]
            return f"measured {event.data_type} by records of {', '.join(told) or 'none'}"
        case Drifted(drift=drift):
            what = f"{drift.version} {drift.column}".strip()
            state = "has drifted" if event.alarm else "is back at its profile"
            return f"{event.data_type}: {what} {state} (PSI {drift.psi:.3f}, KS {drift.ks:.3f})"
        case Planned():
            whose = f"data type {event.data_type}" if event.data_type else "all data types"
            return f"plan {event.version} for {whose}: {event.policy or 'that of all'}"
        case _:
            return _of_version(event)


def _of_version(event: Admitted | Rejected | Promoted | RolledBack | Retired) -> str:
    """Tell what happened to a version."""
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
        case Retired():
            return f"retired {version_of(event)}"


def _of_release(event: Released) -> str:
    """Tell what became of a release, and why."""
    candidate = version_of(event)
    share = event.steps[event.step]
    part = f"{share:.4g} of the keys" if share else "its answers are compared, and given to nobody"
    state = {
        "started": f"release of {candidate} for {event.data_type} began: {part}",
        "stepped": f"release of {candidate} goes a step on: {part}",
        "promoted": f"release of {candidate} succeeded: it takes the place of {event.champion}",
        "rolled_back": f"release of {candidate} failed: {event.champion} goes on alone",
        "aborted": f"release of {candidate} was ended: {event.champion} goes on alone",
    }[event.state]
    return f"{state} ({event.because})" if event.because else state


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
