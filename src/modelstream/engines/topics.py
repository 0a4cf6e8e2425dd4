"""The topics of a flow, made where they are missing."""

from modelstream.flow import Flow
from modelstream.log.base import Log


def prepare(flow: Flow, log: Log) -> None:
    """Make a flow's missing topics; those that are there stay as they are. Raises LogError.

    Results and rejects have a partition for each partition of the records, so that a partition's
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
    for topic in (flow.results, flow.rejects):
        if topic not in known:
            log.create_topic(topic, widest)
