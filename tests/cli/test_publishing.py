"""Publishing on the command line: what goes onto the log, and how the verdict is told."""

import threading
from pathlib import Path

import pytest

from modelstream.cli.publishing import read_golden
from modelstream.engines.serve import admit
from modelstream.errors import InvalidRecord
from modelstream.flow import load_flow
from modelstream.limits import RECORD_BYTES_MAX
from modelstream.log import open_log
from modelstream.log.base import Log
from modelstream.wire.descriptor import Action, GoldenRecord, ModelDescriptor, decode_descriptor
from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.flows import Rig


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "plus.onnx"
    path.write_bytes(adder(1.0))
    return path


def published(rig: Rig) -> list[ModelDescriptor]:
    values = rig.log.read(rig.flow.models, 0, 0, 100, 1 << 24).values
    return [decode_descriptor(value) for value in values]


def test_a_model_goes_onto_the_log_with_all_that_is_told_of_it(
    run: Run, rig: Rig, flow: Path, model: Path, tmp_path: Path
) -> None:
    golden = tmp_path / "golden.jsonl"
    golden.write_text('{"record":{"x":1},"outputs":{"score":2},"tolerance":0.5}\n')
    ran = run(
        *("publish", flow, model, "--name", "plus", "--version", "v7", "--data-type", "wine"),
        *("--format", "onnx", "--features", "a,b", "--labels", "no,yes", "--description", "adds"),
        *("--signature", "predict"),
        *("--metric", "rmse=0.5", "--metric", "r2=0.9", "--publisher", "me", "--golden", golden),
        *("--wait", "0"),
    )
    assert ran.code == 0
    (told,) = published(rig)
    assert (told.name, told.version, told.data_type, told.format) == ("plus", "v7", "wine", "onnx")
    assert (told.feature_names, told.labels) == (("a", "b"), ("no", "yes"))
    assert told.signature_name == "predict"
    assert (told.description, told.publisher) == ("adds", "me")
    assert dict(told.metrics) == {"rmse": 0.5, "r2": 0.9}
    assert told.golden == (GoldenRecord('{"x":1}', '{"score":2}', 0.5),)
    assert told.action is Action.PUBLISH


def test_without_an_admitter_it_is_told_who_will_admit_it(
    run: Run, flow: Path, model: Path
) -> None:
    ran = run("publish", flow, model, "--name", "plus", "--wait", "0")
    assert ran.code == 0
    assert ran.out.startswith("on the log at wine.models/0/0; nobody has admitted it within 0 s")
    assert "`modelstream serve` or `modelstream admit`" in ran.out
    ran = run("publish", flow, model, "--name", "plus", "--wait", "0", "--json")
    assert ran.json() == {"position": "wine.models/0/1", "events": None}


def test_the_commands_of_a_version_s_life_go_onto_the_log(run: Run, rig: Rig, flow: Path) -> None:
    for command in (
        ["promote", flow, "plus"],
        ["promote", flow, "a@b@2"],
        ["rollback", flow],
        ["retire", flow, "plus@1"],
        ["plan", flow, 'Model("plus")'],
    ):
        assert run(*command, "--wait", "0").code == 0
    told = [(each.action.value, each.name, each.version, each.data_type) for each in published(rig)]
    assert told == [
        ("promote", "plus", "", ""),
        ("promote", "a@b", "2", ""),
        ("rollback", "", "", "wine"),
        ("retire", "plus", "1", ""),
        ("plan", "", "", ""),
    ]
    assert published(rig)[-1].policy == 'Model("plus")'


@pytest.mark.parametrize("verb", [["promote", "m"], ["rollback"], ["retire", "m@1"]])
def test_a_life_needs_a_log(run: Run, flow: Path, verb: list[str]) -> None:
    ran = run(verb[0], flow, *verb[1:])
    assert ran.code == 2
    assert not (flow.parent / "data").exists()


def test_verdicts_are_told_and_a_refusal_is_a_finding(run: Run, flow: Path, model: Path) -> None:
    bad = flow.parent / "bad.onnx"
    bad.write_bytes(adder(1.0)[:40])
    declared = load_flow(flow)
    log: Log = open_log(declared.log)
    stop = threading.Event()
    admitter = threading.Thread(target=admit, args=(declared, log), kwargs={"stop": stop})
    admitter.start()
    try:
        wait = ("--wait", "60")
        staged = run("stage", flow, model, "--name", "plus", *wait)
        assert (staged.code, staged.out.splitlines()[0][:16]) == (0, "admitted plus@1 ")
        assert len(staged.out.splitlines()) == 1
        promoted = run("promote", flow, "plus@1", *wait)
        assert (promoted.code, promoted.out) == (0, "promoted plus@1: current for wine\n")
        again = run("promote", flow, "plus", *wait)
        assert (again.code, again.out) == (0, "nothing to change: it is so already\n")
        refused = run("publish", flow, bad, "--name", "bad", "--format", "onnx", *wait)
        assert (refused.code, refused.out[:30]) == (1, "rejected bad (invalid_model): ")
        unknown = run("retire", flow, "plus@9", *wait, "--json")
        (event,) = unknown.json()["events"]
        assert (unknown.code, event["event"], event["code"]) == (1, "rejected", "unknown_version")
    finally:
        stop.set()
        admitter.join()
        log.close()


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"record":{}}',
        '{"record":{},"outputs":{},"tolerance":"x"}',
        '{"record":{},"outputs":{},"tolerence":1}',
    ],
)
def test_a_line_that_is_no_golden_record_is_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text('{"record":{},"outputs":{}}\n' + line + "\n")
    with pytest.raises(InvalidRecord, match=r"golden\.jsonl:2: this is no golden record"):
        read_golden(path)


def test_a_golden_record_that_is_too_long_is_told(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text("x" * (RECORD_BYTES_MAX + 1))
    with pytest.raises(InvalidRecord, match=r"golden\.jsonl:1: too long"):
        read_golden(path)


def test_a_format_that_is_not_known_is_told(run: Run, flow: Path, model: Path) -> None:
    ran = run("publish", flow, model, "--name", "m", "--format", "excel", "--wait", "0")
    assert ran.code == 1
    assert "'excel'" in ran.err


def test_the_present_plan_is_told(run: Run, rig: Rig, flow: Path) -> None:
    assert "the latest version" in run("plan", flow).out
    rig.plan('Majority(["a", "b"])')
    assert run("plan", flow).out == 'plan 1 for all data types: Majority(["a", "b"])\n'
    (told,) = run("plan", flow, "--json").json()
    assert told["policy"] == 'Majority(["a", "b"])'
    ran = run("plan", flow, "Majority(a)")
    assert ran.code == 2
    assert "quotes" in ran.err
