"""The rules of a release: what an order, and what figures, do to the registry.

Pure, as `models.lifecycle` is. A step of a release is a plan of the data type's own; when the release
ends, the plan before it is restored.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from modelstream.core.policies.text import policy_text
from modelstream.core.registry import Registry
from modelstream.core.release import Verdict, check_release, judge, policy_at
from modelstream.errors import InvalidFlow
from modelstream.events import (
    Measured,
    Planned,
    Promoted,
    RegistryEvent,
    Released,
    ReleaseState,
    Retired,
    RolledBack,
    version_of,
)
from modelstream.flow import Flow
from modelstream.messages import VersionId
from modelstream.models.lifecycle import Message, data_type_of, promoted
from modelstream.models.refusal import Refused

_LATEST = {"", "Latest()"}
_Order = TypeVar("_Order", bound=msgspec.Struct)


class ReleaseOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is ordered of a release, as a descriptor's `order`: to start one, or to end the one going on."""

    do: Literal["start", "promote", "abort"]
    steps: tuple[float, ...] = ()
    every: int = 1
    promote: str = ""
    roll_back: str = ""


def release(message: Message, flow: Flow, registry: Registry) -> list[RegistryEvent]:
    """Start a release, or end the one that goes on. Raises Refused."""
    order = read_order(message, ReleaseOrder)
    if order.do == "start":
        return _start(message, order, flow, registry)
    data_type = data_type_of(message, flow)
    going_on = registry.releases.get(data_type)
    if going_on is None:
        raise Refused("no_release", f"no release goes on for data type {data_type!r}; start one")
    asked: ReleaseState = "promoted" if order.do == "promote" else "aborted"
    return _ended(message, going_on, Verdict(asked, "asked to", ()), registry)


def judged(
    message: Message, going_on: Released, measured: Measured, registry: Registry
) -> list[RegistryEvent]:
    """Take a release on, or to its end, by figures of its step."""
    verdict = judge(going_on, measured)
    if verdict is None:
        return []
    if verdict.state == "stepped":
        return _step(message, going_on, verdict, registry)
    return _ended(message, going_on, verdict, registry)


def superseded(
    message: Message, events: Sequence[RegistryEvent], registry: Registry
) -> list[RegistryEvent]:
    """Return events with the ends of those releases before them that they leave no ground for."""
    before: list[RegistryEvent] = []
    for data_type, going_on in registry.releases.items():
        because = [why for event in events if (why := _concern(event, data_type, going_on))]
        if because:
            before += _ended(message, going_on, Verdict("aborted", because[0], ()), registry)
    return [*before, *events]


def check_free(message: Message, registry: Registry) -> None:
    """Raise Refused where a plan would come in between a release and its end."""
    _check_none(message.descriptor.data_type, registry)


def _start(
    message: Message, order: ReleaseOrder, flow: Flow, registry: Registry
) -> list[RegistryEvent]:
    candidate = _candidate(message, registry)
    data_type = registry.versions[candidate].admitted.data_type
    champion = _champion(candidate, data_type, registry)
    own = registry.plans.get(data_type)
    started = Released(
        data_type=data_type,
        name=candidate.name,
        version=candidate.version,
        champion=champion,
        steps=order.steps,
        every=order.every,
        promote=order.promote,
        roll_back=order.roll_back,
        step=0,
        state="started",
        before=own.policy if own else "",
        source=message.source,
        at_ms=message.at_ms,
    )
    try:
        check_release(order.steps, order.every, order.promote, order.roll_back)
        policy = policy_at(started)
    except InvalidFlow as error:
        raise Refused("invalid_release", str(error)) from error
    objection = flow.objection_to(policy)
    if objection:
        raise Refused("invalid_release", f"a release that begins with a shadow {objection}")
    return [started, _planned(message, data_type, policy_text(policy), registry)]


def _champion(candidate: VersionId, data_type: str, registry: Registry) -> VersionId:
    """Return whose place a candidate would take. Raises Refused where that cannot be shared now."""
    champion = registry.current(data_type)
    if champion is None:
        raise Refused(
            "nothing_before",
            f"no version is current for data type {data_type!r}, so there is none to take over "
            f"from; promote {candidate}",
        )
    if champion == candidate:
        raise Refused("artifact_exists", f"{candidate} is current for {data_type!r} already")
    _check_none(data_type, registry)
    planned = registry.plan(data_type)
    if planned is not None and planned.policy not in _LATEST:
        raise Refused(
            "invalid_release",
            f"answers for data type {data_type!r} are found by {planned.policy}; a release shares "
            f"them between the current version and another: make the plan Latest() first",
        )
    return champion


def _check_none(data_type: str, registry: Registry) -> None:
    going_on = registry.releases.get(data_type)
    if going_on is not None:
        raise Refused(
            "releasing",
            f"{version_of(going_on)} is being released for data type {data_type!r}; wait for its "
            f"end, or end it: modelstream release FLOW.toml abort",
        )


def _candidate(message: Message, registry: Registry) -> VersionId:
    """Return the version to release: the one named or, without one, the newest that is not retired."""
    name, version = message.descriptor.name, message.descriptor.version
    usable = [
        each
        for each in registry.of_name(name)
        if not registry.versions[each].retired and version in {"", each.version}
    ]
    if not usable:
        named = f"{name}@{version}" if version else name
        raise Refused("unknown_version", f"there is no {named!r} to release; stage it first")
    return usable[-1]


def _step(
    message: Message, going_on: Released, verdict: Verdict, registry: Registry
) -> list[RegistryEvent]:
    stepped = _moved(message, going_on, verdict, going_on.step + 1)
    text = policy_text(policy_at(stepped))
    return [stepped, _planned(message, going_on.data_type, text, registry)]


def _ended(
    message: Message, going_on: Released, verdict: Verdict, registry: Registry
) -> list[RegistryEvent]:
    """End a release: restore the plan before it and, where it succeeded, promote the candidate."""
    restored = _planned(message, going_on.data_type, going_on.before, registry)
    events: list[RegistryEvent] = [_moved(message, going_on, verdict, going_on.step)]
    if verdict.state == "promoted":
        events.append(promoted(message, version_of(going_on), going_on.data_type))
    return [*events, restored]


def _moved(message: Message, going_on: Released, verdict: Verdict, step: int) -> Released:
    return msgspec.structs.replace(
        going_on,
        step=step,
        state=verdict.state,
        because=verdict.because,
        evidence=verdict.evidence,
        source=message.source,
        at_ms=message.at_ms,
    )


def _planned(message: Message, data_type: str, text: str, registry: Registry) -> Planned:
    return Planned(
        data_type=data_type,
        version=str(registry.plan_count + 1),
        policy=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        source=message.source,
        at_ms=message.at_ms,
        publisher="a release",
    )


def _concern(event: RegistryEvent, data_type: str, going_on: Released) -> str:
    """Tell how an event takes a release's ground away; empty where it does not."""
    match event:
        case Promoted() if event.data_type == data_type:
            return f"{version_of(event)} was promoted"
        case RolledBack() if event.data_type == data_type:
            return f"{version_of(event)} was rolled back"
        case Retired() if version_of(event) in {version_of(going_on), going_on.champion}:
            return f"{version_of(event)} was retired"
        case _:
            return ""


def read_order(message: Message, kind: type[_Order]) -> _Order:
    """Read what a message orders. Raises Refused."""
    try:
        return msgspec.json.decode(message.descriptor.order, type=kind)
    except msgspec.DecodeError as error:
        raise Refused("malformed", f"the order cannot be read: {error}") from error
