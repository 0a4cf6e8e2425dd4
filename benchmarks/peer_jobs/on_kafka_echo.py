"""The least that a job on Kafka can do: consume what is there, produce it again, commit.

It ends when standard input does.
"""

import os
import sys
import threading

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peer_jobs.on_kafka_order import BATCH, order


def main() -> None:
    """Echo until the benchmark is done."""
    threading.Thread(target=_end_with_benchmark, daemon=True).start()
    told, _ = order()
    consumer = Consumer(
        {
            "bootstrap.servers": told.bootstrap,
            "group.id": told.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    options = {"bootstrap.servers": told.bootstrap, "enable.idempotence": True, "linger.ms": 0}
    exactly_once = told.delivery == "exactly_once"
    if exactly_once:
        # By default a transaction that follows too soon waits for 100 ms.
        options |= {"transactional.id": told.group, "retry.backoff.ms": 2}
    producer = Producer(options)
    if exactly_once:
        producer.init_transactions()
    consumer.subscribe([told.records])
    while True:
        messages = consumer.consume(1, 1.0)
        if not messages:
            continue
        messages += consumer.consume(BATCH - 1, 0)
        if exactly_once:
            producer.begin_transaction()
        for message in messages:
            producer.produce(told.results, message.value(), message.key(), 0)
        last = messages[-1]
        positions = [TopicPartition(last.topic(), last.partition(), last.offset() + 1)]
        if exactly_once:
            producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata())
            producer.commit_transaction()
        else:
            producer.flush()
            consumer.commit(offsets=positions, asynchronous=False)


def _end_with_benchmark() -> None:
    sys.stdin.read()
    os._exit(0)


main()
