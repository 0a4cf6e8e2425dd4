"""The machine with several candidates for one answer: asks, deadlines, breakers, changes of plan."""

import msgspec
import numpy as np
import pytest

from modelstream.core.effects import (
    Batch,
    Effect,
    Emit,
    Group,
    Hold,
    Load,
    Outcome,
    Release,
    Score,
    WakeAt,
)
from modelstream.core.machine import Machine
from modelstream.core.policies.base import speculates
from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.single import Latest, Model
from modelstream.core.policies.text import parse_policy
from modelstream.core.registry import Registry
from modelstream.events import RegistryEvent
from modelstream.limits import BREAKER_MISSES, BREAKER_PAUSE_US_MIN
from modelstream.messages import Failure, Rows, VersionId
from tests.support.events import admitted, planned, promoted

pytestmark = pytest.mark.speculation
A, B, C = VersionId("a", "1"), VersionId("b", "1"), VersionId("c", "1")
MS = 1000.0
RACE = 'FirstWithin(20, prefer=["a", "b"])'


class Driver:
    """Drives a machine by hand; each batch has three rows."""

    def __init__(self, policy: str, *names: str) -> None:
        self.machine = Machine(parse_policy(policy))
        self.position = -1
        self.batches = 0
        self.registry(planned(policy))
        for name in names:
            self.serve(name)

    def registry(self, *events: RegistryEvent) -> list[Effect]:
        numbered = []
        for event in events:
            self.position += 1
            numbered.append((self.position, event))
        return self.machine.on_registry(numbered)

    def serve(self, name: str, version: str = "1") -> list[Effect]:
        self.registry(admitted(name, version), promoted(name, version))
        return self.machine.on_loaded(VersionId(name, version), ok=True)

    def batch(self, now_ms: float = 0) -> list[Effect]:
        self.batches += 1
        rows = range(3)
        batch = Batch(self.batches, (rows,), (Group("wine", rows),), {}, KEYS, {"x": X})
        return self.machine.on_batch(batch, now_ms * MS)

    def answer(self, score: Effect, now_ms: float, failing: Rows = ()) -> list[Effect]:
        assert isinstance(score, Score)
        rows = [row for row in score.rows if row not in failing]
        failures = dict.fromkeys(failing, Failure("model_error", "it broke"))
        columns = {"y": np.array(["red"] * len(rows), dtype=object)}
        return self.machine.on_scored(score, Outcome(rows, columns, failures, 7.0), now_ms * MS)


KEYS = [b"one", b"two", b"three"]
X = np.array([1.0, 2000.0, 3.0])


def emitted(effects: list[Effect]) -> Emit:
    (emit,) = [effect for effect in effects if isinstance(effect, Emit)]
    return emit


def test_all_candidates_are_asked_at_once_and_the_deadline_is_told() -> None:
    driver = Driver(RACE, "a", "b")
    assert driver.batch(now_ms=5) == [
        Score(1, "wine", A, range(3), apart=True),
        Score(1, "wine", B, range(3), apart=True),
        WakeAt(25 * MS),
    ]


def test_the_preferred_one_answers_at_once_and_the_other_comes_late() -> None:
    driver = Driver(RACE, "a", "b")
    first, second, _ = driver.batch()
    emit = emitted(driver.answer(first, 3))
    (answer,) = emit.answers
    assert (answer.by, answer.stamp.name, answer.stamp.as_of) == (A, "a", 4)
    assert driver.answer(second, 4) == []
    assert driver.machine.stats[B].late == 3
    assert driver.machine.stats[A].won == 3


def test_at_the_deadline_the_next_best_that_is_there_answers() -> None:
    driver = Driver(RACE, "a", "b")
    first, second, _ = driver.batch()
    assert driver.answer(second, 4) == [WakeAt(20 * MS)]
    assert driver.machine.on_time(19 * MS) == [WakeAt(20 * MS)]
    (answer,) = emitted(driver.machine.on_time(20 * MS)).answers
    assert answer.by == B
    assert driver.answer(first, 21) == []
    assert driver.machine.stats[A].late == 3
    assert driver.machine.stats[A].missed == 1


def test_a_record_that_nobody_answers_in_time_is_refused() -> None:
    driver = Driver(RACE, "a", "b")
    driver.batch()
    emit = emitted(driver.machine.on_time(20 * MS))
    assert emit.answers == ()
    assert {row: each.failure.reason for row, each in emit.refusals.items()} == {
        0: "deadline",
        1: "deadline",
        2: "deadline",
    }


