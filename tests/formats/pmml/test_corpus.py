"""Models of many producers, with the answers of the toolkits that trained them.

The files lie beside the project. Compared are the target and the outputs that the expected table
has, for its first rows; the whole of it is for the tool that lies with the files.
"""

import csv
import json
import math
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml.model import PmmlModel
from tests.support.pmml import column, load

ROWS = 60
PARTS = 8  # of which each test takes one
MISSING = {"N/A", "NA"}
RELATIVE, ABSOLUTE = 1e-6, 1e-9
# Cases that do not agree so far: why, and how far their numbers do.
ROUNDED = {
    "jpmml-r/NNetFormulaAudit": "the table has 0 and 1 where the network's answers are 1e-8 away",
}
# Cases that cannot agree at all, and why.
WITHOUT_ARGUMENT = {
    "jpmml-sklearn-extension/NGBoostLogAuto": "reads a confidence level, ci, that its table lacks",
}
# Cases that are refused, and what their refusal names.
REFUSED = {
    "jpmml-evaluator-sas/LogisticRegressionAudit": "FMTWIDTH",  # a name where a number is due
}


def cases(root: Path) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = json.loads((root / "pmml/manifest.json").read_text())
    return [case for case in every if case["id"] not in {*WITHOUT_ARGUMENT, *REFUSED}]


def case_of(root: Path, name: str) -> dict[str, Any]:
    every: list[dict[str, Any]] = json.loads((root / "pmml/manifest.json").read_text())
    return next(case for case in every if case["id"] == name)


def table(path: Path) -> list[dict[str, str | None]]:
    with path.open(newline="", encoding="utf8") as file:
        head, *rows = islice((row for row in csv.reader(file) if row), ROWS + 1)
    return [
        {name: None if cell in MISSING else cell for name, cell in zip(head, row, strict=False)}
        for row in rows
    ]


def inputs(model: PmmlModel, rows: list[dict[str, str | None]]) -> dict[str, Any]:
    return {field.name: column([row.get(field.name) for row in rows]) for field in model.inputs}


def same(wanted: str | None, found: Any, absolute: float) -> bool:
    if wanted is None or found is None:
        return found is None or (isinstance(found, float) and math.isnan(found))
    if isinstance(found, bool | np.bool_):
        return wanted.lower() in {str(found).lower(), str(int(found))}
    if isinstance(found, str) and wanted == found:
        return True
    try:
        return math.isclose(float(wanted), float(found), rel_tol=RELATIVE, abs_tol=absolute)
    except ValueError:
        return False


def load_case(root: Path, case: dict[str, Any]) -> PmmlModel:
    return load((root / "pmml" / case["pmml"]).read_bytes())


def differences(root: Path, case: dict[str, Any]) -> list[str]:
    """Return the cells that differ. There are some to compare, or the target has no name."""
    model = load_case(root, case)
    rows, expected = table(root / "pmml" / case["input"]), table(root / "pmml" / case["expected"])
    scores = model.score(inputs(model, rows))
    names = {name: name for name in expected[0] if name in scores}
    if not names:
        names = {next(iter(expected[0])): next(iter(scores))}
    found = {name: scores[given].tolist() for name, given in names.items()}
    absolute = 1e-6 if case["id"] in ROUNDED else ABSOLUTE
    return [
        f"{case['id']}: row {number}, {name}: {row[name]} is {found[name][number]}"
        for number, row in enumerate(expected)
        for name in names
        if not same(row[name], found[name][number], absolute)
    ]


@pytest.mark.parametrize("part", range(PARTS))
def test_models_answer_as_the_toolkits_that_trained_them(part: int, shared_data: Path) -> None:
    every = cases(shared_data)
    assert len(every) >= 271
    wrong = [line for case in every[part::PARTS] for line in differences(shared_data, case)]
    assert not wrong


@pytest.mark.parametrize("name", ROUNDED)
def test_a_rounded_table_is_no_match_for_all_digits(
    name: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ROUNDED, name)
    assert differences(shared_data, case_of(shared_data, name))


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_a_case_that_is_refused_says_why(name: str, reason: str, shared_data: Path) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        load_case(shared_data, case_of(shared_data, name))


@pytest.mark.parametrize("name", WITHOUT_ARGUMENT)
def test_a_table_without_an_argument_has_no_answers(name: str, shared_data: Path) -> None:
    case = case_of(shared_data, name)
    absent = {field.name for field in load_case(shared_data, case).inputs}
    assert absent - set(table(shared_data / "pmml" / case["input"])[0])
    assert differences(shared_data, case)
