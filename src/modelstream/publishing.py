"""Publishing: what a publisher puts on a flow's models topic, and what it then learns of it.

Publishing is open, serving is not: the admitter decides, and its verdict stands on the registry.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelstream.core.policies.base import Policy
from modelstream.core.policies.text import parse_policy, policy_text
from modelstream.core.release import check_release
from modelstream.engines.topics import prepare
from modelstream.events import RegistryEvent, decode_event
from modelstream.flow import Flow
from modelstream.formats import read_artifact, recognise
from modelstream.formats.location import is_location, parse_location
from modelstream.limits import (
    BATCH_BYTES_MAX,
    INLINE_BYTES_MAX,
    REGISTRY_READ_RECORDS,
    RELEASE_EVERY,
    RELEASE_ROLL_BACK,
    RELEASE_STEPS,
)
from modelstream.log.base import Log
from modelstream.messages import Outgoing, Position
from modelstream.models.releases import ReleaseOrder
from modelstream.wire.descriptor import Action, GoldenRecord, ModelDescriptor, encode_descriptor


def publish(
    log: Log,
    flow: Flow,
    source: str | Path | bytes,
    *,
    name: str,
    version: str = "",
    data_type: str = "",
    format: str = "",  # noqa: A002 - the word of the descriptor and of the command line
    description: str = "",
    publisher: str = "",
    feature_names: Sequence[str] = (),
    labels: Sequence[str] = (),
    signature: str = "",
    metrics: Mapping[str, float] | None = None,
    golden: Sequence[GoldenRecord] = (),
    stage: bool = False,
) -> Position:
    """Put a model on the flow's models topic; return where it stands there.

    It is bytes, a file's path, or the URL of a model at a server, which stays there.

    `signature` chooses one of a SavedModel's, or names inputs and outputs of a frozen graph:
    `x:0 -> y:0`. It becomes current once it is admitted; with `stage` only once it is promoted. Without a
    version the registry numbers it. Raises InvalidModel (no such file, too large, format not
    told), InvalidFlow, LogError. What is in the bytes is the admitter's business.
    """
    content = _content(log, source, format)
    descriptor = ModelDescriptor(
        name=name,
        version=version,
        description=description,
        data_type=flow.data_type_given(data_type),
        format=content.format,
        data=content.data,
        location=content.location,
        digest=content.digest,
        created_at_ms=time.time_ns() // 1_000_000,
        feature_names=tuple(feature_names),
        labels=tuple(labels),
        signature_name=signature,
        metrics=dict(metrics or {}),
        golden=tuple(golden),
        publisher=publisher,
        action=Action.STAGE if stage else Action.PUBLISH,
    )
    return _append(log, flow, descriptor)


def promote(log: Log, flow: Flow, name: str, version: str = "") -> Position:
    """Make an admitted version current; without a version, the newest of that name."""
    return _append(log, flow, _command(flow, Action.PROMOTE, name, version))


def rollback(log: Log, flow: Flow, data_type: str = "") -> Position:
    """Go back to the version that was current before, for a data type."""
    return _append(log, flow, _command(flow, Action.ROLLBACK, "", "", data_type))


def retire(log: Log, flow: Flow, name: str, version: str) -> Position:
    """Take a version out for ever; where it is current, its predecessor becomes so."""
    return _append(log, flow, _command(flow, Action.RETIRE, name, version))


def plan(log: Log, flow: Flow, policy: Policy | str, data_type: str = "") -> Position:
    """Find answers by another policy from now on; without a data type, for all that have none.

    Raises InvalidFlow where a text is no policy.
    """
    text = policy_text(parse_policy(policy) if isinstance(policy, str) else policy)
    descriptor = ModelDescriptor(
        action=Action.PLAN,
        policy=text,
        data_type=data_type,
        created_at_ms=time.time_ns() // 1_000_000,
    )
    return _append(log, flow, descriptor)


def release(
    log: Log,
    flow: Flow,
    name: str,
    version: str = "",
    *,
    data_type: str = "",
    steps: Sequence[float] = RELEASE_STEPS,
    every: int = RELEASE_EVERY,
    promote: str = "",
    roll_back: str = RELEASE_ROLL_BACK,
) -> Position:
    """Let a staged version take over step by step; `core.release` says what the rules may be.

    `steps` are shares of the keys (0: it is asked as a shadow), each kept until it was asked about
    `every` records. Raises InvalidFlow where they cannot be, LogError.
    """
    check_release(steps, every, promote, roll_back)
    order = ReleaseOrder(
        do="start", steps=tuple(steps), every=every, promote=promote, roll_back=roll_back
    )
    return _append(log, flow, _release_order(order, name, version, data_type))


def end_release(log: Log, flow: Flow, data_type: str = "", *, promote: bool = False) -> Position:
    """End the release that goes on: give the candidate up, or promote it now."""
    order = ReleaseOrder(do="promote" if promote else "abort")
    data_type = flow.data_type_given(data_type)
    return _append(log, flow, _release_order(order, "", "", data_type))


def _release_order(order: ReleaseOrder, name: str, version: str, data_type: str) -> ModelDescriptor:
    return ModelDescriptor(
        action=Action.RELEASE,
        name=name,
        version=version,
        data_type=data_type,
        order=msgspec.json.encode(order).decode(),
        created_at_ms=time.time_ns() // 1_000_000,
    )


def verdict(
    log: Log, flow: Flow, position: Position, timeout_s: float
) -> list[RegistryEvent] | None:
    """Wait for what the admitter says of a published message; None if it said nothing in time.

    An empty list: the message was read, and there was nothing to change.
    """
    deadline = time.monotonic() + timeout_s
    offset = 0
    while True:
        done = (log.committed(f"{flow.name}.admitter", flow.models, 0) or 0) > position.offset
        batch = log.read(flow.registry, 0, offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX)
        events = [decode_event(value) for value in batch.values]
        mine = [event for event in events if event.source == position.offset]
        if mine:
            return mine
        if len(batch):
            offset = batch.next_offset
        elif done:
            return []
        elif time.monotonic() > deadline:
            return None
        else:
            time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a descriptor brings: a format, and the artifact's bytes or where they are."""

    format: str
    data: bytes | None = None
    location: str | None = None
    digest: str = ""


def _content(log: Log, source: str | Path | bytes, format_name: str) -> _Content:
    """Read an artifact; a model at a server is left where it is, for the admitter to ask for."""
    if isinstance(source, str) and is_location(source):
        return _Content(format_name or "remote", location=parse_location(source).url)
    data = read_artifact(source)
    digest = hashlib.sha256(data).hexdigest()
    chosen = format_name or recognise(data).name
    if len(data) <= INLINE_BYTES_MAX:
        return _Content(chosen, data=data, digest=digest)
    return _Content(chosen, location=f"sha256:{log.blobs.put(data)}", digest=digest)


def _command(
    flow: Flow, action: Action, name: str, version: str, data_type: str = ""
) -> ModelDescriptor:
    if action is Action.ROLLBACK:
        data_type = flow.data_type_given(data_type)
    return ModelDescriptor(
        name=name,
        version=version,
        data_type=data_type,
        created_at_ms=time.time_ns() // 1_000_000,
        action=action,
    )


def _append(log: Log, flow: Flow, descriptor: ModelDescriptor) -> Position:
    prepare(flow, log)
    (offsets,) = log.append(
        Outgoing(flow.models, [encode_descriptor(descriptor)], partition=0)
    ).values()
    return Position(flow.models, 0, offsets[0])
