"""How far a flow is, partition by partition."""

from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, TopicPartition
from modelstream.query.positions import PartitionFigures, read_positions
from tests.support.flows import Rig


def _figures(rig: Rig) -> list[tuple[int, int, int, int, int | None]]:
    return [
        (each.partition, each.committed, each.end, each.lag, each.oldest_ms)
        for each in read_positions(rig.log, rig.flow)
    ]


def _rig() -> Rig:
    rig = Rig(MemoryLog(), Flow(name="wine", partitions=2))
    for partition, times in enumerate([[10, 20, 30], [40]]):
        values = [b"{}"] * len(times)
        rig.log.append(Outgoing("wine.records", values, None, partition, times))
    return rig


def test_before_the_first_commit_every_record_waits() -> None:
    assert _figures(_rig()) == [(0, 0, 3, 3, 10), (1, 0, 1, 1, 40)]


def test_the_oldest_that_waits_is_the_one_at_the_committed_position() -> None:
    rig = _rig()
    consumer = rig.log.consumer("wine.join", ["wine.records"], instance="one")
    consumer.poll(10, 0, 1000)
    covered = {TopicPartition("wine.records", 0): 2, TopicPartition("wine.records", 1): 1}
    consumer.commit(covered)
    consumer.close()
    assert _figures(rig) == [(0, 2, 3, 1, 30), (1, 1, 1, 0, None)]


def test_what_retention_took_does_not_wait() -> None:
    rig = _rig()
    rig.log.delete_before("wine.records", 0, 1)
    assert _figures(rig)[0] == (0, 1, 3, 2, 20)


def test_a_flow_whose_topics_are_not_made_yet_has_none() -> None:
    assert read_positions(MemoryLog(), Flow(name="wine")) == []


def test_figures_name_their_topic() -> None:
    assert isinstance(read_positions(_rig().log, _rig().flow)[0], PartitionFigures)
    flow = Flow(name="mixed", records={"red": "a", "white": "b"})
    rig = Rig(MemoryLog(), flow)
    assert [each.topic for each in read_positions(rig.log, flow)] == ["red", "white"]
