"""What `serve --engine flink` checks before it starts anything."""

import stat
from pathlib import Path

import pytest

from modelstream.engines.flink import serving
from modelstream.engines.flink.serving import check_flink
from modelstream.errors import InvalidFlow
from modelstream.flow import Flow
from modelstream.log.disk import DiskLog
from modelstream.log.memory import MemoryLog


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `java` of which a test says what it tells; PyFlink is there."""
    monkeypatch.setattr(serving, "find_spec", lambda _: object())
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin" / "java"


def says(java: Path, text: str) -> None:
    java.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)


def test_java_17_is_what_it_takes(java: Path, tmp_path: Path) -> None:
    log = DiskLog(tmp_path / "data")
    says(java, 'openjdk version "17.0.15" 2025-04-15')
    check_flink(Flow(name="wine"), log)
    says(java, 'java version "1.8.0_392"')
    with pytest.raises(InvalidFlow, match=r"needs Java 17, and .*/bin/java is 1: put another"):
        check_flink(Flow(name="wine"), log)
    says(java, "what?")
    with pytest.raises(InvalidFlow, match="one that does not tell its version"):
        check_flink(Flow(name="wine"), log)
    log.close()


def test_no_java_is_told(java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    log = DiskLog(tmp_path / "data")
    with pytest.raises(InvalidFlow, match="no `java` on the PATH"):
        check_flink(Flow(name="wine"), log)
    log.close()


def test_what_cannot_run_there_is_told() -> None:
    with pytest.raises(InvalidFlow, match=r"pip install 'modelstream\[flink\]'"):
        check_flink(Flow(name="wine"), MemoryLog())


def test_a_log_in_memory_and_processes_are_refused(java: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidFlow, match="a log to share"):
        check_flink(Flow(name="wine"), MemoryLog())
    log = DiskLog(tmp_path / "data")
    with pytest.raises(InvalidFlow, match='isolation "process"'):
        check_flink(Flow(name="wine", isolation="process"), log)
    log.close()
