"""Answer policies, for users: how several models' answers become one.

`modelstream.policies.FirstWithin(20, prefer=["smart", "fast"])` is what `answer` of a flow is in
Python; in a flow.toml the same stands as text. What they are is in `core.policies`.
"""

from modelstream.core.policies.average import Average, Median
from modelstream.core.policies.base import Policy
from modelstream.core.policies.best import Best
from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.hedge import Hedge
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.shadow import Shadow
from modelstream.core.policies.single import Constant, Latest, Model
from modelstream.core.policies.split import Split
from modelstream.core.policies.text import parse_policy, policy_text
from modelstream.core.policies.when import When

__all__ = [
    "Average",
    "Best",
    "Constant",
    "FirstWithin",
    "Hedge",
    "Latest",
    "Majority",
    "Median",
    "Model",
    "Policy",
    "Shadow",
    "Split",
    "When",
    "parse_policy",
    "policy_text",
]
