"""The lowered form of a boosted or averaged ensemble: inputs, trees, what leaves add, the link.

It is what the readers of the tree libraries' own files produce; `boosted.py` runs it.
"""

from typing import Literal

import msgspec

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.trees.arrays import Trees
from modelstream.formats.trees.lookups import Lookup

VERSION = 1

Link = Literal[
    "identity", "exp", "sqrt_signed", "log1p_exp", "logistic", "sigmoid", "softmax", "one_vs_all"
]


class EnsembleInput(msgspec.Struct, kw_only=True, frozen=True):
    """One feature.

    With `categories` it is a text, with `numbers` a number, known by its position there; any other
    is refused, or missing where `unknown_is_missing`. With `hashed` it is a text known by its hash,
    and is needed. `single` rounds a number to float32, `whole` cuts its fraction off,
    `zero_is_missing` drops zeros (to within 1e-35), `missing_is_zero` takes a missing number for 0
    and `missing_is_infinite` for infinity.
    """

    name: str
    categories: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    unknown_is_missing: bool = False
    hashed: bool = False
    single: bool = False
    whole: bool = False
    zero_is_missing: bool = False
    missing_is_zero: bool = False
    missing_is_infinite: bool = False


class Ensemble(msgspec.Struct, kw_only=True, frozen=True):
    """Trees that add to `groups` sums; the link makes of these what is answered.

    The sum of a group begins with its `base` and takes its trees in their order, in float32
    where `single`; `average` divides it by their number. Without trees the base is the answer.
    With `vector`, leaves add to all sums: each has a value a sum, and trees have no group. In the
    end `factor` multiplies the sums, and `bias` is added. Trees read the inputs, then the columns
    of the `lookups`.
    """

    version: int
    producer: str  # the library, for people
    objective: str
    inputs: tuple[EnsembleInput, ...]
    trees: Trees | None
    leaf_values: bytes  # float64 a leaf
    group: bytes  # int32 a tree
    base: tuple[float, ...]
    single: bool
    link: Link
    scale: float = 1.0
    average: bool = False
    labels: tuple[str, ...] = ()
    vector: bool = False
    factor: float = 1.0
    bias: tuple[float, ...] = ()
    lookups: tuple[Lookup, ...] = ()


def classes_of(ensemble: Ensemble) -> int:
    """Return how many classes are told apart; 0 where the answer is a number."""
    match ensemble.link:
        case "sigmoid":
            return 2
        case "softmax" | "one_vs_all":
            return len(ensemble.base)
        case _:
            return 0


def check_ensemble(ensemble: Ensemble) -> None:
    """Raise InvalidModel unless inputs and outputs can be told by their names."""
    names, labels, classes = (
        [x.name for x in ensemble.inputs],
        ensemble.labels,
        classes_of(ensemble),
    )
    if not 1 <= len(names) <= limits.TREE_FEATURES_MAX:
        raise InvalidModel(f"{len(names)} features; 1 to {limits.TREE_FEATURES_MAX} are allowed")
    if len(set(names)) < len(names):
        raise InvalidModel("two features have the same name; give them feature_names")
    if not ensemble.base or (ensemble.link == "sigmoid" and len(ensemble.base) != 1):
        raise InvalidModel(f"{len(ensemble.base)} sums do not fit the link {ensemble.link}")
    if classes and labels and len(labels) != classes:
        raise InvalidModel(f"{len(labels)} labels are given for {classes} classes")
    if len(set(labels)) < len(labels):
        raise InvalidModel("two classes have the same label")


def encode_ensemble(ensemble: Ensemble) -> bytes:
    """Return the lowered form. Raises InvalidModel."""
    check_ensemble(ensemble)
    return msgspec.msgpack.encode(ensemble)
