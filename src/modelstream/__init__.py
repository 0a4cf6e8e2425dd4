"""modelstream: models are events; a record stream is joined with a model stream.

To read the code, follow one record: `engines.embedded` reads it, `engines.turn` lays it in a batch,
`core.machine` says which version scores it, `engines.loaded` decodes and scores it, the machine
decides, `wire.results` encodes the answer, and `engines.embedded` commits it. A model's way is
`publishing`, `models.admit`, `core.registry`, `engines.loader`. ARCHITECTURE.md tells both in full.
"""

from modelstream._version import __version__
from modelstream.core.policies.single import Latest
from modelstream.engines.library import Join, join
from modelstream.engines.rows import score_rows
from modelstream.engines.serve import admit, serve
from modelstream.errors import (
    Fenced,
    InvalidFlow,
    InvalidMessage,
    InvalidModel,
    InvalidRecord,
    LogError,
    ModelstreamError,
    ModelUnavailable,
    UnknownModel,
    UnknownTopic,
    UnsupportedModel,
)
from modelstream.exporting import export
from modelstream.flow import Flow, load_flow
from modelstream.formats import load_model
from modelstream.formats.base import Field, Model, Remote
from modelstream.log import open_log
from modelstream.messages import ModelStamp, Position, Reject, Result, Scores
from modelstream.publishing import promote, publish, retire, rollback, verdict
from modelstream.wire.descriptor import GoldenRecord, ModelDescriptor

__all__ = [
    "Fenced",
    "Field",
    "Flow",
    "GoldenRecord",
    "InvalidFlow",
    "InvalidMessage",
    "InvalidModel",
    "InvalidRecord",
    "Join",
    "Latest",
    "LogError",
    "Model",
    "ModelDescriptor",
    "ModelStamp",
    "ModelUnavailable",
    "ModelstreamError",
    "Position",
    "Reject",
    "Remote",
    "Result",
    "Scores",
    "UnknownModel",
    "UnknownTopic",
    "UnsupportedModel",
    "__version__",
    "admit",
    "export",
    "join",
    "load_flow",
    "load_model",
    "open_log",
    "promote",
    "publish",
    "retire",
    "rollback",
    "score_rows",
    "serve",
    "verdict",
]
