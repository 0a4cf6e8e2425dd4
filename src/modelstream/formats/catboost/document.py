"""What stands in CatBoost's JSON model (`ConvertModelToJson`), as far as an answer depends on it."""

from typing import Annotated, TypeVar

import msgspec

from modelstream.errors import InvalidModel

_Text = Annotated[str, msgspec.Meta(max_length=1_000)]
_Index = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
_Hash = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
_Kind = TypeVar("_Kind")


class FloatFeature(msgspec.Struct):
    """A number, and the borders that tests compare it with."""

    flat_feature_index: _Index
    feature_index: _Index
    borders: list[float] | None = None
    feature_id: _Text = ""
    has_nans: bool = False
    nan_value_treatment: str = "AsIs"


class CategoricalFeature(msgspec.Struct):
    """A text, and the hashes that tests compare that of it with."""

    flat_feature_index: _Index
    feature_index: _Index
    values: list[_Hash] | None = None
    feature_id: _Text = ""


class Element(msgspec.Struct):
    """A part of what a table is asked for: which of the three, says `combination_element`."""

    combination_element: str
    cat_feature_index: _Index = 0
    float_feature_index: _Index = 0
    border: float = 0.0
    value: _Hash = 0


class Ctr(msgspec.Struct):
    """A number that a table gives for categories, and the borders that tests compare it with."""

    identifier: str
    ctr_type: str
    elements: list[Element]
    borders: list[float] | None = None
    prior_numerator: float = 0.0
    prior_denomerator: float = 1.0
    shift: float = 0.0
    scale: float = 1.0
    target_border_idx: _Index = 0


class Features(msgspec.Struct):
    """All features, by kind."""

    float_features: list[FloatFeature] | None = None
    categorical_features: list[CategoricalFeature] | None = None
    text_features: list[msgspec.Raw] | None = None
    embedding_features: list[msgspec.Raw] | None = None
    ctrs: list[Ctr] | None = None


class CtrTable(msgspec.Struct):
    """A table: `hash_stride` entries a key, the hash first, then counts."""

    hash_map: list[str | int | float]
    hash_stride: _Index
    counter_denominator: _Index = 0


class Split(msgspec.Struct):
    """A test: the number of it, counted over all borders and values of all features."""

    split_index: _Index
    split_type: str


class SymmetricTree(msgspec.Struct):
    """A tree whose tests are the same all over a level; the first makes the lowest bit."""

    leaf_values: list[float]
    splits: list[Split] | None = None


class Node(msgspec.Struct):
    """A test with two children, or a leaf with its value."""

    split: Split | None = None
    left: "Node | None" = None
    right: "Node | None" = None
    value: float | list[float] | None = None


class Loss(msgspec.Struct):
    """What a model was trained for."""

    type: str


class Params(msgspec.Struct):
    """How it was trained."""

    loss_function: Loss | None = None


class ClassParams(msgspec.Struct):
    """The classes, by index."""

    class_names: list[str | int | float | bool] = []
    class_label_type: str = "String"


class Info(msgspec.Struct):
    """Where the model comes from. A sum of models has its loss as a text."""

    params: Params | None = None
    class_params: ClassParams | None = None
    loss_function: str = ""
    catboost_version_info: str = ""
    binclass_probability_threshold: str = ""


class Document(msgspec.Struct):
    """A saved model."""

    features_info: Features
    model_info: Info = msgspec.field(default_factory=Info)
    oblivious_trees: list[SymmetricTree] | None = None
    trees: list[Node] | None = None
    scale_and_bias: tuple[float, float | list[float]] = (1.0, 0.0)
    ctr_data: dict[str, CtrTable] | None = None


def read_document(data: bytes) -> Document:
    """Read a saved model. Raises InvalidModel."""
    return _read(data, Document)


def loss_of(info: Info) -> str:
    """Return the name of the loss function; empty where it is not told. Raises InvalidModel."""
    if info.params is not None and info.params.loss_function is not None:
        return info.params.loss_function.type
    return _read(info.loss_function.encode(), Loss).type if info.loss_function else ""


def _read(data: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidModel(f"this is no CatBoost model saved as JSON: {error}") from error
