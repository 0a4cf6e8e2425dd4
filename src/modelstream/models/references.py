"""The versions that a model refers to, brought for the check in which it is lowered.

They are resolved once, when the model is admitted: its lowered form holds theirs, and no later
event changes what it answers.
"""

from collections.abc import Callable

from modelstream.errors import InvalidModel, UnknownModel
from modelstream.events import Admitted, decode_events
from modelstream.flow import Flow
from modelstream.formats.base import LoweredModel
from modelstream.formats.pipeline.document import references
from modelstream.limits import (
    BATCH_BYTES_MAX,
    PIPELINE_REFERENCED_BYTES_MAX,
    REGISTRY_READ_RECORDS,
)
from modelstream.log.base import Log
from modelstream.messages import VersionId
from modelstream.models.refusal import Refused, shortened

# Finds a version that was admitted, and brings the form that serving processes load.
Find = Callable[[VersionId], Admitted | None]
Bring = Callable[[Admitted], bytes]


def referenced(
    format_name: str, artifact: bytes, find: Find, bring: Bring
) -> dict[str, LoweredModel]:
    """Return the versions that an artifact names, whatever became of them since.

    Only pipelines name any. Raises Refused where one was never admitted or cannot be had any more,
    and what `bring` raises beside that.
    """
    if format_name != "pipeline":
        return {}
    try:
        names = references(artifact)
    except InvalidModel as error:
        raise Refused("invalid_model", shortened(str(error))) from error
    found: dict[str, LoweredModel] = {}
    size = 0
    for name in names:
        admitted = _found(name, find)
        try:
            lowered = bring(admitted)
        except (UnknownModel, InvalidModel) as error:
            raise Refused(
                "no_artifact", f"the pipeline refers to {name}, which cannot be had: {error}"
            ) from error
        size += len(lowered)
        if size > PIPELINE_REFERENCED_BYTES_MAX:
            raise Refused(
                "too_large",
                f"the versions that the pipeline refers to have {size} bytes up to {name}; at most "
                f"{PIPELINE_REFERENCED_BYTES_MAX} are allowed",
            )
        found[name] = LoweredModel(admitted.format, lowered)
    return found


def find_on(log: Log, flow: Flow) -> Find:
    """Return how to find a version on the registry, for whom does not fold it.

    Raises InvalidMessage, LogError.
    """
    known: dict[VersionId, Admitted] = {}
    offset = 0
    while True:
        batch = log.read(flow.registry, 0, offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX)
        if not len(batch):
            return known.get
        for event in decode_events(batch.values):
            if isinstance(event, Admitted):
                known[VersionId(event.name, event.version)] = event
        offset = batch.next_offset


def _found(name: str, find: Find) -> Admitted:
    model, _, version = name.rpartition("@")
    admitted = find(VersionId(model, version)) if model else None
    if admitted is None:
        raise Refused(
            "unknown_version",
            f"the pipeline refers to {name!r}, and no such version was admitted; publish it first, "
            "and name it as name@version",
        )
    return admitted
