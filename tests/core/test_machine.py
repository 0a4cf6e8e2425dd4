"""The machine, told what happened and asked what to do; no log, no model, no clock."""

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
    Unload,
)
from modelstream.core.machine import Machine, OnNoModel
from modelstream.core.policies.single import Latest
from modelstream.events import RegistryEvent
from modelstream.messages import Failure, Rows, VersionId
from tests.support.events import admitted, promoted, retired, rolled_back

A, B, C = VersionId("a", "1"), VersionId("b", "1"), VersionId("c", "1")


class Driver:
    """Drives a machine by hand; loads succeed when a test says so."""

    def __init__(self, on_no_model: OnNoModel = "hold") -> None:
        self.machine = Machine(Latest(), on_no_model)
        self.position = -1

    def registry(self, *events: RegistryEvent) -> list[Effect]:
        numbered = []
        for event in events:
            self.position += 1
            numbered.append((self.position, event))
        return self.machine.on_registry(numbered)

    def serve(self, name: str, data_type: str = "wine") -> None:
        self.registry(admitted(name, data_type=data_type), promoted(name, data_type=data_type))
        self.machine.on_loaded(VersionId(name, "1"), ok=True)

    def batch(
        self,
        *groups: Group,
        slices: tuple[range, ...] = (),
        failures: dict[int, Failure] | None = None,
        number: int = 1,
    ) -> list[Effect]:
        rows = max((max(g.rows) for g in groups if len(g.rows)), default=-1) + 1
        rows = max(rows, len(failures or {}))
        return self.machine.on_batch(
            Batch(number, slices or (range(rows),), groups, failures or {})
        )


def batch(number: int, rows: int) -> Batch:
    return Batch(number, (range(rows),), (Group("wine", range(rows)),), {})


def outcome(rows: Rows, failures: dict[int, Failure] | None = None) -> Outcome:
    return Outcome(rows, {"y": np.ones(len(rows))}, failures or {}, 10.0)


def test_a_promotion_asks_for_a_load_and_serves_nothing_yet() -> None:
    driver = Driver()
    assert driver.registry(admitted("a"), promoted("a")) == [Load(A)]
    (plan,) = driver.machine.snapshot().plans
    assert (plan.serving, plan.wanted, plan.as_of) == (None, A, 0)


def test_an_admission_alone_loads_nothing() -> None:
    assert Driver().registry(admitted("a")) == []


def test_of_promotions_read_together_only_the_last_is_loaded() -> None:
    driver = Driver()
    effects = driver.registry(
        admitted("a"), promoted("a"), admitted("b"), promoted("b"), admitted("c"), promoted("c")
    )
    assert effects == [Load(C)]


def test_of_promotions_read_in_pieces_only_the_last_is_loaded() -> None:
    machine = Machine(Latest())
    assert machine.on_registry([(0, admitted("a")), (1, promoted("a"))], more=True) == []
    assert machine.on_registry([(2, admitted("b")), (3, promoted("b"))]) == [Load(B)]
    assert machine.on_registry([]) == []


def test_it_tells_whether_a_version_that_should_answer_is_on_its_way() -> None:
    driver = Driver()
    assert not driver.machine.loading()
    driver.registry(admitted("a"), promoted("a"))
    assert driver.machine.loading()
    driver.machine.on_loaded(A, ok=True)
    assert not driver.machine.loading()
    driver.registry(admitted("b"), promoted("b"))
    driver.machine.on_loaded(B, ok=False)
    assert not driver.machine.loading(), "what failed is not on its way"


def test_a_loaded_version_answers_from_the_next_batch_on() -> None:
    driver = Driver()
    driver.registry(admitted("a"), promoted("a"))
    assert driver.machine.on_loaded(A, ok=True) == [Release()]
    assert driver.batch(Group("wine", range(3))) == [Score(1, "wine", A, range(3))]


