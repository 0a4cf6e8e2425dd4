"""The library against titus2, function by function: the same values, and the same codes of faults."""

import json
import math
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelstream.errors import UnsupportedModel
from modelstream.formats.pfa.data import Data
from modelstream.formats.pfa.document import compile_document
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions import library
from tests.support.pfa import by_rows
from tests.support.pfa_calls import calls

pytestmark = pytest.mark.peers

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / "benchmarks/.envs/titus/bin/python"
# Where titus2 does otherwise than its documentation says, or this package sees to it that no record
# takes for ever. All other functions answer alike.
KNOWN = {
    "/": "titus2 takes a divisor of -0.0 for 0.0",
    "a.intersection": "titus2 tells what both have twice",
    "a.product": "titus2 lets an overflow pass that a later factor of 0 undoes",
    "cast.json": "JSON writes the exponents of numbers, and infinity, in more than one way",
    "interp.bin": "titus2 tells ints that are none",
    "interp.linear": "of infinite values titus2 takes another pair of points",
    "interp.linearFlat": "as linear",
    "interp.linearMissing": "as linear",
    "la.inverse": "titus2 never comes back from numbers that are not finite",
    "m.link.softmax": "titus2 takes infinity from infinity",
    "m.special.nChooseK": "titus2 tells ints that are none",
    "map.zipmap": "titus2 wants the keys of both maps in one order",
    "model.cluster.closestN": "titus2 has an order of its own for distances that are no numbers",
    "model.neighbor.nearestK": "as closestN",
    "model.neighbor.ballR": "titus2 takes vectors of different lengths",
    "model.reg.pull": "titus2 tells the code of another argument",
    "model.reg.residual": "titus2 takes vectors of different lengths",
    "prob.dist.cauchyPDF": "titus2 multiplies nothing by infinity",
    "prob.dist.gaussianQF": "titus2 has four digits",
    "prob.dist.lognormalQF": "as gaussianQF",
    "stat.change.zValue": "titus2 takes a divisor of -0.0 for 0.0",
    "stat.test.pull": "titus2 takes a divisor of -0.0 for 0.0",
    "re": "an empty pattern is a fault",
}  # fmt: skip
# How many of a hundred numbers are where arithmetic ends, in turn.
EXTREMES = (0.0, 0.0, 0.3, 0.3, 0.6)
TAGS = {"null", "boolean", "int", "long", "float", "double", "bytes", "string", "array", "map"}


def test_every_function_answers_what_titus2_answers() -> None:
    if not PYTHON.is_file():
        pytest.skip("titus2's environment is not there: python -m benchmarks pfa makes it")
    jobs = [(name, job) for name in library().names() for job in made(name)]
    counts: Counter[str] = Counter()
    wrong = []
    for (name, job), theirs in zip(jobs, answered([job for _, job in jobs]), strict=True):
        for record, ours, other in compared(job, theirs):
            outcome = judged(ours, other)
            counts[outcome] += 1
            if outcome == "wrong" and not is_known(name):
                wrong.append((name, record, ours, other))
    assert wrong == []
    assert counts["same"] > 8 * counts["crash"]
    assert counts["same"] > 100 * counts["wrong"]
    assert counts["same"] > 10_000, counts


def made(name: str) -> Iterator[dict[str, Any]]:
    if name == "la.inverse":
        return
    for signature in library().signatures(name):
        for seed, extreme in enumerate(EXTREMES):
            job = calls(name, signature, seed, 8, extreme)
            if job is not None:
                yield job


def is_known(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in KNOWN)


def answered(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    done = subprocess.run(
        [PYTHON, "-m", "benchmarks.peer_jobs.titus_job"],
        input=lines, capture_output=True, text=True, cwd=ROOT, timeout=300, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def compared(
    job: dict[str, Any], theirs: dict[str, Any]
) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    if "refused" in theirs:
        return
    try:
        engine = compile_document(job["document"])
    except UnsupportedModel:
        return
    for record, other in zip(job["records"], theirs["answers"], strict=True):
        yield record, by_rows(engine, [Data().read(engine.input, record, "record")])[0], other


def judged(ours: Any, theirs: dict[str, Any]) -> str:
    if "crash" in theirs:
        return "crash"
    if "code" in theirs:
        return "same" if isinstance(ours, Fault) and ours.code == theirs["code"] else "wrong"
    return "same" if close(ours, untagged(theirs["value"])) else "wrong"


def untagged(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"number"}:
            return float(value["number"])
        if len(value) == 1:
            (key,) = value
            if key in TAGS or key.startswith(("Record", "Enum", "Fixed")):
                return untagged(value[key])
        return {key: untagged(each) for key, each in value.items()}
    return [untagged(each) for each in value] if isinstance(value, list) else value


def close(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bytes):
        ours = ours.decode("latin-1")
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) and math.isnan(theirs)
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(close, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(close(ours[k], theirs[k]) for k in ours)
    return bool(ours == theirs)
