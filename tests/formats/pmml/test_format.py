"""The format as the engine meets it: recognised, lowered once, loaded fast; and the real models."""

import csv
from pathlib import Path
from threading import Thread

import msgspec
import numpy as np
import pytest

from modelstream.errors import InvalidModel, InvalidRecord
from modelstream.formats.base import Hints
from modelstream.formats.pmml import PmmlFormat
from modelstream.messages import Columns, Scores
from tests.support.pmml import X, Y, document, load, lower, plain, regression, schema, score

WINE = [
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
    "quality",
]
PLAIN = document(regression('<NumericPredictor name="x" coefficient="2"/>'))


@pytest.fixture(scope="session")
def wine(shared_data: Path) -> Columns:
    with (shared_data / "wine/winequality_red.csv").open(newline="") as file:
        table = np.array([[float(cell) for cell in row] for row in csv.reader(file, delimiter=";")])
    return {name: table[:, number].copy() for number, name in enumerate(WINE)}


def wine_model(shared_data: Path, name: str) -> bytes:
    return (shared_data / f"wine/winequality{name}.pmml").read_bytes()


@pytest.mark.parametrize(
    ("name", "answer"),
    [("LinearRegression", 5.178126058334128), ("DesisionTreeRegression", 5.073059360730594)],
)
def test_the_wine_regressions_answer_as_their_producer(
    shared_data: Path, wine: Columns, name: str, answer: float
) -> None:
    scores = load(wine_model(shared_data, name)).score(wine)
    assert scores["quality"][0] == answer
    assert len(scores["quality"]) == 1599
    assert not scores.errors


@pytest.mark.parametrize("name", ["DecisionTreeClassification", "RandonForrestClassification"])
def test_the_wine_classifications_answer_as_their_producer(
    shared_data: Path, wine: Columns, name: str
) -> None:
    scores = load(wine_model(shared_data, name)).score(wine)
    assert scores["quality"][0] == "5"
    shares = np.stack([scores[f"probability({label})"] for label in "345678"])
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-12)
    right = np.mean(scores["quality"].astype(float) == wine["quality"])
    assert right > 0.6  # they were trained on these wines


def test_scores_do_not_depend_on_the_batch(shared_data: Path, wine: Columns) -> None:
    model = load(wine_model(shared_data, "RandonForrestClassification"))
    whole = model.score(wine)
    for row in (0, 7, 1598):
        single = model.score({name: column[row : row + 1] for name, column in wine.items()})
        assert {name: column[0] for name, column in single.items()} == {
            name: column[row] for name, column in whole.items()
        }


