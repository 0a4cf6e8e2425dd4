"""The command as a whole: exit codes, one line for an error, pipes, interrupts, quick help."""

import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import modelstream
from modelstream.cli import sending
from modelstream.cli.arguments import parser
from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.flows import Rig

VERBS = [
    *(
        "serve",
        "admit",
        "demo",
        "publish",
        "stage",
        "promote",
        "rollback",
        "retire",
        "plan",
        "release",
    ),
    *(
        "models",
        "stats",
        "quality",
        "tail",
        "send",
        "score",
        "show",
        "export",
        "lint",
        "explain",
        "replay",
        "verify",
    ),
]
COMMAND = [sys.executable, "-m", "modelstream"]


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    assert set(VERBS) == set(re.findall(r"^    ([a-z]+) ", ran.out, re.MULTILINE))
    assert "exit codes: 0 fine, 1 a finding, 2 wrong use" in ran.out


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").out == f"modelstream {modelstream.__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_its_own_help(run: Run, verb: str) -> None:
    ran = run(verb, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: modelstream {verb} ")


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_calls_a_function_that_is_there(flow: Path, verb: str) -> None:
    path = str(flow)
    more: dict[str, list[str]] = {
        "demo": [],
        "publish": [path, path, "--name", "m"],
        "stage": [path, path, "--name", "m"],
        "promote": [path, "m"],
        "retire": [path, "m@1"],
        "send": [path, path],
        "score": [path, path],
        "export": ["train:model", path, path],
        "explain": [path, "key"],
    }
    arguments = parser().parse_args([verb, *more.get(verb, [path])])
    module, name = arguments.calls
    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("arguments", [[], ["no-such-verb"], ["models"], ["models", "--json"]])
def test_wrong_use_is_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert "usage: modelstream" in ran.err


def test_an_error_is_one_line_without_a_traceback(run: Run, flow: Path) -> None:
    ran = run("models", flow)
    assert ran.code == 2
    assert ran.out == ""
    (line,) = ran.err.splitlines()
    assert line.startswith("modelstream: there is no log at file:")
    assert "publish" in line


def test_a_flow_that_cannot_be_read_is_wrong_use(run: Run, flow: Path) -> None:
    flow.write_text('nmae = "wine"\n')
    ran = run("stats", flow)
    assert ran.code == 2
    assert ran.err == f"modelstream: {flow}:1: unknown key 'nmae'; did you mean 'name'?\n"


def test_a_model_that_cannot_be_read_is_a_finding(run: Run, tmp_path: Path, records: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"no model")
    ran = run("score", model, records)
    assert ran.code == 1
    assert ran.err.startswith("modelstream: the format of these 8 bytes cannot be told")


def test_an_error_cannot_move_the_cursor(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_text('name = "\\u001b[2J"\n')
    ran = run("lint", path)
    assert "\x1b" not in ran.out + ran.err


def test_an_interrupt_is_130(
    run: Run, flow: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, "prepare", interrupted)
    ran = run("send", flow, records)
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_the_module_is_the_command() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"modelstream {modelstream.__version__}\n"


def test_a_reader_that_goes_away_ends_the_command_in_peace(rig: Rig, flow: Path) -> None:
    rig.send(*({"x": each, "text": "x" * 1000} for each in range(2000)))
    command = [*COMMAND, "tail", str(flow), "--topic", "records", "-n", "2000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_follower_can_be_interrupted(rig: Rig, flow: Path) -> None:
    rig.send({"x": 1})
    command = [*COMMAND, "tail", str(flow), "--topic", "records", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"wine.records/0/0" in process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait() == 130


def test_help_loads_neither_a_runtime_nor_what_draws() -> None:
    code = (
        "import sys; from modelstream.cli.arguments import parser; parser().format_help(); "
        "print(sorted({'onnxruntime', 'rich', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_a_model_is_not_is_told_before_anything_is_made(run: Run, flow: Path) -> None:
    ran = run("publish", flow, flow.parent / "gone.onnx", "--name", "m")
    assert ran.code == 2
    assert "there is no file" in ran.err
    assert not (flow.parent / "data").exists()


def test_a_whole_story_on_the_command_line(run: Run, flow: Path, records: Path) -> None:
    model = flow.parent / "plus.onnx"
    model.write_bytes(adder(1.0))
    assert run("send", flow, records, "--key", "id").code == 0
    assert run("publish", flow, model, "--name", "plus", "--wait", "0").code == 0
    assert run("serve", flow, "--once").code == 0
    (version,) = run("models", flow, "--json").json()
    assert (version["name"], version["state"]) == ("plus", "current")
    figures = run("stats", flow, "--json").json()
    assert (figures["results"], figures["rejects"], figures["waiting"]) == (2, 1, 0)
    first, second = run("tail", flow, "--json").json_lines()
    assert (first["outputs"], second["outputs"]) == ({"score": 2.0}, {"score": 4.0})
    assert run("verify", flow).code == 0
