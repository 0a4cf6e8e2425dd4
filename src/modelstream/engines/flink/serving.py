"""`serve --engine flink`: checks what the engine needs, starts the job, and admits models beside it."""

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelstream.engines.background import Background
from modelstream.engines.serve import stopping_on_signals
from modelstream.engines.topics import prepare
from modelstream.errors import InvalidFlow, LogError
from modelstream.flow import Flow, plain_flow
from modelstream.formats.functions import import_functions
from modelstream.limits import MONITOR_WAIT_SECONDS
from modelstream.log.base import Log
from modelstream.messages import TopicPartition
from modelstream.models.admit import Admitter
from modelstream.models.jail import Jail
from modelstream.quality.monitor import Monitor

_JAVA_MIN, _JAVA_MAX = 11, 21
_ENDED = {"FAILED", "CANCELED", "FINISHED", "SUSPENDED"}


def serve_on_flink(
    flow: Flow,
    log: Log,
    *,
    once: bool = False,
    parallelism: int = 1,
    stop: threading.Event | None = None,
) -> int:
    """Serve a flow by a job on Flink's local cluster, until told to stop.

    Returns by how much positions moved: records answered and, on Kafka, the marks between them. Raises InvalidFlow where Flink, Java or the flow are not what it takes, before anything is started;
    LogError where the job fails.
    """
    check_flink(flow, log)
    import_functions(flow.functions)
    stop = stop or threading.Event()
    prepare(flow, log)
    sources = _sources(flow, log)
    before = _answered(flow, log, sources)
    with ExitStack() as stack:
        stack.enter_context(stopping_on_signals(stop))
        jail = stack.enter_context(Jail())
        admitter = stack.enter_context(closing(Admitter(flow, log, jail)))
        admission = stack.enter_context(Background("admitter", admitter.run, stop))
        watch = stack.enter_context(Background("monitor", Monitor(flow, log).run, stop))
        if once:
            _admit_all(admitter, stop)
        splits = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modelstream-")))
        operators = import_module("modelstream.engines.flink.operators")
        job = import_module("modelstream.engines.flink.job")
        declared = operators.Declared(plain_flow(flow), log.url)
        client = job.submit(declared, sources, splits, flow.flink, parallelism)
        goal = {source: log.bounds(*source)[1] for source in sources} if once else None
        try:
            _follow(client, flow, log, goal, stop)
        finally:
            client.cancel().result()
            stop.set()
    admission.raise_error()
    watch.raise_error()
    return _answered(flow, log, sources) - before


def check_flink(flow: Flow, log: Log) -> None:
    """Raise InvalidFlow, with what to do, unless a flow can be served on Flink here."""
    if find_spec("pyflink") is None:
        raise InvalidFlow(
            "Apache Flink is not installed in this environment: make one for it, and "
            "pip install 'modelstream[flink]' there"
        )
    if log.url.startswith("memory:"):
        raise InvalidFlow("Flink's tasks are processes; they need a log to share: file:DIRECTORY")
    if flow.isolation == "process":
        raise InvalidFlow('isolation "process" is not known on Flink yet; use "thread"')
    _check_java()


def _check_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise InvalidFlow("Flink needs Java 17, and there is no `java` on the PATH: install it")
    command = [java, "-version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    version = int(found[1]) if found else 0
    if not _JAVA_MIN <= version <= _JAVA_MAX:
        told = found[1] if found else "one that does not tell its version"
        raise InvalidFlow(f"Flink needs Java 17, and {java} is {told}: put another on the PATH")


def _follow(
    client: Any,
    flow: Flow,
    log: Log,
    goal: Mapping[TopicPartition, int] | None,
    stop: threading.Event,
) -> None:
    """Wait until told to stop, or until all is answered. Raises LogError where the job ends."""
    while not stop.wait(MONITOR_WAIT_SECONDS):
        status = str(client.get_job_status().result())
        if any(word in status for word in _ENDED):
            raise LogError(
                f"the job on Flink has ended ({status}); its log says why: in Flink's own folder "
                f"`log`, below the place where pip put pyflink"
            )
        if goal is not None and all(
            (log.committed(flow.group, *source) or 0) >= end for source, end in goal.items()
        ):
            return


def _admit_all(admitter: Admitter, stop: threading.Event) -> None:
    goal = admitter.end()
    while admitter.position() < goal and not stop.is_set():
        time.sleep(MONITOR_WAIT_SECONDS / 10)


def _sources(flow: Flow, log: Log) -> list[TopicPartition]:
    topics = log.topics()
    return [
        TopicPartition(topic, partition)
        for topic in flow.record_topics
        for partition in range(topics[topic].partitions)
    ]


def _answered(flow: Flow, log: Log, sources: list[TopicPartition]) -> int:
    return sum(log.committed(flow.group, *source) or 0 for source in sources)
