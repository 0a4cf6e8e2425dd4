"""Tests of what was predicted (PFA 0.8.1, stat.test.*, and their old names in model.reg.*)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.operators import divide
from modelstream.formats.pfa.functions.regressions import mahalanobis
from modelstream.formats.pfa.library import LibraryFunction, Rule, plain
from modelstream.formats.pfa.values import Struct


def _pairs(code: int, *vectors: Any) -> list[tuple[Any, ...]]:
    """Return what belongs together of some arrays or maps, the keys of maps first."""
    first = vectors[0]
    names = ("prediction", "uncertainty")
    for at, other in enumerate(vectors[1:]):
        same = first.keys() == other.keys() if isinstance(first, dict) else len(first) == len(other)
        if not same:
            raise Fault(f"misaligned {names[at]}", code + at)
    if isinstance(first, dict):
        return [(key, *(each[key] for each in vectors)) for key in first]
    return list(zip(range(len(first)), *vectors, strict=True))


def _of_pairs(code: int, function: Callable[..., float]) -> Rule:
    def rule(*vectors: Any) -> Any:
        if isinstance(vectors[0], float):
            return function(*vectors)
        found = {key: function(*rest) for key, *rest in _pairs(code, *vectors)}
        return found if isinstance(vectors[0], dict) else list(found.values())

    return rule


def _update_chi2(count: str) -> Rule:
    def rule(pull: Any, state: Struct) -> Struct:
        pulls = pull.values() if isinstance(pull, dict) else [pull] if type(pull) is float else pull
        found = state["chi2"]
        for each in pulls:
            found += each * each
        return state.replaced(**{"chi2": found, count: state[count] + 1})

    return rule


def _kolmogorov(x: list[float], y: list[float]) -> float:
    """Return how likely two samples are of one distribution (Kolmogorov-Smirnov)."""
    one = sorted(each for each in x if not math.isnan(each))
    other = sorted(each for each in y if not math.isnan(each))
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    points = np.array([*one, *other])
    shares = [np.searchsorted(each, points, side="right") / len(each) for each in (one, other)]
    apart = float(np.abs(shares[0] - shares[1]).max())
    size = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    z = (size + 0.12 + 0.11 / size) * apart
    terms = (math.exp(-((2.0 * at - 1.0) ** 2) * math.pi**2 / (8.0 * z**2)) for at in range(1, 150))
    return 1.0 - math.sqrt(2.0 * math.pi) / z * sum(terms)


def _vectors(params: str, result: str = "{}") -> tuple[str, ...]:
    """Return the signatures of a function of numbers, of arrays and of maps of them."""
    names = params.split()
    return tuple(
        f"({', '.join(f'{name}: {kind}' for name in names)}) -> {result.format(kind)}"
        for kind in ("double", "[double]", "{double}")
    )


def _tests(
    prefix: str, codes: tuple[int, int], dof: str, state: str
) -> tuple[LibraryFunction, ...]:
    """Return the tests that stand under two names; `codes` are those of pull and mahalanobis."""
    kind = f"A{{chi2: double, {dof}: int}}"
    return (
        plain(
            f"{prefix}.residual",
            *_vectors("observation prediction"),
            rule=_of_pairs(codes[0] - 10, lambda o, p: o - p),
        ),
        plain(
            f"{prefix}.pull",
            *_vectors("observation prediction uncertainty"),
            rule=_of_pairs(codes[0], lambda o, p, u: divide(o - p, u)),
        ),
        plain(
            f"{prefix}.mahalanobis",
            "(observation: [double], prediction: [double], covariance: [[double]]) -> double",
            "(observation: {double}, prediction: {double}, covariance: {{double}}) -> double",
            rule=mahalanobis(codes[1]),
        ),
        plain(
            f"{prefix}.updateChi2",
            *(
                f"(pull: {each}, {state}: {kind}) -> A"
                for each in ("double", "[double]", "{double}")
            ),
            rule=_update_chi2(dof),
        ),
        plain(
            f"{prefix}.reducedChi2",
            f"({state}: {kind}) -> double",
            rule=lambda known: divide(known["chi2"], float(known[dof])),
        ),
    )


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain("stat.test.kolmogorov", "(x: [double], y: [double]) -> double", rule=_kolmogorov),
    *_tests("stat.test", (38020, 38030), "dof", "state"),
    *_tests("model.reg", (31030, 31040), "DOF", "state_"),
)
