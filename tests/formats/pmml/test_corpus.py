"""Models of many producers, with the answers of the toolkits that trained them.

The files lie beside the project. Compared are the target and the outputs that the expected table
has, for its first rows; the whole of it is for the tool that lies with the files.
"""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml.model import PmmlModel
from tests.support.pmml import column, load

ROWS = 60
KINDS = {"RegressionModel", "TreeModel", "MiningModel"}
MISSING = {"N/A", "NA"}
# It asks for a confidence level that the table of its inputs does not have.
WITHOUT_ARGUMENT = {"jpmml-sklearn-extension/NGBoostLogAuto"}


def cases(root: Path) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = json.loads((root / "pmml/manifest.json").read_text())
    return [case for case in every if KINDS.issuperset(case["features"]["inner"])]


def table(path: Path) -> list[dict[str, str | None]]:
    with path.open(newline="", encoding="utf8") as file:
        head, *rows = [row for row in csv.reader(file) if row][: ROWS + 1]
    return [
        {name: None if cell in MISSING else cell for name, cell in zip(head, row, strict=False)}
        for row in rows
    ]


def inputs(model: PmmlModel, rows: list[dict[str, str | None]]) -> dict[str, Any]:
    return {field.name: column([row.get(field.name) for row in rows]) for field in model.inputs}


def same(wanted: str | None, found: Any) -> bool:
    if wanted is None or found is None:
        return found is None or (isinstance(found, float) and math.isnan(found))
    if isinstance(found, bool | np.bool_):
        return wanted.lower() in {str(found).lower(), str(int(found))}
    if isinstance(found, str) and wanted == found:
        return True
    try:
        return math.isclose(float(wanted), float(found), rel_tol=1e-6, abs_tol=1e-9)
    except ValueError:
        return False


def differences(root: Path, case: dict[str, Any]) -> list[str]:
    """Return the cells that differ; refuse nothing silently."""
    model = load((root / "pmml" / case["pmml"]).read_bytes())
    rows, expected = table(root / "pmml" / case["input"]), table(root / "pmml" / case["expected"])
    scores = model.score(inputs(model, rows))
    names = [name for name in expected[0] if name in scores]
    found = {name: scores[name].tolist() for name in names}
    return [
        f"{case['id']}: row {number}, {name}: {row[name]} is {found[name][number]}"
        for number, row in enumerate(expected)
        for name in names
        if not same(row[name], found[name][number])
    ]


def test_models_answer_as_the_toolkits_that_trained_them(shared_data: Path) -> None:
    wrong: list[str] = []
    refused: list[str] = []
    right = 0
    for case in cases(shared_data):
        if case["id"] in WITHOUT_ARGUMENT:
            continue
        try:
            differing = differences(shared_data, case)
        except UnsupportedModel as error:
            refused.append(f"{case['id']}: {error}")
            continue
        wrong += differing
        right += not differing
    assert not wrong
    assert right >= 212
    assert all(" is not evaluated" in line for line in refused)
