"""The written graphs are ONNX, by the word of the `onnx` package."""

from typing import Any

import numpy as np
import onnx
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.runtime import open_session
from modelstream.formats.trees.onnx_graph import TreeArrays, tree_ensemble


def whole(*values: int) -> Any:
    return np.array(values, dtype=np.int32)


def two_trees() -> TreeArrays:
    return TreeArrays(
        roots=whole(0, 2),
        feature=whole(0, 1, 0),
        mode=whole(0, 4, 6),
        split=np.array([0.5, 2.0, 0.0]),
        true=whole(1, -1, -4),
        false=whole(-2, -3, -5),
        missing_is_true=whole(1, 0, 0),
        members=np.array([1.0, 300.0, np.nan]),
        leaf_tree=whole(0, 0, 0, 1, 1),
        leaf_value=np.arange(5.0),
        features=2,
    )


def attributes(model: Any) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in model.graph.node[0].attribute}


def test_a_graph_is_one_checked_node() -> None:
    model = onnx.load_from_string(tree_ensemble(two_trees()))
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["TreeEnsemble"]
    found = attributes(model)
    assert list(found["tree_roots"]) == [0, 2]
    assert list(found["nodes_truenodeids"]) == [1, 0, 3]
    assert list(found["nodes_trueleafs"]) == [0, 1, 1]
    assert list(found["leaf_targetids"]) == [0, 0, 0, 1, 1]
    np.testing.assert_array_equal(
        onnx.numpy_helper.to_array(found["nodes_splits"]), [0.5, 2.0, 0.0]
    )


def test_a_graph_takes_rows_to_leaves() -> None:
    session = open_session(tree_ensemble(two_trees()))
    rows = np.array([[0.5, 2.0], [0.4, 1.0], [0.6, 0.0], [np.nan, 2.0], [300.0, 0.0], [1.0, 0.0]])
    leaves = session.run(None, {"X": rows})[0]
    assert leaves.tolist() == [[0, 4], [2, 4], [1, 4], [0, 4], [1, 3], [1, 3]]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=40))
def test_numbers_of_any_size_are_written(numbers: list[int]) -> None:
    trees = two_trees()
    written = TreeArrays(
        np.array(numbers), trees.feature, trees.mode, trees.split, trees.true, trees.false,
        trees.missing_is_true, trees.members, trees.leaf_tree, trees.leaf_value, trees.features,
    )  # fmt: skip
    model = onnx.load_from_string(tree_ensemble(written))
    assert list(attributes(model)["tree_roots"]) == numbers
