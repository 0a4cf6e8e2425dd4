"""`export`: a user's own module becomes a file that can be published."""

import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

import modelstream as ms
from tests.support.commands import Run

FEATURES = "sl,sw,pl,pw"
MODULE = """
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table, target = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=500).fit(table, target)

def forest():
    trees = RandomForestRegressor(30, random_state=0)
    return make_pipeline(StandardScaler(), trees).fit(table, table[:, 3] * table[:, 0])

def broken():
    raise RuntimeError("no data today")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand beside a module with an estimator, and records for it; the module's name is its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / f"{module_of(tmp_path)}.py").write_text(MODULE)
    rows = [FEATURES, *(",".join(map(str, row)) for row in load_iris().data.tolist())]
    (tmp_path / "iris.csv").write_text("\n".join(rows))
    return tmp_path


def module_of(folder: Path) -> str:
    return "module_" + "".join(each for each in folder.name if each.isalnum())


def test_an_estimator_is_compared_and_written(run: Run, folder: Path) -> None:
    ran = run("export", f"{module_of(folder)}:model", "m.onnx", "iris.csv", "--features", FEATURES)
    assert (ran.code, ran.err) == (0, "")
    wrote, compared = ran.out.splitlines()
    assert wrote.startswith("wrote m.onnx: onnx, ")
    assert wrote.endswith(
        "in: sl, sw, pl, pw; out: label, probability(0), probability(1), probability(2)"
    )
    assert compared.startswith("compared 150 records: the same answers to ")
    assert [field.name for field in ms.load_model("m.onnx").inputs] == FEATURES.split(",")
    assert run("score", "m.onnx", "iris.csv").code == 0


def test_a_function_is_asked_for_its_estimator(run: Run, folder: Path) -> None:
    """Its splits lie between scaled numbers: some of them are too near for float32."""
    told = f"{module_of(folder)}:forest"
    ran = run("export", told, "m.onnx", "iris.csv", "--features", FEATURES)
    assert ran.code == 0, ran.err
    assert "out: prediction" in ran.out


def test_features_have_to_be_named(run: Run, folder: Path) -> None:
    ran = run("export", f"{module_of(folder)}:model", "m.onnx", "iris.csv")
    assert ran.code == 1
    assert "the features have no names" in ran.err
    assert not (folder / "m.onnx").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [("nothing", "AttributeError"), ("broken", "RuntimeError: no data today")],
)
def test_what_gives_no_estimator_is_told(run: Run, folder: Path, name: str, told: str) -> None:
    ran = run("export", f"{module_of(folder)}:{name}", "m.onnx", "iris.csv")
    assert ran.code == 1
    assert f":{name} gives no estimator: {told}" in ran.err


def test_a_module_that_is_not_there_is_told(run: Run, folder: Path) -> None:
    ran = run("export", "no_such_module:model", "m.onnx", "iris.csv")
    assert ran.code == 1
    assert "ModuleNotFoundError" in ran.err
    assert run("export", "not a module", "m.onnx", "iris.csv").code == 2


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ('{"sl": 1, "sw": 2, "pl": 3}', "no record of r.jsonl has a value in 'pw'"),
        ('{"sl": [1], "sw": 2, "pl": 3, "pw": 4}', "r.jsonl holds more than numbers and texts"),
        ("?", r"r.jsonl:1: "),
        ('{"sl": "x", "sw": 2, "pl": 3, "pw": 4}', "LogisticRegression"),
    ],
)
def test_records_that_cannot_be_used_are_told(
    run: Run, folder: Path, records: str, told: str
) -> None:
    (folder / "r.jsonl").write_text(records)
    name = f"{module_of(folder)}:model"
    ran = run("export", name, "m.onnx", "r.jsonl", "--features", FEATURES)
    assert ran.code == 1
    assert told in ran.err