def test_the_old_version_answers_until_the_new_one_is_loaded() -> None:
    driver = Driver()
    driver.serve("a")
    assert driver.registry(admitted("b"), promoted("b")) == [Load(B)]
    (before,) = driver.batch(Group("wine", range(1)))
    assert isinstance(before, Score)
    assert before.version == A
    (emit,) = driver.machine.on_scored(before, outcome([0]))
    assert isinstance(emit, Emit)
    assert emit.answers[0].stamp.as_of == 2, "the offset before the promotion"
    driver.machine.on_loaded(B, ok=True)
    (after,) = driver.batch(Group("wine", range(1)), number=2)
    assert isinstance(after, Score)
    assert after.version == B
    (emit,) = driver.machine.on_scored(after, outcome([0]))
    assert isinstance(emit, Emit)
    assert emit.answers[0].stamp.as_of == 3


def test_a_slow_load_of_one_data_type_delays_no_other() -> None:
    driver = Driver()
    driver.serve("a", "wine")
    driver.serve("h", "beer")
    driver.registry(admitted("b"), promoted("b"))
    driver.registry(admitted("i", data_type="beer"), promoted("i", data_type="beer"))
    driver.machine.on_loaded(VersionId("i", "1"), ok=True)
    plans = {plan.data_type: plan for plan in driver.machine.snapshot().plans}
    assert plans["wine"].serving == A
    assert plans["wine"].as_of == 4
    assert plans["beer"].serving == VersionId("i", "1")
    assert plans["beer"].as_of == 7


def test_a_failed_load_leaves_the_old_version_serving_and_can_be_tried_again() -> None:
    driver = Driver()
    driver.serve("a")
    driver.registry(admitted("b"), promoted("b"))
    assert driver.machine.on_loaded(B, ok=False) == []
    assert dict(driver.machine.snapshot().loads)[B] == "failed"
    (score,) = driver.batch(Group("wine", range(1)))
    assert isinstance(score, Score)
    assert score.version == A
    assert driver.machine.retry(B) == [Load(B)]
    assert driver.machine.retry(B) == [], "it is on its way"
    assert driver.machine.on_loaded(B, ok=True) == [Release()]


def test_a_rollback_needs_no_load_because_the_way_back_is_kept() -> None:
    driver = Driver()
    driver.serve("a")
    driver.serve("b")
    assert driver.registry(rolled_back("b")) == [Release(), Unload(B)]
    (score,) = driver.batch(Group("wine", range(1)))
    assert isinstance(score, Score)
    assert score.version == A


def test_versions_past_the_way_back_are_unloaded() -> None:
    driver = Driver()
    driver.serve("a")
    driver.serve("b")
    assert driver.registry(admitted("c"), promoted("c")) == [Load(C), Unload(A)]
    assert driver.machine.on_loaded(C, ok=True) == [Release()]
    assert {version for version, _ in driver.machine.snapshot().loads} == {B, C}


def test_a_version_no_longer_wanted_is_unloaded_when_its_load_ends() -> None:
    driver = Driver()
    driver.serve("a")
    driver.registry(admitted("b"), promoted("b"))
    driver.registry(rolled_back("b"))
    assert driver.machine.on_loaded(B, ok=True) == [Unload(B)]
    driver.registry(promoted("b"), rolled_back("b"))
    assert driver.machine.on_loaded(B, ok=False) == []


def test_retiring_the_current_version_goes_back_to_the_one_before() -> None:
    driver = Driver()
    driver.serve("a")
    driver.serve("b")
    assert driver.registry(retired("b")) == [Release(), Unload(B)]


def test_retiring_the_only_version_stops_the_answers() -> None:
    driver = Driver()
    driver.serve("a")
    assert driver.registry(retired("a")) == [Release(), Unload(A)]
    hold, _ = driver.batch(Group("wine", range(1)))
    assert hold == Hold(1, (0,))


def test_records_before_the_first_model_are_held() -> None:
    driver = Driver()
    hold, emit = driver.batch(Group("wine", range(2)))
    assert hold == Hold(1, (0,))
    assert emit == Emit(1, (), {})


def test_records_without_a_model_are_refused_where_the_flow_says_so() -> None:
    driver = Driver(on_no_model="reject")
    (emit,) = driver.batch(Group("wine", range(2)))
    assert isinstance(emit, Emit)
    assert {row: refusal.failure.reason for row, refusal in emit.refusals.items()} == {
        0: "no_model",
        1: "no_model",
    }
    assert emit.refusals[0].data_type == "wine"


