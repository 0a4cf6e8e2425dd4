"""By hand on Kafka: consume a batch, score it, write its results and positions."""

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from benchmarks.by_hand import ByHand, Plainly
from benchmarks.peer_jobs.on_kafka_order import (
    BATCH,
    PATIENCE_SECONDS,
    WAIT_MS,
    Order,
    Slices,
    order,
)


class Loop:
    """The loop of one group, on one partition."""

    def __init__(self, told: Order, model: ByHand) -> None:
        self._told, self._model = told, model
        self._exactly_once = told.delivery == "exactly_once"
        brokers = {"bootstrap.servers": told.bootstrap}
        self._consumer = Consumer(
            brokers
            | {
                "group.id": told.group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "max.poll.interval.ms": WAIT_MS,
            }
        )
        options = brokers | {"enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"}
        if self._exactly_once:
            options["transactional.id"] = told.group
        self._producer = Producer(options)
        if self._exactly_once:
            self._producer.init_transactions()
        self._consumer.subscribe([told.records])

    def run(self, records: int) -> int:
        """Answer so many records, BATCH at a time."""
        done = 0
        while done < records:
            messages = self._consumer.consume(BATCH, PATIENCE_SECONDS)
            if not messages:
                raise RuntimeError(f"no record came for {PATIENCE_SECONDS:g} s")
            self._answer(messages)
            done += len(messages)
        return done

    def _answer(self, messages: list[Message]) -> None:
        answers = self._model.answer(
            [message.value() for message in messages], messages[0].offset()
        )
        if self._exactly_once:
            self._producer.begin_transaction()
        for message, answer in zip(messages, answers, strict=True):
            self._producer.produce(self._told.results, answer, message.key(), 0)
        last = messages[-1]
        positions = [TopicPartition(last.topic(), last.partition(), last.offset() + 1)]
        if self._exactly_once:
            membership = self._consumer.consumer_group_metadata()
            self._producer.send_offsets_to_transaction(positions, membership)
            self._producer.commit_transaction()
        else:
            self._producer.flush()
            self._consumer.commit(offsets=positions, asynchronous=False)


def main() -> None:
    """Do slices until no more are asked for."""
    told, onnx = order()
    kind = ByHand if told.tuned else Plainly
    loop, slices = Loop(told, kind(onnx, told.features, told.records)), Slices()
    while slices.wait():
        slices.tell(loop.run(told.slice_records))


main()
