"""Kafka's errors as those of a log: what is wrong, and what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from modelstream.errors import InvalidRecord, LogError, LogUnavailable, UnknownTopic

_ADVICE = {
    KafkaError._ALL_BROKERS_DOWN: "no broker answers: is Kafka running at that address, and does"
    " the port speak what security.protocol says?",
    KafkaError._TRANSPORT: "the broker does not answer: is Kafka running at that address, and does"
    " the port speak what security.protocol says?",
    KafkaError._TIMED_OUT: "the broker did not answer in time: is Kafka running at that address?",
    KafkaError._NOENT: "a partition has no leader: are all brokers up?",
    KafkaError._RESOLVE: "the broker's name is not known: check the address",
    KafkaError._AUTHENTICATION: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError._SSL: "check the certificates (ssl.ca.location) and that the port speaks TLS",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "allow this user to use the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "allow this user to read in the flow's group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "allow this user to write transactions, or"
    " set delivery=at_least_once",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "allow this user to do so, or create the topics first",
}
_UNKNOWN_TOPIC = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE}
# Errors that no waiting mends.
LASTING = (
    _UNKNOWN_TOPIC
    | _TOO_LARGE
    | {
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._FATAL,
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.INVALID_CONFIG,
        KafkaError._INVALID_ARG,
    }
)
# Errors that pass when the brokers are back, beside those that Kafka itself calls retriable.
_PASSING = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._NOENT,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._TRANSPORT,
    KafkaError._WAIT_COORD,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.CONCURRENT_TRANSACTIONS,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
}
# The group is about to have another generation, of which this member may be one.
NEW_GENERATION = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.STALE_MEMBER_EPOCH,
}
# The group goes on without this member, or with another generation of it.
LOST_MEMBERSHIP = NEW_GENERATION | {
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_MEMBER_EPOCH,
    KafkaError._ASSIGNMENT_LOST,
}


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise Kafka's errors as LogError with what was being done."""
    try:
        yield
    except KafkaException as error:
        raise log_error(what, error.args[0]) from error


def log_error(what: str, error: KafkaError) -> LogError:
    """Return the error to raise for one of Kafka's."""
    if error.code() in _UNKNOWN_TOPIC:
        return UnknownTopic(f"{what}: the topic is not there (any more): create it first")
    if error.code() in _TOO_LARGE:
        return LogError(
            f"{what}: a record is larger than the topic takes: raise its max.message.bytes,"
            " or send smaller records"
        )
    # The client as a whole gives up (_FATAL) for no other reason than this.
    if error.code() in {KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL}:
        return LogError(
            f"{what}: another consumer joined the group under this instance's name and took its"
            " place: give every instance a name of its own"
        )
    advice = _ADVICE.get(error.code())
    kind = LogUnavailable if passes(error) else LogError
    return kind(f"{what}: {error.str()}{f': {advice}' if advice else ''}")


def passes(error: KafkaError) -> bool:
    """Tell whether waiting may mend an error."""
    passing = error.retriable() or error.code() in _PASSING
    return passing and not error.fatal() and error.code() not in LASTING


def too_large(topic: str, size_bytes: int) -> InvalidRecord:
    """Return the error for a record that the client itself does not send."""
    return InvalidRecord(
        f"a record for topic {topic!r} has {size_bytes} bytes, which is more than is sent:"
        " make it smaller"
    )
