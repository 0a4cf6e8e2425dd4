"""Functions from the line of numbers to probabilities: inverse links and softmax.

DMG 4.4, Regression: normalization methods; General Regression: link functions.
"""

import math
import sys
from collections.abc import Callable, Sequence

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.fields.rows import in_order
from modelstream.messages import Column

# Up to so many numbers NumPy adds up one after the other along a row, as a loop does.
ADDED_IN_ORDER_MAX = 7
_EXPONENT_MAX = math.log(sys.float_info.max)  # beyond it exp(x) is infinite: NumPy warns

erf = np.vectorize(math.erf, otypes=[np.float64])


def exponential(x: Column) -> Column:
    """Return exp(x); in single precision rounded once, as the best C libraries do."""
    result: Column = np.exp(x, dtype=np.float64).astype(x.dtype, copy=False)
    return result


def logistic(x: Column) -> Column:
    """Return 1 / (1 + exp(-x))."""
    result: Column = 1.0 / (1.0 + exponential(-x))
    return result


def softmax(scores: Column) -> Column:
    """Return exp(x) over the sum of exp(x) of a row."""
    powers = exponential(scores - scores.max(axis=1, keepdims=True))
    result: Column = powers / powers.sum(axis=1, keepdims=True)
    return result


def exponential_one(x: float) -> float:
    """Return exp(x) of one number, which NumPy computes for a column to the same last bit."""
    return math.inf if x > _EXPONENT_MAX else float(np.exp(x))


def logistic_one(x: float) -> float:
    """Return 1 / (1 + exp(-x)) of one number."""
    return 1.0 / (1.0 + exponential_one(-x))


def softmax_one(scores: Sequence[float]) -> list[float]:
    """Return the softmax of one row of a few scores."""
    if any(map(math.isnan, scores)):
        return [math.nan] * len(scores)
    greatest = max(scores)
    powers = [exponential_one(score - greatest) for score in scores]
    total = in_order(powers)
    return [power / total for power in powers]


INVERSE_LINKS: dict[str, Callable[[Column], Column]] = {
    "none": lambda x: x,
    "exp": exponential,
    "logit": logistic,
    "probit": lambda x: 0.5 * (1.0 + erf(x / math.sqrt(2.0))),
    "cloglog": lambda x: 1.0 - np.exp(-np.exp(x)),
    "loglog": lambda x: np.exp(-np.exp(-x)),
    "cauchit": lambda x: 0.5 + np.arctan(x) / np.pi,
}


def link_one(
    link: Callable[[Column], Column], dtype: type[np.float32] | type[np.float64]
) -> tuple[Callable[[float], float], bool]:
    """Return a link of one number, and whether it calls NumPy in ways that can warn."""
    own = _OF_ONE.get(link) if dtype is np.float64 else None
    if own is not None:
        return own, False
    return lambda value: float(link(np.array([value], dtype))[0]), True


def inverse_link(
    name: str | None, parameter: float | None, dispersion: float | None
) -> Callable[[Column], Column]:
    """Return the inverse of a generalized linear model's link function.

    `parameter` is its linkParameter, `dispersion` its distParameter. Raises InvalidModel when the
    link is not given, or a number that it needs.
    """
    if name in _PLAIN:
        return _PLAIN[name]
    if name == "negbin":
        c = _needed(dispersion, "distParameter", name)
        return lambda x: 1.0 / (c * np.expm1(-x))
    if name == "power":
        d = _needed(parameter, "linkParameter", name)
        return np.exp if d == 0 else lambda x: x ** (1.0 / d)
    if name == "oddspower":
        d = _needed(parameter, "linkParameter", name)
        return logistic if d == 0 else lambda x: 1.0 / (1.0 + (1.0 + d * x) ** (-1.0 / d))
    raise InvalidModel(f"a generalizedLinear model needs a linkFunction, not {name!r}")


def _needed(number: float | None, attribute: str, link: str) -> float:
    if number is None:
        raise InvalidModel(f"linkFunction={link!r} needs a {attribute}")
    return number


_OF_ONE: dict[Callable[[Column], Column], Callable[[float], float]] = {
    INVERSE_LINKS["none"]: float,
    exponential: exponential_one,
    logistic: logistic_one,
    np.exp: exponential_one,
}

_PLAIN: dict[str | None, Callable[[Column], Column]] = {
    "identity": INVERSE_LINKS["none"],
    "log": np.exp,
    "logc": lambda x: 1.0 - np.exp(x),
    "logit": logistic,
    "probit": INVERSE_LINKS["probit"],
    "cloglog": INVERSE_LINKS["cloglog"],
    "loglog": INVERSE_LINKS["loglog"],
}
