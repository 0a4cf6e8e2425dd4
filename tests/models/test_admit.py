import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from modelstream.core.policies.text import parse_policy
from modelstream.core.registry import Registry
from modelstream.engines.topics import prepare
from modelstream.errors import JailFailed, UnknownTopic
from modelstream.events import Admitted, Planned, Promoted, RegistryEvent, Rejected, decode_event
from modelstream.flow import Flow
from modelstream.limits import HEARTBEAT_MS
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.models import admit as admit_module
from modelstream.models.admit import Admitter
from modelstream.models.check import CheckRequest, CheckVerdict, Failed, Passed
from modelstream.models.jail import Jail
from modelstream.wire.descriptor import Action, GoldenRecord, ModelDescriptor, encode_descriptor
from tests.support.artifacts import adder
from tests.support.logs import WoundClock, read_all
from tests.support.waiting import eventually

FLOW = Flow(name="wine")


class FakeJail(Jail):
    """Passes every artifact, unless it was told what to say; keeps the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[CheckRequest] = []
        self.says: CheckVerdict | None = None
        self.fails = False

    def check(self, request: CheckRequest) -> CheckVerdict:
        self.requests.append(request)
        if self.fails:
            raise JailFailed("no process")
        return self.says or Passed(b"lowered " + request.data, (), ())


class BlockingJail(FakeJail):
    """Lets a check end when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.released = threading.Event()

    def check(self, request: CheckRequest) -> CheckVerdict:
        self.begun.set()
        self.released.wait()
        return super().check(request)


class Rig:
    """A flow on a log in memory, and everything a test does to it."""

    def __init__(self, flow: Flow = FLOW) -> None:
        self.flow = flow
        self.clock = WoundClock()
        self.log = MemoryLog(self.clock)
        self.jail = FakeJail()
        prepare(flow, self.log)

    def admitter(self, jail: Jail | None = None, instance: str = "one") -> Admitter:
        return Admitter(
            self.flow, self.log, jail or self.jail, now_ms=lambda: 5000, instance=instance
        )

    def send(self, action: Action = Action.PUBLISH, **fields: Any) -> int:
        """Publish a message; return its offset."""
        if action in {Action.PUBLISH, Action.STAGE}:
            fields = {"name": "m", "format": "onnx", "data": b"artifact", **fields}
        return self.raw(encode_descriptor(ModelDescriptor(action=action, **fields)))

    def raw(self, value: bytes) -> int:
        (offset,) = self.log.append(Outgoing(self.flow.models, [value]))[0]
        return offset

    def events(self) -> list[RegistryEvent]:
        return [decode_event(value) for value in read_all(self.log, self.flow.registry)]

    def registry(self) -> Registry:
        folded = Registry()
        for position, event in enumerate(self.events()):
            folded.apply(event, position)
        return folded

    def admitted_all(self) -> list[RegistryEvent]:
        """Handle every message; return the events."""
        admitter = self.admitter()
        while admitter.step(0):
            pass
        admitter.close()
        return self.events()

    def committed(self) -> int | None:
        return self.log.committed(f"{self.flow.name}.admitter", self.flow.models, 0)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def only_rejection(rig: Rig) -> Rejected:
    (event,) = rig.admitted_all()
    assert isinstance(event, Rejected)
    return event


# -- publishing -----------------------------------------------------------------------------------


def test_a_published_model_is_admitted_and_promoted(rig: Rig) -> None:
    rig.send(
        name="forest",
        description="of trees",
        publisher="me",
        created_at_ms=77,
        metrics={"accuracy": 0.5},
        feature_names=("a", "b"),
        labels=("no", "yes"),
        signature_name="predict",
    )
    first, second = rig.admitted_all()
    assert isinstance(first, Admitted)
    assert isinstance(second, Promoted)
    assert (first.name, first.version, first.data_type) == ("forest", "1", "wine")
    assert (first.format, first.size, first.source, first.at_ms) == ("onnx", 8, 0, 5000)
    assert (first.description, first.publisher, first.created_at_ms) == ("of trees", "me", 77)
    assert first.metrics == {"accuracy": 0.5}
    assert (first.feature_names, first.labels) == (("a", "b"), ("no", "yes"))
    assert first.signature_name == "predict"
    assert rig.log.blobs.get(first.lowered) == b"lowered artifact"
    assert (second.name, second.version, second.data_type) == ("forest", "1", "wine")
    assert rig.committed() == 1


