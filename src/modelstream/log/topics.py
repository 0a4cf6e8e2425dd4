"""The rules for topics and partitions that every embedded log keeps, and how their breach is told."""

import re
from collections.abc import Iterable

from modelstream import limits
from modelstream.errors import LogError, UnknownTopic
from modelstream.log.base import TopicInfo


def check_topic(topic: TopicInfo) -> None:
    """Raise LogError for a topic that cannot be made; the rule for names is Kafka's."""
    name = topic.name
    if not re.fullmatch(r"[a-zA-Z0-9._-]+", name) or name in {".", ".."}:
        raise LogError(
            f"{name!r} cannot name a topic: use letters, digits, '.', '_' and '-' only,"
            " and neither '.' nor '..' alone"
        )
    if len(name) > limits.TOPIC_NAME_CHARS_MAX:
        raise LogError(
            f"a topic name of {len(name)} characters is too long:"
            f" use at most {limits.TOPIC_NAME_CHARS_MAX}"
        )
    if not 1 <= topic.partitions <= limits.PARTITIONS_MAX:
        raise LogError(
            f"topic {name!r} cannot have {topic.partitions} partitions:"
            f" ask for 1 to {limits.PARTITIONS_MAX}"
        )
    if topic.retention_ms is not None and topic.retention_ms < 1:
        raise LogError(
            f"topic {name!r} cannot keep records for {topic.retention_ms} ms:"
            " ask for 1 or more, or for None to keep them for ever"
        )


def check_same(there: TopicInfo, wanted: TopicInfo) -> TopicInfo:
    """Return the topic that is there; raise LogError when it is not of the kind wanted."""
    if (there.partitions, there.compacted) != (wanted.partitions, wanted.compacted):
        raise LogError(
            f"topic {there.name!r} is there with {_kind(there)}, not with {_kind(wanted)}:"
            " use it as it is, or choose another name"
        )
    return there


def _kind(topic: TopicInfo) -> str:
    return f"{topic.partitions} partition(s){', compacted' if topic.compacted else ''}"


def unknown_topic(name: str, known: Iterable[str]) -> UnknownTopic:
    """Return the error for a topic that the log does not have."""
    names = sorted(known)
    shown = ", ".join(names[: limits.TOPICS_SHOWN_MAX]) or "none"
    more = ", ..." if len(names) > limits.TOPICS_SHOWN_MAX else ""
    return UnknownTopic(f"no topic {name!r}: create it first (topics of this log: {shown}{more})")


def check_partition(topic: TopicInfo, partition: int) -> None:
    """Raise UnknownTopic when the topic has no such partition."""
    if not 0 <= partition < topic.partitions:
        raise UnknownTopic(
            f"topic {topic.name!r} has no partition {partition}:"
            f" its partitions are 0 to {topic.partitions - 1}"
        )
