"""The logs without a server: their clock is wound by hand, and they do at once what Kafka does
in its own time.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstream.log.base import Log
from tests.support.log_kinds import disk_logs, memory_logs
from tests.support.logs import Logs, WoundClock


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture(params=["memory", "disk"])
def logs(request: pytest.FixtureRequest, tmp_path: Path, clock: WoundClock) -> Iterator[Logs]:
    opened = disk_logs(tmp_path, clock) if request.param == "disk" else memory_logs(clock)
    with opened as logs:
        yield logs


@pytest.fixture
def log(logs: Logs) -> Log:
    return logs.open()