def test_records_wait_for_a_current_version_that_is_being_loaded_whatever_the_flow_says() -> None:
    driver = Driver(on_no_model="reject")
    driver.registry(admitted("a"), promoted("a"))
    hold, emit = driver.batch(Group("wine", range(2)))
    assert hold == Hold(1, (0,))
    assert emit == Emit(1, (), {})
    driver.machine.on_loaded(A, ok=True)
    driver.registry(retired("a"))
    (emit,) = driver.batch(Group("wine", range(2)))
    assert isinstance(emit, Emit)
    assert len(emit.refusals) == 2, "nothing is current, and nothing will be"


def test_refused_and_scored_rows_of_one_batch_are_emitted_together() -> None:
    driver = Driver(on_no_model="reject")
    driver.serve("a")
    (score,) = driver.batch(Group("beer", [0]), Group("wine", [1]))
    assert score == Score(1, "wine", A, [1])
    (emit,) = driver.machine.on_scored(score, outcome([1]))
    assert isinstance(emit, Emit)
    assert list(emit.refusals) == [0]


def test_a_slice_is_held_whole_and_the_others_are_answered() -> None:
    driver = Driver()
    driver.serve("a")
    effects = driver.batch(
        Group("wine", [0, 2, 3]),
        Group("beer", [1]),
        slices=(range(2), range(2, 4)),
    )
    assert effects == [Hold(1, (0,)), Score(1, "wine", A, [2, 3])]


def test_a_failure_of_a_held_slice_is_told_when_the_slice_comes_again() -> None:
    driver = Driver()
    failure = Failure("no_data_type", "which?")
    hold, emit = driver.batch(Group("beer", [1]), slices=(range(2),), failures={0: failure})
    assert hold == Hold(1, (0,))
    assert emit == Emit(1, (), {})


def test_rows_without_a_data_type_are_refused() -> None:
    driver = Driver()
    failure = Failure("no_data_type", "which?")
    (emit,) = driver.batch(failures={0: failure})
    assert isinstance(emit, Emit)
    refusal = emit.refusals[0]
    assert (refusal.data_type, refusal.failure, refusal.as_of) == (None, failure, -1)


def test_rows_that_failed_are_refused_with_the_reason() -> None:
    driver = Driver()
    driver.serve("a")
    (score,) = driver.batch(Group("wine", range(2)))
    assert isinstance(score, Score)
    failure = Failure("wrong_type", "text")
    (emit,) = driver.machine.on_scored(score, outcome([0], failures={1: failure}))
    assert isinstance(emit, Emit)
    assert list(emit.answers[0].rows) == [0]
    assert emit.refusals[1].failure == failure
    assert emit.refusals[1].as_of == 1
    stats = driver.machine.stats[A]
    assert (stats.uses, stats.errors) == (1, 1)


def test_a_batch_is_emitted_once_all_its_data_types_are_decided() -> None:
    driver = Driver()
    driver.serve("a", "wine")
    driver.serve("h", "beer")
    wine, beer = driver.batch(Group("wine", [0]), Group("beer", [1]))
    assert isinstance(wine, Score)
    assert isinstance(beer, Score)
    assert driver.machine.on_scored(beer, outcome([1])) == []
    (emit,) = driver.machine.on_scored(wine, outcome([0]))
    assert isinstance(emit, Emit)
    assert [answer.data_type for answer in emit.answers] == ["beer", "wine"]
    assert emit.answers[0].stamp.name == "h"


def test_a_version_that_is_being_asked_is_not_unloaded() -> None:
    driver = Driver()
    driver.serve("a")
    (score,) = driver.batch(Group("wine", range(1)))
    for name in ("b", "c"):
        driver.serve(name)
    assert A in dict(driver.machine.snapshot().loads)
    assert isinstance(score, Score)
    (emit,) = driver.machine.on_scored(score, outcome([0]))
    assert isinstance(emit, Emit)
    assert emit.answers[0].stamp.name == "a"


