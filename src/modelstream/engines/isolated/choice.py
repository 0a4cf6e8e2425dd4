"""Which versions are scored in processes of their own, and what such a process is told."""

import logging
from collections.abc import Callable

from modelstream.engines.isolated.messages import Open
from modelstream.engines.isolated.scorer import IsolatedScorer, shared_forker
from modelstream.errors import InvalidModel, LogError
from modelstream.events import Admitted, version_of
from modelstream.flow import Flow

_log = logging.getLogger("modelstream")
# Their evaluation is Python and NumPy between calls of kernels; the others are one such call, without
# the interpreter's lock.
_HOLDING = frozenset({"pmml", "pfa", "pipeline"})
# They wait for a server, or have a process already.
_NEVER = frozenset({"remote"})


def isolate(
    admitted: Admitted, flow: Flow, lowered: Callable[[Admitted], bytes]
) -> IsolatedScorer | None:
    """Return a version's process; None where it needs none, or can have none."""
    wanted = flow.isolation == "process" or (
        flow.isolation == "auto" and admitted.format in _HOLDING
    )
    if not wanted or admitted.format in _NEVER or flow.device != "cpu":
        return None
    try:
        opening = Open(
            format=admitted.format,
            lowered=lowered(admitted),
            warm_rows=(1, flow.batch_records),
            bind=dict(flow.bind),
            null_is_answer=flow.on_missing_answer == "null",
        )
        return IsolatedScorer(opening, shared_forker())
    except (InvalidModel, LogError, OSError) as error:
        # A pipeline that calls the owner's functions, or a server, is not to leave this process.
        _log.info("%s is scored in a thread, not in a process: %s", version_of(admitted), error)
        return None
