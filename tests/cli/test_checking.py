"""`explain`, `verify` and `replay` on the command line; what they find is the audit's business."""

from pathlib import Path

import pytest

from modelstream.messages import ModelStamp, Outgoing, Result, stamp_json
from modelstream.wire.results import encode_all
from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.flows import Rig, run_until


@pytest.fixture
def served(rig: Rig) -> Rig:
    """A flow with two versions, of which the second is current, and three answers of the first."""
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, b"?", {"x": 2.0})
    engine = rig.engine()
    run_until(engine, lambda: engine.reached(engine.ends()) and engine.lag() == 0)
    rig.serve(adder(2.0), "plus", "2")
    engine.close()
    return rig


def forge(rig: Rig) -> None:
    """Put a second result of the first record on the log, with a score that no version gives."""
    stamp = ModelStamp("plus", "1", rig.admit(adder(9.0), "other").digest, 1, 1.0)
    result = Result({"score": 77.0}, stamp_json(stamp), "wine", "wine.records", 0, 0, 0, {"x": 1.0})
    rig.log.append(Outgoing(rig.flow.results, encode_all([result]), partition=0))


def test_a_record_is_explained(run: Run, served: Rig, flow: Path) -> None:
    ran = run("explain", flow, "wine.records/0/2")
    assert ran.code == 0
    facts = {line[:14].strip(): line[14:].strip() for line in ran.out.splitlines()[1:]}
    assert facts["record"] == '{"x":2.0}'
    assert facts["outputs"] == '{"score":3.0}'
    assert facts["model"].startswith("plus@1 (onnx, ")
    assert facts["inputs"] == '{"x":2.0}'
    assert facts["current then"] == "plus@1"
    assert facts["current now"].startswith("plus@2")
    assert facts["scored again"] == 'the same answer: {"score":3.0}'
    plain = run("explain", flow, "wine.results/0/1", "--json").json()
    assert (plain["position"], plain["verdict"]) == ("wine.records/0/2", "same")


def test_a_reject_is_explained(run: Run, served: Rig, flow: Path) -> None:
    out = run("explain", flow, "wine.rejects/0/0").out
    assert out.startswith("wine.records/0/1")
    assert "not_json: " in out
    assert "the same answer: not_json" in out


def test_a_record_without_an_outcome_is_explained(run: Run, served: Rig, flow: Path) -> None:
    served.send({"x": 4.0})
    out = run("explain", flow, "wine.records/0/3").out
    assert "none yet; its partition is answered up to 3" in out
    assert "no: the record has no outcome yet" in out


def test_nothing_is_scored_again_unless_wanted(run: Run, served: Rig, flow: Path) -> None:
    plain = run("explain", flow, "wine.records/0/2", "--no-rescore", "--json").json()
    assert plain["verdict"] == "not_rescored"
    assert "not checked" in run("verify", flow, "--no-rescore").out


@pytest.mark.parametrize("where", ["wine.records/0/99", "no such key"])
def test_a_record_that_is_not_there_is_wrong_use(
    run: Run, served: Rig, flow: Path, where: str
) -> None:
    assert run("explain", flow, where).code == 2


def test_a_sound_log_holds_every_invariant(run: Run, served: Rig, flow: Path) -> None:
    ran = run("verify", flow)
    assert ran.code == 0
    assert ran.out.startswith(
        "wine: 3 records, 2 results, 1 reject, by 1 version; 3 scored again\n"
    )
    assert ran.out.count("holds") == 5
    report = run("verify", flow, "--json").json()
    assert (report["ok"], report["findings"]) == (True, [])


def test_a_broken_invariant_is_a_finding_with_its_record(run: Run, served: Rig, flow: Path) -> None:
    forge(served)
    ran = run("verify", flow)
    assert ran.code == 1
    assert "once: wine.records/0/0: " in ran.out
    report = run("verify", flow, "--json").json()
    assert (report["ok"], report["counts"]["once"]) == (False, 1)


def test_a_replay_of_a_sound_log_gives_the_same(run: Run, served: Rig, flow: Path) -> None:
    ran = run("replay", flow)
    assert ran.code == 0
    assert "wine: 3 records scored again, each with its own version" in ran.out
    assert run("replay", flow, "--json").json()["changes"]["equal"] == 3


def test_a_replay_with_another_version_shows_what_would_change(
    run: Run, served: Rig, flow: Path
) -> None:
    ran = run("replay", flow, "--version", "plus@2")
    assert ran.code == 0
    out = ran.out
    assert 'wine.records/0/0: another answer: {"score":2.0} -> {"score":3.0}' in out
    (line,) = [line for line in out.splitlines() if line.lstrip().startswith("score")]
    assert line.split() == ["score", "2", "2", "1", "1"]
    report = run("replay", flow, "--version", "plus@2", "--start", "1", "--json").json()
    assert (report["records"], report["changes"]["different"]) == (2, 1)
    future = run("replay", flow, "--since", "2999-01-01", "--limit", "1", "--json").json()
    assert future["records"] == 0


def test_a_replay_with_a_version_that_is_not_there_is_wrong_use(
    run: Run, served: Rig, flow: Path
) -> None:
    ran = run("replay", flow, "--version", "plus@9")
    assert (ran.code, "plus@9 was never admitted" in ran.err) == (2, True)
