"""CatBoost models give what CatBoost gives, and what is no such model is refused."""

import copy
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.formats import limits, recognise
from modelstream.formats.base import Hints, Model
from modelstream.formats.catboost import CatboostFormat
from modelstream.formats.trees.cityhash import city_hash64
from tests.support import tree_fuzz, tree_models
from tests.support.tree_models import kept, predicted

NAMES = tree_models.names("catboost")
# Only sums, which are the library's own to the last bit.
PLAIN = {"number", "absolute", "quantile", "several", "above", "words"}
Change = Callable[[dict[str, Any]], object]


def split(index: int, kind: str = "FloatFeature") -> dict[str, Any]:
    return {"split_index": index, "split_type": kind}


def hashed(text: str) -> int:
    """Return the hash of a category as models have it: 32 bits, signed."""
    low = city_hash64(text.encode()) & 0xFFFF_FFFF
    return low - 2**32 if low >= 2**31 else low


def combined(*parts: int) -> int:
    """Return the key of a combination in a table, by CatBoost's definition."""
    key = 0
    for part in parts:
        key = 0x4906BA494954CB65 * (key + 0x4906BA494954CB65 * part) % 2**64
    return key


# Tests 0 and 1 are x > -1 and x > 2.5, test 2 is town == Ulm, 3 is a number of a table > 0.4.
SMALL: dict[str, Any] = {
    "features_info": {
        "float_features": [
            {
                "feature_index": 0, "flat_feature_index": 1, "feature_id": "x",
                "borders": [-1, 2.5], "has_nans": True, "nan_value_treatment": "AsFalse",
            }
        ],
        "categorical_features": [
            {
                "feature_index": 0, "flat_feature_index": 0, "feature_id": "town",
                "values": [hashed("Ulm")],
            }
        ],
        "ctrs": [
            {
                "identifier": "by town", "ctr_type": "Borders", "borders": [0.4],
                "elements": [{"cat_feature_index": 0, "combination_element": "cat_feature_value"}],
                "prior_numerator": 0.5, "prior_denomerator": 1, "scale": 1, "shift": 0,
                "target_border_idx": 0,
            }
        ],
    },
    "ctr_data": {
        "by town": {
            "hash_map": [
                str(combined(hashed("Ulm"))), 3, 0, "18446744073709551615", 7, 7,
                str(combined(hashed("Bonn"))), 1, 2,
            ],
            "hash_stride": 3,
        }
    },
    "model_info": {"params": {"loss_function": {"type": "RMSE"}}},
    "oblivious_trees": [{"splits": [split(0), split(1)], "leaf_values": [1, 2, 3, 4]}],
    "scale_and_bias": [1, [0]],
}  # fmt: skip


def load(data: bytes, hints: Hints | None = None) -> Model:
    return CatboostFormat().load(CatboostFormat().lower(data, hints or Hints()))


def small(change: Change = lambda _: None, hints: Hints | None = None) -> Model:
    """Load SMALL with something changed."""
    document = copy.deepcopy(SMALL)
    change(document)
    return load(json.dumps(document).encode(), hints)


def answers(model: Model, x: list[float], town: str = "Ulm") -> list[Any]:
    columns = {"x": np.array(x), "town": np.array([town] * len(x), dtype=object)}
    found: list[Any] = next(iter(model.score(columns).values())).tolist()
    return found


def trees(*kept_trees: dict[str, Any]) -> Change:
    return lambda model: model.update(oblivious_trees=list(kept_trees))


def loss(name: str, **classes: Any) -> Change:
    info = {"params": {"loss_function": {"type": name}}}
    return lambda model: model.update(
        model_info=info | ({"class_params": classes} if classes else {})
    )


def both(*changes: Change) -> Change:
    return lambda model: [change(model) for change in changes]


def feature(**values: Any) -> Change:
    return lambda model: model["features_info"]["float_features"][0].update(values)


def table(**values: Any) -> Change:
    return lambda model: model["ctr_data"]["by town"].update(values)


def ctr(**values: Any) -> Change:
    return lambda model: model["features_info"]["ctrs"][0].update(values)


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_the_library(name: str) -> None:
    case = kept("catboost", name)
    found = predicted(load(case.model), case.columns)
    if name in PLAIN:
        assert found.tolist() == case.predictions.tolist()
    else:  # its exp is another one
        np.testing.assert_allclose(found, case.predictions, rtol=2e-15, atol=1e-16)


