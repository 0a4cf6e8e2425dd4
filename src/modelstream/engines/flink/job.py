"""The job: registry -> broadcast, partitions -> join -> commit. Imported where PyFlink is."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyflink.common import Configuration, Duration, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

from modelstream.engines.flink.operators import (
    ARTIFACTS,
    BYTES,
    EVENTS,
    Commit,
    Declared,
    Join,
    RegistrySource,
    split_of,
)
from modelstream.messages import TopicPartition

_OPTIONS = {
    # Timers are lost in process mode, and only here is an answer there within a millisecond.
    "python.execution-mode": "thread",
    # Two Python operators in one thread wait for each other's lock for ever (pybind11).
    "pipeline.operator-chaining.enabled": "false",
    "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "restart-strategy.type": "exponential-delay",
}


def submit(
    declared: Declared,
    sources: Sequence[TopicPartition],
    splits: Path,
    options: Mapping[str, object],
    parallelism: int,
) -> Any:
    """Start the job; return PyFlink's handle of it. `splits` is an empty directory that stays."""
    configuration = Configuration()
    python = {
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        # An interpreter inside of Java's process looks beside itself, not into this environment.
        "python.pythonpath": os.pathsep.join(filter(None, sys.path)),
    }
    for key, value in {**python, **_OPTIONS, **options}.items():
        configuration.set_string(key, str(value))
    environment = StreamExecutionEnvironment.get_execution_environment(configuration)
    environment.set_parallelism(parallelism)
    _write_splits(splits, sources)
    name = declared.plain["name"]

    registry = _never_ending(environment, splits / "registry", 1)
    events = (
        registry.key_by(lambda line: line, Types.STRING())
        .process(RegistrySource(declared), output_type=BYTES)
        .uid("registry")
        .name("registry")
        .set_parallelism(1)
        .set_max_parallelism(1)
    )
    records = _never_ending(environment, splits / "records", 1)
    answers = (
        records.key_by(lambda line: line, Types.STRING())
        .connect(events.broadcast(EVENTS, ARTIFACTS))
        .process(Join(declared), output_type=BYTES)
        .uid("join")
        .name("join")
    )
    answers.process(Commit(declared), output_type=Types.STRING()).uid("commit").name(
        "commit"
    ).set_parallelism(1)
    return environment.execute_async(f"modelstream {name}")


def _never_ending(environment: Any, directory: Path, parallelism: int) -> Any:
    """Return a stream of a file's lines that does not end: with its source a job's timers would."""
    source = (
        FileSource.for_record_stream_format(StreamFormat.text_line_format(), directory.as_uri())
        .monitor_continuously(Duration.of_seconds(3600))
        .build()
    )
    name = f"splits of {directory.name}"
    return (
        environment.from_source(source, WatermarkStrategy.no_watermarks(), name)
        .uid(name)
        .set_parallelism(parallelism)
    )


def _write_splits(place: Path, sources: Sequence[TopicPartition]) -> None:
    for name, lines in (("registry", ["registry"]), ("records", list(map(split_of, sources)))):
        directory = place / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "splits").write_text("".join(f"{line}\n" for line in lines))
