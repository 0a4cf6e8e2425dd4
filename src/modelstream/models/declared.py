"""What a flow declares of its plan, as the message that tells the registry."""

from modelstream.core.policies.single import Latest
from modelstream.core.policies.text import policy_text
from modelstream.core.registry import Registry
from modelstream.flow import Flow
from modelstream.models.lifecycle import DECLARED
from modelstream.wire.descriptor import Action, ModelDescriptor


def declaration(flow: Flow, registry: Registry, at_ms: int) -> ModelDescriptor | None:
    """Return how the flow says that answers are found; None where that was its last word already.

    It goes the way of all messages; another member may say the same, which changes nothing.
    """
    policy = policy_text(flow.answer)
    if policy == (registry.declared or policy_text(Latest())):
        return None
    return ModelDescriptor(
        action=Action.PLAN, policy=policy, publisher=DECLARED, created_at_ms=at_ms
    )