def test_a_staged_model_is_admitted_alone(rig: Rig) -> None:
    rig.send(Action.STAGE)
    (event,) = rig.admitted_all()
    assert isinstance(event, Admitted)
    assert event.created_at_ms is None


def test_versions_are_numbered_by_name_and_named_by_the_publisher(rig: Rig) -> None:
    rig.send(data=b"1")
    rig.send(data=b"2", version="3")
    rig.send(data=b"3")
    rig.send(data=b"4", name="other")
    rig.admitted_all()
    assert list(rig.registry().versions) == [("m", "1"), ("m", "3"), ("m", "4"), ("other", "1")]


def test_what_is_current_already_is_consumed_without_a_word(rig: Rig) -> None:
    rig.send()
    rig.send()
    rig.send(Action.STAGE)
    assert len(rig.admitted_all()) == 2
    assert rig.committed() == 3
    assert len(rig.jail.requests) == 1


def test_an_artifact_that_is_published_again_is_promoted_again(rig: Rig) -> None:
    for data in (b"1", b"2", b"1"):
        rig.send(data=data)
    *_, last = rig.admitted_all()
    assert isinstance(last, Promoted)
    assert rig.registry().current("wine") == ("m", "1")
    assert len(rig.jail.requests) == 2


def test_an_artifact_that_was_retired_is_refused(rig: Rig) -> None:
    rig.send()
    rig.send(Action.RETIRE, name="m", version="1")
    rig.send()
    *_, last = rig.admitted_all()
    assert isinstance(last, Rejected)
    assert last.code == "retired"


def test_a_known_artifact_with_other_names_needs_a_version(rig: Rig) -> None:
    rig.send()
    rig.send(feature_names=("a",))
    rig.send(feature_names=("a",), version="named")
    *_, refused, admitted, _ = rig.admitted_all()
    assert isinstance(refused, Rejected)
    assert refused.code == "artifact_exists"
    assert isinstance(admitted, Admitted)
    assert admitted.version == "named"


def test_a_version_that_exists_with_another_artifact_is_refused(rig: Rig) -> None:
    rig.send(version="1")
    rig.send(version="1", data=b"another")
    *_, last = rig.admitted_all()
    assert isinstance(last, Rejected)
    assert (last.code, last.version) == ("version_exists", "1")


def test_what_the_check_needs_reaches_the_jail(rig: Rig) -> None:
    rig.log.append(Outgoing("wine.records", [b'{"x": 1}', b'{"x": 2}']))
    golden = (GoldenRecord("{}", "{}", 0.5),)
    rig.send(feature_names=("a",), labels=("l",), signature_name="s", golden=golden)
    rig.admitted_all()
    assert rig.jail.requests == [
        CheckRequest(
            data=b"artifact",
            format="onnx",
            feature_names=("a",),
            labels=("l",),
            signature="s",
            records=(b'{"x": 1}', b'{"x": 2}'),
            golden=golden,
        )
    ]


def test_a_flow_may_do_without_rehearsal() -> None:
    rig = Rig(Flow(name="wine", rehearse=False))
    rig.log.append(Outgoing("wine.records", [b'{"x": 1}']))
    rig.send()
    rig.admitted_all()
    assert rig.jail.requests[0].records == ()


def test_a_model_for_another_data_type_is_refused(rig: Rig) -> None:
    rig.send(data_type="beer")
    event = only_rejection(rig)
    assert (event.code, event.data_type) == ("unknown_data_type", "beer")


