"""The log: topics of records. `base` says what a log is; each other part is one implementation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from modelstream.errors import LogError
from modelstream.log.base import Log
from modelstream.log.disk import DiskLog
from modelstream.log.memory import MemoryLog

__all__ = ["open_log"]


def open_log(
    url: str,
    *,
    durability: Literal["process", "power"] = "process",
    options: Mapping[str, object] | None = None,
) -> Log:
    """Open the log at `memory:`, `file:DIRECTORY` or `kafka://host:port,host:port/?option=value`.

    A directory is made when it is missing. With durability "process" what was written on disk
    survives the death of any process, with "power" that of the machine too, for an fsync a commit.
    `options` go to Kafka's clients (log.kafka.address). Raises LogError.
    """
    scheme, _, path = url.partition(":")
    if scheme == "kafka":
        return _kafka_log(url, options)
    if url == "memory:":
        return MemoryLog()
    if scheme == "file" and path and (not path.startswith("//") or path.startswith("///")):
        return DiskLog(Path(path), durability)
    raise LogError(
        f"{url!r} names no log: write file:DIRECTORY, such as file:./data, kafka://host:port,"
        " or memory:"
    )


def _kafka_log(url: str, options: Mapping[str, object] | None) -> Log:
    """Open a log on Kafka; its client is brought by an extra, and costs a start only where used."""
    try:
        from modelstream.log.kafka import KafkaLog, kafka_address  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "confluent_kafka":
            raise
        raise LogError("kafka:// needs Kafka's client: pip install 'modelstream[kafka]'") from error
    return KafkaLog(kafka_address(url, options))
