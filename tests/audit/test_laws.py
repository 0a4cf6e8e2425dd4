"""Whatever happens to a flow, and in whatever order: `verify` finds every invariant kept.

The admitter and the join are the real ones; artifacts are read in this process, not in a jail.
"""

from collections.abc import Callable
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream import publishing
from modelstream.audit import replay, verify
from modelstream.engines.topics import prepare
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.models.admit import Admitter
from modelstream.models.check import CheckRequest, CheckVerdict, Untried, check
from modelstream.models.jail import Jail
from tests.support.artifacts import adder, nothing
from tests.support.flows import Rig, run_until

KINDS, NAMES = ("red", "white"), ("plus", "minus")
RECORDS = (
    b'{"x": 1, "kind": "red"}',
    b'{"x": -0.5, "kind": "red", "more": [1, {"a": null}]}',
    b'{"x": 2.25, "kind": "white"}',
    b'{"x": 1e300, "kind": "white"}',
    b'{"kind": "red"}',
    b'{"x": "1", "kind": "white"}',
    b'{"x": 1, "kind": "green"}',
    b'{"x": 1}',
    b'{"x": 1, "kind": "red"',
    b"",
)
MODELS = (*(adder(float(amount)) for amount in range(1, 7)), nothing(), b"<PMML", b"\x08")

Action = Callable[["World"], object]


class OpenJail(Jail):
    """Checks artifacts here and now: those of these tests are known."""

    def check(self, request: CheckRequest) -> CheckVerdict:
        verdict = check(request)
        assert not isinstance(verdict, Untried)
        return verdict


class World:
    """One flow, its admitter and one instance of its join."""

    def __init__(self, flow: Flow) -> None:
        self.flow, self.log, self.jail = flow, MemoryLog(), OpenJail()
        self.rig = Rig(self.log, flow)
        prepare(flow, self.log)
        self.admitter = Admitter(flow, self.log, self.jail)
        self.engine = self.rig.engine()
        for kind, name in zip(KINDS, NAMES, strict=True):
            publish(kind, MODELS[0], name, stage=False)(self)

    def restart(self) -> None:
        self.engine.close()
        self.engine = self.rig.engine()

    def admit(self) -> None:
        while self.admitter.step(0):
            pass

    def send(self, records: list[bytes], partition: int) -> None:
        if self.flow.on_no_model == "hold":  # one that no model is for would hold the others up
            records = [each for each in records if b"green" not in each]
        self.log.append(Outgoing("wine.records", records, partition=partition))

    def settle(self) -> None:
        """Let the admitter and the join come to their ends."""
        self.admit()
        goal = self.engine.ends()
        run_until(self.engine, lambda: self.engine.reached(goal))

    def close(self) -> None:
        self.engine.close()
        self.admitter.close()
        self.jail.close()


def publish(kind: str, model: bytes, name: str, *, stage: bool) -> Action:
    form = "pmml" if model.startswith(b"<") else "onnx"
    return lambda world: publishing.publish(
        world.log, world.flow, model, name=name, data_type=kind, format=form, stage=stage
    )


def promote(name: str, version: str) -> Action:
    return lambda world: publishing.promote(world.log, world.flow, name, version)


def roll_back(kind: str) -> Action:
    return lambda world: publishing.rollback(world.log, world.flow, kind)


def retire(name: str, version: str) -> Action:
    return lambda world: publishing.retire(world.log, world.flow, name, version)


def send(records: list[bytes], partition: int) -> Action:
    return lambda world: world.send(records, partition)


def step(turns: int) -> Action:
    return lambda world: [world.engine.step(2) for _ in range(turns)]


KIND = st.sampled_from(KINDS)
NAME = st.sampled_from(NAMES)
PUBLISH = st.builds(publish, KIND, st.sampled_from(MODELS), NAME, stage=st.booleans())
COMMANDS = st.one_of(
    PUBLISH,
    PUBLISH,
    PUBLISH,
    st.builds(promote, NAME, st.sampled_from(("", "1", "2"))),
    st.builds(roll_back, KIND),
    st.builds(retire, NAME, st.sampled_from(("1", "2"))),
)
SENDS = st.builds(
    send, st.lists(st.sampled_from(RECORDS), min_size=1, max_size=6), st.integers(0, 1)
)
TURNS = st.one_of(
    st.just(World.admit),
    st.just(World.settle),
    st.just(World.restart),
    st.builds(step, st.integers(1, 3)),
)
ROUNDS = st.tuples(COMMANDS, SENDS, TURNS, SENDS, TURNS)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(("hold", "reject")),
    st.sampled_from(("reject", "null")),
    st.lists(ROUNDS, min_size=3, max_size=10).map(lambda rounds: list(chain.from_iterable(rounds))),
)
def test_whatever_happens_the_log_verifies(no_model, missing, actions: list[Action]) -> None:  # type: ignore[no-untyped-def]
    flow = Flow(
        name="wine",
        data_type_field="kind",
        on_no_model=no_model,
        on_missing_answer=missing,
        partitions=2,
        batch_records=4,
        rehearse=False,
    )
    world = World(flow)
    try:
        for action in actions:
            action(world)
        world.settle()
    finally:
        world.close()
    report = verify(world.log, flow)
    assert report.findings == ()
    assert report.ok
    figures = report.figures
    assert figures.results + figures.rejects == figures.records
    assert figures.alone == figures.not_rescored == 0
    again = replay(world.log, flow)
    assert again.changes["equal"] == again.records
    assert again.unavailable == {}