def test_a_failed_check_is_a_rejection_and_leaves_the_current_version_alone(rig: Rig) -> None:
    rig.send()
    rig.admitted_all()
    rig.jail.says = Failed("timeout", "too slow")
    rig.send(data=b"another", version="9")
    *_, last = rig.admitted_all()
    assert isinstance(last, Rejected)
    assert (last.name, last.version, last.code, last.reason) == ("m", "9", "timeout", "too slow")
    assert last.digest is not None
    assert (last.source, last.at_ms) == (1, 5000)
    assert rig.registry().current("wine") == ("m", "1")


def test_an_artifact_that_was_refused_is_checked_again_when_it_comes_again(rig: Rig) -> None:
    rig.jail.says = Failed("memory", "too large")
    rig.send()
    rig.admitted_all()
    rig.jail.says = None
    rig.send()
    assert len(rig.admitted_all()) == 3


def test_an_artifact_that_cannot_be_had_is_refused(rig: Rig) -> None:
    rig.send(data=None, location="http://example.org/model", digest="a" * 64)
    event = only_rejection(rig)
    assert (event.code, event.digest) == ("location_refused", "a" * 64)
    assert rig.jail.requests == []


def test_a_signature_that_fits_no_registry_event_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit_module, "RECORD_BYTES_MAX", 500)
    rig.send(description="long " * 100)
    event = only_rejection(rig)
    assert event.code == "too_large"
    assert rig.log.blobs.get(event.digest or "") is None


@pytest.mark.parametrize("value", [b"", b"\xff\xff", b"\x0a\x01m", b"\x00" * 1000])
def test_what_is_no_descriptor_is_refused_and_the_next_message_read(rig: Rig, value: bytes) -> None:
    rig.raw(value)
    rig.send()
    rejected, *others = rig.admitted_all()
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.source) == ("malformed", 0)
    assert len(others) == 2


# -- commands -------------------------------------------------------------------------------------


def test_commands_move_versions_through_their_life(rig: Rig) -> None:
    rig.send(data=b"1")
    rig.send(Action.STAGE, data=b"2")
    rig.send(Action.STAGE, data=b"3")
    rig.admitted_all()
    currents = []
    for action, fields in [
        (Action.PROMOTE, {"name": "m", "version": "2"}),
        (Action.PROMOTE, {"name": "m"}),
        (Action.ROLLBACK, {}),
        (Action.RETIRE, {"name": "m", "version": "2"}),
        (Action.PROMOTE, {"name": "m", "version": "2"}),
        (Action.ROLLBACK, {"data_type": "wine"}),
    ]:
        rig.send(action, **fields)
        rig.admitted_all()
        current = rig.registry().current("wine")
        assert current is not None
        currents.append(current.version)
    assert currents == ["2", "3", "2", "1", "1", "1"]
    codes = [event.code for event in rig.events() if isinstance(event, Rejected)]
    assert codes == ["retired", "nothing_before"]


def test_a_command_about_nothing_is_refused(rig: Rig) -> None:
    rig.send(Action.PROMOTE, name="m")
    rig.send(Action.ROLLBACK)
    rig.send(Action.RETIRE, name="m", version="1")
    codes = [event.code for event in rig.admitted_all() if isinstance(event, Rejected)]
    assert codes == ["unknown_version", "nothing_before", "unknown_version"]


# -- one at a time, and once ----------------------------------------------------------------------


def test_one_admitter_works_and_the_other_stands_by(rig: Rig) -> None:
    working, standing_by = rig.admitter(instance="one"), rig.admitter(instance="two")
    rig.send(data=b"1")
    assert standing_by.step(0) == 0
    assert working.step(0) == 1
    working.close()
    rig.send(data=b"2")
    assert eventually(lambda: standing_by.step(0)) == 1
    assert list(rig.registry().versions) == [("m", "1"), ("m", "2")]
    standing_by.close()


