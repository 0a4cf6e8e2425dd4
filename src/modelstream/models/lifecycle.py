"""The rules of a version's life: what a message of the models topic does to the registry.

Pure: messages and the registry in, events out. Whether an artifact is a model is not decided here
(`models.check`), nor when events are written (`models.admit`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from modelstream.core.policies.base import Policy, refs_of
from modelstream.core.policies.text import parse_policy, policy_text
from modelstream.core.registry import Registry, Version
from modelstream.errors import InvalidFlow
from modelstream.events import Planned, Promoted, RegistryEvent, Rejected, Retired, RolledBack
from modelstream.flow import Flow
from modelstream.messages import VersionId
from modelstream.models.refusal import Refused, listed
from modelstream.wire.descriptor import ModelDescriptor

# The publisher of a plan that a flow declares itself.
DECLARED = "the flow"


@dataclass(frozen=True, slots=True)
class Message:
    """A descriptor, its offset on the models topic, and the time at which it is handled."""

    descriptor: ModelDescriptor
    source: int
    at_ms: int


def data_type_of(message: Message, flow: Flow) -> str:
    """Return the data type that a message is about; with one alone it may be left out.

    Raises Refused when it is left out of several, or the flow has no records of it.
    """
    try:
        data_type = flow.data_type_given(message.descriptor.data_type)
    except InvalidFlow as error:
        raise Refused("unknown_data_type", str(error)) from error
    known = set(flow.record_topics.values())
    if not flow.data_type_field and data_type not in known:
        raise Refused(
            "unknown_data_type",
            f"flow {flow.name!r} has no records of data type {data_type!r}; it has {listed(sorted(known))}",
        )
    return data_type


def published(
    message: Message, data_type: str, digest: str, registry: Registry
) -> VersionId | None:
    """Return the version that a published artifact is already; None where it is a new one.

    Raises Refused where it cannot be either: a version never changes, and none returns from
    retirement.
    """
    descriptor = message.descriptor
    if descriptor.version:
        named = registry.versions.get(VersionId(descriptor.name, descriptor.version))
        same = [named] if named else []
    else:
        newest_first = reversed(registry.with_digest(descriptor.name, digest))
        same = [registry.versions[each] for each in newest_first]
    if not same:
        return None
    if same[0].admitted.digest != digest:
        raise Refused(
            "version_exists",
            f"{same[0].id} is another artifact, of sha-256 {same[0].admitted.digest}, and a "
            f"version never changes; give this one another version, or none",
        )
    alike = [known for known in same if not _differences(known, descriptor, data_type)]
    if not alike:
        raise Refused(
            "artifact_exists",
            f"{same[0].id} is this artifact with another "
            f"{' and '.join(_differences(same[0], descriptor, data_type))}, and a version never "
            f"changes; give a version that is not there yet to publish it anew",
        )
    usable = [known for known in alike if not known.retired]
    if not usable:
        raise _retired(alike[0].id)
    return usable[0].id


def promote(message: Message, registry: Registry) -> list[RegistryEvent]:
    """Make a version current: the one named or, without one, the newest that is not retired."""
    descriptor = message.descriptor
    if descriptor.version:
        version = _known(registry, descriptor)
    else:
        of_name = registry.of_name(descriptor.name)
        usable = [each for each in of_name if not registry.versions[each].retired]
        if not usable:
            raise Refused(
                "unknown_version",
                f"no version of {descriptor.name!r} can be promoted; publish one first",
            )
        version = usable[-1]
    data_type = registry.versions[version].admitted.data_type
    if descriptor.data_type not in {"", data_type}:
        raise Refused(
            "unknown_data_type",
            f"{version} is for data type {data_type!r}, not {descriptor.data_type!r}; publish it "
            f"for that one under a version of its own",
        )
    return promotion(message, version, registry)


def promotion(message: Message, version: VersionId, registry: Registry) -> list[RegistryEvent]:
    """Make a known version current; nothing is to be done where it is. Raises Refused."""
    known = registry.versions[version]
    if known.retired:
        raise _retired(version)
    data_type = known.admitted.data_type
    if registry.current(data_type) == version:
        return []
    return [promoted(message, version, data_type)]


def promoted(message: Message, version: VersionId, data_type: str) -> Promoted:
    """Return the event that makes a version current."""
    return Promoted(
        name=version.name,
        version=version.version,
        data_type=data_type,
        source=message.source,
        at_ms=message.at_ms,
    )


def roll_back(message: Message, flow: Flow, registry: Registry) -> list[RegistryEvent]:
    """Leave a data type's current version for the one before it. Raises Refused.

    The data type is the one given, the one for which a version of the given name is current, or
    the flow's only one.
    """
    descriptor = message.descriptor
    if descriptor.name and not descriptor.data_type:
        data_type = _served_by(descriptor.name, registry)
    else:
        data_type = data_type_of(message, flow)
    current = registry.current(data_type)
    if current is None:
        raise Refused(
            "nothing_before", f"no version is current for data type {data_type!r}; publish one"
        )
    if descriptor.name not in {"", current.name} or descriptor.version not in {"", current.version}:
        named = f"{descriptor.name or current.name}@{descriptor.version or '(any)'}"
        raise Refused(
            "not_current",
            f"{named} is not current for data type {data_type!r}: {current} is; roll that back, or "
            f"promote the version you want",
        )
    if registry.previous(data_type) is None:
        raise Refused(
            "nothing_before",
            f"{current} is the first version of data type {data_type!r}: there is none to go back "
            f"to; promote another one",
        )
    event = RolledBack(
        data_type=data_type,
        name=current.name,
        version=current.version,
        source=message.source,
        at_ms=message.at_ms,
    )
    return [event]


def retire(message: Message, registry: Registry) -> list[RegistryEvent]:
    """Take a version out for good; nothing is to be done where it is out. Raises Refused."""
    if not message.descriptor.version:
        raise Refused(
            "unknown_version",
            f"say which version of {message.descriptor.name!r} to retire; it has "
            f"{_versions(registry, message.descriptor.name)}",
        )
    version = _known(registry, message.descriptor)
    if registry.versions[version].retired:
        return []
    return [
        Retired(
            name=version.name, version=version.version, source=message.source, at_ms=message.at_ms
        )
    ]


def plan(message: Message, flow: Flow, registry: Registry) -> list[RegistryEvent]:
    """Find answers in another way from now on, for one data type or for all. Raises Refused.

    What the flow declares itself is taken as it is, since its models may come later.
    """
    descriptor = message.descriptor
    data_type = data_type_of(message, flow) if descriptor.data_type else ""
    try:
        policy = parse_policy(descriptor.policy)
    except InvalidFlow as error:
        raise Refused("invalid_plan", str(error)) from error
    objection = flow.objection_to(policy)
    if objection:
        raise Refused("invalid_plan", f"this plan {objection}")
    text = policy_text(policy)
    declared = descriptor.publisher == DECLARED
    known = registry.plans.get(data_type)
    if text == (registry.declared if declared else known.policy if known else ""):
        return []
    if not declared:
        _check_answerable(policy, (data_type,) if data_type else registry.data_types(), registry)
    event = Planned(
        data_type=data_type,
        version=str(registry.plan_count + 1),
        policy=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        source=message.source,
        at_ms=message.at_ms,
        publisher=descriptor.publisher,
        declared=declared,
    )
    return [event]


def _check_answerable(policy: Policy, data_types: Sequence[str], registry: Registry) -> None:
    """Raise Refused where a policy would leave a data type that has a model without any answer."""
    refs = refs_of(policy)
    for data_type in data_types:
        if refs and not any(registry.resolve(data_type, ref) for ref in refs):
            raise Refused(
                "unknown_version",
                f"none of {listed(sorted(map(repr, refs)))} can answer for data type {data_type!r}; "
                f"publish one of them first",
            )


def rejected(message: Message, refused: Refused, digest: str | None) -> Rejected:
    """Return the event that says why a message was refused."""
    descriptor = message.descriptor
    return Rejected(
        name=descriptor.name,
        version=descriptor.version or None,
        data_type=descriptor.data_type,
        digest=digest,
        code=refused.code,
        reason=refused.reason,
        source=message.source,
        at_ms=message.at_ms,
    )


def _differences(known: Version, descriptor: ModelDescriptor, data_type: str) -> Sequence[str]:
    """Say in what, apart from the artifact, a known version is not the one published."""
    admitted = known.admitted
    pairs = {
        "data type": (admitted.data_type, data_type),
        "format": (admitted.format, descriptor.format),
        "order of feature names": (admitted.feature_names, descriptor.feature_names),
        "list of labels": (admitted.labels, descriptor.labels),
        "signature": (admitted.signature_name, descriptor.signature_name),
    }
    return [what for what, (there, here) in pairs.items() if there != here]


def _known(registry: Registry, descriptor: ModelDescriptor) -> VersionId:
    version = VersionId(descriptor.name, descriptor.version)
    if version not in registry.versions:
        raise Refused(
            "unknown_version",
            f"there is no {version}; {descriptor.name!r} has {_versions(registry, version.name)}",
        )
    return version


def _versions(registry: Registry, name: str) -> str:
    return listed([each.version for each in registry.of_name(name)])


def _served_by(name: str, registry: Registry) -> str:
    """Return the data type for which a version of this name is current."""
    current = {each: registry.current(each) for each in registry.data_types()}
    served = [each for each, version in current.items() if version and version.name == name]
    if len(served) == 1:
        return served[0]
    if not served:
        raise Refused("not_current", f"no version of {name!r} is current; there is nothing to undo")
    raise Refused(
        "unknown_data_type",
        f"versions of {name!r} are current for {listed(sorted(served))}; say which data type to roll back",
    )


def _retired(version: VersionId) -> Refused:
    return Refused(
        "retired",
        f"{version} was retired, and a retired version never returns; publish its artifact under a "
        f"version that is not there yet",
    )
