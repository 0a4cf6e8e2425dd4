"""The models of the demo: trained here and now, and written as the files a publisher would have."""

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from modelstream.demo.pmml import tree_pmml
from modelstream.demo.world import SEED, Biopsies

# The name of every model's first output.
ANSWER = "diagnosis"
# The field that only the training script knew: worst texture by mean texture.
RATIO = "texture_ratio"


def train_tree(biopsies: Biopsies) -> bytes:
    """Return a small decision tree, as PMML."""
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=3, random_state=SEED)
    tree.fit(biopsies.measurements, biopsies.diagnoses)
    return tree_pmml(tree, biopsies.names, ANSWER)


def train_logistic(biopsies: Biopsies) -> bytes:
    """Return scaling and logistic regression, as ONNX."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(biopsies.measurements, biopsies.diagnoses)
    return _onnx(model, len(biopsies.names))


def with_ratio(biopsies: Biopsies) -> Biopsies:
    """Return biopsies with one measurement more, computed from two others."""
    column = {name: biopsies.measurements[:, i] for i, name in enumerate(biopsies.names)}
    ratio = column["worst_texture"] / column["mean_texture"]
    return Biopsies(
        (*biopsies.names, RATIO),
        np.column_stack([biopsies.measurements, ratio]),
        biopsies.diagnoses,
    )


def _onnx(model: Pipeline, width: int) -> bytes:
    """Write a classifier with the outputs ANSWER and `probabilities`."""
    classes = len(model.classes_)
    graph = to_onnx(
        model,
        initial_types=[("measurements", FloatTensorType([None, width]))],
        final_types=[
            (ANSWER, StringTensorType([None])),
            ("probabilities", FloatTensorType([None, classes])),
        ],
        options={"zipmap": False},
    )
    # These come in the order of a set; sorted, the same model has the same digest every time.
    graph.opset_import.sort(key=lambda each: each.domain)
    data: bytes = graph.SerializeToString()
    return data
