"""Fixtures that every test may use."""

import os
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of Kafka on one worker (`--dist loadgroup`), so that one broker is enough."""
    for item in items:
        if item.get_closest_marker("kafka") is not None:
            item.add_marker(pytest.mark.xdist_group("kafka"))


def missing(what: str) -> NoReturn:
    """Skip a test for what this machine lacks; a machine of CI must not lack it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have this: {what}")
    pytest.skip(what)
