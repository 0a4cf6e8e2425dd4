"""CatBoost's features: the inputs, and the tests that all borders and values of them make."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.base import Hints
from modelstream.formats.catboost import document as cb
from modelstream.formats.catboost.tables import Places, read_tables
from modelstream.formats.trees.ensemble import EnsembleInput
from modelstream.formats.trees.lookups import Lookup
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL
from modelstream.messages import Column

_FLOAT, _ONE_HOT, _CTR = "FloatFeature", "OneHotFeature", "OnlineCtr"
_NAN_TREATMENTS = frozenset({"AsIs", "AsFalse", "AsTrue"})


@dataclass(frozen=True, slots=True, eq=False)
class Tests:
    """Every test that trees name by its number: what it reads, and compares with what."""

    kinds: list[str]
    column: Column
    mode: Column
    split: Column


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The inputs in their order, the tables of categories, and the tests."""

    inputs: tuple[EnsembleInput, ...]
    lookups: tuple[Lookup, ...]
    tests: Tests


def read_features(saved: cb.Document, hints: Hints) -> Features:
    """Return the features. Raises InvalidModel, UnsupportedModel."""
    told = saved.features_info
    if told.text_features or told.embedding_features:
        raise UnsupportedModel(
            "text and embedding features are not evaluated; train with numbers and categories"
        )
    floats, categories = told.float_features or [], told.categorical_features or []
    inputs = _inputs(floats, categories, hints)
    places = Places(
        numbers={each.feature_index: each.flat_feature_index for each in floats},
        texts={each.feature_index: each.flat_feature_index for each in categories},
    )
    ctrs = told.ctrs or []
    lookups, ctr_columns = read_tables(ctrs, saved.ctr_data or {}, places, len(inputs))
    # The order in which CatBoost numbers its tests (TModelTrees::UpdateRuntimeData).
    groups: list[tuple[str, int, Sequence[float]]] = [
        *((_FLOAT, each.flat_feature_index, each.borders or []) for each in floats),
        *((_ONE_HOT, each.flat_feature_index, each.values or []) for each in categories),
        *((_CTR, at, each.borders or []) for at, each in zip(ctr_columns, ctrs, strict=True)),
    ]
    return Features(inputs, lookups, _tests(groups))


def _inputs(
    floats: Sequence[cb.FloatFeature], categories: Sequence[cb.CategoricalFeature], hints: Hints
) -> tuple[EnsembleInput, ...]:
    count = len(floats) + len(categories)
    if not 1 <= count <= limits.TREE_FEATURES_MAX:
        raise InvalidModel(f"{count} features; 1 to {limits.TREE_FEATURES_MAX} are allowed")
    if hints.feature_names and len(hints.feature_names) != count:
        raise InvalidModel(f"{len(hints.feature_names)} feature names for {count} features")
    found: dict[int, EnsembleInput] = {}
    every: list[cb.FloatFeature | cb.CategoricalFeature] = [*floats, *categories]
    for each in every:
        at = each.flat_feature_index
        if at >= count or at in found:
            raise InvalidModel(f"the features are not numbered from 0 to {count - 1}")
        name = hints.feature_names[at] if hints.feature_names else each.feature_id or str(at)
        if isinstance(each, cb.CategoricalFeature):
            found[at] = EnsembleInput(name=name, hashed=True)
        else:
            found[at] = EnsembleInput(name=name, single=True, missing_is_infinite=_is_true(each))
    return tuple(found[at] for at in range(count))


def _is_true(feature: cb.FloatFeature) -> bool:
    """Tell whether a missing value is above all borders; otherwise it is above none."""
    if feature.nan_value_treatment not in _NAN_TREATMENTS:
        raise InvalidModel(f"nan_value_treatment {feature.nan_value_treatment!r} is not known")
    return feature.has_nans and feature.nan_value_treatment == "AsTrue"


def _tests(groups: Sequence[tuple[str, int, Sequence[float]]]) -> Tests:
    sizes = [len(values) for _, _, values in groups]
    kinds = [kind for (kind, _, values) in groups for _ in values]
    split = np.array([value for _, _, values in groups for value in values], np.float64)
    equal = np.array([kind == _ONE_HOT for kind in kinds], np.bool_)
    with np.errstate(over="ignore"):
        split[~equal] = split[~equal].astype(np.float32)
    if np.isnan(split).any():
        raise InvalidModel("a border is not a number")
    return Tests(
        kinds=kinds,
        column=np.repeat(np.array([column for _, column, _ in groups], np.int64), sizes),
        mode=np.where(equal, EQUAL, LESS_OR_EQUAL),
        split=split,
    )
