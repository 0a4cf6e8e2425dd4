"""The topics of a flow, made where they are missing."""

import logging
from collections.abc import Mapping

from modelstream.errors import LogError
from modelstream.flow import Flow
from modelstream.limits import REJECT_BYTES_MAX
from modelstream.log.base import Log, TopicInfo

_log = logging.getLogger("modelstream")


def prepare(flow: Flow, log: Log) -> None:
    """Make a flow's missing topics. Those that are there stay as they are, if they can serve.

    Raises LogError for one that cannot, with what to set. Results and rejects have a partition for each partition of the records, so that a partition's
    answers stand in its records' order.
    """
    known = log.topics()
    for topic in (flow.models, flow.registry):
        if topic not in known:
            log.create_topic(topic, 1)
    widest = 1
    for topic in flow.record_topics:
        made = known.get(topic) or log.create_topic(topic, flow.partitions)
        widest = max(widest, made.partitions)
    for topic in filter(None, (flow.results, flow.rejects, flow.labels)):
        if topic not in known:
            log.create_topic(topic, widest)
    _check(flow, known, widest)


def _check(flow: Flow, known: Mapping[str, TopicInfo], widest: int) -> None:
    """Check topics that somebody else made."""
    for name in {flow.models, flow.registry} & known.keys():
        if known[name].partitions != 1:
            raise LogError(
                f"topic {name!r} has {known[name].partitions} partitions, and its messages must"
                " have one order: make it with 1, or name another topic in the flow"
            )
        forgets = _how_it_forgets(known[name])
        if forgets and name == flow.registry:
            raise LogError(
                f"topic {name!r} {forgets}, and results name positions in it for ever:"
                " set cleanup.policy=delete and retention.ms=-1"
            )
        if forgets:
            _log.warning(
                "topic %r %s: a model is in use as long as the registry says, but what was"
                " published cannot be read again; set cleanup.policy=delete and retention.ms=-1",
                name,
                forgets,
            )
    for name in {flow.results, flow.rejects} & known.keys():
        if known[name].partitions < widest:
            raise LogError(
                f"topic {name!r} has {known[name].partitions} partition(s), the records have"
                f" {widest}: give it as many, or name another topic in the flow"
            )
        if name == flow.rejects and known[name].record_bytes_max < REJECT_BYTES_MAX:
            raise LogError(
                f"topic {name!r} takes {known[name].record_bytes_max} bytes a message, and a reject"
                f" can have {REJECT_BYTES_MAX}: raise its max.message.bytes"
            )
        if known[name].compacted:
            raise LogError(
                f"topic {name!r} is compacted, and every record's answer is to be kept:"
                " set cleanup.policy=delete, or name another topic in the flow"
            )


def _how_it_forgets(topic: TopicInfo) -> str:
    if topic.compacted:
        return "is compacted"
    return "" if topic.retention_ms is None else f"keeps messages for {topic.retention_ms} ms"
