from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelFailed, UnsupportedModel
from modelstream.formats import load_model
from modelstream.formats.base import Elsewhere, Field, Hints
from modelstream.formats.onnx_graph.model import OnnxModel
from modelstream.formats.pipeline import PipelineFormat
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.messages import Columns, Scores
from tests.support import owner_functions
from tests.support.owner_functions import registered
from tests.support.pipelines import as_columns, document, inline, plain, plus

EVERY = registered(*("ratio", "seen", "fails_at_seven", "writes", "keeps", "whatever", "several"))


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    owner_functions.RETURNED[0] = None


def python(function: str, columns: list[str], made: dict[str, Any]) -> dict[str, Any]:
    return {"python": {"function": function, "columns": columns, "as": made}}


def made(*steps: dict[str, Any], **more: Any) -> PipelineModel:
    chosen = PipelineFormat(EVERY)
    return chosen.load(chosen.lower(document(*steps, **more), Hints()))


RATIO = python("ratio", ["a", "b"], {"ratio": "float64"})


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(1, 1e6)), min_size=1, max_size=20))
def test_a_function_gets_columns_and_gives_columns(rows: list[tuple[float, float]]) -> None:
    model = made(RATIO, {"expression": {"twice": "ratio * 2"}})
    a, b = np.array(rows).T
    scores = model.score({"a": a, "b": b})
    assert scores["twice"].tolist() == (a / b * 2).tolist()
    assert model.inputs == (Field("a", "float64"), Field("b", "float64"))


def test_a_script_registers_functions_where_it_loads_a_model() -> None:
    model = load_model(document(RATIO), functions=registered("ratio"))
    assert plain(model.score(as_columns({"a": [1], "b": [2]}))) == {"ratio": [0.5]}


def test_numbers_come_as_float64_in_memory_that_cannot_be_written_to() -> None:
    steps = [plus(1.0, "a"), python("seen", ["score", "town", "big"], {"seen": "string"})]
    model = made(*steps, inputs={"town": "string", "big": "bool"})
    scores = model.score(as_columns({"a": [1], "town": ["Ulm"], "big": [True]}))
    assert scores["seen"].tolist() == ["float64 False; object False; bool False"]
    with pytest.raises(ModelFailed, match=r"function 'writes': ValueError: .*read-only"):
        made(python("writes", ["a"], {"y": "float64"})).score(as_columns({"a": [1]}))


def test_what_a_function_returned_is_its_own_no_longer() -> None:
    model = made(python("keeps", ["a"], {"y": "float64"}))
    first = model.score(as_columns({"a": [1]}))
    model.score(as_columns({"a": [2]}))
    assert first["y"].tolist() == [1.0]


def test_columns_of_every_type_are_made() -> None:
    told = {
        "text": {"type": "string", "optional": True},
        "truth": "bool",
        "whole": "int64",
        "vector": {"type": "float32", "shape": [2]},
    }
    model = made(python("several", ["a"], told))
    scores = model.score(as_columns({"a": [1, -1]}))
    assert plain(scores) == {
        "text": ["x", None],
        "truth": [True, False],
        "whole": [0, 1],
        "vector": [[1, 1], [1, 1]],
    }
    assert [scores[name].dtype.name for name in ("whole", "vector")] == ["int64", "float32"]
    assert model.outputs[3] == Field("vector", "float32", (2,))


def test_a_function_is_not_called_without_rows() -> None:
    pick = {"one_hot": {"column": "town", "categories": ["Ulm"]}}
    model = made(pick, python("fails_at_seven", ["a"], {"y": "float64"}), {"cast": {"y": "string"}})
    scores = model.score(as_columns({"town": ["Bonn"], "a": [7]}))
    assert list(scores.errors) == [0]


