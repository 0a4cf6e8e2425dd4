"""The join as a subtask runs it, and what commits its answers: without Flink, restarted at every step."""

import json

import pytest

from modelstream.audit.verify import verify
from modelstream.engines.flink.blocks import Block, decode_block, encode_block
from modelstream.engines.flink.committer import Committer
from modelstream.engines.flink.subtask import Polled, Subtask
from modelstream.errors import Fenced, LogError
from modelstream.events import decode_event
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, TopicPartition
from tests.support.artifacts import adder
from tests.support.flows import Rig
from tests.support.waiting import eventually

FLOW = Flow(name="wine", headers="model")
SOURCE = TopicPartition("wine.records", 0)


@pytest.fixture
def rig() -> Rig:
    rig = Rig(MemoryLog(), FLOW)
    rig.serve(adder(1.0), "plus")
    return rig


def registry(rig: Rig) -> list[tuple[int, bytes]]:
    batch = rig.log.read("wine.registry", 0, 0, 1000, 1 << 20)
    return list(zip(batch.offsets, batch.values, strict=True))


def ready(rig: Rig) -> Subtask:
    subtask = Subtask(rig.flow, rig.log)
    subtask.follow(registry(rig))
    subtask.at_end = True

    def loaded() -> bool:
        subtask.shell.take_loads()
        return not subtask.shell.machine.loading()

    eventually(loaded)
    return subtask


def polled(subtask: Subtask, offset: int, position: int = -1) -> tuple[Block, Polled]:
    told = subtask.poll(SOURCE, offset, position)
    assert told.block is not None
    return decode_block(encode_block(told.block)), told


def send(rig: Rig, *numbers: object) -> None:
    values = [json.dumps({"x": number}).encode() for number in numbers]
    rig.log.append(Outgoing("wine.records", values, keys=[b"k"] * len(values), partition=0))


def test_records_are_answered_and_committed_with_their_keys_and_headers(rig: Rig) -> None:
    subtask, committer = ready(rig), Committer(FLOW, rig.log, "one")
    send(rig, 1.0, "no", 3.0)
    block, told = polled(subtask, 0)
    assert (block.first, block.next_offset, told.next_offset, told.position) == (0, 3, 3, 1)
    assert committer.commit(block) == 3
    assert subtask.poll(SOURCE, 3, 1) == Polled(None, 3, 1)
    committer.close()
    subtask.close()
    assert [result.outputs for result in rig.results()] == [{"score": 2.0}, {"score": 4.0}]
    assert [reject.reason for reject in rig.rejects()] == ["wrong_type"]
    batch = rig.log.read("wine.results", 0, 0, 10, 1 << 20)
    assert batch.keys == [b"k", b"k"]
    assert batch.headers is not None
    assert verify(rig.log, FLOW).ok


def test_what_was_committed_before_a_restart_is_left_out(rig: Rig) -> None:
    subtask = ready(rig)
    first = Committer(FLOW, rig.log, "one")
    send(rig, 1.0, 2.0)
    early, _ = polled(subtask, 0)
    send(rig, "no", 4.0)
    whole, _ = polled(subtask, 0)
    assert first.commit(early) == 2
    first.close()
    again = Committer(FLOW, rig.log, "one")
    assert again.commit(early) == 0, "all of it was there"
    assert again.commit(whole) == 2, "half of it was there"
    assert again.commit(whole) == 0
    again.close()
    subtask.close()
    assert [result.offset for result in rig.results()] == [0, 1, 3]
    assert [reject.offset for reject in rig.rejects()] == [2]
    assert verify(rig.log, FLOW).ok


def test_a_state_that_is_not_this_logs_is_told(rig: Rig) -> None:
    subtask, committer = ready(rig), Committer(FLOW, rig.log, "one")
    send(rig, 1.0, 2.0)
    late, _ = polled(subtask, 1)
    with pytest.raises(LogError, match="not this log's"):
        committer.commit(late)
    rig.log.delete_before("wine.records", 0, 1)
    other = Committer(FLOW, rig.log, "two")
    committer.close()
    assert other.commit(late) == 1, "what was deleted is not missing"
    other.close()
    subtask.close()


def test_another_member_keeps_its_partition(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelstream.engines.flink.committer.OWNER_SECONDS_MAX", 0.5)
    engine = rig.engine("embedded")
    engine.step(1)
    subtask, committer = ready(rig), Committer(FLOW, rig.log, "one")
    send(rig, 1.0)
    block, _ = polled(subtask, 0)
    with pytest.raises(Fenced, match=r"another member of group wine\.join"):
        committer.commit(block)
    committer.close()
    subtask.close()
    engine.close()


def test_nothing_is_answered_before_the_registrys_end_is_known(rig: Rig) -> None:
    subtask = Subtask(FLOW, rig.log)
    send(rig, 1.0)
    events = registry(rig)
    assert subtask.poll(SOURCE, 0, -1).block is None
    subtask.follow(events[:1])
    assert subtask.poll(SOURCE, 0, -1).block is None
    subtask.follow(events)
    assert subtask.poll(SOURCE, 0, -1).block is None, "there may be more"
    subtask.at_end = True
    eventually(lambda: subtask.poll(SOURCE, 0, -1).block is not None)
    assert subtask.poll(SOURCE, 0, 9).block is None, "whoever had it before was further"
    subtask.close()


def test_events_that_come_again_are_left_out(rig: Rig) -> None:
    subtask = ready(rig)
    subtask.follow(registry(rig))
    assert subtask.position == 1
    rig.serve(adder(5.0), "plus", version="2")
    subtask.follow(registry(rig))
    assert subtask.position == 3
    subtask.close()


def test_an_artifact_in_state_needs_no_log(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    subtask = Subtask(FLOW, rig.log)
    events = registry(rig)
    admitted = decode_event(events[0][1])
    lowered = rig.lowered(admitted)  # type: ignore[arg-type]
    subtask.artifacts[admitted.lowered] = lowered  # type: ignore[union-attr]
    monkeypatch.setattr(type(rig.log.blobs), "get", lambda *_: None)
    subtask.follow(events)
    subtask.at_end = True
    send(rig, 1.0)
    eventually(lambda: subtask.poll(SOURCE, 0, -1).block is not None)
    subtask.close()


def test_a_version_that_cannot_be_loaded_is_told_and_the_records_wait(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(rig.log.blobs), "get", lambda *_: None)
    subtask = Subtask(FLOW, rig.log)
    subtask.follow(registry(rig))
    subtask.at_end = True
    send(rig, 1.0)

    def failed() -> bool:
        assert subtask.poll(SOURCE, 0, -1).block is None
        return bool(subtask.shell.failed.reasons)

    eventually(failed)
    (reason,) = subtask.shell.failed.reasons.values()
    assert "is not kept; publish the model again" in reason
    subtask.close()
