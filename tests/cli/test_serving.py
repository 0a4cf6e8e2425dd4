"""`serve` and `admit` as processes: lines on standard error, signals, and what they leave."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from modelstream.cli import serving
from modelstream.errors import ModelstreamError
from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.flows import Rig
from tests.support.waiting import eventually

COMMAND = [sys.executable, "-m", "modelstream"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "plus.onnx"
    path.write_bytes(adder(1.0))
    return path


def facts(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def until(process: "subprocess.Popen[str]", told: Callable[[dict[str, Any]], bool]) -> None:
    """Read log lines up to one that fits."""
    assert process.stderr is not None
    for line in process.stderr:
        if told(json.loads(line)):
            return
    pytest.fail("the process ended without saying so")


def test_serving_once_tells_its_start_its_swaps_and_its_end(
    run: Run, flow: Path, model: Path, records: Path
) -> None:
    run("send", flow, records)
    run("publish", flow, model, "--name", "plus", "--wait", "0")
    ran = run("serve", flow, "--once")
    assert (ran.code, ran.out) == (0, "")
    told = facts(ran.err)
    assert [each["event"] for each in told if each["event"] != "swap"] == [
        "start",
        "admitted",
        "promoted",
        "stop",
    ]
    (swap,) = [each for each in told if each["event"] == "swap"]
    assert (swap["version"], swap["as_of"]) == ("plus@1", 1)
    assert (told[-1]["answered"], told[-1]["waiting"]) == (3, 0)
    again = facts(run("serve", flow, "--once").err)
    assert again[-1]["answered"] == 0


def test_records_that_wait_for_a_model_are_told_at_the_end(
    run: Run, flow: Path, records: Path
) -> None:
    run("send", flow, records)
    ran = run("serve", flow, "--once")
    assert ran.code == 0
    assert facts(ran.err)[-1]["message"] == "stopped: 0 records answered, 3 waiting"


def test_admitting_once_scores_nothing(run: Run, flow: Path, model: Path, records: Path) -> None:
    run("send", flow, records)
    run("publish", flow, model, "--name", "plus", "--wait", "0")
    ran = run("admit", flow, "--once")
    assert ran.code == 0
    assert [each["event"] for each in facts(ran.err)] == ["start", "admitted", "promoted", "stop"]
    assert run("stats", flow, "--json").json()["waiting"] == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_stops_cleanly_when_told_to(
    run: Run, rig: Rig, model: Path, records: Path, number: signal.Signals
) -> None:
    flow = model.parent / "flow.toml"
    command = [*COMMAND, "serve", str(flow)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until(process, lambda line: line["event"] == "start")
        run("publish", flow, model, "--name", "plus", "--wait", "60")
        until(process, lambda line: line["event"] == "swap")
        run("send", flow, records)
        eventually(rig.results)
        process.send_signal(number)
        until(process, lambda line: line["event"] == "stop" and line["answered"] == 3)
        assert process.wait() == 0


def test_several_workers_answer_together(run: Run, flow: Path, model: Path, records: Path) -> None:
    flow.write_text('name = "wine"\npartitions = 2\n')
    run("send", flow, records, "--key", "id")
    run("publish", flow, model, "--name", "plus", "--wait", "0")
    ran = run("serve", flow, "--once", "--workers", "2")
    assert ran.code == 0
    assert facts(ran.err)[-1]["answered"] == 3


def test_another_engine_is_wrong_use(run: Run, flow: Path) -> None:
    ran = run("serve", flow, "--engine", "spark")
    assert ran.code == 2
    assert "embedded" in ran.err


@pytest.mark.skipif(find_spec("pyflink") is not None, reason="Apache Flink is installed here")
def test_flink_where_it_is_not_installed_is_wrong_use(run: Run, flow: Path) -> None:
    ran = run("serve", flow, "--engine", "flink")
    assert ran.code == 2
    assert "pip install 'modelstream[flink]'" in ran.err


def test_the_demo_is_told_what_the_command_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def told(**options: Any) -> int:
        asked.append(options)
        return 1

    monkeypatch.setattr(serving, "run", told)
    assert run("demo", "--keep", "there", "--seconds", "3").code == 1
    assert run("demo").code == 1
    assert asked == [{"keep": Path("there"), "seconds": 3.0}, {"keep": None, "seconds": None}]


def test_a_demo_without_its_packages_says_how_to_get_them(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> int:
        raise ModelstreamError("the demo needs sklearn: pip install 'modelstream[demo]'")

    monkeypatch.setattr(serving, "run", refused)
    ran = run("demo")
    assert (ran.code, ran.err.startswith("modelstream: the demo needs sklearn")) == (2, True)
