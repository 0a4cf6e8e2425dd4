"""A real Apache Kafka for a benchmark, and topics on it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.peer_jobs.on_kafka_order import PATIENCE_SECONDS
from tests.support.kafka.broker import KafkaBroker


@contextmanager
def broker() -> Iterator[str]:
    """Give the address of a broker that lives meanwhile, with nothing on it."""
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as directory:
        node = KafkaBroker(Path(directory))
        try:
            yield node.bootstrap
        finally:
            node.stop()


def create_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Make topics of one partition."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        made.result(PATIENCE_SECONDS)
