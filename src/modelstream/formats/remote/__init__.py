"""Models that a server answers for: Open Inference Protocol v2, TensorFlow Serving."""

from modelstream.formats.remote.format import RemoteFormat
from modelstream.formats.remote.servers import check_allowed, fetch_artifact

__all__ = ["RemoteFormat", "check_allowed", "fetch_artifact"]
