"""The errors a caller can meet. Each message says what is wrong and what to do next.

What is wrong with one record is no exception: it ends as a reject on the log (messages.Reject).
"""


class ModelstreamError(Exception):
    """The parent of every error below; nothing else is raised on purpose."""


class InvalidFlow(ModelstreamError):
    """A flow declaration cannot work as written; names the key, the line and the fix."""


class InvalidModel(ModelstreamError):
    """An artifact is not a model that can be served; the reason goes onto the registry."""


class UnsupportedModel(InvalidModel):
    """A well-formed artifact uses something this version does not evaluate; names it."""


class ModelFailed(ModelstreamError):
    """A loaded model raised while scoring; gives the cause. Other rows may still be scored."""


class ModelUnavailable(ModelstreamError):
    """The server of a remote model is away, or serves another model than the one admitted.

    No record is to blame: records wait, and are asked for again.
    """


class SchemasUnavailable(ModelstreamError):
    """A Schema Registry cannot be asked now. No record is to blame: records wait."""


class ModelTimedOut(ModelstreamError):
    """A loaded model did not answer in time and was ended; it is not asked for the batch again."""


class JailFailed(ModelstreamError):
    """The confined process that checks artifacts cannot be started; says why."""


class InvalidRecord(ModelstreamError):
    """Records given by a caller cannot be read or are too large; names the record."""


class InvalidMessage(ModelstreamError):
    """Bytes on a modelstream topic are not the message that belongs there."""


class UnknownModel(ModelstreamError):
    """A name, version or position that the registry or a topic does not hold."""


class LogError(ModelstreamError):
    """The log cannot be read or written: missing, read-only, full, or damaged."""


class LogUnavailable(LogError):
    """The log does not answer now: its brokers are away, or starting. Waiting may help."""


class UnknownTopic(LogError):
    """A topic that the log does not have; names those it has."""


class Fenced(LogError):
    """A member lost a partition before its commit, and the commit was rolled back whole.

    Poll again: what is still this member's is delivered again from its committed position.
    """
