"""Distributions with a closed form (PFA 0.8.1, prob.dist.*): densities, shares and quantiles."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.operators import divide
from modelstream.formats.pfa.library import LibraryFunction, plain

_NORMAL = "params: A{mean: double, variance: double}"


def _check(holds: bool, code: int) -> None:
    if not holds:
        raise Fault("invalid parameterization", code)


def _normal(
    rule: Callable[[float, float, float], float], code: int, *, quantile: bool
) -> Callable[..., float]:
    """Return a rule that takes a mean and a deviation, or a record with a mean and a variance."""

    def checked(x: float, known: Any, sigma: float | None = None) -> float:
        mu = known if sigma is not None else known["mean"]
        if sigma is None:
            _check(known["variance"] >= 0.0, code)
            sigma = math.sqrt(known["variance"])
        _check(math.isfinite(mu) and math.isfinite(sigma) and sigma >= 0.0, code)
        if not (0.0 <= x <= 1.0 if quantile else math.isfinite(x)):
            raise Fault("invalid input", code + 1)
        return rule(x, mu, sigma)

    return checked


def _normal_ll(x: float, mu: float, sigma: float) -> float:
    if sigma == 0.0:
        return math.inf if x == mu else -math.inf
    scale = math.log(sigma * math.sqrt(2.0 * math.pi))
    return divide(-((x - mu) * (x - mu)), 2.0 * sigma * sigma) - scale


def _normal_cdf(x: float, mu: float, sigma: float) -> float:
    if sigma == 0.0:
        return 0.0 if x < mu else 1.0
    return 0.5 * (1.0 + math.erf((x - mu) / (sigma * math.sqrt(2.0))))


def _normal_qf(p: float, mu: float, sigma: float) -> float:
    if p in {0.0, 1.0}:
        return math.inf if p else -math.inf
    return mu if sigma == 0.0 else NormalDist(mu, sigma).inv_cdf(p)


def _exponential_pdf(x: float, rate: float) -> float:
    _check(not rate < 0.0, 13030)
    return 0.0 if x < 0.0 else float(rate * np.exp(-rate * x))


def _exponential_cdf(x: float, rate: float) -> float:
    _check(not rate < 0.0, 13040)
    return 0.0 if x <= 0.0 else float(1.0 - np.exp(-rate * x))


def _uniform_pdf(x: float, low: float, high: float) -> float:
    _check(not low >= high, 13330)
    return 1.0 / (high - low) if low <= x <= high else 0.0


def _uniform_cdf(x: float, low: float, high: float) -> float:
    _check(not low >= high, 13340)
    return min(max(divide(x - low, high - low), 0.0), 1.0)


def _cauchy_pdf(x: float, location: float, scale: float) -> float:
    _check(not scale <= 0.0, 13180)
    apart = (x - location) / scale
    return 1.0 / (math.pi * scale * (1.0 + apart * apart))


def _cauchy_cdf(x: float, location: float, scale: float) -> float:
    _check(not scale <= 0.0, 13190)
    return 0.5 + math.atan2(x - location, scale) / math.pi


def _exponential_qf(p: float, rate: float) -> float:
    _check(not rate < 0.0, 13050)
    return _tail(p) / rate if p > 0.0 and rate > 0.0 else (0.0 if p == 0.0 else math.inf)


def _uniform_qf(p: float, low: float, high: float) -> float:
    _check(not low >= high, 13350)
    return low + p * (high - low)


def _cauchy_qf(p: float, location: float, scale: float) -> float:
    _check(not scale <= 0.0, 13200)
    if p in {0.0, 1.0}:
        return math.inf if p else -math.inf
    return location + scale * math.tan(math.pi * (p - 0.5))


def _tail(p: float) -> float:
    """Return how many mean lifetimes pass until a share p is gone."""
    return math.inf if p == 1.0 else -math.log1p(-p)


def _lognormal_pdf(x: float, mean: float, sd: float) -> float:
    _check(sd > 0.0, 13240)
    if x <= 0.0:
        return 0.0
    apart = (math.log(x) - mean) / sd
    return divide(math.exp(-apart * apart / 2.0), x * sd * math.sqrt(2.0 * math.pi))


def _lognormal_cdf(x: float, mean: float, sd: float) -> float:
    _check(sd > 0.0, 13250)
    return 0.0 if x <= 0.0 else _normal_cdf(math.log(x), mean, sd)


def _lognormal_qf(p: float, mean: float, sd: float) -> float:
    _check(sd > 0.0, 13260)
    return float(np.exp(_normal_qf(p, mean, sd)))


def _weibull_pdf(x: float, shape: float, scale: float) -> float:
    _check(shape > 0.0 and scale > 0.0, 13420)
    if x < 0.0:
        return 0.0
    if x == 0.0:
        return 0.0 if shape > 1.0 else 1.0 / scale if shape == 1.0 else math.nan
    part = np.float64(x / scale)
    return float(shape / scale * part ** (shape - 1.0) * np.exp(-(part**shape)))


def _weibull_cdf(x: float, shape: float, scale: float) -> float:
    _check(shape > 0.0 and scale > 0.0, 13430)
    return 0.0 if x < 0.0 else float(1.0 - np.exp(-(np.float64(x / scale) ** shape)))


def _weibull_qf(p: float, shape: float, scale: float) -> float:
    _check(shape > 0.0 and scale > 0.0, 13440)
    return float(scale * np.float64(_tail(p)) ** (1.0 / shape))


def _geometric_pdf(x: float, chance: float) -> float:
    _check(0.0 < chance <= 1.0, 13360)
    return 0.0 if x < 0 else chance * (1.0 - chance) ** x


def _geometric_cdf(x: float, chance: float) -> float:
    _check(0.0 < chance <= 1.0, 13370)
    return 0.0 if x < 0.0 else 1.0 - (1.0 - chance) ** (math.floor(x) + 1.0)


def _geometric_qf(p: float, chance: float) -> float:
    _check(0.0 < chance <= 1.0, 13380)
    if p == 1.0:
        return math.inf
    return 0.0 if chance == 1.0 else float(np.floor(_tail(p) / _tail(chance)))


def _poisson_pdf(x: float, rate: float) -> float:
    _check(rate >= 0.0, 13090)
    if x < 0 or rate == 0.0:
        return float(x == 0)
    return math.exp(x * math.log(rate) - rate - math.lgamma(x + 1.0))


def _normal_functions(
    name: str, code: int, first: str, rule: Callable[[float, float, float], float]
) -> LibraryFunction:
    return plain(
        f"prob.dist.gaussian{name}",
        f"({first}: double, mu: double, sigma: double) -> double",
        f"({first}: double, {_NORMAL}) -> double",
        rule=_normal(rule, code, quantile=first == "p"),
    )


def _finite(rule: Callable[..., float], code: int, *, quantile: bool) -> Callable[..., float]:
    """Return the same rule, which faults at what is no number, or no share."""

    def checked(x: float, *params: float) -> float:
        _check(all(map(math.isfinite, params)), code)
        if not (0.0 <= x <= 1.0 if quantile else math.isfinite(x)):
            # What is wrong with the parameters is told first.
            rule(0.0, *params)
            raise Fault("invalid input", code + 1)
        return rule(x, *params)

    return checked


def _of_numbers(name: str, params: str, code: int, rule: Callable[..., float]) -> LibraryFunction:
    first, *rest = params.split()
    kind = "int" if first == "count" else "double"
    names = ", ".join([f"{first}: {kind}", *(f"{param}: double" for param in rest)])
    checked = _finite(rule, code, quantile=first == "p")
    return plain(f"prob.dist.{name}", f"({names}) -> double", rule=checked)


FUNCTIONS: tuple[LibraryFunction, ...] = (
    _normal_functions("LL", 13000, "x", _normal_ll),
    _normal_functions("CDF", 13010, "x", _normal_cdf),
    _normal_functions("QF", 13020, "p", _normal_qf),
    _of_numbers("exponentialPDF", "x lambda", 13030, _exponential_pdf),
    _of_numbers("exponentialCDF", "x lambda", 13040, _exponential_cdf),
    _of_numbers("uniformPDF", "x min max", 13330, _uniform_pdf),
    _of_numbers("uniformCDF", "x min max", 13340, _uniform_cdf),
    _of_numbers("cauchyPDF", "x location scale", 13180, _cauchy_pdf),
    _of_numbers("cauchyCDF", "x location scale", 13190, _cauchy_cdf),
    _of_numbers("exponentialQF", "p lambda", 13050, _exponential_qf),
    _of_numbers("uniformQF", "p min max", 13350, _uniform_qf),
    _of_numbers("cauchyQF", "p location scale", 13200, _cauchy_qf),
    _of_numbers("lognormalPDF", "x meanlog sdlog", 13240, _lognormal_pdf),
    _of_numbers("lognormalCDF", "x meanlog sdlog", 13250, _lognormal_cdf),
    _of_numbers("lognormalQF", "p meanlog sdlog", 13260, _lognormal_qf),
    _of_numbers("weibullPDF", "x shape scale", 13420, _weibull_pdf),
    _of_numbers("weibullCDF", "x shape scale", 13430, _weibull_cdf),
    _of_numbers("weibullQF", "p shape scale", 13440, _weibull_qf),
    _of_numbers("geometricPDF", "count prob", 13360, _geometric_pdf),
    _of_numbers("geometricCDF", "x prob", 13370, _geometric_cdf),
    _of_numbers("geometricQF", "p prob", 13380, _geometric_qf),
    _of_numbers("poissonPDF", "count lambda", 13090, _poisson_pdf),
)