def test_the_lineage_tells_who_was_asked_and_what_each_had_said() -> None:
    driver = Driver(RACE, "a", "b")
    _, second, _ = driver.batch()
    driver.answer(second, 4, failing=[1])
    (lineage,) = emitted(driver.machine.on_time(20 * MS)).lineages
    assert lineage.plan.policy == RACE
    assert [(each.version, len(each.outcomes)) for each in lineage.candidates] == [(A, 0), (B, 1)]


def test_a_candidate_that_keeps_missing_is_left_out_and_tried_again() -> None:
    driver = Driver(RACE, "a", "b")
    asked = []
    for turn in range(BREAKER_MISSES + 2):
        effects = driver.batch(now_ms=turn * 100)
        scores = [effect for effect in effects if isinstance(effect, Score)]
        asked.append([score.version for score in scores])
        driver.answer(scores[-1], turn * 100 + 1)
        driver.machine.on_time((turn * 100 + 20) * MS)
    assert asked == [[A, B]] * (BREAKER_MISSES + 1) + [[B]], "half a second, and five batches"
    later = (BREAKER_MISSES + 1) * 100 + BREAKER_PAUSE_US_MIN / MS + 20
    again = [effect for effect in driver.batch(now_ms=later) if isinstance(effect, Score)]
    assert [score.version for score in again] == [A, B]
    between = [effect for effect in driver.batch(now_ms=later) if isinstance(effect, Score)]
    assert [score.version for score in between] == [B], "one batch tries it, the next do not"
    driver.answer(again[0], later + 1)
    after = [effect for effect in driver.batch(now_ms=later + 2) if isinstance(effect, Score)]
    assert [score.version for score in after] == [A, B]


def test_a_server_that_is_away_counts_as_a_failure_where_others_were_asked() -> None:
    driver = Driver(RACE, "a", "b")
    first, second, _ = driver.batch()
    assert isinstance(first, Score)
    driver.machine.on_unavailable(first, 1 * MS)
    (answer,) = emitted(driver.answer(second, 2)).answers
    assert answer.by == B


def test_records_wait_until_the_declared_policy_is_on_the_registry() -> None:
    machine = Machine(FirstWithin(20, (Model("a"),)), "reject")
    machine.on_registry([(0, admitted("a")), (1, promoted("a"))])
    batch = Batch(1, (range(1),), (Group("wine", range(1)),), {})
    assert machine.on_batch(batch) == [Hold(1, (0,)), Emit(1, (), {})]
    assert machine.on_registry([(2, planned(RACE))]) == [Load(A)]
    assert machine.on_loaded(A, ok=True) == [Release()]


def test_a_new_plan_takes_over_once_all_it_names_is_loaded() -> None:
    driver = Driver("Latest()", "a")
    assert driver.registry(admitted("b"), admitted("c")) == []
    assert driver.registry(planned('Majority(["a", "b@1", "c@1"])', "2")) == [Load(B), Load(C)]
    driver.machine.on_loaded(B, ok=True)
    (score,) = driver.batch()
    assert score == Score(1, "wine", A, range(3)), "a alone answers until then"
    assert driver.machine.on_loaded(C, ok=True) == [Release()]
    assert [each.version for each in driver.batch() if isinstance(each, Score)] == [A, B, C]


def test_the_answer_of_several_is_the_plans() -> None:
    driver = Driver('Majority(["a", "b", "c"])', "a", "b", "c")
    first, second, _third = driver.batch()
    assert driver.answer(first, 1) == []
    emit = emitted(driver.answer(second, 2))
    (answer,) = emit.answers
    assert answer.by is None
    assert (answer.stamp.name, answer.stamp.version) == ("plan", "1")
    assert answer.columns["label"].tolist() == ["red"] * 3
    assert answer.columns["votes"].tolist() == [2, 2, 2], "the third cannot change it"


def test_a_hedge_asks_the_second_only_once_the_first_is_slow() -> None:
    driver = Driver('Hedge("a", after_ms=5, fallback="b")', "a", "b")
    effects = driver.batch()
    assert effects == [Score(1, "wine", A, range(3), apart=True), WakeAt(5 * MS)]
    assert driver.machine.on_time(5 * MS) == [Score(1, "wine", B, range(3), apart=True)]
    (answer,) = emitted(driver.answer(effects[0], 6)).answers
    assert answer.by == A


def test_records_are_parted_by_what_they_hold_without_any_waiting() -> None:
    driver = Driver('When("x > 1000", "a", otherwise="b")', "a", "b")
    assert driver.machine.reads() == {"x": "float64"}
    first, second = driver.batch()
    assert first == Score(1, "wine", A, [1])
    assert second == Score(1, "wine", B, [0, 2])
    assert driver.answer(first, 0) == []
    emit = emitted(driver.answer(second, 0))
    assert [(answer.by, list(answer.rows)) for answer in emit.answers] == [(A, [1]), (B, [0, 2])]


