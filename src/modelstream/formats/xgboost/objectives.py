"""XGBoost's objectives: what is answered, and how the base score is to be taken.

The base score is saved as a prediction, and becomes the beginning of the sums through the inverse
of the link (`ProbToMargin` in XGBoost's own words), in float32 as there.
"""

from collections.abc import Sequence

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.trees.ensemble import Link

_IDENTITY = frozenset(
    {
        "reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror",
        "reg:quantileerror", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear",
    }
)  # fmt: skip
_LINKS: dict[str, Link] = {
    **dict.fromkeys(_IDENTITY, "identity"),
    **dict.fromkeys(
        ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"), "exp"
    ),
    "binary:logistic": "sigmoid",
    "binary:logitraw": "identity",
    "reg:logistic": "logistic",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
}
_LOGIT = frozenset({"binary:logistic", "reg:logistic"})


def link_of(objective: str) -> Link:
    """Return what the sums become. Raises UnsupportedModel."""
    if objective not in _LINKS:
        raise UnsupportedModel(
            f"objective {objective!r} is not evaluated; known are {', '.join(sorted(_LINKS))}"
        )
    return _LINKS[objective]


def margins(objective: str, scores: Sequence[float]) -> tuple[float, ...]:
    """Return where the sums begin. Raises InvalidModel."""
    scale = np.array(scores, np.float32)
    one = np.float32(1)
    if objective in _LOGIT:
        if not ((scale > 0) & (scale < 1)).all():
            raise InvalidModel(f"base_score {scores} of {objective} is not between 0 and 1")
        return tuple((-np.log(one / scale - one)).tolist())
    if _LINKS[objective] == "exp":
        if not (scale > 0).all():
            raise InvalidModel(f"base_score {scores} of {objective} is not above 0")
        return tuple(np.log(scale).tolist())
    return tuple(scale.tolist())
