"""A flow on a log of its own in a temporary directory, as the benchmarks that need one set it up."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import modelstream as ms
from modelstream.engines.embedded import Embedded
from modelstream.events import Rejected
from modelstream.limits import ADMIT_SECONDS_MAX
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from modelstream.models.artifacts import lowered_bytes
from modelstream.models.jail import Jail


@contextmanager
def disk_log() -> Iterator[Log]:
    """Open a log on disk, in a directory that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="modelstream-bench-") as directory,
        closing(ms.open_log(f"file:{Path(directory) / 'log'}")) as log,
    ):
        yield log


@contextmanager
def engine_of(flow: ms.Flow, log: Log) -> Iterator[Embedded]:
    """Run one instance of the join, to be stepped by hand, once its model is in memory."""
    with Jail() as jail:
        lowered = partial(lowered_bytes, log=log, flow=flow, jail=jail)
        with closing(Embedded(flow, log, lowered, "benchmark")) as engine:
            until_loaded(engine)
            yield engine


def until_loaded(engine: Embedded) -> None:
    """Step an engine until every version that should answer is in memory."""
    while engine.shell.machine.loading():
        if engine.shell.failed.reasons:
            raise RuntimeError(f"a model cannot be loaded: {engine.shell.failed.reasons}")
        engine.step()


def answer(engine: Embedded, count: int) -> int:
    """Take turns until so many records are answered; return how many it were."""
    done = 0
    while done < count:
        done += engine.step()
    return done


def publish_and_admit(log: Log, flow: ms.Flow, artifact: bytes, features: Sequence[str]) -> None:
    """Make a model the current one, through the admitter."""
    position = ms.publish(log, flow, artifact, name="trees", feature_names=features)
    ms.admit(flow, log, once=True)
    _check_admitted(log, flow, position)


def publish(log: Log, flow: ms.Flow, artifact: bytes, features: Sequence[str]) -> None:
    """Publish a model to a flow that is served, and wait until it is admitted."""
    _check_admitted(
        log, flow, ms.publish(log, flow, artifact, name="trees", feature_names=features)
    )


def append(log: Log, flow: ms.Flow, values: Sequence[bytes]) -> int:
    """Append records as a producer does; return how many."""
    (topic,) = flow.record_topics
    log.append(Outgoing(topic, values, partition=0))
    return len(values)


def _check_admitted(log: Log, flow: ms.Flow, position: ms.Position) -> None:
    told = ms.verdict(log, flow, position, ADMIT_SECONDS_MAX)
    if not told or isinstance(told[0], Rejected):
        raise RuntimeError(f"the benchmark's model was not admitted: {told}")
