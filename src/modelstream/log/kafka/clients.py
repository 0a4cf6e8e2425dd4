"""How each kind of Kafka client is set up: what the user's options leave open."""

import logging
from typing import Any

from modelstream.limits import (
    KAFKA_FETCH_BYTES_MAX,
    KAFKA_MESSAGE_BYTES_MAX,
    KAFKA_POLL_INTERVAL_MS,
    KAFKA_SESSION_MS,
    KAFKA_TOPICS_MS,
    KAFKA_TRANSACTION_MS,
    KAFKA_TRANSACTION_RETRY_MS,
)
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.troubles import Troubles

_log = logging.getLogger("modelstream.kafka")

Options = dict[str, Any]
# Options of one kind of client, which the others do not know.
_CONSUMER_ONLY = (
    "group.",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
    "partition.assignment.strategy",
    "fetch.",
    "queued.",
    "check.crcs",
    "max.partition.fetch.bytes",
)
_PRODUCER_ONLY = (
    "linger.ms",
    "compression.",
    "acks",
    "request.required.acks",
    "batch.",
    "queue.buffering.",
    "transaction.timeout.ms",
    "delivery.timeout.ms",
    "message.timeout.ms",
    "retries",
    "max.in.flight",
    "enable.gapless.guarantee",
    "sticky.partitioning.linger.ms",
)


def client_options(address: KafkaAddress) -> Options:
    """Return the options of a client that neither produces nor consumes."""
    return _common(address, without=_CONSUMER_ONLY + _PRODUCER_ONLY)


def reader_options(address: KafkaAddress) -> Options:
    """Return the options of a consumer that is in no group: it reads where it is told to."""
    own = {name: value for name, value in _consumer(address).items() if not _of_groups(name)}
    return own | {
        # librdkafka wants a group's name; nothing is ever committed in it.
        "group.id": "modelstream.reader",
        # To go on elsewhere waits behind the fetch that waits at the end.
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 16 * 1024,
    }


def member_options(address: KafkaAddress, group: str, instance: str) -> Options:
    """Return the options of a member of a group.

    It is a static member: one that is killed and comes back under its name has its partitions at
    once, and nobody else's move. Not under `group.protocol=consumer` (KIP-848), where a name is
    taken until the session ends, and its partitions wait for it as long when the member leaves.
    """
    options = {"group.id": group, "max.poll.interval.ms": KAFKA_POLL_INTERVAL_MS}
    if address.options.get("group.protocol") != "consumer":
        options |= {
            "group.instance.id": f"{group}-{instance}",
            "session.timeout.ms": KAFKA_SESSION_MS,
            "partition.assignment.strategy": "cooperative-sticky",
        }
    return options | _consumer(address)


def producer_options(
    address: KafkaAddress, transactional_id: str | None, *, told_offsets: bool = False
) -> Options:
    """Return the options of a producer; with an id it writes transactions.

    To be told the offset of each record costs a third of its speed, so one asks for it.
    """
    options: Options = {
        "enable.idempotence": True,
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.max.bytes": KAFKA_MESSAGE_BYTES_MAX,
        # A batch's results fit in whole, so that producing them never waits.
        "queue.buffering.max.messages": 1_000_000,
        "delivery.report.only.error": not told_offsets,
    }
    if transactional_id is not None:
        options |= {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": KAFKA_TRANSACTION_MS,
            # A transaction that follows at once finds the one before not yet marked everywhere, and
            # asks again: by default after 100 ms. It doubles, so that brokers that are away rest.
            "retry.backoff.ms": KAFKA_TRANSACTION_RETRY_MS,
        }
    return options | _common(address, without=_CONSUMER_ONLY)


def _consumer(address: KafkaAddress) -> Options:
    options: Options = {
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        # One that asks at the end is answered when a record comes, or after so long.
        "fetch.wait.max.ms": 500,
        # A topic that was deleted is missed within so long; else it would look like one at its end.
        "topic.metadata.refresh.interval.ms": KAFKA_TOPICS_MS,
        "queued.min.messages": 20_000,
        # When so many wait, the next fetch is put off for so long, and no second: that would let
        # 20,000 records a second through.
        "fetch.queue.backoff.ms": 50,
        "queued.max.messages.kbytes": KAFKA_FETCH_BYTES_MAX // 1024,
    }
    return options | _common(address, without=_PRODUCER_ONLY)


def _common(address: KafkaAddress, *, without: tuple[str, ...]) -> Options:
    options: Options = {
        "bootstrap.servers": address.bootstrap,
        "client.id": "modelstream",
        "logger": _log,
        "error_cb": Troubles(),
        # What the library writes of its own accord says the same again, at each attempt.
        "log_level": 2,
        # A broker that comes back is found again within a second.
        "reconnect.backoff.max.ms": 1000,
    }
    told = {name: text for name, text in address.options.items() if not name.startswith(without)}
    return options | told


def _of_groups(name: str) -> bool:
    return name.startswith(("group.", "session.", "heartbeat.", "max.poll.", "partition.assign"))
