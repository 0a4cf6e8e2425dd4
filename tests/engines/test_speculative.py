"""The loop over a log with several candidates for one answer: deadlines, hangs, votes, order, audits."""

import threading
import time
from collections.abc import Iterator

import pytest

from modelstream.audit import explain, replay, verify
from modelstream.core.policies.text import parse_policy
from modelstream.engines.embedded import Embedded
from modelstream.engines.loaded import Loaded, ready
from modelstream.events import Admitted
from modelstream.flow import Flow
from modelstream.formats.base import Field
from modelstream.log.memory import MemoryLog
from modelstream.messages import Columns, Result
from modelstream.wire.lineage import Decided, decided_of
from tests.support.artifacts import adder
from tests.support.fake_models import FakeModel
from tests.support.flows import Rig, run_until

pytestmark = pytest.mark.speculation


def rig_of(policy: str) -> Rig:
    return Rig(MemoryLog(), Flow(name="wine", answer=parse_policy(policy)))


def candidates(engine: Embedded) -> int:
    return sum(len(plan.candidates) for plan in engine.shell.machine.snapshot().plans)


def how(result: Result) -> Decided:
    assert result.decided is not None
    return decided_of(result.decided)  # type: ignore[arg-type]


def clean(rig: Rig) -> None:
    report = verify(rig.log, rig.flow)
    assert report.ok, report
    assert report.figures.rescored > 0
    again = replay(rig.log, rig.flow)
    assert again.records == report.figures.results + report.figures.rejects
    assert again.changes["equal"] == again.records


def test_the_answer_is_the_preferred_ones_and_tells_all_candidates() -> None:
    rig = rig_of('FirstWithin(5000, prefer=["smart", "fast"])')
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "fast")
    rig.serve(adder(5.0), "smart")
    run_until(engine, lambda: candidates(engine) == 2)
    rig.send({"x": 1.0}, {"x": 2.0})
    run_until(engine, lambda: len(rig.results()) == 2)
    first = rig.results()[0]
    assert (first.model.name, first.outputs) == ("smart", {"score": 6.0})
    assert [each.name for each in how(first).candidates] == ["smart", "fast"]
    engine.close()
    clean(rig)
    told = explain(rig.log, rig.flow, "wine.records/0/1")
    assert told.verdict == "same"


def test_a_majority_is_decided_again_from_what_its_members_said() -> None:
    rig = rig_of('Majority(["a", "b", "c"])')
    engine = rig.engine()
    rig.plan()
    for name, term in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        rig.serve(adder(term), name)
    run_until(engine, lambda: candidates(engine) == 3)
    rig.send(*({"x": float(number)} for number in range(50)))
    run_until(engine, lambda: len(rig.results()) == 50)
    assert [result.outputs["label"] for result in rig.results()] == [n + 1.0 for n in range(50)]
    assert {result.model.name for result in rig.results()} == {"plan"}
    engine.close()
    clean(rig)
    told = explain(rig.log, rig.flow, "wine.records/0/7")
    assert told.verdict == "same"
    assert told.policy == 'Majority(["a", "b", "c"])'
    said = [(each.version.name, each.said) for each in told.candidates]
    assert len(said) == 3
    assert set(map(str, said)) <= {
        *(str((name, {"score": 8.0})) for name in "ab"),
        str(("c", {"score": 9.0})),
        str(("c", None)),
    }, "a and b agree, and c need not be waited for"
    assert told.rescored == told.outputs


def test_arms_are_dealt_by_key_and_dealt_again_by_the_audit() -> None:
    rig = rig_of('Split({"a": 1, "b": 1})')
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "a")
    rig.serve(adder(2.0), "b")
    run_until(engine, lambda: candidates(engine) == 2)
    rig.send(*({"x": 0.0} for _ in range(200)))
    run_until(engine, lambda: len(rig.results()) == 200)
    shares = [result.model.name for result in rig.results()]
    assert 60 < shares.count("a") < 140
    engine.close()
    clean(rig)


def test_a_condition_on_the_record_chooses_and_is_judged_again() -> None:
    rig = rig_of('When("x > 10", "a", otherwise="b")')
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "a")
    rig.serve(adder(2.0), "b")
    run_until(engine, lambda: candidates(engine) == 2)
    rig.send({"x": 5.0}, {"x": 50.0}, {"y": 1.0}, {"x": 7.0})
    run_until(engine, lambda: engine.lag() == 0)
    assert [result.model.name for result in rig.results()] == ["b", "a", "b"]
    assert [reject.reason for reject in rig.rejects()] == ["missing_field"]
    engine.close()
    clean(rig)