def test_every_kind_of_model_is_among_those_kept() -> None:
    assert set(NAMES) > PLAIN | {"counts", "class_counts", "leafwise", "levelwise", "one_vs_all"}
    told = json.loads(kept("catboost", "counts").model)["features_info"]["ctrs"]
    parts = {part["combination_element"] for each in told for part in each["elements"]}
    assert "cat_feature_value" in parts


def test_it_is_told_by_its_first_key() -> None:
    assert recognise(kept("catboost", "number").model).name == "catboost"
    assert recognise(kept("catboost", "counts").model).name == "catboost"
    named = copy.deepcopy(SMALL)
    named["features_info"]["float_features"][0]["feature_id"] = "learner"
    assert recognise(json.dumps(named).encode()).name == "catboost"
    assert not CatboostFormat().recognises(b'{"learner": {}}')


def test_a_number_is_above_its_border_in_float32() -> None:
    just = float(np.nextafter(np.float32(2.5), np.float32(3)))
    numbers = [-1.0, -0.5, 2.5, 2.5 + 1e-9, just, np.inf, -np.inf, 1e300]
    assert answers(small(), numbers) == [1, 2, 2, 2, 4, 4, 1, 4]


@pytest.mark.parametrize(
    ("treatment", "has_nans", "expected"),
    [("AsFalse", True, 1), ("AsIs", True, 1), ("AsTrue", True, 4), ("AsTrue", False, 1)],
)
def test_a_missing_number_is_above_all_borders_or_none(
    treatment: str, has_nans: bool, expected: float
) -> None:
    model = small(feature(nan_value_treatment=treatment, has_nans=has_nans))
    assert answers(model, [np.nan]) == [expected]
    assert model.score({"town": np.array(["Ulm"], dtype=object)})["prediction"] == [expected]


def test_a_word_is_known_by_its_hash() -> None:
    model = small(trees({"splits": [split(2, "OneHotFeature")], "leaf_values": [5, 7]}))
    assert [(each.name, each.type) for each in model.inputs] == [
        ("town", "string"), ("x", "float64"),
    ]  # fmt: skip
    assert answers(model, [0.0], "Ulm") == [7]
    assert answers(model, [0.0], "Bonn") == [5]


def test_a_number_of_a_table_is_that_of_the_word() -> None:
    model = small(trees({"splits": [split(3, "OnlineCtr")], "leaf_values": [5, 7]}))
    # (0 + 0.5) / (3 + 1), (2 + 0.5) / (3 + 1), and 0.5 / 1 for what training did not see.
    assert answers(model, [0.0], "Ulm") == [5]
    assert answers(model, [0.0], "Bonn") == [7]
    assert answers(model, [0.0], "Trier") == [7]


@pytest.mark.parametrize(
    ("kind", "stride", "counts", "more", "expected"),
    [
        ("Borders", 4, (2, 3, 4), {}, 7.5 / 10),
        ("Borders", 4, (2, 3, 4), {"target_border_idx": 1}, 4.5 / 10),
        ("Buckets", 4, (2, 3, 4), {"target_border_idx": 1}, 3.5 / 10),
        ("BinarizedTargetMeanValue", 3, (2.25, 4), {}, 2.75 / 5),
        ("FloatTargetMeanValue", 3, (2.25, 4), {}, 2.75 / 5),
        ("Counter", 2, (3,), {}, 3.5 / 9),
        ("FeatureFreq", 2, (3,), {"scale": 4, "shift": 1}, (3.5 / 9 + 1) * 4),
    ],
)
def test_a_number_of_a_table_is_worked_out_as_its_type_says(
    kind: str, stride: int, counts: tuple[float, ...], more: dict[str, Any], expected: float
) -> None:
    key = str(combined(hashed("Ulm")))
    beside = float(np.float32(expected))
    for border, answer in ((beside * (1 - 1e-6), 7), (beside * (1 + 1e-6), 5)):
        change = both(
            table(hash_map=[key, *counts], hash_stride=stride, counter_denominator=8),
            ctr(ctr_type=kind, borders=[border], **more),
            trees({"splits": [split(3, "OnlineCtr")], "leaf_values": [5, 7]}),
        )
        assert answers(small(change), [0.0]) == [answer]


def test_a_table_may_be_of_combinations() -> None:
    elements = [
        {"combination_element": "cat_feature_value", "cat_feature_index": 0},
        {"combination_element": "float_feature", "float_feature_index": 0, "border": 2.5},
        {
            "combination_element": "cat_feature_exact_value", "cat_feature_index": 0,
            "value": hashed("Ulm"),
        },
    ]  # fmt: skip
    key = str(combined(hashed("Ulm"), 1, 1))
    change = both(
        table(hash_map=[key, 9, 0]),
        ctr(elements=elements),
        trees({"splits": [split(3, "OnlineCtr")], "leaf_values": [5, 7]}),
    )
    assert answers(small(change), [3.0, 2.0, np.nan]) == [5, 7, 7]


