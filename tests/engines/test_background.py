import threading

import pytest

from modelstream.engines import background
from modelstream.engines.background import Background
from modelstream.errors import LogError, ModelstreamError


def test_work_goes_on_until_its_end_is_wanted() -> None:
    ended = threading.Event()

    def work(stop: threading.Event) -> None:
        stop.wait()
        ended.set()

    with Background("work", work) as running:
        assert not ended.is_set()
        running.end()
        assert ended.is_set()


def test_an_error_is_raised_by_whoever_waits() -> None:
    def work(stop: threading.Event) -> None:
        raise LogError("the disk is full")

    with Background("work", work) as running:
        with pytest.raises(LogError, match="full"):
            running.end()
        with pytest.raises(LogError, match="full"):
            running.raise_error()


def test_work_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STOP_SECONDS_MAX", 0.01)
    free = threading.Event()

    def work(stop: threading.Event) -> None:
        free.wait()

    with Background("work", work) as running:
        with pytest.raises(ModelstreamError, match="the work does not stop"):
            running.end()
        free.set()
