"""LightGBM models give what LightGBM gives, and what is no such model is refused."""

import re
from random import Random

import numpy as np
import pytest

from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.formats import limits, recognise
from modelstream.formats.base import Hints, Model
from modelstream.formats.lightgbm import LightgbmFormat
from modelstream.messages import Column
from tests.support import tree_fuzz, tree_models
from tests.support.tree_models import kept, predicted

NAMES = tree_models.names("lightgbm")
# Where the link is not the identity, and its exp is not NumPy's to the last place.
CURVED = {
    "binary", "cross_entropy", "cross_entropy_lambda", "forest", "gamma", "multiclass",
    "multiclassova", "poisson", "steep", "tweedie",
}  # fmt: skip

# Two tests on `x` and `c`: up to 1.5 or missing to the left, then the categories 1 and 33.
SMALL = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=x c
feature_infos=[0:3] 0:1:33
tree_sizes=SIZES

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
threshold=1.5 0
decision_type=10 1
left_child=-1 -2
right_child=1 -3
leaf_value=10 20 30
cat_boundaries=0 2
cat_threshold=2 2
is_linear=0


Tree=1
num_leaves=1
num_cat=0
leaf_value=0.25


end of trees

parameters:
[objective: regression]
end of parameters

pandas_categorical:null
"""


def load(text: str | bytes, hints: Hints | None = None) -> Model:
    data = text.encode() if isinstance(text, str) else text
    return LightgbmFormat().load(LightgbmFormat().lower(data, hints or Hints()))


def small(old: str = "", new: str = "", hints: Hints | None = None) -> Model:
    """Load SMALL with something replaced in it."""
    assert old in SMALL
    return load(tree_fuzz.sized(SMALL.replace(old, new, 1) if old else SMALL), hints)


def answers(model: Model, x: list[float], c: list[float]) -> list[float]:
    found: list[float] = model.score({"x": np.array(x), "c": np.array(c)})["prediction"].tolist()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_the_library(name: str) -> None:
    case = kept("lightgbm", name)
    found = predicted(load(case.model), case.columns)
    if found.ndim > case.predictions.ndim:  # the library tells the second class's chance alone
        np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-15)
        found = found[:, 1]
    if name in CURVED:
        np.testing.assert_allclose(found, case.predictions, rtol=1e-15)
    else:
        assert found.tolist() == case.predictions.tolist()


def test_every_kind_of_model_is_among_those_kept() -> None:
    assert set(NAMES) > CURVED | {"sets", "zero", "constant", "unnamed"}


def test_it_is_told_by_its_first_line() -> None:
    assert recognise(kept("lightgbm", "binary").model).name == "lightgbm"
    assert not LightgbmFormat().recognises(b"trees\n")


def test_a_number_goes_left_up_to_its_threshold() -> None:
    above = float(np.nextafter(1.5, 2))
    assert answers(small(), [1.5, above, -np.inf, np.inf], [0.0] * 4) == [
        10.25, 30.25, 10.25, 30.25,
    ]  # fmt: skip


def test_a_category_goes_left_if_its_bit_is_set() -> None:
    codes = [0.0, 1.0, 33.0, 1.9, 34.0, 64.0, -1.0, -0.5, 1e12, np.nan]
    expected = [30.25, 20.25, 20.25, 20.25, 30.25, 30.25, 30.25, 30.25, 30.25, 30.25]
    assert answers(small(), [2.0] * len(codes), codes) == expected


@pytest.mark.parametrize(
    ("decision", "missing", "zero"),
    [
        ("10", 10.25, 10.25),  # NaN is missing and goes left
        ("8", 30.25, 10.25),  # NaN is missing and goes right
        ("2", 10.25, 10.25),  # nothing is missing: NaN is 0
        ("6", 10.25, 10.25),  # a zero is missing, too, and goes left
        ("4", 30.25, 30.25),  # and right
    ],
)
def test_what_is_missing_goes_where_the_test_says(
    decision: str, missing: float, zero: float
) -> None:
    model = small("decision_type=10", f"decision_type={decision}")
    tiny = limits.LIGHTGBM_ZERO
    found = answers(model, [np.nan, 0.0, tiny, -tiny], [0.0] * 4)
    assert found == [missing, zero, zero, zero]


def test_what_the_library_takes_for_zero_is_on_the_side_of_zero() -> None:
    tiny = limits.LIGHTGBM_ZERO
    over = float(np.nextafter(tiny, 1))
    numbers = [-over, -tiny, 0.0, tiny, over]
    below = small("threshold=1.5", "threshold=-1e-36")
    assert answers(below, numbers, [0.0] * 5) == [10.25, 30.25, 30.25, 30.25, 30.25]
    above = small("threshold=1.5", "threshold=0")
    assert answers(above, numbers, [0.0] * 5) == [10.25, 10.25, 10.25, 10.25, 30.25]


def test_labels_and_names_may_be_given() -> None:
    case = kept("lightgbm", "multiclass")
    hints = Hints(("a", "b", "c", "d", "e"), ("low", "middle", "high"))
    model = load(case.model, hints)
    assert [each.name for each in model.inputs] == ["a", "b", "c", "d", "e"]
    assert [each.name for each in model.outputs][:2] == ["label", "probability(low)"]
    columns = dict(zip("abcde", case.columns.values(), strict=True))
    best = case.predictions.argmax(axis=1)
    assert model.score(columns)["label"].tolist() == [hints.labels[at] for at in best]


def test_words_are_known_by_their_place_and_others_are_missing() -> None:
    text = SMALL.replace("null", '[["b", "a", "", "Ä"]]')
    model = load(tree_fuzz.sized(text))
    assert [field.type for field in model.inputs] == ["float64", "string"]
    words = np.array(["a", "b", "other", None], dtype=object)
    scores = model.score({"x": np.full(4, 2.0), "c": words})
    assert scores["prediction"].tolist() == [20.25, 30.25, 30.25, 30.25]
    assert not scores.errors


def test_categories_that_are_numbers_are_known_by_their_place() -> None:
    text = SMALL.replace("null", "[[30, 7, -1.5]]")
    model = load(tree_fuzz.sized(text))
    found = answers(model, [2.0] * 5, [7.0, 30.0, -1.5, 1.0, np.nan])
    assert found == [20.25, 30.25, 30.25, 30.25, 30.25]


def test_a_model_without_an_objective_answers_its_sums() -> None:
    assert answers(small("objective=regression\n", ""), [1.0], [0.0]) == [10.25]
    assert small("objective=regression\n", "").describe().structure.facts["objective"] == "custom"


def test_models_without_the_sizes_of_trees_are_read() -> None:
    assert answers(load(SMALL.replace("tree_sizes=SIZES\n", "")), [1.0], [0.0]) == [10.25]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("is_linear=0", "is_linear=1", "linear models in their leaves"),
        ("objective=regression", "objective=mine", "objective 'mine' is not evaluated"),
        ("split_feature=0 1", "split_feature=1 1", "a number for one tree and a category"),
        ("null", "[[1], [2]]", "which are which is not told"),
        ("null", '[["a", 1]]', "both texts and numbers"),
        ("null", "[[true]]", "booleans"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(old: str, new: str, told: str) -> None:
    with pytest.raises(UnsupportedModel, match=told):
        small(old, new)


def test_zeros_that_are_missing_for_some_trees_only_are_refused() -> None:
    more = SMALL[SMALL.index("Tree=0") : SMALL.index("Tree=1")].replace("Tree=0", "Tree=2")
    more = more.replace("decision_type=10", "decision_type=6")
    with pytest.raises(UnsupportedModel, match="one zero_as_missing"):
        small("end of trees", more + "end of trees")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tree\n", "tre\n", "begins with a line"),
        ("end of trees", "", "cut off"),
        ("Tree=1", "Tree=2", "is called '2'"),
        ("num_leaves=3", "num_leaves=4", "has 2 entries, not 3"),
        ("num_leaves=3", "num_leaves=0", "num_leaves of a tree is 0"),
        ("num_leaves=3", "num_leaves=x", "cannot be read"),
        ("num_leaves=3\n", "", "no num_leaves"),
        ("left_child=-1", "left_child=-4", "a child that is not there"),
        ("left_child=-1", "left_child=0", "reached twice"),
        ("left_child=-1", "left_child=-3", "reached twice"),
        ("split_feature=0", "split_feature=2", "a feature that is not there"),
        ("decision_type=10", "decision_type=12", "bits that are not known"),
        ("threshold=1.5 0", "threshold=1.5 1", "do not fit each other"),
        ("threshold=1.5 0", "threshold=1.5 1e999", "do not fit each other"),
        ("threshold=1.5 0", "threshold=1.5 0.5", "do not fit each other"),
        ("threshold=1.5 0", "threshold=nan 0", "not a number"),
        ("cat_boundaries=0 2", "cat_boundaries=0 3", "do not fit each other"),
        ("cat_threshold=2 2", "cat_threshold=2 4294967296", "do not fit each other"),
        ("num_cat=1", "num_cat=0", "num_cat of a tree is 0"),
        ("leaf_value=10", "leaf_value=ten", "cannot be read"),
        ("max_feature_idx=1", "max_feature_idx=2", "2 feature names"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=2", "one tree an iteration"),
        ("objective=regression", "objective=multiclass num_class:3", "does not fit 1 trees"),
        ("objective=regression", "objective=binary sigmoid:0", "not above 0"),
        ("objective=regression", "objective=binary sigmoid:x", "where a number should be"),
        ("null", "[[", "cannot be read"),
    ],
)
def test_what_is_no_model_is_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(InvalidModel, match=re.escape(told)):
        small(old, new)


def test_trees_of_other_sizes_than_told_are_refused() -> None:
    text = tree_fuzz.sized(SMALL).replace("leaf_value=10 ", "leaf_value=1 ")
    with pytest.raises(InvalidModel, match="not of the sizes"):
        load(text)
    with pytest.raises(InvalidModel, match="other line ends"):
        load("tree\n" + tree_fuzz.sized(SMALL).removeprefix("tree\n").replace("\n", "\r\n"))


def test_sets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TREE_MEMBERS_MAX", 1)
    with pytest.raises(InvalidModel, match="more than 1 members"):
        small()
    monkeypatch.setattr(limits, "LIGHTGBM_SET_WORDS_MAX", 1)
    with pytest.raises(InvalidModel, match="2 words, 1 are allowed"):
        small()


def test_a_column_that_holds_no_numbers_is_refused() -> None:
    words: Column = np.array(["one"], dtype=object)
    with pytest.raises(InvalidRecord, match="'x' does not hold numbers"):
        small().score({"x": words})


@pytest.mark.fuzz
@pytest.mark.parametrize("change", [tree_fuzz.changed_text, tree_fuzz.changed_bytes])
def test_a_changed_model_is_a_model_or_refused(change: tree_fuzz.Change) -> None:
    models = 0
    cases = [kept("lightgbm", name) for name in NAMES]
    for number in range(tree_fuzz.COUNT // 2):
        case, chance = cases[number % len(cases)], Random(number)
        data = change(case.model, chance)
        try:
            models += tree_fuzz.tried(LightgbmFormat(), data, case.columns)
        except BaseException as error:
            raise AssertionError(f"model {number}, from {NAMES[number % len(NAMES)]}") from error
    assert models, "all were refused: the changes are too coarse"
