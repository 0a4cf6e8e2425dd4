"""The exporter against scikit-learn: the same answers, from the same record, to the last bit."""

from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

import modelstream as ms
from modelstream.demo.pmml import tree_pmml
from modelstream.demo.world import load_biopsies, recalibrated

Matrix = npt.NDArray[np.float64]


def score(document: bytes, names: tuple[str, ...], rows: Matrix) -> ms.Scores:
    model = ms.load_model(document)
    assert {field.name for field in model.inputs} == set(names)
    return model.score(dict(zip(names, rows.T, strict=True)))


def assert_alike(tree: DecisionTreeClassifier, names: tuple[str, ...], rows: Matrix) -> None:
    scores = score(tree_pmml(tree, names, "kind"), names, rows)
    assert not scores.errors
    assert scores["kind"].tolist() == tree.predict(rows).tolist()
    shares = np.column_stack([scores[f"probability({label})"] for label in tree.classes_])
    assert np.allclose(shares, tree.predict_proba(rows), rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 4, None])
def test_a_tree_of_two_classes_answers_as_scikit_learn_does(depth: int | None) -> None:
    train, stream = load_biopsies()
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0)
    tree.fit(train.measurements, train.diagnoses)
    rows = np.vstack([stream.measurements, recalibrated(stream).measurements])
    assert_alike(tree, train.names, rows)


def test_a_tree_of_three_classes_answers_as_scikit_learn_does() -> None:
    data = load_iris()
    tree = DecisionTreeClassifier(min_samples_leaf=4, random_state=0)
    tree.fit(data.data, data.target_names[data.target])
    random = np.random.default_rng(5)
    assert_alike(tree, ("a", "b", "c", "d"), random.uniform(0, 8, size=(500, 4)))


def test_records_on_a_threshold_go_the_way_they_go_in_scikit_learn() -> None:
    random = np.random.default_rng(11)
    features = random.normal(size=(400, 3))
    labels = np.where(features.sum(axis=1) + random.normal(size=400) > 0, "yes", "no")
    tree = DecisionTreeClassifier(max_depth=6, random_state=0).fit(features, labels)
    inner = tree.tree_.feature >= 0
    thresholds = tree.tree_.threshold[inner]
    near = np.float32(thresholds)
    edges = np.concatenate(
        [
            thresholds,
            np.nextafter(thresholds, -np.inf),
            np.nextafter(thresholds, np.inf),
            near,
            np.nextafter(near, np.float32(-np.inf)),
            np.nextafter(near, np.float32(np.inf)),
        ]
    ).astype(np.float64)
    rows = random.choice(edges, size=(2_000, 3))
    assert_alike(tree, ("a", "b", "c"), rows)


def test_a_tree_that_is_one_leaf_answers_with_its_class() -> None:
    tree = DecisionTreeClassifier().fit(np.zeros((3, 1)), np.array(["only"] * 3))
    scores = score(tree_pmml(tree, ("a",), "kind"), ("a",), np.ones((2, 1)))
    assert scores["kind"].tolist() == ["only", "only"]


def test_a_record_that_lacks_a_field_has_no_answer() -> None:
    train, stream = load_biopsies()
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    tree.fit(train.measurements, train.diagnoses)
    rows = stream.measurements[:3].copy()
    rows[1, 0] = np.nan
    assert set(score(tree_pmml(tree, train.names, "kind"), train.names, rows).errors) == {1}


def test_the_document_says_what_the_standard_asks_for() -> None:
    data = load_iris()
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    tree.fit(data.data, data.target_names[data.target])
    root = ET.fromstring(tree_pmml(tree, ("a", "b", "c", "d"), "kind"))
    space = "{http://www.dmg.org/PMML-4_4}"
    assert (root.tag, root.get("version")) == (f"{space}PMML", "4.4")
    assert [child.tag.removeprefix(space) for child in root] == [
        "Header",
        "DataDictionary",
        "TreeModel",
    ]
    nodes = root.findall(f".//{space}Node")
    assert len(nodes) == tree.tree_.node_count
    for node in nodes:
        counts = [
            float(each.get("recordCount", "")) for each in node.findall(f"{space}ScoreDistribution")
        ]
        assert sum(counts) == pytest.approx(float(node.get("recordCount", "")))
