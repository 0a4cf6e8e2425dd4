"""Documents that are damaged where it hurts are models, or refused with a reason."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelstreamError
from modelstream.formats import load_model, recognise
from modelstream.formats.base import Hints
from modelstream.formats.pipeline import PipelineFormat
from tests.support import xgboost_models
from tests.support.pipelines import TREE, as_columns, document, inline, plus

WHOLE: dict[str, Any] = json.loads(
    document(
        {"impute": {"age": 40, "town": "Bonn"}},
        inline(TREE, name="tree"),
        {"one_hot": {"column": "town", "categories": ["Bonn", "Ulm"], "unknown": "zeros"}},
        {"scale": {"age": {"mean": 40, "deviation": 10}}},
        {"expression": {"risk": "if(isnan(pay), 0, log(pay)) + chance * `town(Ulm)`"}},
        plus(1.0, "risk", name="plus"),
        {"threshold": {"column": "score", "at": 1.5, "labels": ["no", "yes"], "as": "ask"}},
        {"argmax": {"columns": ["score", "age"], "as": "first"}},
        {"combine": {"v": ["age", "score"]}},
        {"window": {"column": "v", "last": 1, "as": {"end": "mean", "many": "count"}}},
        {"split": {"v": ["v0", "v1"]}},
        {"cast": {"first": "string"}},
        {"rename": {"v0": "years"}},
        {"select": ["ask", "first", "years"]},
        inputs={"pay": {"type": "float64", "optional": True}},
        outputs=["ask", "years"],
    )
)
COLUMNS = as_columns({"age": [20, 60], "town": ["Ulm", "Bonn"], "pay": [1, 2]})
WORDS: list[Any] = [
    None, True, 0, -1, 1e308, "", "age", "town", "score", "float64", "string", "x" * 3000, [], {},
    ["age"], {"age": "town"}, {"age": {"min": 0, "max": 1}}, [[[]]], "1 +", "plus@1",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inside:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


PLACES = list(places(WHOLE))


def damaged(path: tuple[Any, ...], how: str, word: Any, other: tuple[Any, ...]) -> bytes:
    """Return the document with one thing in it taken out, replaced, doubled, or swapped."""
    whole = copy.deepcopy(WHOLE)
    *above, last = path
    holder = whole
    for key in above:
        holder = holder[key]
    if how == "drop":
        del holder[last]
    elif how == "word":
        holder[last] = word
    elif how == "key" and isinstance(holder, dict):
        holder[str(word)] = holder.pop(last)
    else:
        source: Any = WHOLE
        for key in other:
            source = source[key]
        holder[last] = source
    return json.dumps(whole).encode()


def test_the_whole_document_is_a_model() -> None:
    model = load_model(json.dumps(WHOLE).encode())
    scores = model.score(COLUMNS)
    assert scores.errors == {}
    assert scores["ask"].tolist() == ["no", "yes"]


@pytest.mark.fuzz
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PLACES),
    st.sampled_from(["drop", "word", "key", "swap"]),
    st.sampled_from(WORDS),
    st.sampled_from(PLACES),
)
def test_a_damaged_document_is_a_model_or_an_invalid_model(
    path: tuple[Any, ...], how: str, word: Any, other: tuple[Any, ...]
) -> None:
    chosen = PipelineFormat()
    try:
        model = chosen.load(chosen.lower(damaged(path, how, word, other), Hints()))
    except InvalidModel:
        return
    try:
        model.score(COLUMNS)
    except ModelstreamError:
        return


def test_a_pipeline_is_recognised_whatever_is_in_it() -> None:
    booster = json.loads(xgboost_models.kept("binary").model)
    data = document({"model": {"data": booster}}, {"rename": {"learner": "input"}})
    assert recognise(data).name == "pipeline"
