"""A flow.toml is checked: each finding has its line and its fix."""

from pathlib import Path

import pytest

from modelstream.log import open_log
from tests.support.commands import Run


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('name = "w"\nrecrods = "r"\n', 2, "did you mean 'records'?"),
        ('name = "w"\npartitions = "two"\n', 2, "must be a whole number"),
        ('name = "w"\n\nanswer = "oldest"\n', 3, "write a policy, such as Latest()"),
        ('name = "w"\nlog = "memory:"\n', 2, "use file:DIRECTORY"),
        ('name = "w"\n[schemas]\njson_schema = "none.json"\n', 2, "No such file"),
        ('name = "w"\n[functions]\nr = "no_such:f"\n', 2, "No module named 'no_such'"),
        ('name = "w"\n[functions]\nr = "no_such"\n', 2, "name a function of a module"),
        ('name = "w"\nlocations = ["/models"]\n', 2, "write file:/DIRECTORY"),
        ('name = "w"\nlocations = ["file:models"]\n', 2, "hangs on where the server is started"),
        ('name = "w"\nlocations = ["file:/no/such/dir"]\n', 2, "make it, or leave it out"),
        ('name = "w"\ndata_type = "x"\ndata_type_field = "kind"\n', 2, "leave it out"),
        ('name = "w"\ndata_type = "x"\n[records]\na = "b"\n', 2, "the table of records"),
        ('name = "w"\ndata_type_field = "k"\n[records]\na = "b"\n', 3, "leave one of the two out"),
    ],
)
def test_a_finding_has_its_line_and_its_fix(
    run: Run, flow: Path, text: str, line: int, told: str
) -> None:
    flow.write_text(text)
    ran = run("lint", flow)
    assert ran.code == 1
    (found,) = ran.out.splitlines()
    assert found.startswith(f"{flow}:{line}: ")
    assert told in found
    (as_json,) = run("lint", flow, "--json").json()["findings"]
    assert as_json == {"where": f"{flow}:{line}", "what": found.removeprefix(f"{flow}:{line}: ")}


def test_what_is_no_toml_is_a_finding(run: Run, flow: Path) -> None:
    flow.write_text("name = \n")
    ran = run("lint", flow)
    assert (ran.code, "not valid TOML" in ran.out, "line 1" in ran.out) == (1, True, True)


def test_a_good_flow_has_no_findings_and_no_log_is_made(run: Run, flow: Path) -> None:
    ran = run("lint", flow)
    assert (ran.code, ran.out) == (0, f"{flow}: nothing to find fault with\n")
    assert run("lint", flow, "--json").json() == {"findings": []}
    assert not (flow.parent / "data").exists()


def test_topics_that_were_made_otherwise_are_findings(run: Run, flow: Path) -> None:
    log = open_log(f"file:{flow.parent / 'data'}")
    log.create_topic("wine.records", 3)
    log.create_topic("wine.results", 1)
    log.close()
    assert "topic 'wine.results' has 1 partitions, the records 3" in run("lint", flow).out
    flow.write_text('name = "wine"\npartitions = 2\n')
    first, second = run("lint", flow).out.splitlines()
    assert first.startswith(f"{flow}:2: topic 'wine.records' was made with 3 and stays so; write 3")
    assert second.startswith(f"{flow}: topic 'wine.results'")


def test_a_file_that_is_not_there_is_wrong_use(run: Run, tmp_path: Path) -> None:
    assert run("lint", tmp_path / "flow.toml").code == 2
