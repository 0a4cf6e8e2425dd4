"""A LightGBM text model as an ensemble: its inputs, its trees, its sums."""

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.base import Hints
from modelstream.formats.lightgbm.objectives import read_objective
from modelstream.formats.lightgbm.text import Category, Text
from modelstream.formats.lightgbm.trees import Forest, read_forest
from modelstream.formats.trees.ensemble import VERSION, Ensemble, EnsembleInput
from modelstream.formats.trees.layout import lay_out

_NO_VALUES = "none"  # of a feature in feature_infos: one value alone, and no test reads it


def lower_text(saved: Text, hints: Hints) -> Ensemble:
    """Return the ensemble that a saved model is. Raises InvalidModel, UnsupportedModel."""
    header = saved.header
    sums = _count(header, "num_tree_per_iteration")
    objective = read_objective(header.get("objective", ""), sums)
    names = hints.feature_names or tuple(header.get("feature_names", "").split())
    features = _count(header, "max_feature_idx") + 1
    if len(names) != features:
        raise InvalidModel(f"{len(names)} feature names are given for {features} features")
    if not 1 <= sums <= limits.TREES_MAX or features > limits.TREE_FEATURES_MAX:
        raise InvalidModel(f"a model has no {sums} sums of {features} features")
    if not saved.trees or len(saved.trees) % sums:
        raise InvalidModel(f"{len(saved.trees)} trees do not make iterations of {sums}")
    forest = read_forest(saved.trees, features)
    trees, leaves = lay_out(forest.nodes)
    return Ensemble(
        version=VERSION,
        producer=f"LightGBM {header.get('version', '')}".strip(),
        objective=objective.name,
        inputs=_inputs(names, forest, saved),
        trees=trees,
        leaf_values=forest.added[leaves].astype("<f8").tobytes(),
        group=(np.arange(len(saved.trees)) % sums).astype("<i4").tobytes(),
        base=(0.0,) * sums,
        single=False,
        link=objective.link,
        scale=objective.scale,
        average="average_output" in header,
        labels=hints.labels,
    )


def _inputs(names: tuple[str, ...], forest: Forest, saved: Text) -> tuple[EnsembleInput, ...]:
    known = _categories(forest, saved, len(names))
    return tuple(
        EnsembleInput(
            name=name,
            categories=_texts(known.get(number, [])),
            numbers=_numbers(known.get(number, [])),
            unknown_is_missing=number in known,
            whole=number in forest.categorical and number not in known,
            zero_is_missing=number in forest.zero_is_missing,
        )
        for number, name in enumerate(names)
    )


def _categories(forest: Forest, saved: Text, features: int) -> dict[int, list[Category]]:
    """Return the categories of the columns of a data frame, by feature.

    The model has them in the order of the columns, and does not say which columns these are: they
    are the categorical ones, where there are as many of these.
    """
    if not saved.categories:
        return {}
    columns = _declared(saved, features)
    if len(columns) != len(saved.categories) or not forest.categorical.issubset(columns):
        raise UnsupportedModel(
            f"pandas_categorical has the categories of {len(saved.categories)} columns, and the "
            f"model {len(columns)} categorical features: which are which is not told; train with "
            "unordered categories, and all categorical columns as such"
        )
    return dict(zip(columns, saved.categories, strict=True))


def _declared(saved: Text, features: int) -> list[int]:
    """Return the categorical features: those that training was told of, else those that look it."""
    told = saved.parameters.get("categorical_feature", "").split(",")
    if all(word.isascii() and word.isdigit() and len(word) < 10 for word in told):
        columns = sorted(set(map(int, told)))
        return columns if columns[-1] < features else []
    infos = saved.header.get("feature_infos", "").split()
    return [
        number
        for number, info in enumerate(infos[:features])
        if info != _NO_VALUES and not info.startswith("[")
    ]


def _texts(known: list[Category]) -> tuple[str, ...]:
    texts = tuple(each for each in known if isinstance(each, str))
    if texts and len(texts) != len(known):
        raise UnsupportedModel(
            "a feature has both texts and numbers for categories; make them texts before training"
        )
    return texts


def _numbers(known: list[Category]) -> tuple[float, ...]:
    if any(isinstance(each, bool) for each in known):
        raise UnsupportedModel("categories that are booleans are not evaluated; make them numbers")
    return tuple(float(each) for each in known if not isinstance(each, str))


def _count(header: dict[str, str], name: str) -> int:
    text = header.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidModel(f"{name} is {text[:20]!r}, where a whole number should be")
    return int(text)