def test_an_admitter_that_lost_its_lease_in_a_check_writes_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit_module, "HEARTBEAT_MS", 600_000)  # its heart stands still
    slow = BlockingJail()
    first = rig.admitter(slow, instance="one")
    rig.send()
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(first.step, 0)
        slow.begun.wait()
        rig.clock.lapse()
        second = rig.admitter(instance="two")
        assert second.step(0) == 1
        slow.released.set()
        assert pending.result() == 0
    assert len(rig.events()) == 2
    second.close()
    rig.send(data=b"2")
    assert eventually(lambda: first.step(0)) == 1
    assert rig.registry().current("wine") == ("m", "2")
    first.close()


def test_the_lease_is_renewed_while_a_check_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit_module, "HEARTBEAT_MS", 1)
    slow = BlockingJail()
    admitter = rig.admitter(slow)
    polls: list[int] = []
    poll = admitter._consumer.poll

    def counted(max_records: int, max_wait_ms: int, max_bytes: int) -> Any:
        polls.append(rig.clock.now)
        rig.clock.wind(HEARTBEAT_MS)
        if len(polls) == 3:
            slow.released.set()
        return poll(max_records, max_wait_ms, max_bytes)

    admitter._consumer.poll = counted  # type: ignore[method-assign]
    rig.send()
    rig.send(data=b"next")
    assert admitter.step(0) == 1
    assert len(polls) >= 3
    assert admitter.step(0) == 1
    assert list(rig.registry().versions) == [("m", "1"), ("m", "2")]
    admitter.close()


def test_a_message_that_met_an_error_of_this_side_is_read_again(rig: Rig) -> None:
    admitter = rig.admitter()
    rig.send()
    rig.jail.fails = True
    with pytest.raises(JailFailed):
        admitter.step(0)
    assert rig.events() == []
    rig.jail.fails = False
    assert admitter.step(0) == 1
    assert len(rig.events()) == 2
    admitter.close()


def test_another_admitter_continues_with_the_registry_as_it_stands(rig: Rig) -> None:
    rig.send(data=b"1")
    rig.admitted_all()
    rig.send(data=b"2")
    rig.send(data=b"1")
    rig.admitted_all()
    assert list(rig.registry().versions) == [("m", "1"), ("m", "2")]
    assert rig.registry().current("wine") == ("m", "1")


def test_run_ends_when_it_is_told_to(rig: Rig) -> None:
    stop = threading.Event()
    admitter = rig.admitter()
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(admitter.run, stop)
        rig.send()
        eventually(rig.events)
        stop.set()
        pending.result()
    admitter.close()
    assert len(rig.events()) == 2


def test_run_gives_up_a_check_when_it_is_told_to_end_and_the_message_is_read_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit_module, "HEARTBEAT_MS", 1)
    stop, slow = threading.Event(), BlockingJail()
    admitter = rig.admitter(slow)
    rig.send()
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(admitter.run, stop)
        slow.begun.wait()
        stop.set()
        pending.result()
    admitter.close()
    slow.released.set()
    assert rig.events() == []
    assert len(rig.admitted_all()) == 2


def test_an_admitter_needs_the_models_topic() -> None:
    with pytest.raises(UnknownTopic, match=r"wine\.models"):
        Admitter(FLOW, MemoryLog(), FakeJail())


# -- for real -------------------------------------------------------------------------------------


@pytest.fixture
def real(jail: Jail) -> Iterator[tuple[Rig, Admitter]]:
    rig = Rig()
    rig.log.append(Outgoing("wine.records", [b'{"x": 1}', b'{"y": 1}']))
    admitter = rig.admitter(jail)
    yield rig, admitter
    admitter.close()