def test_a_new_plan_takes_over_between_two_batches() -> None:
    rig = rig_of("Latest()")
    engine = rig.engine()
    rig.serve(adder(1.0), "a")
    rig.serve(adder(2.0), "b")
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    rig.plan('Average(["a", "b"])')
    run_until(engine, lambda: candidates(engine) == 2)
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 2)
    assert [result.outputs for result in rig.results()] == [
        {"score": 2.0},
        {"value": 1.5, "voters": 2},
    ]
    engine.close()
    clean(rig)


class Wicked:
    """Models by name that answer as a test tells them to, and when."""

    def __init__(self) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.loaded: list[FakeModel] = []

    def load(self, admitted: Admitted) -> Loaded:
        gate = self.gates.get(admitted.name)

        def answer(columns: Columns) -> Columns:
            if gate is not None:
                gate.wait(30)
            return {"score": columns["x"] + 1.0}

        model = FakeModel(outputs=(Field("score", "float64"),), answer=answer)
        self.loaded.append(model)
        return ready(model, ())


@pytest.fixture
def wicked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wicked]:
    found = Wicked()
    monkeypatch.setattr(Embedded, "_load", found.load)
    yield found
    for gate in found.gates.values():
        gate.set()


def test_records_are_answered_by_the_deadline_though_one_hangs(wicked: Wicked) -> None:
    wicked.gates["smart"] = threading.Event()
    rig = rig_of('FirstWithin(50, prefer=["smart", "fast"])')
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "smart")
    rig.serve(adder(1.0), "fast")
    run_until(engine, lambda: candidates(engine) == 2)
    for number in range(20):
        rig.send({"x": float(number)})
        for _ in range(3):
            engine.step(0)
    run_until(engine, lambda: engine.lag() == 0)
    assert [result.offset for result in rig.results()] == list(range(20))
    assert {result.model.name for result in rig.results()} == {"fast"}
    wicked.gates["smart"].set()
    late = [each for each in how(rig.results()[0]).candidates if each.late]
    assert [each.name for each in late] == ["smart"]
    engine.close()


def test_turns_in_flight_are_committed_in_order(wicked: Wicked) -> None:
    wicked.gates["slow"] = threading.Event()
    rig = rig_of('When("x > 10", FirstWithin(20000, prefer=["slow"]), otherwise="fast")')
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "slow")
    rig.serve(adder(1.0), "fast")
    run_until(engine, lambda: candidates(engine) == 2)
    rig.send({"x": 50.0})
    engine.step(0)
    rig.send({"x": 1.0})
    for _ in range(10):
        engine.step(0)
        time.sleep(0.002)
    assert rig.results() == [], "the second has its answer, and waits for the first"
    wicked.gates["slow"].set()
    run_until(engine, lambda: engine.lag() == 0)
    assert [(r.offset, r.model.name) for r in rig.results()] == [(0, "slow"), (1, "fast")]
    engine.close()


def test_what_is_in_flight_is_not_lost_when_an_instance_goes(wicked: Wicked) -> None:
    wicked.gates["slow"] = threading.Event()
    rig = rig_of('FirstWithin(20000, prefer=["slow"])')
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "slow")
    run_until(engine, lambda: candidates(engine) == 1)
    rig.send({"x": 1.0}, {"x": 2.0})
    engine.step(0)
    wicked.gates["slow"].set()
    engine.close()
    other = rig.engine("two")
    run_until(other, lambda: other.lag() == 0)
    assert [result.offset for result in rig.results()] == [0, 1]
    other.close()


@pytest.mark.parametrize(
    "policy",
    [
        'Model("a")',
        'Model("b@1")',
        'FirstWithin(5000, prefer=[Majority(["a", "b", "c"], quorum=2), "a"])',
        'Average(["a", "b", "c"], weights=[1, 2, 3])',
        'Median(["a", "b", "c"])',
        'Best(["a", "b", "c"], by="output:score")',
        'Best(["a", "b"], by="declared:auc")',
        'Hedge("a", after_ms=5000, fallback="b")',
        'Split({"a": 1, Majority(["a", "b"]): 1}, salt="x")',
        'Shadow("a", also=["b"], within_ms=5000)',
        'When("x > 10", Average(["a", "b"]), otherwise=When("x > 5", "a", otherwise="c"))',
        'FirstWithin(5000, prefer=["none", Constant("{\\"score\\": 0.5}")])',
    ],
)
def test_every_policy_answers_in_the_engine_as_the_audits_work_it_out(policy: str) -> None:
    rig = rig_of(policy)
    engine = rig.engine()
    rig.plan()
    for name, term in (("none", 9.0), ("a", 1.0), ("b", 1.0), ("c", 2.0)):
        rig.serve(adder(term), name)
    run_until(engine, lambda: candidates(engine) > 0 and not engine.shell.machine.loading())
    rig.send(*({"x": float(number)} for number in range(40)), {"y": 1}, {"x": "text"})
    run_until(engine, lambda: engine.lag() == 0)
    engine.close()
    assert len(rig.results()) + len(rig.rejects()) == 42
    clean(rig)
