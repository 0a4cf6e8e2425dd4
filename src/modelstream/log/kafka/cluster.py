"""What is asked of a cluster as a whole: its topics, where partitions begin and end, positions."""

import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec

from modelstream.errors import LogError, LogUnavailable
from modelstream.limits import (
    KAFKA_BATCH_OVERHEAD_BYTES,
    KAFKA_CALL_SECONDS,
    KAFKA_MESSAGE_BYTES_MAX,
    KAFKA_REACH_SECONDS,
    RECORD_BYTES_MAX,
)
from modelstream.log.base import TopicInfo
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.clients import client_options
from modelstream.log.kafka.errors import LASTING, log_error, told
from modelstream.log.kafka.troubles import Troubles
from modelstream.log.topics import check_partition, check_same, check_topic, unknown_topic
from modelstream.messages import TopicPartition

_log = logging.getLogger("modelstream.kafka")

# Of a topic's configuration, what a TopicInfo tells.
_COMPACT, _RETENTION, _MESSAGE_BYTES = "cleanup.policy", "retention.ms", "max.message.bytes"
# A question about offsets goes to the leader as the client remembers it; after a broker's restart these
# answers come for as long as it remembers, minutes, as the question alone does not make it look anew.
_STALE_LEADER = frozenset(
    {
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.NOT_LEADER_FOR_PARTITION,
    }
)


