"""A flow that serves on a real Kafka, and those who kill it, send to it, and read what comes out."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from modelstream.flow import Flow, load_flow
from modelstream.log import open_log
from modelstream.log.kafka.errors import passes
from tests.support.flows import Rig

# What one partition holds: offsets and values, in order.
Held = list[tuple[int, bytes]]

_SECONDS = 120.0
SOURCE = "wine.records"


@contextmanager
def rig_on(
    directory: Path,
    bootstrap: str,
    options: Mapping[str, int],
    lines: Sequence[str] = (),
    name: str = "wine",
) -> Iterator[tuple[Rig, Path]]:
    """Declare a flow on a broker; yield it with the path of its flow.toml."""
    path = directory / "flow.toml"
    table = [f'"{name}" = {value}' for name, value in options.items()]
    text = [f'name = "{name}"', f'log = "kafka://{bootstrap}"', *lines, "[kafka]", *table]
    path.write_text("\n".join(text))
    flow = load_flow(path)
    log = open_log(flow.log, options=flow.kafka)
    try:
        yield Rig(log, flow), path
    finally:
        log.close()


class Serving:
    """`modelstream serve --workers`, as a process that writes to `serve.log` beside its flow."""

    def __init__(self, flow: Path, workers: int) -> None:
        self._log = flow.with_name("serve.log")
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "modelstream",
                    "serve",
                    str(flow),
                    "--workers",
                    str(workers),
                ],
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def workers(self) -> list[int]:
        """Return the process ids of the workers that run. Fails when nobody serves any more."""
        assert self._process.poll() is None, f"serve ended:\n{self.output()}"
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task").glob("*/children")
        pids = [int(each) for some in children for each in _read(some).split()]
        return [
            each
            for each in pids
            if b"modelstream.engines.worker" in _read(Path(f"/proc/{each}/cmdline"))
        ]

    def kill_one(self, chance: random.Random) -> None:
        """Kill a worker as nothing else would: it gets no chance to clean up."""
        give_up = time.monotonic() + _SECONDS
        while not (pids := self.workers()):
            assert time.monotonic() < give_up, "no worker runs"
            time.sleep(0.01)
        victim = chance.choice(pids)
        # By a command, as it may have been taken in by its parent meanwhile.
        subprocess.run(["kill", f"-{signal.SIGKILL:d}", str(victim)], check=False)

    def stop(self) -> None:
        """Stop as an operator does; it has to end well."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(_SECONDS) == 0, self.output()

    def output(self) -> str:
        """Return what it wrote."""
        return self._log.read_text()


class Reader:
    """Somebody else's consumer of a topic: reads every partition from its beginning."""

    def __init__(
        self, bootstrap: str, topic: str, partitions: int, isolation: str = "read_committed"
    ) -> None:
        self.seen: list[Held] = [[] for _ in range(partitions)]
        self._at_end: set[int] = set()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "somebody",
                "enable.auto.commit": False,
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "reconnect.backoff.max.ms": 500,
                "error_cb": lambda _error: None,  # the broker is away now and then
                "log_level": 0,
            }
        )
        self._consumer.assign(
            [TopicPartition(topic, each, OFFSET_BEGINNING) for each in range(partitions)]
        )

    def read(self, seconds: float) -> None:
        """Take what comes."""
        for message in self._consumer.consume(1, seconds) + self._consumer.consume(10_000, 0):
            error, partition = message.error(), message.partition()
            if error is None:
                self.seen[partition].append((message.offset(), message.value()))
                self._at_end.discard(partition)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._at_end.add(partition)
            else:
                assert error.retriable() or error.code() == KafkaError._TRANSPORT, error.str()

    def read_to_end(self) -> list[Held]:
        """Take all that is there."""
        give_up = time.monotonic() + _SECONDS
        while len(self._at_end) < len(self.seen):
            self.read(0.1)
            assert time.monotonic() < give_up, "the topic's ends are not reached"
        return self.seen

    def count(self) -> int:
        """Return how many records were read."""
        return sum(map(len, self.seen))

    def standing(self, source: str) -> str:
        """Tell where this reader stands, and how many records its source has in each partition."""
        placed = self._consumer.position(self._consumer.assignment())
        ends = [
            self._consumer.get_watermark_offsets(TopicPartition(source, each.partition), timeout=10)
            for each in placed
        ]
        return f"it is at {[each.offset for each in placed]}, {source} at {ends}"

    def close(self) -> None:
        """Let go."""
        self._consumer.close()


def read_all(
    bootstrap: str, topic: str, partitions: int, isolation: str = "read_committed"
) -> list[Held]:
    """Return what a topic holds, by partition."""
    reader = Reader(bootstrap, topic, partitions, isolation)
    try:
        return reader.read_to_end()
    finally:
        reader.close()


@contextmanager
def reading(bootstrap: str, topic: str, partitions: int) -> Iterator[Reader]:
    """Read a topic in a thread, as it is written, until left."""
    reader = Reader(bootstrap, topic, partitions)
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            reader.read(0.1)

    thread = threading.Thread(target=read, name="somebody")
    thread.start()
    try:
        yield reader
    finally:
        stop.set()
        thread.join()
        reader.close()


def wait_for_count(reader: Reader, count: int, serving: Serving) -> None:
    """Wait until so many records were read, while somebody serves."""
    give_up = time.monotonic() + _SECONDS
    while reader.count() < count:
        time.sleep(0.005)
        serving.workers()
        assert time.monotonic() < give_up, (
            f"{reader.count()} of {count} results after {_SECONDS:g} s, "
            f"{[len(held) for held in reader.seen]} by partition; {reader.standing(SOURCE)}:\n"
            f"{serving.output()[-4000:]}"
        )


class Load:
    """A producer of numbered records, each partition in turn; it never writes one twice."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._topic, self._partitions = topic, partitions
        self.sent = 0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "queue.buffering.max.messages": 1_000_000,
                "error_cb": lambda _error: None,
                "log_level": 0,
            }
        )

    def send(self, count: int) -> None:
        """Send some more; the producer goes on with it by itself."""
        for number in range(self.sent, self.sent + count):
            value = b'{"x":%d}' % number
            self._producer.produce(self._topic, value, partition=number % self._partitions)
        self.sent += count

    def flush(self) -> None:
        """Wait until everything is there."""
        assert self._producer.flush(_SECONDS) == 0


def owners(bootstrap: str, flow: Flow) -> dict[tuple[str, int], str]:
    """Return the instance that has each partition of a flow's records, as far as it is known yet."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    (answer,) = admin.describe_consumer_groups([flow.group]).values()
    try:
        group = answer.result(30)
    except KafkaException as error:
        why = error.args[0]  # while the brokers load their groups, or nobody has joined
        if not passes(why) and why.code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise
        return {}
    return {
        (each.topic, each.partition): member.group_instance_id
        for member in group.members
        for each in member.assignment.topic_partitions
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the thread or process ended meanwhile
        return b""