def test_a_default_does_not_answer_for_a_model_that_may_still_come() -> None:
    driver = Driver('FirstWithin(20, prefer=["a", Constant("{\\"y\\": 0.5}")])', "b")
    driver.registry(admitted("a"), promoted("a"))
    driver.machine.on_loaded(A, ok=False)
    assert driver.machine.snapshot().plans[0].serving is None, "a may still come"


def test_a_batch_that_was_given_up_is_late() -> None:
    driver = Driver(RACE, "a", "b")
    first, _, _ = driver.batch()
    driver.machine.forget(1)
    assert driver.answer(first, 1) == []
    assert driver.machine.stats[A].late == 3


def test_latest_as_a_plan_pays_for_nothing() -> None:
    driver = Driver("Latest()", "a")
    assert Latest() == parse_policy("Latest()")
    (score,) = driver.batch()
    assert score == Score(1, "wine", A, range(3))
    assert emitted(driver.answer(score, 1)).lineages == ()


def test_who_is_asked_for_more_rows_later_is_asked_for_those_alone() -> None:
    policy = 'When("x > 1000", Hedge("a", after_ms=5, fallback="b"), otherwise="b")'
    driver = Driver(policy, "a", "b")
    asked = [effect for effect in driver.batch() if isinstance(effect, Score)]
    assert [(score.version, list(score.rows)) for score in asked] == [(A, [1]), (B, [0, 2])]
    (more,) = [each for each in driver.machine.on_time(5 * MS) if isinstance(each, Score)]
    assert (more.version, list(more.rows)) == (B, [1])
    assert driver.answer(asked[1], 6) == []
    (emit,) = [each for each in driver.answer(more, 7) if isinstance(each, Emit)]
    rows = sorted(row for answer in emit.answers for row in answer.rows)
    assert rows == [0, 1, 2]
    (lineage,) = emit.lineages
    told = {each.version: sorted(each.rows) for each in lineage.candidates}
    assert told == {A: [1], B: [0, 1, 2]}


def test_one_version_that_is_named_twice_is_asked_once() -> None:
    driver = Driver('Average(["a", "a@1", "b"])', "a", "b")
    asked = [effect for effect in driver.batch() if isinstance(effect, Score)]
    assert [score.version for score in asked] == [A, B]


def test_a_plan_of_one_data_type_leaves_the_others_alone() -> None:
    driver = Driver("Latest()", "a")
    driver.registry(
        admitted("h", data_type="beer"),
        promoted("h", data_type="beer"),
        planned(RACE, "2", "wine"),
    )
    assert driver.machine.reads() is driver.machine.reads()
    plans = {plan.data_type: plan.policy for plan in driver.machine.snapshot().plans}
    assert plans == {"wine": RACE, "beer": ""}, "nothing serves beer yet"
    driver.machine.on_loaded(VersionId("h", "1"), ok=True)
    plans = {plan.data_type: plan.policy for plan in driver.machine.snapshot().plans}
    assert plans == {"wine": RACE, "beer": "Latest()"}


@pytest.mark.parametrize(
    ("policy", "side_by_side"),
    [
        ("Latest()", False),
        ('Split({"a": 1, "b": 1})', False),
        ('When("x > 1", "a", "b")', False),
        ('Constant("{\\"y\\": 1}")', False),
        (RACE, True),
        ('Majority(["a", "b"])', True),
        ('Average(["a", "b"])', True),
        ('Best(["a", "b"])', True),
        ('Hedge("a", 5, "b")', True),
        ('Shadow("a", ["b"])', True),
        ('Split({"a": 1, Hedge("a", 5, "b"): 1})', True),
    ],
)
def test_candidates_are_scored_apart_where_several_are_weighed(
    policy: str, side_by_side: bool
) -> None:
    assert speculates(parse_policy(policy)) is side_by_side


def test_what_a_flow_declared_last_is_known() -> None:
    registry = Registry()
    told = msgspec.structs.replace(planned(RACE), declared=True)
    registry.apply(told, 0)
    registry.apply(planned("Latest()", "2"), 1)
    assert registry.declared == RACE
    assert registry.plan("wine") == planned("Latest()", "2")


def test_a_split_looks_at_the_key() -> None:
    driver = Driver('Split({"a": 1, "b": 1})', "a", "b")
    assert driver.machine.reads() == {"": "key"}
