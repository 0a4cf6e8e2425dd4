"""The verb `release`: start one, follow it, end it."""

import json
from pathlib import Path

import pytest

from tests.support.artifacts import adder
from tests.support.commands import Run

START = ("start", "plus@2", "--steps", "0,5%", "--every", "10", "--wait", "0")


@pytest.fixture
def staged(run: Run, flow: Path, tmp_path: Path) -> Path:
    """A flow with a current version and a staged one."""
    model = tmp_path / "model.onnx"
    for verb, amount in (("publish", 1.0), ("stage", 2.0)):
        model.write_bytes(adder(amount))
        assert run(verb, flow, model, "--name", "plus", "--wait", "0").code == 0
    assert run("admit", flow, "--once").code == 0
    return flow


def test_a_release_is_started_shown_and_ended(run: Run, staged: Path) -> None:
    assert run("release", staged).out == "no version was released step by step so far\n"
    assert run("release", staged, *START).code == 0
    assert run("admit", staged, "--once").code == 0
    shown = run("release", staged).out
    assert "release of plus@2 for wine began: its answers are compared" in shown
    assert "promoted: after 10 records of the last step; rolled back: errors > 1 %" in shown
    (told,) = json.loads(run("release", staged, "--json").out)["releases"]
    assert (told["version"], told["steps"], told["state"]) == ("2", [0.0, 0.05], "started")
    assert run("release", staged, "abort", "--wait", "0").code == 0
    assert run("admit", staged, "--once").code == 0
    shown = run("release", staged).out
    assert "release of plus@2 was ended: plus@1 goes on alone (asked to)" in shown
    assert run("verify", staged).code == 0


def test_a_release_that_serves_is_told_with_its_figures(
    run: Run, staged: Path, tmp_path: Path
) -> None:
    assert (
        run("release", staged, *START, "--promote-when", "errors < 50 % over 5 records").code == 0
    )
    records = tmp_path / "many.jsonl"
    records.write_text("".join(f'{{"id":"{n}","x":{n}}}\n' for n in range(50)))
    assert run("send", staged, records, "--key", "id").code == 0
    assert run("serve", staged, "--once").code == 0
    shown = run("release", staged).out
    assert "release of plus@2 goes a step on: 0.05 of the keys (50 records, 10 are enough)" in shown
    assert "plus@1" in shown
    told = json.loads(run("release", staged, "--json").out)["releases"][0]
    assert [each["records"] for each in told["evidence"]] == [50, 50]
    assert run("release", staged, "promote", "--wait", "0").code == 0
    assert run("serve", staged, "--once").code == 0
    assert "release of plus@2 succeeded" in run("release", staged).out
    assert run("verify", staged).code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("start",), "say which version"),
        (("abort", "plus@2"), "abort names no version"),
        (("start", "plus", "--steps", "50%,10%"), "each above the last"),
        (("start", "plus", "--promote-when", "better"), "cannot be read at 'better'"),
    ],
)
def test_what_cannot_be_ordered_is_wrong_use(
    run: Run, staged: Path, arguments: tuple[str, ...], told: str
) -> None:
    ran = run("release", staged, *arguments)
    assert ran.code == 2
    assert told in ran.err


def test_shares_are_numbers(run: Run, staged: Path) -> None:
    assert "are no shares" in run("release", staged, "start", "plus", "--steps", "half").err
