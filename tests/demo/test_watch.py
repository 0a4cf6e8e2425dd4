import pytest

from modelstream.demo.producer import Sent
from modelstream.demo.watch import POINT_ANSWERS, Kind, Watch, Window
from modelstream.events import Rejected, encode_event
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import ModelStamp, Outgoing, Position, Result, VersionId, stamp_json
from modelstream.wire.results import encode_all

OLD, NEW = VersionId("m", "1"), VersionId("m", "2")


class Scene:
    """A log on which a test puts answers as a flow would."""

    def __init__(self) -> None:
        self.flow, self.log = Flow(name="biopsies"), MemoryLog()
        for topic in (self.flow.registry, self.flow.results, self.flow.rejects):
            self.log.create_topic(topic)
        self.truth: dict[bytes, Sent] = {}
        self.watch = Watch(self.log, self.flow, self.truth)

    def answer(
        self,
        answer: str,
        truth: str,
        version: VersionId = OLD,
        as_of: int = 1,
        recalibrated: bool = False,
    ) -> bytes:
        number = len(self.truth)
        key = f"key-{number}".encode()
        self.truth[key] = Sent(truth, recalibrated, broken=False)
        result = Result(
            {"diagnosis": answer, "probability(a)": 0.5},
            stamp_json(ModelStamp(*version, "d", as_of, 1.0)),
            "biopsies",
            "biopsies.records",
            0,
            number,
            0,
        )
        self.log.append(Outgoing(self.flow.results, encode_all([result]), [key]))
        return key


def test_answers_are_joined_with_the_truth_by_key() -> None:
    scene = Scene()
    scene.answer("a", "a")
    scene.answer("b", "a")
    scene.answer("b", "b")
    scene.watch.poll()
    tally = scene.watch.tally(Window(OLD, recalibrated=False))
    assert (tally.right, tally.total) == (2, 3)
    assert tally.accuracy == pytest.approx(2 / 3)


def test_a_window_is_one_version_one_calibration_and_from_an_offset_on() -> None:
    scene = Scene()
    scene.answer("a", "a", OLD, as_of=1)
    scene.answer("a", "b", OLD, as_of=1, recalibrated=True)
    scene.answer("a", "a", NEW, as_of=3, recalibrated=True)
    scene.answer("a", "b", OLD, as_of=5, recalibrated=True)
    scene.watch.poll()
    assert scene.watch.tally(Window(OLD, recalibrated=False)).total == 1
    assert scene.watch.tally(Window(OLD, recalibrated=True)).total == 2
    assert scene.watch.tally(Window(OLD, recalibrated=True, since=2)).total == 1
    assert scene.watch.tally(Window(NEW, recalibrated=True)).accuracy == 1.0
    assert scene.watch.tally(Window(NEW, recalibrated=False)).accuracy == 0.0


def test_a_wrong_answer_after_the_recalibration_can_be_found() -> None:
    scene = Scene()
    scene.answer("a", "b", OLD)
    scene.watch.poll()
    assert scene.watch.a_wrong_answer(OLD) is None
    wrong = scene.answer("a", "b", OLD, recalibrated=True)
    scene.answer("a", "b", OLD, recalibrated=True)
    scene.watch.poll()
    assert scene.watch.a_wrong_answer(OLD) == wrong
    assert scene.watch.a_wrong_answer(NEW) is None
    assert scene.watch.wrong[Kind(OLD, 1, recalibrated=True)] == wrong


def test_a_second_outcome_of_a_record_is_seen() -> None:
    scene = Scene()
    key = scene.answer("a", "a")
    scene.log.append(Outgoing(scene.flow.rejects, [b"{}"], [key]))
    scene.watch.poll()
    assert scene.watch.outcomes == {key: 2}
    assert scene.watch.rejected == {key}


def test_nothing_is_read_twice() -> None:
    scene = Scene()
    scene.answer("a", "a")
    scene.watch.poll()
    scene.watch.poll()
    assert scene.watch.outcomes.total() == 1


def test_points_are_full_before_the_next_one_begins() -> None:
    scene = Scene()
    for _ in range(POINT_ANSWERS + 1):
        scene.answer("a", "a")
    scene.watch.poll()
    assert [point.tally.total for point in scene.watch.points] == [POINT_ANSWERS, 1]


def test_a_verdict_is_what_the_registry_says_of_one_message() -> None:
    scene = Scene()
    events = [
        Rejected(
            name="m",
            version=None,
            data_type="biopsies",
            digest=None,
            code="invalid_model",
            reason="no model",
            source=source,
            at_ms=0,
        )
        for source in (4, 7)
    ]
    scene.log.append(Outgoing(scene.flow.registry, [encode_event(event) for event in events]))
    assert scene.watch.verdict(Position(scene.flow.models, 0, 7)) == {}
    assert scene.watch.poll() == events
    assert scene.watch.verdict(Position(scene.flow.models, 0, 7)) == {1: events[1]}
