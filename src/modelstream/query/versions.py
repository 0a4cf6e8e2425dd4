"""Every version that a flow's registry knows, and every message it refused, each with its state."""

from operator import attrgetter
from typing import Literal

import msgspec

from modelstream.audit.history import History, read_history
from modelstream.audit.records import read_range
from modelstream.events import Rejected, decode_events
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import TopicPartition, VersionId

State = Literal["admitted", "current", "retired", "rejected"]


class ListedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version, or one refused message, with its state and since when it is in it.

    `position` is the registry offset of its verdict; sizes are in bytes. What a message that was
    refused did not tell is None.
    """

    name: str
    version: str | None
    data_type: str
    state: State
    since_ms: int
    position: int
    digest: str | None
    format: str | None = None
    size: int | None = None
    publisher: str | None = None
    description: str | None = None
    metrics: dict[str, float] = {}
    code: str | None = None
    reason: str | None = None


def read_versions(log: Log, flow: Flow) -> list[ListedVersion]:
    """Return every version and every refusal of a flow's registry, in its order.

    Raises UnknownTopic, InvalidMessage, LogError.
    """
    history = read_history(log, flow)
    listed = [_listed(history, version) for version in history.versions]
    start, end = log.bounds(flow.registry, 0)
    for batch in read_range(log, TopicPartition(flow.registry, 0), start, end):
        for position, event in zip(batch.offsets, decode_events(batch.values), strict=True):
            if isinstance(event, Rejected):
                listed.append(_refused(position, event))
    return sorted(listed, key=attrgetter("position"))


def state_of(history: History, version: VersionId) -> State:
    """Return where a known version is at the end of the registry."""
    known = history.versions[version]
    if known.retired:
        return "retired"
    roster = history.roster(known.admitted.data_type, history.last)
    return "current" if roster is not None and version in roster.ids() else "admitted"


def _listed(history: History, version: VersionId) -> ListedVersion:
    known = history.versions[version]
    admitted = known.admitted
    state = state_of(history, version)
    since_ms = admitted.at_ms
    if state == "retired":
        since_ms = history.retired[version].at_ms
    elif state == "current" and known.since_ms is not None:
        since_ms = known.since_ms
    return ListedVersion(
        name=version.name,
        version=version.version,
        data_type=admitted.data_type,
        state=state,
        since_ms=since_ms,
        position=known.position,
        digest=admitted.digest,
        format=admitted.format,
        size=admitted.size,
        publisher=admitted.publisher,
        description=admitted.description,
        metrics=admitted.metrics,
    )


def _refused(position: int, event: Rejected) -> ListedVersion:
    return ListedVersion(
        name=event.name,
        version=event.version,
        data_type=event.data_type,
        state="rejected",
        since_ms=event.at_ms,
        position=position,
        digest=event.digest,
        code=event.code,
        reason=event.reason,
    )
