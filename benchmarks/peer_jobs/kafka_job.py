"""By hand over Kafka's protocol: consume a batch, score it, produce its results."""

from itertools import count

from confluent_kafka import Consumer, Producer

from benchmarks.by_hand import BATCH
from benchmarks.peer_jobs.kafka_broker import PATIENCE_SECONDS, RECORDS, RESULTS, Broker
from benchmarks.peer_jobs.rounds import answer_rounds, cpu_seconds, work


def main() -> None:
    """Run one loop a slice, each on topics of its own; the clock starts at the first record."""
    model, values = work()
    broker, numbers = Broker(), count()

    def run_slice() -> tuple[int, float]:
        number = next(numbers)
        broker.fill(RECORDS.format(number), values)
        consumer = Consumer(
            {
                "bootstrap.servers": broker.address,
                "group.id": f"by-hand-{number}",
                "auto.offset.reset": "earliest",
            }
        )
        producer = Producer({"bootstrap.servers": broker.address})
        consumer.subscribe([RECORDS.format(number)])
        done = len(consumer.consume(1, PATIENCE_SECONDS))
        before = cpu_seconds()
        while done < len(values):
            messages = consumer.consume(min(BATCH, len(values) - done), PATIENCE_SECONDS)
            if not messages:
                raise RuntimeError(f"{len(values)} records were produced, {done} came")
            for result in model.answer([message.value() for message in messages], done):
                producer.produce(RESULTS.format(number), result, key=b"k")
            producer.poll(0)
            done += len(messages)
        producer.flush(60)
        seconds = cpu_seconds() - before
        consumer.close()
        return done - 1, seconds

    answer_rounds(run_slice)


main()
