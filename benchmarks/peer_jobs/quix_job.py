"""Quix Streams: an application from a topic to a topic, record by record, as it works."""

from itertools import count

from quixstreams import Application
from quixstreams.models.topics import TopicConfig
from quixstreams.models.topics.admin import TopicAdmin

from benchmarks.peer_jobs.kafka_broker import PATIENCE_SECONDS, RECORDS, RESULTS, Broker
from benchmarks.peer_jobs.rounds import answer_rounds, cpu_seconds, work


def described(_self: object, names: list[str], **_options: object) -> dict[str, TopicConfig]:
    """Say that the topics are there: the mock broker cannot describe them."""
    return {name: TopicConfig(num_partitions=1, replication_factor=1) for name in names}


def main() -> None:
    """Run one application a slice, each on topics of its own; the clock starts at a record."""
    TopicAdmin.inspect_topics = described
    model, values = work()
    broker, numbers = Broker(), count()

    def run_slice() -> tuple[int, float]:
        number = next(numbers)
        broker.fill(RECORDS.format(number), values)
        seen, clock = 0, [0.0, 0.0]

        def note(_topic: str, _partition: int, _offset: int) -> None:
            nonlocal seen
            seen += 1
            if seen == 1:
                clock[0] = cpu_seconds()
            if seen == len(values):
                clock[1] = cpu_seconds()
                application.stop()

        application = Application(
            broker_address=broker.address,
            consumer_group=f"quix-{number}",
            auto_offset_reset="earliest",
            auto_create_topics=False,
            loglevel="ERROR",
            on_message_processed=note,
        )
        records = application.topic(
            RECORDS.format(number), key_deserializer="bytes", value_deserializer="bytes"
        )
        results = application.topic(
            RESULTS.format(number), key_serializer="bytes", value_serializer="bytes"
        )
        frame = application.dataframe(records).apply(model.answer_one)
        frame.to_topic(results)
        application.run(timeout=PATIENCE_SECONDS)  # without a record for so long
        if seen < len(values):
            raise RuntimeError(f"{len(values)} records were produced, {seen} came")
        return seen - 1, clock[1] - clock[0]

    answer_rounds(run_slice)


main()