def test_trees_may_be_of_any_shape() -> None:
    inner = {"split": split(2, "OneHotFeature"), "left": {"value": 1}, "right": {"value": 2}}
    root = {"split": split(0), "left": {"value": 0.5}, "right": inner}

    def change(model: dict[str, Any]) -> None:
        del model["oblivious_trees"]
        model["trees"] = [root, {"value": 10}]

    assert answers(small(change), [-2.0, 0.0]) == [10.5, 12]
    assert answers(small(change), [0.0], "Bonn") == [11]


def test_sums_are_scaled_and_then_moved() -> None:
    model = small(lambda m: m.update(scale_and_bias=[0.1, [0.7]]))
    assert answers(model, [-1.0, 3.0]) == [1 * 0.1 + 0.7, 4 * 0.1 + 0.7]


def test_a_model_without_trees_answers_its_bias() -> None:
    assert answers(small(both(trees(), lambda m: m.update(scale_and_bias=[1, 2]))), [0.0]) == [2]


def test_leaves_may_have_a_value_for_each_class() -> None:
    several = {"splits": [split(0)], "leaf_values": [0, 3, 1, 2, 0, 1]}
    change = both(trees(several), loss("MultiClass", class_names=["a", "b", "c"]))
    change = both(change, lambda m: m.update(scale_and_bias=[1, [0, 0, 0]]))
    model = small(change)
    assert answers(model, [-2.0, 0.0]) == ["b", "a"]
    scores = model.score({"x": np.array([-2.0]), "town": np.array([""], dtype=object)})
    expected = np.exp([0, 3, 1]) / np.exp([0, 3, 1]).sum()
    found = [scores[f"probability({name})"][0] for name in "abc"]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("names", "kind", "expected"),
    [
        ([0, 1], "Integer", [0, 1]),
        ([3, 1], "Integer", ["3", "1"]),
        ([2.5, 7], "Float", ["2.5", "7.0"]),
        ([False, True], "Boolean", ["False", "True"]),
        (["no", "yes"], "String", ["no", "yes"]),
        ([], "Integer", [0, 1]),
    ],
)
def test_labels_are_the_names_of_the_classes(
    names: list[Any], kind: str, expected: list[Any]
) -> None:
    two = trees({"splits": [split(0)], "leaf_values": [-1, 1]})
    change = both(two, loss("Logloss", class_names=names, class_label_type=kind))
    assert answers(small(change), [-2.0, 0.0]) == expected


def test_labels_and_names_may_be_given() -> None:
    change = both(trees({"splits": [split(0)], "leaf_values": [-1, 1]}), loss("Logloss"))
    model = small(change, Hints(("a", "b"), ("low", "high")))
    assert [each.name for each in model.inputs] == ["a", "b"]
    assert [each.name for each in model.outputs][1:] == ["probability(low)", "probability(high)"]


def test_a_sum_of_models_tells_its_loss_elsewhere() -> None:
    told = {"loss_function": '{"type":"Poisson","params":{}}'}
    model = small(lambda m: m.update(model_info=told))
    assert model.describe().structure.facts["link"] == "exp"
    untold = small(lambda m: m.update(model_info={}))
    assert untold.describe().structure.facts["link"] == "identity"