def test_a_model_scores_in_several_threads_at_once(shared_data: Path, wine: Columns) -> None:
    model = load(wine_model(shared_data, "RandonForrestClassification"))
    found: list[Scores] = []
    threads = [Thread(target=lambda: found.append(model.score(wine))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(scores["quality"].tolist() == found[0]["quality"].tolist() for scores in found)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (PLAIN, True),
        (b"\xef\xbb\xbf" + PLAIN, True),
        (b'\n<!-- <html> -->\n<p:PMML version="4.2">', True),
        (PLAIN.decode().encode("utf-16"), True),
        (b"<PMMLX/>", False),
        (b"\x08\x07\x12\x04PMML", False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_pmml_is_told_by_its_root_element(data: bytes, told: bool) -> None:
    assert PmmlFormat().recognises(data) is told


def test_lowering_is_deterministic_and_lowered_forms_load() -> None:
    assert lower(PLAIN) == lower(PLAIN)
    model = PmmlFormat().load(lower(PLAIN))
    assert plain(model.score({"x": np.array([1.0, np.nan])})["_target"]) == [2.0, None]


def test_another_version_of_the_lowered_form_is_refused() -> None:
    form = msgspec.msgpack.decode(lower(PLAIN))
    form["version"] = 999
    with pytest.raises(InvalidModel, match="lower the document again"):
        PmmlFormat().load(msgspec.msgpack.encode(form))


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x81" * 5000, b'{"element": 1}'])
def test_bytes_that_are_no_lowered_form_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidModel, match="lowered form"):
        PmmlFormat().load(data)


def test_fields_have_the_types_of_the_document() -> None:
    types = {
        "integer": "int64",
        "float": "float32",
        "double": "float64",
        "boolean": "bool",
        "string": "string",
        "date": "string",
    }
    fields = "".join(
        f'<DataField name="{name}" optype="categorical" dataType="{name}"/>' for name in types
    )
    body = f'<RegressionModel functionName="regression">{schema(*types)}<RegressionTable intercept="1"/></RegressionModel>'
    model = load(document(body, fields))
    assert {field.name: field.type for field in model.inputs} == types
    assert all(field.optional for field in model.inputs)


def test_a_field_that_must_be_there_is_not_optional() -> None:
    strict = '<MiningField name="x" missingValueTreatment="returnInvalid"/>'
    body = regression().replace('<MiningField name="x"/>', strict)
    model = load(document(body))
    assert [field.optional for field in model.inputs] == [False]
    with pytest.raises(InvalidRecord, match="'x' is absent"):
        model.score({})
    scores = model.score({"x": np.array([np.nan, 1.0])})
    assert scores.errors == {0: "field 'x' is missing"}
    assert plain(scores["_target"]) == [None, 0.0]


def test_an_absent_column_is_a_missing_value_in_all_rows() -> None:
    body = regression('<NumericPredictor name="x" coefficient="2"/>', names=("x", "y"))
    assert plain(score(document(body), y=[1, 2])["_target"]) == [None, None]


def test_columns_of_different_lengths_or_shapes_are_refused() -> None:
    model = load(document(regression(names=("x", "y"))))
    with pytest.raises(InvalidRecord, match="lengths"):
        model.score({"x": np.zeros(2), "y": np.zeros(3)})
    with pytest.raises(InvalidRecord, match="shape"):
        model.score({"x": np.zeros((2, 2)), "y": np.zeros(2)})


def test_an_empty_batch_has_empty_answers(shared_data: Path, wine: Columns) -> None:
    model = load(wine_model(shared_data, "RandonForrestClassification"))
    scores = model.score({name: column[:0] for name, column in wine.items()})
    assert {len(column) for column in scores.values()} == {0}


def test_a_model_without_inputs_takes_its_target_to_count_rows() -> None:
    body = (
        f'<RegressionModel functionName="regression">{schema(target="y")}'
        '<RegressionTable intercept="3"/></RegressionModel>'
    )
    model = load(document(body))
    assert [field.name for field in model.inputs] == ["y"]
    assert plain(model.score({"y": np.array([np.nan, 9.0])})["y"]) == [3.0, 3.0]


def test_hints_change_nothing() -> None:
    with_hints = PmmlFormat().lower(PLAIN, Hints(feature_names=("a",), labels=("b",)))
    assert with_hints == lower(PLAIN)


def test_a_field_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(InvalidModel, match="'x' is listed twice"):
        load(document(regression(names=("x", "x"))))


@pytest.mark.parametrize("attribute", ["missingValueReplacement", "lowValue"])
def test_a_number_that_overflows_is_infinite(attribute: str) -> None:
    fields = X.replace("double", "float") + Y
    treated = '<MiningField name="x" outliers="asExtremeValues" lowValue="0" highValue="2"/>'
    if attribute == "lowValue":
        treated = treated.replace('"0"', '"-1e300"')
    else:
        treated = '<MiningField name="x" missingValueReplacement="1e300"/>'
    body = regression('<NumericPredictor name="x" coefficient="1"/>').replace(
        '<MiningField name="x"/>', treated
    )
    answer = plain(score(document(body, fields), x=[None])["_target"])
    assert answer == [None if attribute == "lowValue" else float("inf")]
