"""Faust on Kafka: an agent that takes a batch, scores it and sends its results."""

import asyncio
import os
import tempfile

import faust

from benchmarks.by_hand import ByHand
from benchmarks.peer_jobs.on_kafka_order import BATCH, Slices, order


def main() -> None:
    """Do slices until no more are asked for; the agent waits between them."""
    told, onnx = order()
    model, slices = ByHand(onnx, told.features, told.records), Slices()
    app = faust.App(
        told.group,
        broker=f"kafka://{told.bootstrap}",
        processing_guarantee=told.delivery,
        broker_commit_every=BATCH,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="lz4",
        topic_disable_leader=True,
        topic_partitions=1,
        value_serializer="raw",
        stream_wait_empty=False,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="modelstream-bench-"),
    )
    records = app.topic(told.records, key_type=bytes, value_type=bytes, value_serializer="raw")
    results = app.topic(told.results, key_type=bytes, value_type=bytes, value_serializer="raw")

    @app.agent(records)
    async def score(stream: faust.Stream) -> None:
        loop, done = asyncio.get_running_loop(), 0
        async for batch in stream.take(BATCH, within=1.0):
            for answer in model.answer(batch):
                await results.send(value=answer, partition=0)
            done += len(batch)
            if done >= told.slice_records:
                slices.tell(done)
                done = 0
                if not await loop.run_in_executor(None, slices.wait):
                    os._exit(0)  # a worker has no end of its own

    if slices.wait():
        faust.Worker(app, loglevel="ERROR").execute_from_commandline()


main()
