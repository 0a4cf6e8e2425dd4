"""An XGBoost document as an ensemble: its inputs, its trees, its sums."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.base import Hints
from modelstream.formats.trees.arrays import Trees
from modelstream.formats.trees.ensemble import VERSION, Ensemble, EnsembleInput
from modelstream.formats.trees.layout import Nodes, lay_out
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL, MEMBER
from modelstream.formats.xgboost import document as xgb
from modelstream.formats.xgboost.objectives import link_of, margins
from modelstream.messages import Column

_CATEGORICAL = "c"


def lower_document(saved: xgb.Document, hints: Hints) -> Ensemble:
    """Return the ensemble that a saved model is. Raises InvalidModel, UnsupportedModel."""
    learner = saved.learner
    booster, weights = _booster(learner.gradient_booster)
    features = _whole(learner.learner_model_param.num_feature, "num_feature")
    inputs = _inputs(learner, booster.cats, features, hints)
    trees, leaf_values = _trees(booster.trees, weights, features)
    objective = learner.objective.name
    link = link_of(objective)
    sums = max(
        _whole(learner.learner_model_param.num_class, "num_class"),
        _whole(learner.learner_model_param.num_target, "num_target"),
        1,
    )
    if sums > limits.TREE_SUMS_MAX:
        raise InvalidModel(f"{sums} classes; a model has at most {limits.TREE_SUMS_MAX}")
    if len(booster.tree_info) != len(booster.trees):
        raise InvalidModel(f"{len(booster.trees)} trees have {len(booster.tree_info)} tree_info")
    return Ensemble(
        version=VERSION,
        producer=f"XGBoost {'.'.join(map(str, saved.version))}",
        objective=objective,
        inputs=inputs,
        trees=trees,
        leaf_values=leaf_values.astype("<f8").tobytes(),
        group=_integers(booster.tree_info, "tree_info").astype("<i4").tobytes(),
        base=margins(objective, _base_scores(learner.learner_model_param.base_score, sums)),
        single=True,
        link=link,
        labels=hints.labels,
    )


def _booster(given: xgb.Booster) -> tuple[xgb.Trees, Sequence[float]]:
    """Return the trees, and the weight of each where they have one."""
    inside = given.gbtree if given.name == "dart" else given
    if given.name not in {"gbtree", "dart"} or inside is None or inside.model is None:
        raise UnsupportedModel(f"booster {given.name!r} is not evaluated; gbtree and dart are")
    trees = inside.model
    if given.name == "dart" and len(given.weight_drop) != len(trees.trees):
        raise InvalidModel("a dart booster needs a weight for each tree")
    return trees, given.weight_drop if given.name == "dart" else ()


def _inputs(
    learner: xgb.Learner, cats: xgb.Categories, features: int, hints: Hints
) -> tuple[EnsembleInput, ...]:
    if not 1 <= features <= limits.TREE_FEATURES_MAX:
        raise InvalidModel(f"{features} features; 1 to {limits.TREE_FEATURES_MAX} are allowed")
    names = hints.feature_names or tuple(learner.feature_names)
    if not names:
        names = tuple(f"f{number}" for number in range(features))
    if len(names) != features:
        raise InvalidModel(f"{len(names)} feature names are given for {features} features")
    texts = [_texts(each) for each in cats.enc] or [()] * features
    if len(texts) != features:
        raise InvalidModel(f"categories of {len(texts)} features, where there are {features}")
    types = learner.feature_types or ["float"] * features
    if len(types) != features:
        raise InvalidModel(f"{len(types)} feature types are given for {features} features")
    return tuple(
        EnsembleInput(name=name, categories=known, single=True, whole=kind == _CATEGORICAL)
        for name, known, kind in zip(names, texts, types, strict=True)
    )


def _texts(encoding: xgb.Encoding) -> tuple[str, ...]:
    """Return the categories of a feature that are texts; numbers stand for themselves."""
    if not encoding.values:
        return ()
    if not encoding.offsets:
        raise UnsupportedModel(
            "categories that are numbers are not evaluated; make them texts before training"
        )
    try:
        data = bytes(encoding.values)
        ends = encoding.offsets
        return tuple(data[start:end].decode() for start, end in pairwise(ends))
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidModel(f"the categories of a feature cannot be read: {error}") from error


def _trees(
    trees: Sequence[xgb.Tree], weights: Sequence[float], features: int
) -> tuple[Trees, Column]:
    """Return the trees and what each leaf adds."""
    if not trees:
        raise InvalidModel("the model has no trees: train it before it is saved")
    if len(trees) > limits.TREES_MAX:
        raise InvalidModel(f"{len(trees)} trees; a model has at most {limits.TREES_MAX}")
    sizes = [_check_tree(tree) for tree in trees]
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    shift = np.repeat(first, sizes)
    left = _joined(trees, lambda tree: tree.left_children, "left_children")
    leaf = left == -1
    split = _splits(trees)
    missing_left = _joined(trees, lambda tree: tree.default_left, "default_left") != 0
    members = _members(trees, first)
    set_test = np.zeros(len(left), np.bool_)
    set_test[list(members)] = True
    left = left + shift
    right = _joined(trees, lambda tree: tree.right_children, "right_children") + shift
    feature = _joined(trees, lambda tree: tree.split_indices, "split_indices")
    if ((feature < 0) | (feature >= features))[~leaf].any():
        raise InvalidModel("a test of a tree reads a feature that is not there")
    # Less than a float32 is at most the float32 before it; a value of the set goes right.
    below = np.nextafter(split, np.float32(-np.inf)).astype(np.float64)
    nodes = Nodes(
        roots=first,
        leaf=leaf,
        feature=np.where(leaf, 0, feature),
        mode=np.where(set_test, MEMBER, LESS_OR_EQUAL),
        split=np.where(set_test, 0.0, below),
        true=np.where(set_test, right, left),
        false=np.where(set_test, left, right),
        missing_is_true=missing_left != set_test,
        members=members,
    )
    added = split if not weights else split * np.repeat(np.array(weights, np.float32), sizes)
    laid_out, leaves = lay_out(nodes)
    return laid_out, added[leaves]


def _check_tree(tree: xgb.Tree) -> int:
    """Return how many nodes a tree has."""
    if _whole(tree.tree_param.size_leaf_vector, "size_leaf_vector") > 1:
        raise UnsupportedModel("trees whose leaves are vectors are not evaluated (multi_strategy)")
    size = len(tree.left_children)
    columns = (tree.right_children, tree.split_indices, tree.split_conditions, tree.default_left)
    if not size or any(len(column) != size for column in columns):
        raise InvalidModel("the columns of a tree are of different lengths")
    if tree.split_type and len(tree.split_type) != size:
        raise InvalidModel("split_type of a tree has not an entry for each node")
    return size


def _members(trees: Sequence[xgb.Tree], first: Column) -> dict[int, Sequence[float]]:
    """Return the categories of each set test, by node."""
    members: dict[int, Sequence[float]] = {}
    for tree, start in zip(trees, first.tolist(), strict=True):
        sets = {number for number, kind in enumerate(tree.split_type) if kind}
        placed = zip(
            tree.categories_nodes, tree.categories_segments, tree.categories_sizes, strict=False
        )
        for node, begin, size in placed:
            chosen = tree.categories[begin : begin + size]
            if node not in sets or size < 1 or len(chosen) != size or begin < 0:
                raise InvalidModel("the categories of a tree do not fit its nodes")
            sets.remove(node)
            members[start + node] = [float(each) for each in sorted(set(chosen))]
        if any(tree.left_children[node] != -1 for node in sets):
            raise InvalidModel("a test of a tree asks for categories, and none are given")
    return members


def _joined(
    trees: Sequence[xgb.Tree], column: Callable[[xgb.Tree], Sequence[float]], name: str
) -> Column:
    """Return one column of all trees, one after the other."""
    return _integers([value for tree in trees for value in column(tree)], name)


def _splits(trees: Sequence[xgb.Tree]) -> Column:
    """Return what tests compare with and leaves add, float32."""
    wide = np.array([value for tree in trees for value in tree.split_conditions])
    if not (np.abs(wide) <= np.finfo(np.float32).max).all():
        raise InvalidModel("split_conditions holds a number that is too large for float32")
    return wide.astype(np.float32)


def _integers(values: Sequence[float], name: str) -> Column:
    try:
        return np.array(values, np.int32).astype(np.int64)
    except OverflowError as error:
        raise InvalidModel(f"{name} holds a number that is too large") from error


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidModel(f"{name} is {text!r}, where a whole number should be")
    return int(text)


def _base_scores(text: str, sums: int) -> list[float]:
    """Return a base score for each sum; one alone is that of all."""
    try:
        read = msgspec.json.decode(text if text.startswith("[") else f"[{text}]", type=list[float])
    except msgspec.DecodeError as error:
        raise InvalidModel(f"base_score is {text!r}, where numbers should be") from error
    if len(read) == 1:
        return read * sums
    if len(read) != sums:
        raise InvalidModel(f"{len(read)} base scores are given for {sums} sums")
    return read
