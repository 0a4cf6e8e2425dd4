"""The command line on a flow whose records and results are not JSON."""

import json
from pathlib import Path

import pytest

from modelstream.flow import load_flow
from modelstream.log import open_log
from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.flows import Rig, run_until
from tests.support.schemas import avro, record_schema, text

SCHEMA = record_schema(("x", "double"))


@pytest.fixture
def avro_flow(flow: Path) -> Path:
    (flow.parent / "wine.avsc").write_text(text(SCHEMA))
    flow.write_text(
        'name = "wine"\n[schemas]\nrecords = "avro"\nresults = "avro"\nfile = "wine.avsc"\n'
    )
    log = open_log(f"file:{flow.parent}/data")
    rig = Rig(log, load_flow(flow))
    rig.serve(adder(1.0), "plus")
    rig.send(avro(SCHEMA, {"x": 1.0}), b"?")
    engine = rig.engine()
    run_until(engine, lambda: engine.lag() == 0)
    engine.close()
    log.close()
    return flow


def test_records_and_results_are_shown_as_json(run: Run, avro_flow: Path) -> None:
    first, second = map(
        json.loads, run("tail", avro_flow, "--topic", "records", "--json").out.splitlines()
    )
    assert first["record"] == {"x": 1.0}
    assert "value" in second, "what cannot be read is shown as it stands"
    (result,) = map(
        json.loads, run("tail", avro_flow, "--topic", "results", "--json").out.splitlines()
    )
    assert result["outputs"] == {"score": 2.0}
    assert "score" in run("tail", avro_flow, "--topic", "results").out
    assert "malformed" in run("tail", avro_flow, "--topic", "rejects").out


def test_figures_and_verdicts_are_those_of_any_flow(run: Run, avro_flow: Path) -> None:
    assert run("stats", avro_flow, "--json").json()["rejects_by_reason"] == {"malformed": 1}
    assert run("verify", avro_flow).code == 0
    assert run("lint", avro_flow).code == 0


def test_a_file_is_not_sent_as_json_to_readers_of_avro(run: Run, avro_flow: Path) -> None:
    file = avro_flow.parent / "records.jsonl"
    file.write_text('{"x": 1}\n')
    ran = run("send", avro_flow, file)
    assert ran.code == 2
    assert "reads avro records" in ran.err
