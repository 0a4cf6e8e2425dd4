import pytest

from modelstream.engines.absences import Absences
from modelstream.limits import AWAY_RETRY_MS_MAX, AWAY_RETRY_MS_MIN
from modelstream.messages import VersionId

LINE, TREE = VersionId("line", "1"), VersionId("tree", "1")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_pauses_double_up_to_a_limit_and_the_batch_halves_down_to_one(clock: Clock) -> None:
    absences = Absences(100, clock)
    pauses, batches = [], []
    for _ in range(9):
        absences.began(LINE, "away")
        start = clock.now
        while not absences.due():
            clock.now += 0.001
        pauses.append(round((clock.now - start) * 1000, -1))
        batches.append(absences.batch_records)
    assert pauses[:3] == [AWAY_RETRY_MS_MIN, 2 * AWAY_RETRY_MS_MIN, 4 * AWAY_RETRY_MS_MIN]
    assert pauses[-1] == pytest.approx(AWAY_RETRY_MS_MAX, abs=10)
    assert batches == [50, 25, 12, 6, 3, 1, 1, 1, 1]


def test_a_pause_is_over_once(clock: Clock) -> None:
    absences = Absences(100, clock)
    assert not absences.due()
    absences.began(LINE, "away")
    assert absences.waiting()
    clock.now += 60
    assert absences.due()
    assert not absences.due()
    assert not absences.waiting()


def test_two_versions_away_in_one_turn_are_one_pause(clock: Clock) -> None:
    absences = Absences(100, clock)
    absences.began(LINE, "away")
    absences.began(TREE, "away, too")
    assert absences.batch_records == 50
    assert absences.reasons == {LINE: "away", TREE: "away, too"}


def test_answers_let_the_batch_grow_again(clock: Clock) -> None:
    absences = Absences(100, clock)
    absences.began(LINE, "away")
    clock.now += 60
    absences.due()
    absences.ended(LINE)
    assert absences.reasons == {}
    assert absences.batch_records == 100
    absences.ended(LINE)
    assert absences.batch_records == 100


def test_an_absence_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    absences = Absences(100, clock)
    for _ in range(3):
        absences.began(LINE, "away")
    assert [each.getMessage() for each in caplog.records] == [
        "line@1 does not answer, its records wait: away"
    ]


def test_another_version_begins_anew(clock: Clock) -> None:
    absences = Absences(100, clock)
    absences.began(LINE, "away")
    absences.forget()
    assert not absences.waiting()
    assert absences.reasons == {}
    assert absences.batch_records == 100
