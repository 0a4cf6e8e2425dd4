"""titus2's own tests, with modelstream in the place of titus2: passed, refused, and none wrong."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sources import titus_tests

pytestmark = pytest.mark.peers

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / "benchmarks/.envs/titus/bin/python"
# Tests of what is titus2's alone; those of its syntax tree and its signatures are so all together.
TITUS_ONLY = {
    "testGenpy.testCallGraph": "asks for titus2's graph of calls",
    "testGenpy.testCallUserFunction": "asks for titus2's graph of calls",
    "testGenpy.testLiteralBase64": "bytes are str in titus2",
    "testGenpy.testRefuseSituationsThatCouldLeadToDeadlock": "there are no locks here",
    "testTypeCheck.testIf": "a union's value has no tag, which titus2 refuses as well when it runs",
    "testTypeCheck.testLiterals": "as testIf",
    "testDatatype.testDistinguishBytesStringEnumFixed": "two types have one name",
    "testDatatype.testPromoteNumbersInRecord": "two types have one name",
}
REASONS = ("'fold' is not evaluated", "the model writes its own", "counts the records before")


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    if not PYTHON.is_file():
        pytest.skip("titus2's environment is not there: python -m benchmarks pfa makes it")
    done = subprocess.run(
        [PYTHON, "-m", "benchmarks.peer_jobs.titus_cases", titus_tests()],
        capture_output=True, text=True, cwd=ROOT, timeout=300, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def outcome(case: dict[str, Any]) -> str:
    module, _, name = case["test"].split(".")
    if case["theirs"] != "passed" or f"{module}.{name}" in TITUS_ONLY:
        return "not applicable"
    return str(case["ours"])


def test_no_test_of_titus2_that_titus2_passes_fails_here(cases: list[dict[str, Any]]) -> None:
    counts = Counter(map(outcome, cases))
    assert [case for case in cases if outcome(case) == "failed"] == []
    assert counts == {"passed": 121, "refused": 69, "not applicable": 93}


def test_what_is_refused_of_titus2s_tests_depends_on_the_records_before(
    cases: list[dict[str, Any]],
) -> None:
    refused = [case["why"] for case in cases if outcome(case) == "refused"]
    assert [why for why in refused if not any(reason in why for reason in REASONS)] == []
