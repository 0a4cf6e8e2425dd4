"""What stands in XGBoost's JSON model (its `doc/model.schema`), as far as an answer depends on it."""

from typing import Annotated

import msgspec

from modelstream.errors import InvalidModel

Flags = list[int | bool]
_Text = Annotated[str, msgspec.Meta(max_length=1_000)]


class TreeParam(msgspec.Struct):
    """Sizes of one tree; numbers are texts."""

    num_nodes: str
    size_leaf_vector: str = "1"


class Tree(msgspec.Struct):
    """One tree, its nodes in columns; a node without children is a leaf."""

    tree_param: TreeParam
    left_children: list[int]
    right_children: list[int]
    split_indices: list[int]
    split_conditions: list[float]
    default_left: Flags
    split_type: list[int] = []
    categories: list[int] = []
    categories_nodes: list[int] = []
    categories_segments: list[int] = []
    categories_sizes: list[int] = []


class Encoding(msgspec.Struct):
    """The categories of one feature: texts as UTF-8 with offsets, or numbers; none of others."""

    offsets: list[int] = []
    values: list[int] = []


class Categories(msgspec.Struct):
    """The categories of all features."""

    enc: list[Encoding] = []


class Trees(msgspec.Struct):
    """The trees in their order, and which sum each adds to."""

    trees: list[Tree]
    tree_info: list[int]
    cats: Categories = msgspec.field(default_factory=Categories)


class Booster(msgspec.Struct):
    """`gbtree`, or `dart` around one, with a weight a tree."""

    name: str
    model: Trees | None = None
    gbtree: "Booster | None" = None
    weight_drop: list[float] = []


class ModelParam(msgspec.Struct):
    """Sizes of the model; numbers are texts, `base_score` one or a list of them."""

    base_score: str
    num_class: str = "0"
    num_feature: str = "0"
    num_target: str = "1"


class Objective(msgspec.Struct):
    """What it was trained for."""

    name: str


class Learner(msgspec.Struct):
    """The model."""

    gradient_booster: Booster
    learner_model_param: ModelParam
    objective: Objective
    feature_names: list[_Text] = []
    feature_types: list[_Text] = []


class Document(msgspec.Struct):
    """A saved model."""

    learner: Learner
    version: tuple[int, int, int]


_DECODE_DOCUMENT = msgspec.json.Decoder(Document).decode


def read_document(data: bytes) -> Document:
    """Read a saved model. Raises InvalidModel."""
    try:
        return _DECODE_DOCUMENT(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidModel(f"this is no XGBoost model saved as JSON: {error}") from error
