"""What is particular to the log in memory; the contracts are in tests/contracts."""

import pytest

from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing


def test_two_logs_share_nothing() -> None:
    one, other = MemoryLog(), MemoryLog()
    one.create_topic("a")
    digest = one.blobs.put(b"x")
    assert other.topics() == {}
    assert other.blobs.get(digest) is None


def test_the_log_lives_on_after_close() -> None:
    log = MemoryLog()
    log.create_topic("a")
    log.append(Outgoing("a", [b"x"]))
    log.close()
    assert list(log.read("a", 0, 0, 1, 100).values) == [b"x"]


def test_a_record_without_a_time_has_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
    log = MemoryLog()
    log.create_topic("a")
    log.append(Outgoing("a", [b"x"]))
    assert list(log.read("a", 0, 0, 1, 100).timestamps) == [1_700_000_000_123]
