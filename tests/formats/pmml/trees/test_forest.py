"""Lowered forests are checked as any other input before a kernel sees them."""

from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.pmml import PmmlFormat
from modelstream.formats.pmml.elements.forests import Forest, NumberInput
from modelstream.formats.pmml.expressions.expressions import make_field
from modelstream.formats.pmml.fields.scope import Context, Scope, constant
from modelstream.formats.pmml.trees.forest import Kernel
from modelstream.formats.trees.arrays import Trees
from tests.support.pmml import X, document, lower, schema
from tests.support.pmml_trees import FIELDS, trees

SOUND: dict[str, Any] = {
    "roots": np.array([0, 2], "<i4"),
    "feature": np.array([0, 0, 0], "<i4"),
    "mode": np.array([0, 4, 6], "<u1"),
    "split": np.array([1.0, 2.0, 0.0], "<f8"),
    "true": np.array([1, -1, -4], "<i4"),
    "false": np.array([-2, -3, -5], "<i4"),
    "missing_is_true": np.array([0, 1, 0], "<u1"),
    "members": np.array([1.0, 3.0, np.nan], "<f8"),
    "score": np.array([0.0, 1.0, 2.0, 3.0, np.nan], "<f8"),
}


def forest(**changed: Any) -> Forest:
    arrays = {name: column.tobytes() for name, column in {**SOUND, **changed}.items()}
    score = arrays.pop("score")
    return Forest(
        inputs=(NumberInput(field="x"),), trees=Trees(**arrays), ids=(None,) * 5, score=score
    )


def kernel(lowered: Forest) -> Kernel:
    scope = Scope(Context())
    scope.add(make_field("x", constant(0.0, "double"), "continuous", scope))
    return Kernel(lowered, scope)


def test_sound_arrays_are_a_kernel() -> None:
    assert kernel(forest()).trees == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"roots": np.array([], "<i4")},
        {"roots": np.array([1, 2], "<i4")},
        {"roots": np.array([0, 9], "<i4")},
        {"feature": np.array([0, 1, 0], "<i4")},
        {"feature": np.array([0, -1, 0], "<i4")},
        {"feature": np.array([0, 0], "<i4")},
        {"mode": np.array([0, 4, 9], "<u1")},
        {"split": np.array([1.0, np.nan, 0.0], "<f8")},
        {"true": np.array([1, -1, -9], "<i4")},
        {"true": np.array([0, -1, -4], "<i4")},
        {"true": np.array([2, -1, -4], "<i4")},
        {"true": np.array([9, -1, -4], "<i4")},
        {"true": np.array([-1, -1, -4], "<i4")},
        {"false": np.array([1, -3, -5], "<i4")},
        {"false": np.array([-4, -3, -5], "<i4")},
        {"missing_is_true": np.array([0, 7, 0], "<u1")},
        {"members": np.array([1.0, 3.0], "<f8")},
        {"members": np.array([np.nan], "<f8")},
        {"members": np.array([], "<f8")},
        {"score": np.array([0.0], "<f8")},
    ],
)
def test_arrays_that_are_no_trees_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel):
        kernel(forest(**changed))


@pytest.mark.parametrize("name", sorted(SOUND))
def test_an_array_that_is_cut_off_is_refused(name: str) -> None:
    whole = forest()
    if SOUND[name].dtype.itemsize > 1:
        with pytest.raises(InvalidModel, match="cut off"):
            kernel(cut_off(whole, name))


def cut_off(whole: Forest, name: str) -> Forest:
    if name == "score":
        return msgspec.structs.replace(whole, score=whole.score[:-1])
    short = msgspec.structs.replace(whole.trees, **{name: getattr(whole.trees, name)[:-1]})
    return msgspec.structs.replace(whole, trees=short)


def test_labels_and_tables_must_fit_the_leaves() -> None:
    with pytest.raises(InvalidModel, match="label that it does not have"):
        kernel(msgspec.structs.replace(forest(), labels=("a",)))
    tables = msgspec.structs.replace(forest(), labels=("a", "b", "c", "d"), distribution=b"\0" * 8)
    with pytest.raises(InvalidModel, match="a cell a leaf and label"):
        kernel(tables)


def test_a_forest_that_is_too_deep_for_the_kernel_is_refused() -> None:
    depth = limits.TREE_DEPTH_MAX + 1
    number = np.arange(depth, dtype="<i4")
    true = np.where(number < depth - 1, number + 1, -1 - depth).astype("<i4")
    deep = Forest(
        inputs=(NumberInput(field="x"),),
        trees=Trees(
            roots=np.zeros(1, "<i4").tobytes(),
            feature=np.zeros(depth, "<i4").tobytes(),
            mode=np.zeros(depth, "<u1").tobytes(),
            split=np.zeros(depth, "<f8").tobytes(),
            true=true.tobytes(),
            false=(-1 - number).astype("<i4").tobytes(),
            missing_is_true=np.zeros(depth, "<u1").tobytes(),
        ),
        score=np.zeros(depth + 1, "<f8").tobytes(),
        ids=(None,) * (depth + 1),
    )
    with pytest.raises(InvalidModel, match="deeper"):
        kernel(deep)


@pytest.mark.fuzz
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees(depth=2), st.data())
def test_a_lowered_tree_with_a_changed_byte_is_a_model_or_refused(
    model: str, data: st.DataObject
) -> None:
    lowered = bytearray(lower(document(model, FIELDS)))
    position = data.draw(st.integers(0, len(lowered) - 1))
    lowered[position] ^= data.draw(st.integers(1, 255))
    with suppress(InvalidModel):
        loaded = PmmlFormat().load(bytes(lowered))
        scores = loaded.score({field.name: np.zeros(2) for field in loaded.inputs})
        assert {len(column) for column in scores.values()} == {2}


def test_a_forest_without_a_field_still_runs() -> None:
    body = f'<TreeModel functionName="regression">{schema("x")}<Node score="3"><True/></Node></TreeModel>'
    model = PmmlFormat().load(lower(document(body, X)))
    assert model.score({"x": np.array([1.0, np.nan])})["_target"].tolist() == [3.0, 3.0]
