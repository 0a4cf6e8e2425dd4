"""A registry written by hand, as an admitter would have written it: for models that are made up here."""

from collections.abc import Sequence

import modelstream as ms
from modelstream.core.policies.single import Latest
from modelstream.core.policies.text import policy_text
from modelstream.events import Admitted, Planned, Promoted, RegistryEvent, encode_event
from modelstream.log.base import Log
from modelstream.messages import Outgoing

_DIGEST = "0" * 64


def register(log: Log, flow: ms.Flow, names: Sequence[str]) -> None:
    """Put a flow's policy on the registry, unless it is the latest version, and a version of each name."""
    events: list[RegistryEvent] = []
    if flow.answer != Latest():
        text = policy_text(flow.answer)
        events.append(
            Planned(version="1", data_type="", policy=text, digest=_DIGEST, source=0, at_ms=0)
        )
    for name in names:
        events.append(
            Admitted(
                name=name,
                version="1",
                data_type=flow.data_type,
                digest=_DIGEST,
                format="onnx",
                lowered=_DIGEST,
                size=0,
                source=0,
                at_ms=0,
                inputs=(),
                outputs=(),
            )
        )
        events.append(Promoted(name=name, version="1", data_type=flow.data_type, source=0, at_ms=0))
    values = [encode_event(event) for event in events]
    log.append(Outgoing(flow.registry, values, partition=0))
