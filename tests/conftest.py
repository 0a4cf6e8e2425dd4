"""Fixtures that every test may use."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.support.kafka.broker import KafkaBroker, NoBroker, Running


def pytest_configure() -> None:
    """No example is timed: how long one takes says how busy the machine is, and nothing else."""
    settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real models and records that lie beside the project, not in it."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not path.is_dir():
        missing(f"the shared test data (../shared/data) is not on this machine: {path}")
    return path


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real Apache Kafka that all tests of the process share: one that KAFKA_BOOTSTRAP names, or
    one of the session's own. Topics and groups want names of their own; nobody may stop it.
    """
    named = os.environ.get("KAFKA_BOOTSTRAP")
    if named:
        yield Running(named)
        return
    try:
        broker = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    except NoBroker as error:
        missing(str(error))
    try:
        yield Running(broker.bootstrap)
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def flink_python() -> Path:
    """The interpreter of the environment that has Apache Flink: `make flink`, as CI does itself."""
    root = Path(__file__).resolve().parents[1]
    python = root / ".venv" / "flink" / "bin" / "python"
    ready = root / ".venv" / "flink" / "ready"
    if os.environ.get("CI") == "true":
        with (root / ".venv" / "flink.lock").open("w") as lock:  # workers want it at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                subprocess.run(["make", "-s", "flink"], cwd=root, check=True)
    if not ready.exists():
        missing("Apache Flink is not there: `make flink` brings it into .venv/flink (900 MB)")
    if shutil.which("java") is None:
        missing("Apache Flink needs Java 17, and there is no `java` on the PATH")
    return python


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of Kafka, and of Flink, on one worker each (`--dist loadgroup`)."""
    for item in items:
        for name in ("kafka", "flink"):
            if item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.xdist_group(name))
                break


def missing(what: str) -> NoReturn:
    """Skip a test for what this machine lacks; a machine of CI must not lack it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have this: {what}")
    pytest.skip(what)
