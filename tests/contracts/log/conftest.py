"""The logs that the contract holds for. Another log joins here; no test may know which it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstream.log.base import Log
from tests.support.log_kinds import disk_logs, kafka_logs, memory_logs
from tests.support.logs import Logs, WoundClock


@pytest.fixture(params=["memory", "disk", pytest.param("kafka", marks=pytest.mark.kafka)])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Logs]:
    if request.param == "kafka":
        opened = kafka_logs(request.getfixturevalue("kafka_broker"))
    elif request.param == "disk":
        opened = disk_logs(tmp_path, WoundClock())
    else:
        opened = memory_logs(WoundClock())
    with opened as logs:
        yield logs


@pytest.fixture
def log(logs: Logs) -> Log:
    return logs.open()
