"""librdkafka's mock cluster, in this process: Kafka's protocol without a broker."""

from confluent_kafka import Producer

RECORDS, RESULTS = "records-{}", "results-{}"
# Without a record for so long, something is wrong.
PATIENCE_SECONDS = 20.0


class Broker:
    """A cluster of one broker that lives as long as this object."""

    def __init__(self) -> None:
        self._cluster = Producer({"bootstrap.servers": "localhost:1", "test.mock.num.brokers": 1})
        (broker,) = self._cluster.list_topics(timeout=10).brokers.values()
        self.address = f"127.0.0.1:{broker.port}"

    def fill(self, topic: str, values: list[bytes]) -> None:
        """Produce records to a topic, all of them."""
        producer = Producer(
            {
                "bootstrap.servers": self.address,
                "linger.ms": 5,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        for value in values:
            producer.produce(topic, value, key=b"k")
            producer.poll(0)
        left = producer.flush(60)
        if left:
            raise RuntimeError(f"{left} records did not reach the mock broker")