@pytest.mark.parametrize(
    ("returned", "told", "why"),
    [
        (None, "float64", "returned NoneType, not columns"),
        ({}, "float64", "its column 'y' is no array"),
        ({"y": [1.0, 2.0]}, "float64", "its column 'y' is no array"),
        ({"y": np.array(1.0)}, "float64", "is of shape .* for 2 rows"),
        ({"y": np.zeros(3)}, "float64", "is of shape .3,. for 2 rows"),
        ({"y": np.zeros((2, 2))}, "float64", "is of shape .2,., not"),
        ({"y": np.zeros(2)}, "string", "is a column of float64, not string"),
        ({"y": np.zeros(2)}, "int64", "is a column of float64, not int64"),
        ({"y": np.zeros(2, np.int64)}, "int32", "is a column of int64, not int32"),
        ({"y": np.array([{}, None], object)}, "string", "holds objects of dict, not string"),
        ({"y": np.array([1, True], object)}, "bool", "holds objects of int, not bool"),
        ({"y": np.zeros(2, np.complex128)}, "float64", "is a column of complex128"),
    ],
)
def test_what_a_function_returns_is_checked(returned: Any, told: str, why: str) -> None:
    owner_functions.RETURNED[0] = returned
    model = made(python("whatever", ["a"], {"y": told}))
    with pytest.raises(ModelFailed, match=f"step 1 .python.: function 'whatever'.*{why}"):
        model.score(as_columns({"a": [1, 2]}))


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (python("os.system", ["a"], {"y": "float64"}), "no function 'os.system' is registered"),
        (python("ratio", ["a", "a"], {"y": "float64"}), "'a' is given twice"),
        (python("ratio", ["a"], {}), "the function makes no column"),
        (python("ratio", [], {"y": "float64"}), "of length >= 1"),
        (python("ratio", ["a"], {"y": "double"}), "Invalid enum value 'double'"),
        ({"python": "import os"}, "Expected `object`"),
        ({"python": {**RATIO["python"], "code": "1"}}, "unknown field `code`"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(step: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidModel, match=rf"step 1 \(python\): .*{why}"):
        made(step)


def test_a_made_column_does_not_take_the_place_of_one_that_is_not_read() -> None:
    with pytest.raises(InvalidModel, match="column 'x' is there already"):
        made(plus(1.0), python("ratio", ["score"], {"x": "float64"}))


def test_where_a_pipeline_is_lowered_no_function_is_imported() -> None:
    nowhere = PipelineFormat({"ratio": "no_such_module:ratio"})
    lowered = nowhere.lower(document(RATIO), Hints())
    assert isinstance(lowered, Elsewhere)
    with pytest.raises(InvalidModel, match="ratio' is no_such_module:ratio, which cannot be"):
        nowhere.load(lowered)


def test_a_pipeline_inside_calls_functions_too() -> None:
    chosen = PipelineFormat(EVERY)
    outer = document(inline(document(RATIO).decode()), {"expression": {"y": "ratio + 1"}})
    lowered = chosen.lower(outer, Hints())
    assert isinstance(lowered, Elsewhere)
    assert plain(chosen.load(lowered).score(as_columns({"a": [1], "b": [4]})))["y"] == [1.25]
    with pytest.raises(UnsupportedModel, match=r"step 1 .model.: step 1 .python.: no function"):
        load_model(outer)


def test_models_of_the_document_are_tried_where_it_is_lowered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []
    score = OnnxModel.score

    def watched(each: OnnxModel, columns: Columns) -> Scores:
        tried.append(", ".join(columns))
        return score(each, columns)

    monkeypatch.setattr(OnnxModel, "score", watched)
    PipelineFormat(EVERY).lower(document(plus(1.0), {"expression": {"a": "score"}}), Hints())
    assert tried == []
    inner = inline(document(plus(1.0)).decode())
    PipelineFormat(EVERY).lower(document(inner, RATIO), Hints())
    assert len(tried) == 1


def test_the_function_is_told_in_the_description() -> None:
    (part,) = made(RATIO).describe().structure.parts
    assert (part.kind, part.facts["function"]) == ("python", "ratio")
