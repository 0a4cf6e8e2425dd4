"""Quix Streams on Kafka: an application from a topic to a topic, record by record, as it works."""

import os
import tempfile

from quixstreams import Application

from benchmarks.by_hand import ByHand
from benchmarks.peer_jobs.on_kafka_order import BATCH, PATIENCE_SECONDS, WAIT_MS, Slices, order


def main() -> None:
    """Do slices until no more are asked for; the application waits between them."""
    told, onnx = order()
    model, slices = ByHand(onnx, told.features, told.records), Slices()
    done = 0

    def note(_topic: str, _partition: int, _offset: int) -> None:
        nonlocal done
        done += 1
        if done == told.slice_records:
            slices.tell(done)
            done = 0
            if not slices.wait():
                os._exit(0)  # the application has no end of its own

    with tempfile.TemporaryDirectory() as state:
        application = Application(
            broker_address=told.bootstrap,
            consumer_group=told.group,
            auto_offset_reset="earliest",
            auto_create_topics=False,
            processing_guarantee=told.delivery.replace("_", "-"),
            commit_every=BATCH,
            commit_interval=PATIENCE_SECONDS,
            consumer_extra_config={"max.poll.interval.ms": WAIT_MS},
            producer_extra_config={"compression.type": "lz4", "transaction.timeout.ms": WAIT_MS},
            state_dir=state,
            loglevel="ERROR",
            on_message_processed=note,
        )
        records = application.topic(
            told.records, key_deserializer="bytes", value_deserializer="bytes"
        )
        results = application.topic(told.results, key_serializer="bytes", value_serializer="bytes")
        application.dataframe(records).apply(model.answer_one).to_topic(results)
        if slices.wait():
            application.run(timeout=PATIENCE_SECONDS * 10)


main()
