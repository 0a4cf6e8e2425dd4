"""What is answered, given the sums of an ensemble: numbers, or a label and probabilities."""

import numpy as np

from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.trees.ensemble import Ensemble, classes_of
from modelstream.messages import Column


def linked(ensemble: Ensemble, sums: Column) -> list[Column]:
    """Return the output columns for sums of shape [groups, rows], in their precision."""
    # The exp of a large sum is infinite, and is told as that.
    with np.errstate(over="ignore", invalid="ignore"):
        if not classes_of(ensemble):
            return list(_numbers(ensemble, sums))
        chances = _chances(ensemble, sums)
    best = chances.argmax(axis=0)
    label = np.array(ensemble.labels, dtype=object)[best] if ensemble.labels else best
    return [label, *chances]


def _numbers(ensemble: Ensemble, sums: Column) -> Column:
    match ensemble.link:
        case "exp":
            numbers: Column = _exp(sums)
        case "sqrt_signed":  # a target that was trained on its square root
            numbers = np.sign(sums) * sums * sums
        case "logistic":
            numbers = _logistic(ensemble, sums)
        case "log1p_exp":
            numbers = np.log1p(_exp(sums))
        case _:
            numbers = sums
    return numbers


def _chances(ensemble: Ensemble, sums: Column) -> Column:
    """Return the probability of each class (row)."""
    if ensemble.link == "softmax":
        risen = _exp(sums - sums.max(axis=0))
        chances: Column = risen / sum_in_order(risen)
        return chances
    chance = _logistic(ensemble, sums)
    return chance if ensemble.link == "one_vs_all" else np.concatenate([1 - chance, chance])


def _logistic(ensemble: Ensemble, sums: Column) -> Column:
    one, scale = sums.dtype.type(1), sums.dtype.type(ensemble.scale)
    steep = -sums * scale
    if ensemble.single:
        steep = np.minimum(steep, np.float32(88.7))  # where XGBoost stops, too: beyond is infinity
    chances: Column = one / (one + _exp(steep))
    return chances


def _exp(exponents: Column) -> Column:
    """Return e to that power, rounded once: float32 in NumPy may be off by one in the last bit."""
    powers: Column = np.exp(exponents.astype(np.float64)).astype(exponents.dtype)
    return powers
