"""The reports of an audit, for what a small sound log does not have."""

import dataclasses
from typing import Any

import pytest

from modelstream.audit.compare import LabelPair, OutputChange
from modelstream.audit.explanation import Explanation, ModelFacts
from modelstream.audit.history import Moment
from modelstream.audit.replayed import ReplayReport
from modelstream.audit.report import INVARIANTS, Figures, Finding, Report
from modelstream.cli import reports
from modelstream.messages import Failure, Position, VersionId

AT = Position("wine.records", 0, 7)


def explanation(**more: Any) -> Explanation:
    empty: dict[str, Any] = dict.fromkeys(
        each.name for each in dataclasses.fields(Explanation) if each.name not in more
    )
    told: dict[str, Any] = {"position": AT, "others": 0, "committed": 5, "registry_last": 3}
    told |= {"findings": (), "candidates": ()}
    return Explanation(**empty | told | {"verdict": "not_rescored", "why_not": ""} | more)


def model(**more: Any) -> ModelFacts:
    facts: dict[str, Any] = {
        "version": VersionId("a", "1"),
        "digest": "f" * 64,
        "format": "onnx",
        "size": 1500,
        "publisher": "me",
        "description": "a \x1b[2J model",
        "metrics": {"rmse": 0.5},
        "published": Position("wine.models", 0, 0),
        "created_at_ms": None,
        "admitted": Moment(1, 1000),
        "promoted": None,
        "retired": Moment(9, 2000),
    }
    return ModelFacts(**facts | more)


def test_all_that_is_known_of_a_model_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    reports.show_explanation(explanation(model=model()))
    out = capsys.readouterr().out
    assert f"a@1 (onnx, 1.5 kB, sha-256 {'f' * 64})" in out
    assert "a \\x1b[2J model" in out
    assert '{"rmse":0.5}' in out
    assert "- at wine.models/0/0 by me" in out
    assert "1970-01-01 00:00:02 at 9 of the registry" in out
    assert "promoted" not in out


def test_a_key_that_others_have_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    reports.show_explanation(explanation(key="k", others=2))
    assert "k (and 2 other messages with it)" in capsys.readouterr().out


def test_a_deleted_record_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    reports.show_explanation(explanation(outcome="result", why_not="the record was deleted"))
    out = capsys.readouterr().out
    assert "deleted by retention" in out
    assert "no: the record was deleted" in out


def test_findings_stand_below_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Finding("in_order", AT, "it is late")
    other = {"verdict": "different", "rescored": {"y": 2}}
    reports.show_explanation(explanation(findings=(finding,), **other))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "in order: wine.records/0/7: it is late"
    assert 'another answer: {"y":2}' in lines[-2]


def test_what_could_not_be_verified_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures(records=9, not_rescored=2, remote=3, removed=1, outcomes_removed=3)
    report = Report("wine", figures, dict.fromkeys(INVARIANTS, 0), ())
    reports.show_verification(report, rescored=True)
    out = capsys.readouterr().out
    assert "2 outcomes could not be scored again" in out
    assert "3 outcomes came from a server" in out
    assert "4 records could not be checked in full" in out


def replayed(**more: Any) -> ReplayReport:
    told: dict[str, Any] = {
        "flow": "wine",
        "version": VersionId("a", "2"),
        "data_type": "wine",
        "records": 10,
        "changes": {"equal": 7, "different": 1, "rejected": 1, "answered": 1, "reason": 0},
        "without_outcome": 0,
        "not_rescored": 0,
        "unavailable": {},
        "outputs": (),
        "sample": (),
    }
    return ReplayReport(**told | more)


def test_labels_that_changed_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = (LabelPair("red", "red", 7), LabelPair("red", "white", 2), LabelPair(None, "red", 1))
    reports.show_replay(replayed(outputs=(OutputChange("kind", "label", 10, 3, pairs=pairs),)))
    out = capsys.readouterr().out
    assert "red -> white: 2, None -> red: 1" in out
    assert "red -> red" not in out


def test_what_became_of_records_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    gone = {VersionId("b", "1"): "its artifact is gone"}
    reports.show_replay(replayed(without_outcome=4, not_rescored=2, unavailable=gone))
    out = capsys.readouterr().out
    rows = {line[:26].strip(): line[26:].strip() for line in out.splitlines()}
    assert "b@1 cannot be had: its artifact is gone" in out
    assert rows["rejected, was answered"] == "1"
    assert rows["no outcome yet"] == "4"
    assert "another reason" not in out


def test_a_failure_is_told_with_its_detail(capsys: pytest.CaptureFixture[str]) -> None:
    reports.show_explanation(
        explanation(failure=Failure("not_json", "it is not"), outcome="reject")
    )
    assert "not_json: it is not" in capsys.readouterr().out