def test_a_group_without_rows_asks_for_nothing() -> None:
    driver = Driver()
    driver.serve("a")
    assert driver.batch(Group("wine", [])) == [Emit(1, (), {})]


def test_the_stamp_names_version_digest_and_duration() -> None:
    driver = Driver()
    driver.registry(admitted("a", digest="d" * 64), promoted("a"))
    driver.machine.on_loaded(A, ok=True)
    (score,) = driver.batch(Group("wine", range(1)))
    assert isinstance(score, Score)
    (emit,) = driver.machine.on_scored(score, outcome([0]))
    assert isinstance(emit, Emit)
    stamp = emit.answers[0].stamp
    assert (stamp.name, stamp.version, stamp.digest) == ("a", "1", "d" * 64)
    assert (stamp.as_of, stamp.took_us) == (1, 10.0)


@pytest.mark.parametrize("count", [1, 1000])
def test_work_per_batch_does_not_grow_with_the_versions_known(count: int) -> None:
    driver = Driver()
    for number in range(count):
        driver.registry(admitted("old", str(number), data_type="wine"))
    driver.serve("a")
    assert len(driver.batch(Group("wine", range(3)))) == 1
    assert len(driver.machine.snapshot().loads) == 1


def test_records_whose_server_is_away_are_held_and_the_others_are_answered() -> None:
    driver = Driver()
    driver.serve("a")
    driver.serve("b", "beer")
    slices = (range(2), range(2, 4), range(4, 6))
    effects = driver.batch(Group("wine", [0, 1, 2]), Group("beer", [3, 4, 5]), slices=slices)
    wine, beer = [each for each in effects if isinstance(each, Score)]
    assert driver.machine.on_unavailable(wine) == [Hold(1, (0, 1))]
    (emit,) = driver.machine.on_scored(beer, outcome(beer.rows))
    assert isinstance(emit, Emit)
    assert [answer.rows for answer in emit.answers] == [[3, 4, 5]]


def test_a_batch_that_is_held_whole_for_its_server_emits_nothing() -> None:
    driver = Driver()
    driver.serve("a")
    (score,) = driver.batch(Group("wine", range(3)))
    assert isinstance(score, Score)
    assert driver.machine.on_unavailable(score) == [Hold(1, (0,)), Emit(1, (), {})]
    assert driver.machine.stats == {}, "nobody was asked"
    assert driver.batch(Group("wine", range(3)), number=2) == [Score(2, "wine", A, range(3))]


def test_the_version_that_a_server_tells_is_in_the_stamp() -> None:
    driver = Driver()
    driver.serve("a")
    (score,) = driver.batch(Group("wine", range(1)))
    assert isinstance(score, Score)
    told = Outcome(range(1), {"y": np.ones(1)}, {}, 10.0, "v3")
    (emit,) = driver.machine.on_scored(score, told)
    assert isinstance(emit, Emit)
    assert emit.answers[0].stamp.served_version == "v3"


def test_on_demand_nothing_is_loaded_before_its_data_type_is_met() -> None:
    machine = Machine(on_demand=True)
    assert machine.on_registry([(0, admitted("a")), (1, promoted("a"))]) == []
    assert not machine.loading()
    effects = machine.on_batch(batch(1, 2))
    assert effects == [Load(VersionId("a", "1")), Hold(1, (0,)), Emit(1, (), {})]
    assert Release() in machine.on_loaded(VersionId("a", "1"), ok=True)
    assert machine.on_batch(batch(2, 2)) == [Score(2, "wine", VersionId("a", "1"), range(2))]
    assert machine.leave(["wine", "beer"]) == [], "records wait for it"
    machine.forget(2)
    assert machine.leave(["wine", "beer"]) == [Unload(VersionId("a", "1"))]
    assert machine.on_registry([(2, admitted("a", "2")), (3, promoted("a", "2"))]) == []
    assert Load(VersionId("a", "2")) in machine.on_batch(batch(3, 1))


def test_where_all_is_met_nobody_leaves() -> None:
    machine = Machine()
    machine.on_registry([(0, admitted("a")), (1, promoted("a"))])
    machine.on_loaded(VersionId("a", "1"), ok=True)
    assert machine.leave(["wine"]) == []
