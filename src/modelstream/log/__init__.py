"""The log: topics of records. `base` says what a log is; each other part is one implementation."""

from pathlib import Path
from typing import Literal

from modelstream.errors import LogError
from modelstream.log.base import Log
from modelstream.log.disk import DiskLog
from modelstream.log.memory import MemoryLog

__all__ = ["open_log"]


def open_log(url: str, *, durability: Literal["process", "power"] = "process") -> Log:
    """Open the log at `memory:` or `file:DIRECTORY`; the directory is made when it is missing.

    With durability "process" what was written on disk survives the death of any process, with
    "power" that of the machine too, for an fsync a commit. Raises LogError.
    """
    scheme, _, path = url.partition(":")
    if url == "memory:":
        return MemoryLog()
    if scheme == "file" and path and (not path.startswith("//") or path.startswith("///")):
        return DiskLog(Path(path), durability)
    if scheme == "kafka":
        raise LogError(
            "kafka:// is not supported by this version: use file:DIRECTORY, which several"
            " processes of one machine can share"
        )
    raise LogError(f"{url!r} names no log: write file:DIRECTORY, such as file:./data, or memory:")
