"""Scoring again: the same code, a few versions in memory, JSON that says the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.audit.rescore import Rescorer, plain_answer, plain_json, same_json
from modelstream.engines.loaded import Loaded, ready
from modelstream.errors import InvalidModel, ModelFailed
from modelstream.flow import Flow
from modelstream.limits import AUDIT_VERSIONS_LOADED_MAX
from modelstream.log.memory import MemoryLog
from modelstream.messages import Failure
from tests.support.artifacts import adder
from tests.support.events import admitted
from tests.support.fake_models import FakeModel
from tests.support.flows import Rig


def test_records_are_answered_or_rejected_each_for_itself() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    event = rig.admit(adder(1.0), "plus")
    with Rescorer(rig.log, rig.flow) as rescorer:
        answers = rescorer.answers(event, [b'{"x": 1}', b"?", b'{"x": 0.5}', b"{}"])
        assert [answers[0], answers[2]] == [b'{"score":2.0}', b'{"score":1.5}']
        assert [each.reason for each in answers if isinstance(each, Failure)] == [
            "not_json",
            "missing_field",
        ]
        assert rescorer.answers(event, []) == []
        assert all(isinstance(each, Failure) for each in rescorer.answers(event, [b"?"]))


def test_a_few_versions_stay_in_memory_and_the_others_are_closed() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    events = [rig.admit(adder(float(i)), "plus", str(i)) for i in range(10)]
    with Rescorer(rig.log, rig.flow) as rescorer:
        loaded = [rescorer.loaded(event) for event in events[:AUDIT_VERSIONS_LOADED_MAX]]
        assert rescorer.loaded(events[0]) is loaded[0]
        rescorer.loaded(events[8])
        assert rescorer.loaded(events[0]) is loaded[0]
        with pytest.raises(ModelFailed, match="closed"):
            loaded[1].model.score({"x": loaded[1].decoder.decode([b'{"x": 1}']).columns["x"]})
        again = rescorer.loaded(events[1])
        assert again is not loaded[1]
    with pytest.raises(ModelFailed, match="closed"):
        again.model.score(again.decoder.decode([b'{"x": 1}']).columns)


def test_a_version_that_cannot_be_had_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def lowered(event, log, flow, jail):  # type: ignore[no-untyped-def]
        asked.append(event.name)
        raise InvalidModel("it passed once")

    monkeypatch.setattr("modelstream.audit.rescore.lowered_bytes", lowered)
    rescorer = Rescorer(MemoryLog(), Flow(name="wine"))
    for _ in range(3):
        with pytest.raises(InvalidModel, match="passed once"):
            rescorer.loaded(admitted("a"))
    assert asked == ["a"]
    rescorer.close()


def test_every_version_is_closed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    made: list[Loaded] = [ready(model, ())]
    monkeypatch.setattr("modelstream.audit.rescore.lowered_bytes", lambda *_, **__: b"")
    monkeypatch.setattr("modelstream.audit.rescore.load", lambda *_, **__: made[0])
    with Rescorer(MemoryLog(), Flow(name="wine")) as rescorer:
        rescorer.loaded(admitted("a"))
        assert not model.closed
    assert model.closed


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (b'{"a":1.0,"b":"\\u00e9"}', '{"b": "é", "a": 1.0}'.encode(), True),
        (b"[1, 2]", b"[1,2]", True),
        (b"0.1", b"0.10000000000000001", True),
        (b"0.1", b"0.10000000000000002", False),
        (b"0.0", b"-0.0", False),
        (b"1", b"1.0", False),
        (b"null", b"0", False),
        (b"{", b"{ ", False),
        (b"{", b"{", True),
        (b"[" * 3000, b"[" * 3001, False),
    ],
)
def test_json_is_compared_by_what_it_says(left: bytes, right: bytes, same: bool) -> None:
    assert same_json(left, right) is same
    assert same_json(right, left) is same


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_numbers_are_the_same_to_the_last_bit(left: float, right: float) -> None:
    same = left.hex() == right.hex()
    assert same_json(repr(left).encode(), b" " + repr(right).encode()) is same


def test_bytes_that_are_no_json_are_shown_as_text() -> None:
    assert plain_json(b'{"a": [1]}') == {"a": [1]}
    assert plain_json(b"\xffab") == "\\xffab"
    assert plain_json(b"[" * 3000) == "[" * 3000
    failure = Failure("not_json", "?")
    assert plain_answer(failure) is failure
    assert plain_answer(b'{"y":1}') == {"y": 1}
