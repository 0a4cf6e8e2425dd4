"""LightGBM's objectives: what is answered, given the sums (`ObjectiveFunction::ConvertOutput`)."""

import math
from dataclasses import dataclass

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.trees.ensemble import Link

_LINKS: dict[str, Link] = {
    **dict.fromkeys(
        (
            "custom", "regression", "regression_l1", "huber", "fair", "quantile", "mape",
            "lambdarank", "rank_xendcg",
        ),
        "identity",
    ),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multiclassova": "one_vs_all",
    "cross_entropy": "logistic",
    "cross_entropy_lambda": "log1p_exp",
}  # fmt: skip
_WITH_SQRT = frozenset({"regression", "regression_l1", "huber", "fair", "quantile", "mape"})
_CLASSES = frozenset({"multiclass", "multiclassova"})


@dataclass(frozen=True, slots=True)
class Objective:
    """What a model was trained for, and what becomes of its sums."""

    name: str
    link: Link
    scale: float


def read_objective(text: str, sums: int) -> Objective:
    """Read `binary sigmoid:1`; of a custom objective nothing is told, and the sums are answered.

    Raises InvalidModel, UnsupportedModel.
    """
    name, *options = text.split() or ["custom"]
    if name not in _LINKS:
        raise UnsupportedModel(
            f"objective {name!r} is not evaluated; known are {', '.join(sorted(_LINKS))}"
        )
    told = dict(option.partition(":")[::2] for option in options)
    link = _LINKS[name]
    if name in _CLASSES:
        if told.get("num_class") != str(sums):
            raise InvalidModel(f"objective {text!r} does not fit {sums} trees an iteration")
    elif name != "custom" and sums != 1:
        raise InvalidModel(f"objective {name!r} has one tree an iteration, not {sums}")
    if "sqrt" in told and name in _WITH_SQRT:
        link = "sqrt_signed"
    scale = _positive(told.get("sigmoid", "1")) if link in {"sigmoid", "one_vs_all"} else 1.0
    return Objective(name, link, scale)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise InvalidModel(f"sigmoid is {text!r}, where a number should be") from error
    if not 0 < number < math.inf:
        raise InvalidModel(f"sigmoid is {text}, which is not above 0")
    return number
