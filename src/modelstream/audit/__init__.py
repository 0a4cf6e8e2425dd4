"""Audits of a flow from its topics alone, without a server: verify, explain, replay.

`verify` checks the invariants, `explain` tells why one record got its answer, and `replay` scores
records again, with another version if you like. Read `history` first: the registry as a function
of position is what all three judge by. Then `outcomes`, `coverage`, `current` and `reproduce`.
"""

from modelstream.audit.explain import explain
from modelstream.audit.explanation import Explanation, ModelFacts
from modelstream.audit.replay import replay
from modelstream.audit.replayed import Difference, ReplayReport
from modelstream.audit.report import Figures, Finding, Report
from modelstream.audit.verify import verify

__all__ = [
    "Difference",
    "Explanation",
    "Figures",
    "Finding",
    "ModelFacts",
    "ReplayReport",
    "Report",
    "explain",
    "replay",
    "verify",
]
