"""The `answer` of a flow: which policies it takes, and how they are told to another process."""

import pytest

from modelstream.core.registry import Registry
from modelstream.errors import InvalidFlow
from modelstream.events import RegistryEvent
from modelstream.flow import Flow, flow_of_plain, parse_flow, plain_flow
from modelstream.models.lifecycle import Message, plan
from modelstream.models.refusal import Refused
from modelstream.policies import FirstWithin, Latest, Model, Split, parse_policy
from modelstream.schemas import Schemas
from modelstream.wire.descriptor import Action, ModelDescriptor
from tests.support.events import admitted, promoted

pytestmark = pytest.mark.speculation
RACE = FirstWithin(20, (Model("a"), Model("b")))
AVRO = Schemas(results="avro", registry="http://localhost:1")


def test_a_policy_is_read_from_toml_with_its_line() -> None:
    text = 'name = "wine"\nanswer = \'FirstWithin(20, prefer=["a", "b"])\'\n'
    assert parse_flow(text).answer == RACE
    assert parse_flow('name = "wine"\n').answer == Latest()
    with pytest.raises(InvalidFlow, match=r"flow\.toml:2: .*above 0"):
        parse_flow(text.replace("20", "0"))


def test_a_policy_goes_to_another_process_as_text() -> None:
    flow = Flow(name="wine", answer=RACE)
    assert plain_flow(flow)["answer"] == 'FirstWithin(20, prefer=["a", "b"])'
    assert flow_of_plain(plain_flow(flow)) == flow


def test_several_candidates_need_results_that_can_tell_of_them() -> None:
    with pytest.raises(InvalidFlow, match="leave results out of"):
        Flow(name="wine", answer=RACE, schemas=AVRO)
    split = Split({"a": 1, "b": 1})  # type: ignore[arg-type]
    assert Flow(name="wine", answer=split, schemas=AVRO).answer == split


def test_nor_can_a_live_plan_ask_for_what_results_cannot_tell() -> None:
    registry = Registry()
    events: list[RegistryEvent] = [admitted("a"), promoted("a")]
    for position, event in enumerate(events):
        registry.apply(event, position)
    flow = Flow(name="wine", schemas=AVRO)
    told = ModelDescriptor(action=Action.PLAN, policy='Hedge("a", 5, "b")')
    with pytest.raises(Refused) as refused:
        plan(Message(told, 0, 0), flow, registry)
    assert refused.value.code == "invalid_plan"
    assert parse_policy('Model("a")') == Model("a")
    (made,) = plan(
        Message(ModelDescriptor(action=Action.PLAN, policy='Model("a")'), 0, 0), flow, registry
    )
    assert made.source == 0
