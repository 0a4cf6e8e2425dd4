"""Every kind of log there is, made for one test and gone after it."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from modelstream.log.clock import wall_clock_ms
from modelstream.log.disk import DiskLog
from modelstream.log.kafka import KafkaLog, kafka_address
from modelstream.log.memory import MemoryLog
from tests.support.kafka.broker import Running
from tests.support.logs import Logs, WoundClock
from tests.support.named_logs import NamedLog

# Members hear of a change of their group with their next heartbeat: in tests, soon.
QUICK_GROUPS = {"heartbeat.interval.ms": 200, "session.timeout.ms": 6000}


@contextmanager
def memory_logs(clock: WoundClock) -> Iterator[Logs]:
    """One log in memory; each handle is the log itself."""
    log = MemoryLog(clock)
    yield Logs(lambda: log, clock)


@contextmanager
def disk_logs(path: Path, clock: WoundClock) -> Iterator[Logs]:
    """A log on disk; each handle has files of its own."""
    with ExitStack() as opened:
        yield Logs(lambda: opened.enter_context(closing(DiskLog(path / "log", clock=clock))), clock)


@contextmanager
def kafka_logs(broker: Running, options: Mapping[str, object] = QUICK_GROUPS) -> Iterator[Logs]:
    """Topics and groups of a test's own on a broker; each handle has clients of its own."""
    prefix = f"t{uuid.uuid4().hex[:10]}."
    address = kafka_address(broker.url, {"blobs": f"blobs-{prefix}", **options})
    with ExitStack() as opened:
        yield Logs(
            lambda: opened.enter_context(closing(NamedLog(KafkaLog(address), prefix))),
            wall_clock_ms,
        )
    forget_topics(broker, prefix)


def forget_topics(broker: Running, prefix: str) -> None:
    """Delete the topics whose names contain `prefix`."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    names = [name for name in admin.list_topics(timeout=30).topics if prefix in name]
    for deleted in (admin.delete_topics(names) if names else {}).values():
        deleted.result(30)