def test_a_real_model_goes_from_the_models_topic_to_the_registry(
    real: tuple[Rig, Admitter],
) -> None:
    rig, admitter = real
    rig.send(data=adder(), golden=(GoldenRecord('{"x": 2}', '{"score": 3}', 1e-6),))
    rig.send(data=adder(2.0), golden=(GoldenRecord('{"x": 2}', '{"score": 3}', 1e-6),))
    rig.send(data=adder(field="z"))
    rig.send(data=adder(3.0)[:-20])
    while admitter.step(0):
        pass
    admitted, promoted, *refused = rig.events()
    assert isinstance(admitted, Admitted)
    assert [each.name for each in admitted.inputs + admitted.outputs] == ["x", "score"]
    assert rig.log.blobs.get(admitted.lowered)
    assert isinstance(promoted, Promoted)
    codes = [event.code for event in refused if isinstance(event, Rejected)]
    assert codes == ["golden_mismatch", "fields_missing", "invalid_model"]
    assert rig.registry().current("wine") == ("m", "1")


WINE = [
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
]


def test_the_real_wine_models_are_admitted_with_real_records(
    real: tuple[Rig, Admitter], shared_data: Path
) -> None:
    rig, admitter = real
    rows = (shared_data / "wine" / "winequality_red.csv").read_text().splitlines()[:100]
    records = [
        json.dumps(dict(zip(WINE, map(float, row.split(";")), strict=False))).encode()
        for row in rows
    ]
    rig.log.append(Outgoing("wine.records", records))
    models = ("RandonForrestClassification", "LinearRegression", "DecisionTreeClassification")
    for name in models:
        path = shared_data / "wine" / f"winequality{name}.pmml"
        rig.send(name=name, format="pmml", data=path.read_bytes())
    while admitter.step(0):
        pass
    assert [type(event) for event in rig.events()] == [Admitted, Promoted] * len(models)
    assert rig.registry().current("wine") == (models[-1], "1")


# -- plans ----------------------------------------------------------------------------------------

RACE = 'FirstWithin(20, prefer=["a", "b"])'


@pytest.mark.speculation
def test_what_a_flow_declares_is_its_first_plan() -> None:
    rig = Rig(Flow(name="wine", answer=parse_policy(RACE)))
    (event,) = rig.admitted_all()
    assert isinstance(event, Planned)
    assert (event.policy, event.version, event.data_type, event.declared) == (RACE, "1", "", True)
    assert rig.admitted_all() == [event], "it is said once"


@pytest.mark.speculation
def test_a_live_plan_outlives_a_restart_and_a_new_declaration_replaces_it() -> None:
    rig = Rig(Flow(name="wine", answer=parse_policy(RACE)))
    rig.admitted_all()
    rig.send(name="a")
    rig.send(Action.PLAN, policy='Hedge("a", 5, "b")')
    rig.admitted_all()
    assert rig.registry().plans[""].policy == 'Hedge("a", after_ms=5, fallback="b")'
    rig.admitted_all()
    assert rig.registry().plans[""].policy == 'Hedge("a", after_ms=5, fallback="b")'
    rig.flow = Flow(name="wine")
    rig.admitted_all()
    assert rig.registry().plans[""].policy == "Latest()"


@pytest.mark.speculation
def test_a_flow_that_says_nothing_has_no_plan(rig: Rig) -> None:
    rig.send(name="a")
    assert not any(isinstance(event, Planned) for event in rig.admitted_all())


@pytest.mark.speculation
@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("FirstWithin(0, ['a'])", "invalid_plan"),
        ("os.system('true')", "invalid_plan"),
        ('Majority(["x", "y"])', "unknown_version"),
    ],
)
def test_a_plan_that_cannot_answer_is_refused(rig: Rig, policy: str, code: str) -> None:
    rig.send(name="a")
    rig.send(Action.PLAN, policy=policy)
    last = rig.admitted_all()[-1]
    assert isinstance(last, Rejected)
    assert last.code == code


@pytest.mark.speculation
def test_the_same_plan_again_changes_nothing(rig: Rig) -> None:
    rig.send(name="a")
    for _ in range(2):
        rig.send(Action.PLAN, policy='Model("a")')
    assert len(rig.admitted_all()) == 3
