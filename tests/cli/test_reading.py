"""Reading verbs: for people and as JSON, and nothing of it writes."""

import base64
import json
import time
from pathlib import Path

import pytest

from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.events import admitted, promoted, rejected, retired
from tests.support.flows import Rig, run_until


@pytest.fixture
def served(rig: Rig) -> Rig:
    """A flow that has answered three records and rejected one."""
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, b"?", {"x": 2.0}, {"x": 3.0})
    engine = rig.engine()
    run_until(engine, lambda: engine.reached(engine.ends()) and engine.lag() == 0)
    engine.close()
    return rig


@pytest.mark.parametrize("verb", ["models", "stats", "tail"])
def test_reading_needs_a_log_and_makes_none(run: Run, flow: Path, verb: str) -> None:
    ran = run(verb, flow)
    assert (ran.code, ran.out) == (2, "")
    assert not (flow.parent / "data").exists()


@pytest.mark.parametrize("verb", ["models", "stats", "tail"])
def test_a_log_in_memory_is_nobody_else_s(run: Run, flow: Path, verb: str) -> None:
    flow.write_text('name = "wine"\nlog = "memory:"\n')
    ran = run(verb, flow)
    assert ran.code == 2
    assert "file:DIRECTORY" in ran.err


def test_a_log_without_the_flow_s_topics_is_told(run: Run, rig: Rig, flow: Path) -> None:
    flow.write_text('name = "other"\n')
    ran = run("models", flow)
    assert ran.code == 2
    assert "other.registry" in ran.err


def test_models_are_listed_with_their_states(run: Run, rig: Rig, flow: Path) -> None:
    rig.event(admitted("a"), promoted("a"), admitted("b"), admitted("c"), retired("c"))
    rig.event(rejected("d"))
    out = run("models", flow).out
    (line,) = [line for line in out.splitlines() if line.lstrip().startswith("a@1")]
    assert line.split()[:3] == ["a@1", "wine", "current"]
    assert "1970-01-01 00:00:02" in line
    assert "retired" in out
    assert "not a model" in out
    listed = run("models", flow, "--json").json()
    assert [(each["name"], each["state"]) for each in listed] == [
        ("a", "current"),
        ("b", "admitted"),
        ("c", "retired"),
        ("d", "rejected"),
    ]


def test_a_flow_without_models_says_what_to_do(run: Run, rig: Rig, flow: Path) -> None:
    ran = run("models", flow)
    assert (ran.code, "modelstream publish" in ran.out) == (0, True)
    assert run("models", flow, "--json").json() == []


def test_figures_are_shown(run: Run, served: Rig, flow: Path) -> None:
    out = run("stats", flow).out
    assert out.startswith("wine: 3 results, 1 reject, 0 records waiting; ")
    (line,) = [line for line in out.splitlines() if line.lstrip().startswith("plus@1")]
    assert line.split()[:5] == ["plus@1", "wine", "current", "3", "1"]
    assert "not_json" in out
    figures = run("stats", flow, "--json").json()
    assert (figures["results"], figures["rejects_by_reason"]) == (3, {"not_json": 1})
    assert figures["versions"][0]["uses"] == 3


def test_figures_of_a_flow_that_has_done_nothing_are_zeros(run: Run, rig: Rig, flow: Path) -> None:
    assert run("stats", flow).out == "wine: 0 results, 0 rejects, 0 records waiting\n"


def test_the_last_results_are_shown(run: Run, served: Rig, flow: Path) -> None:
    lines = run("tail", flow, "-n", "2").out.splitlines()
    assert [line.split()[0] for line in lines] == ["wine.records/0/2", "wine.records/0/3"]
    assert '{"score":4.0}  plus@1 as of 1 in ' in lines[1]
    (last,) = run("tail", flow, "-n", "1", "--json").json_lines()
    assert (last["offset"], last["outputs"], last["record"]) == (3, {"score": 4.0}, {"x": 3.0})


def test_rejects_are_shown_with_their_reason(run: Run, served: Rig, flow: Path) -> None:
    (line,) = run("tail", flow, "--topic", "rejects").out.splitlines()
    assert line.startswith("wine.records/0/1  ")
    assert "not_json: " in line
    (reject,) = run("tail", flow, "--topic", "rejects", "--json").json_lines()
    assert base64.b64decode(reject["value"]) == b"?"


def test_registry_events_are_shown(run: Run, served: Rig, flow: Path) -> None:
    first, second = run("tail", flow, "--topic", "registry").out.splitlines()
    assert "admitted plus@1 for wine" in first
    assert second.endswith("promoted plus@1: current for wine")
    events = run("tail", flow, "--topic", "registry", "--json").json_lines()
    assert [event["event"] for event in events] == ["admitted", "promoted"]


def test_records_are_shown_whatever_they_are(run: Run, served: Rig, flow: Path) -> None:
    served.send(b'{"x":\n1}', b"\x1b[2J\xff")
    lines = run("tail", flow, "--topic", "records", "-n", "2").out.splitlines()
    assert lines[0].endswith('{"x":\\n1}')
    assert lines[1].endswith("\\x1b[2J\ufffd")
    good, bad = run("tail", flow, "--topic", "records", "-n", "2", "--json").json_lines()
    assert (good["record"], good["offset"], good["key"]) == ({"x": 1}, 4, None)
    assert base64.b64decode(bad["value"]) == b"\x1b[2J\xff"


def test_a_long_record_is_cut_for_people_and_whole_as_json(run: Run, rig: Rig, flow: Path) -> None:
    rig.send({"x": "y" * 5000})
    assert len(run("tail", flow, "--topic", "records").out) < 600
    (line,) = run("tail", flow, "--topic", "records", "--json").json_lines()
    assert line["record"] == {"x": "y" * 5000}


def test_what_arrives_later_is_followed(
    run: Run, rig: Rig, flow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.send({"x": 1}, {"x": 2})
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 3:
            raise KeyboardInterrupt
        rig.send({"x": 10 * len(waits)})

    monkeypatch.setattr(time, "sleep", sleep)
    ran = run("tail", flow, "--topic", "records", "-n", "1", "--follow", "--json")
    assert ran.code == 130
    assert [json.loads(line)["record"]["x"] for line in ran.out.splitlines()] == [2, 10, 20, 30]
