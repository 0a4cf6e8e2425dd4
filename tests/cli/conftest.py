"""A flow.toml in a directory of its own, and a way to run commands on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstream.cli import main
from modelstream.flow import load_flow
from modelstream.log import open_log
from tests.support.commands import Ran, Run
from tests.support.flows import Rig


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; the arguments may be paths."""

    def command(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return command


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """Return the path of a flow.toml whose log is not there yet."""
    path = tmp_path / "flow.toml"
    path.write_text('name = "wine"\n')
    return path


@pytest.fixture
def rig(flow: Path) -> Iterator[Rig]:
    """Give the same flow with its log, to do to it what a test wants."""
    declared = load_flow(flow)
    log = open_log(declared.log)
    yield Rig(log, declared)
    log.close()


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Return a file of three records, of which the second has no x."""
    path = tmp_path / "records.jsonl"
    path.write_text('{"id":"a","x":1}\n{"id":"b"}\n{"id":"c","x":3}\n')
    return path