def test_a_word_has_to_be_given() -> None:
    model = small()
    with pytest.raises(InvalidRecord, match="the input 'town' is missing"):
        model.score({"x": np.array([1.0])})
    words = np.array(["Ulm", None, 5], dtype=object)
    scores = model.score({"x": np.zeros(3), "town": words})
    assert scores.errors == {
        1: "None is no text, and 'town' has to be one",
        2: "5 is no text, and 'town' has to be one",
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (loss("RMSEWithUncertainty"), "'RMSEWithUncertainty' is not evaluated"),
        (loss("MultiLogloss"), "'MultiLogloss' is not evaluated"),
        (lambda m: m["features_info"].update(text_features=[{}]), "text and embedding features"),
        (trees({"splits": [split(0, "Estimated")], "leaf_values": [1, 2]}), "'Estimated'"),
        (ctr(ctr_type="Other"), "'Other' for categories"),
        (
            both(
                loss("Logloss"),
                lambda m: m["model_info"].update(binclass_probability_threshold="0.3"),
            ),
            "a probability threshold",
        ),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(change: Change, told: str) -> None:
    with pytest.raises(UnsupportedModel, match=told):
        small(change)


def test_the_binary_form_is_refused_with_what_to_do() -> None:
    assert recognise(b"CBM1\x00\x00").name == "catboost"
    with pytest.raises(UnsupportedModel, match="format='json'"):
        load(b"CBM1\x00\x00")


def shape(root: dict[str, Any]) -> Change:
    return lambda model: (model.pop("oblivious_trees"), model.update(trees=[root]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.pop("features_info"), "no CatBoost model"),
        (lambda m: m.pop("oblivious_trees"), "either oblivious_trees or trees"),
        (lambda m: m.update(trees=[]), "either oblivious_trees or trees"),
        (feature(flat_feature_index=0), "not numbered from 0 to 1"),
        (feature(flat_feature_index=2), "not numbered from 0 to 1"),
        (feature(nan_value_treatment="AsEver"), "'AsEver' is not known"),
        (lambda m: m.update(features_info={}), "0 features"),
        (trees({"splits": [split(4)], "leaf_values": [1, 2]}), "split 4 is no FloatFeature"),
        (trees({"splits": [split(2)], "leaf_values": [1, 2]}), "split 2 is no FloatFeature"),
        (trees({"splits": [split(0)], "leaf_values": [1, 2, 3]}), "3 values do not make 2"),
        (trees({"splits": [], "leaf_values": []}), "0 values do not make 1"),
        (trees({"splits": [split(0)] * 17, "leaf_values": [1]}), "deeper than 16"),
        (
            trees({"leaf_values": [1]}, {"leaf_values": [1, 2]}),
            "not the same number of values",
        ),
        (shape({"split": split(0), "left": {"value": 1}}), "not two children"),
        (shape({"value": None}), "has no value"),
        (
            shape({"split": split(0), "left": {"value": [1, 2]}, "right": {"value": 1}}),
            "not the same number of values",
        ),
        (lambda m: m.update(scale_and_bias=[1, [1, 2]]), "2 biases are given for 1 sums"),
        (loss("MultiClass"), "does not fit 1 values"),
        (table(hash_stride=4), "cut off"),
        (table(hash_map=["x", 1, 2]), "cannot be read"),
        (table(hash_map=["-1", 1, 2]), "cannot be read"),
        (table(hash_map=["1", 1, 2, "1", 1, 2]), "a key twice"),
        (table(hash_map=["1", "nan", 2]), "no count"),
        (ctr(ctr_type="Counter"), "does not fit a Counter"),
        (ctr(target_border_idx=1), "does not fit a Borders"),
        (ctr(identifier="another"), "no table another"),
        (
            ctr(elements=[{"combination_element": "cat_feature_value", "cat_feature_index": 1}]),
            "a feature that is not there",
        ),
    ],
)
def test_what_is_no_model_is_refused(change: Change, told: str) -> None:
    with pytest.raises(InvalidModel, match=re.escape(told)):
        small(change)


def test_names_have_to_fit() -> None:
    with pytest.raises(InvalidModel, match="1 feature names for 2 features"):
        small(hints=Hints(("a",)))


def test_tables_and_trees_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TREE_TESTS_MAX", 7)
    with pytest.raises(InvalidModel, match="8 nodes"):
        small()
    monkeypatch.setattr(limits, "CATBOOST_TABLE_ENTRIES_MAX", 8)
    with pytest.raises(InvalidModel, match="more than 8 numbers"):
        small()


def test_trees_that_are_nested_too_deep_are_refused() -> None:
    deep = b'{"split": 0, "left":' * 100_000
    with pytest.raises(InvalidModel):
        load(b'{"features_info": {}, "trees": [' + deep)


@pytest.mark.fuzz
@pytest.mark.parametrize("change", [tree_fuzz.changed_json, tree_fuzz.changed_bytes])
def test_a_changed_model_is_a_model_or_refused(change: tree_fuzz.Change) -> None:
    models = 0
    cases = [kept("catboost", name) for name in NAMES]
    for number in range(tree_fuzz.COUNT // 2):
        case, chance = cases[number % len(cases)], Random(number)
        data = change(case.model, chance)
        try:
            models += tree_fuzz.tried(CatboostFormat(), data, case.columns)
        except BaseException as error:
            raise AssertionError(f"model {number}, from {NAMES[number % len(NAMES)]}") from error
    assert models, "all were refused: the changes are too coarse"
