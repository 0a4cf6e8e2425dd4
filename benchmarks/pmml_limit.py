"""A forest by hand: the bare onnxruntime that modelstream's forests are measured against."""

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import RandomForestClassifier

from benchmarks.pmml_table import Matrix

_LESS_OR_EQUAL = 0


class BareForest:
    """The votes of a forest in one TreeEnsemble of 64 bits, on a matrix made beforehand."""

    def __init__(self, fitted: RandomForestClassifier, matrix: Matrix) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            _graph(fitted, matrix.shape[1]), options, providers=["CPUExecutionProvider"]
        )
        self._matrix = np.ascontiguousarray(matrix)
        self._trees = len(fitted.estimators_)

    def score(self) -> Matrix:
        """Return the share of the trees that vote for label 1, for each row."""
        votes: Matrix = self._session.run(["votes"], {"matrix": self._matrix})[0]
        return votes[:, 0] / self._trees


def _graph(fitted: RandomForestClassifier, features: int) -> bytes:
    """Return the model: tests and leaves of all trees, numbered through."""
    roots: list[int] = []
    feature: list[int] = []
    split: list[float] = []
    children: dict[str, list[int]] = {"true": [], "false": []}
    is_leaf: dict[str, list[int]] = {"true": [], "false": []}
    votes: list[float] = []
    for each in fitted.estimators_:
        tree = each.tree_
        tests = np.nonzero(tree.children_left >= 0)[0]
        number = {int(node): len(feature) + place for place, node in enumerate(tests)}
        roots.append(len(feature))
        feature.extend(tree.feature[tests].tolist())
        split.extend(tree.threshold[tests].tolist())
        for side, of in (("true", tree.children_left), ("false", tree.children_right)):
            for child in of[tests].tolist():
                is_leaf[side].append(int(child not in number))
                children[side].append(number.get(child, len(votes)))
                if child not in number:
                    votes.append(float(tree.value[child, 0].argmax()))
    node = helper.make_node(
        "TreeEnsemble", ["matrix"], ["votes"], domain="ai.onnx.ml",
        aggregate_function=1, post_transform=0, n_targets=1,
        tree_roots=roots, nodes_featureids=feature,
        nodes_modes=numpy_helper.from_array(np.full(len(feature), _LESS_OR_EQUAL, np.uint8)),
        nodes_splits=numpy_helper.from_array(np.array(split)),
        nodes_truenodeids=children["true"], nodes_trueleafs=is_leaf["true"],
        nodes_falsenodeids=children["false"], nodes_falseleafs=is_leaf["false"],
        leaf_targetids=[0] * len(votes), leaf_weights=numpy_helper.from_array(np.array(votes)),
    )  # fmt: skip
    double = TensorProto.DOUBLE
    graph = helper.make_graph(
        [node],
        "forest",
        [helper.make_tensor_value_info("matrix", double, [None, features])],
        [helper.make_tensor_value_info("votes", double, [None, 1])],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 5), helper.make_opsetid("", 20)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return data