class Cluster:
    """A cluster's administration; safe to use from several threads."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._troubles = Troubles(tells=False)
        self._admin = self._connect()
        self._known: dict[str, TopicInfo] = {}

    def reach(self) -> None:
        """Find a broker that answers. Raises LogUnavailable, or LogError where waiting is no use.

        A question that gets no answer only times out; why is told by the client's troubles.
        """
        give_up = time.monotonic() + KAFKA_REACH_SECONDS
        while True:
            try:
                self._admin.list_topics(timeout=1)
            except KafkaException as error:
                self._admin.poll(0)
                why = self._troubles.worst or error.args[0]
                if why.code() in LASTING or time.monotonic() > give_up:
                    what = f"cannot reach Kafka at {self._address.bootstrap}"
                    raise log_error(what, why) from error
            else:
                return

    def create(self, topic: TopicInfo) -> TopicInfo:
        """Make a topic, or return the one that is there. Raises LogError."""
        check_topic(topic)
        config = {
            _COMPACT: "compact" if topic.compacted else "delete",
            _RETENTION: str(-1 if topic.retention_ms is None else topic.retention_ms),
            _MESSAGE_BYTES: str(KAFKA_MESSAGE_BYTES_MAX),
        }
        wanted = NewTopic(
            topic.name, topic.partitions, self._address.replication or -1, config=config
        )
        try:
            self._result(f"cannot create topic {topic.name!r}", self._admin.create_topics([wanted]))
        except LogError as error:
            cause = error.__cause__
            if (
                not isinstance(cause, KafkaException)
                or cause.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS
            ):
                raise
            return check_same(self.topic(topic.name), topic)
        self._await_leaders(topic)
        self._known[topic.name] = topic
        return topic

    def topics(self) -> dict[str, TopicInfo]:
        """Return every topic by name, Kafka's own left out."""
        counts = {name: count for name, count in self._counts().items() if name[:2] != "__"}
        configs = self._configs(counts)
        self._known = {
            name: _info(name, count, configs[name])
            for name, count in sorted(counts.items())
            if name in configs
        }
        return dict(self._known)

    def topic(self, name: str) -> TopicInfo:
        """Return one topic, as it was when it was first asked for. Raises UnknownTopic."""
        if name not in self._known and name not in self.topics():
            raise unknown_topic(name, self._known)
        return self._known[name]

    def forget(self, name: str) -> None:
        """Ask the cluster again when the topic is named next."""
        self._known.pop(name, None)

    def bounds(self, sources: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """Return the first kept offset and the end of what was committed, by partition."""
        asked = list(sources)
        first = self._offsets(asked, OffsetSpec.earliest())
        end = self._offsets(asked, OffsetSpec.latest())
        return {source: (first[source], max(first[source], end[source])) for source in asked}

    def end(self, source: TopicPartition) -> int:
        """Return the end of what was committed."""
        return self._offsets([source], OffsetSpec.latest())[source]

    def await_readable(self, last: Mapping[TopicPartition, int]) -> None:
        """Wait until readers see the records up to these offsets, which were committed.

        The brokers answer a commit before they have marked it in every partition.
        """
        give_up = time.monotonic() + KAFKA_CALL_SECONDS
        left = dict(last)
        while left and time.monotonic() < give_up:
            ends = self._offsets(list(left), OffsetSpec.latest())
            left = {source: left[source] for source in left if ends[source] <= left[source]}
            if left:
                time.sleep(0.002)
        for source in left:
            _log.warning(
                "records of %s/%s are written and cannot be read yet: a transaction that began"
                " earlier is still open",
                *source,
            )

    def offset_at(self, source: TopicPartition, timestamp_ms: int) -> int | None:
        """Return where to look for the first record of that time or later, None where none is.

        It may lie ahead: marks of transactions have times too, and among deleted records the
        brokers do not look well.
        """
        found = self._offsets([source], OffsetSpec.for_timestamp(timestamp_ms))[source]
        if found >= 0:
            return found
        last = self._places([source], OffsetSpec.max_timestamp())[source]
        return None if last.timestamp < timestamp_ms else 0

    def committed(self, group: str, source: TopicPartition) -> int | None:
        """Return a group's committed position.

        Just after a transaction the brokers may say that the position is about to move: then they
        are asked again, as either answer would be wrong.
        """
        give_up = time.monotonic() + KAFKA_CALL_SECONDS
        while True:
            asked = ConsumerGroupTopicPartitions(group, [KafkaPartition(*source)])
            what = f"cannot read the position of {group!r}"
            try:
                answer = self._result(
                    what, self._admin.list_consumer_group_offsets([asked], require_stable=True)
                )
            except LogUnavailable:  # brokers that have just started load their groups first
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
                continue
            (partition,) = answer.topic_partitions
            if partition.error is None:
                return None if partition.offset < 0 else int(partition.offset)
            moving = partition.error.code() == KafkaError.UNSTABLE_OFFSET_COMMIT
            if not moving or time.monotonic() > give_up:
                raise log_error(what, partition.error)
            time.sleep(0.005)

    def delete_before(self, source: TopicPartition, offset: int) -> None:
        """Forget the records below `offset`."""
        asked = [KafkaPartition(*source, offset)]
        self._result(
            f"cannot delete records of {source.topic!r}", self._admin.delete_records(asked)
        )

    def check_partition(self, source: TopicPartition) -> None:
        """Raise UnknownTopic when there is no such partition."""
        check_partition(self.topic(source.topic), source.partition)

    def _offsets(self, sources: list[TopicPartition], spec: Any) -> dict[TopicPartition, int]:
        return {source: int(place.offset) for source, place in self._places(sources, spec).items()}

    def _places(self, sources: list[TopicPartition], spec: Any) -> dict[TopicPartition, Any]:
        """Return an offset and its time, by partition."""
        if not sources:
            return {}
        what = "cannot read where partitions begin and end"
        try:
            answers = self._admin.list_offsets(
                {KafkaPartition(*source): spec for source in sources},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=KAFKA_CALL_SECONDS,
            )
            return {
                TopicPartition(asked.topic, asked.partition): _outcome(answer)
                for asked, answer in answers.items()
            }
        except KafkaException as error:
            if error.args[0].code() == KafkaError._NOENT:  # no leader: or no topic any more
                for topic, _ in sources:
                    self.forget(topic)
                    self.topic(topic)
            elif error.args[0].code() in _STALE_LEADER:
                self._admin = self._connect()
            raise log_error(what, error.args[0]) from error

    def _connect(self) -> AdminClient:
        with told("Kafka's client cannot be set up"):
            return AdminClient(client_options(self._address) | {"error_cb": self._troubles})

    def _counts(self) -> dict[str, int]:
        """Return the number of partitions of every topic."""
        with told(f"cannot reach Kafka at {self._address.bootstrap}"):
            metadata = self._admin.list_topics(timeout=KAFKA_CALL_SECONDS)
        return {
            name: len(topic.partitions)
            for name, topic in metadata.topics.items()
            if topic.error is None
        }

    def _configs(self, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Return the configuration of topics; one that was deleted meanwhile is left out."""
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        found = {}
        answers = self._admin.describe_configs(resources) if resources else {}
        for resource, answer in answers.items():
            try:
                found[resource.name] = _outcome(answer)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise log_error(
                        f"cannot read topic {resource.name!r}", error.args[0]
                    ) from error
        return found

    def _await_leaders(self, topic: TopicInfo) -> None:
        """Wait until every partition of a new topic has a broker that takes records."""
        give_up = time.monotonic() + KAFKA_CALL_SECONDS
        while time.monotonic() < give_up:
            with told(f"cannot create topic {topic.name!r}"):
                metadata = self._admin.list_topics(topic.name, timeout=KAFKA_CALL_SECONDS)
            partitions = metadata.topics[topic.name].partitions.values()
            ready = [part for part in partitions if part.leader >= 0 and part.error is None]
            if len(ready) == topic.partitions:
                return
            time.sleep(0.01)
        raise LogUnavailable(
            f"topic {topic.name!r} has partitions without a leader after"
            f" {KAFKA_CALL_SECONDS:g} s: are all brokers up?"
        )

    def _result(self, what: str, answers: "Mapping[Any, Future[Any]]") -> Any:
        """Return the one answer of a call."""
        (answer,) = answers.values()
        with told(what):
            return _outcome(answer)


def _outcome(answer: "Future[Any]") -> Any:
    """Return what a call brought; one that is not answered at all fails, too. Raises KafkaException."""
    try:
        return answer.result(KAFKA_CALL_SECONDS)
    except TimeoutError as error:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error


def _info(name: str, partitions: int, config: Mapping[str, Any]) -> TopicInfo:
    kept_ms = int(config[_RETENTION].value)
    # A batch of one record has so many bytes more than the record.
    takes = int(config[_MESSAGE_BYTES].value) - KAFKA_BATCH_OVERHEAD_BYTES
    return TopicInfo(
        name,
        partitions,
        "compact" in config[_COMPACT].value,
        None if kept_ms < 0 else kept_ms,
        max(0, min(RECORD_BYTES_MAX, takes)),
    )
