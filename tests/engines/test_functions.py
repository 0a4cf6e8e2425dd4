"""A pipeline that calls a function of the flow's owner: admitted, served, and audited."""

from collections.abc import Iterator

import pytest

import modelstream as ms
from modelstream.audit import verify
from modelstream.errors import InvalidFlow
from modelstream.events import Admitted, Rejected
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Reject, Result
from modelstream.models.jail import Jail
from modelstream.wire.descriptor import GoldenRecord
from tests.support.flows import Rig
from tests.support.owner_functions import registered
from tests.support.pipelines import document, plus
from tests.support.serving import Serving

RATIO = {"python": {"function": "ratio", "columns": ["a", "b"], "as": {"ratio": "float64"}}}
SEVEN = {"python": {"function": "fails_at_seven", "columns": ["a"], "as": {"y": "float64"}}}
DOCUMENT = document(SEVEN, plus(1.0, "y"))


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail() as made:
        yield made


@pytest.fixture
def serving(jail: Jail) -> Iterator[Serving]:
    flow = Flow(name="wine", functions=registered("fails_at_seven"))
    made = Serving(Rig(MemoryLog(), flow), jail)
    yield made
    made.close()


def verdict(serving: Serving, data: bytes, *golden: GoldenRecord) -> Admitted | Rejected:
    rig = serving.rig
    position = ms.publish(rig.log, rig.flow, data, name="p", golden=golden)
    serving.settle()
    told = (ms.verdict(rig.log, rig.flow, position, 0) or [])[0]
    assert isinstance(told, Admitted | Rejected)
    return told


def test_a_registered_function_is_called_and_its_answers_verify(serving: Serving) -> None:
    rig = serving.rig
    rig.send({"a": 1})
    told = verdict(serving, DOCUMENT, GoldenRecord('{"a": 2}', '{"score": 3}'))
    assert isinstance(told, Admitted)
    assert [each.name for each in told.inputs] == ["a"]
    rig.send(*({"a": value} for value in (5, 7, 9)))
    serving.answer()
    assert [each.outputs["score"] for each in rig.results()] == [2, 6, 10]
    (reject,) = rig.rejects()
    assert reject.reason == "model_error"
    assert "step 1 (python): function 'fails_at_seven': ValueError: a seven" in reject.detail
    assert verify(rig.log, rig.flow).findings == ()


def test_a_function_that_is_not_registered_is_refused_with_the_fix(serving: Serving) -> None:
    told = verdict(serving, document(RATIO))
    assert isinstance(told, Rejected)
    assert told.code == "unsupported_model"
    assert "no function 'ratio' is registered here (registered: 'fails_at_seven')" in told.reason
    assert "adds it to the table [functions] of flow.toml" in told.reason


def test_golden_records_are_compared_through_the_function(serving: Serving) -> None:
    told = verdict(serving, DOCUMENT, GoldenRecord('{"a": 2}', '{"score": 4}'))
    assert isinstance(told, Rejected)
    assert told.code == "golden_mismatch"


def test_a_join_takes_functions_too() -> None:
    rows = [{"a": 1.0, "b": 4.0}, {"a": 1.0}]
    first, second = ms.join(rows, [document(RATIO)], functions=registered("ratio"))
    assert isinstance(first, Result)
    assert first.outputs["ratio"] == 0.25
    assert isinstance(second, Reject)
    with pytest.raises(InvalidFlow, match="cannot be imported"):
        ms.join(rows, [], functions={"ratio": "no_such_module:ratio"})
