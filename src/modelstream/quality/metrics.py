"""Metrics of one version, from counts that can be added up: over batches, partitions and instances.

Definitions are those of scikit-learn's functions of the same names; the area under the ROC curve and
the calibration error are worked out from bins of the probability, and exact to a bin's width.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelstream.limits import LABEL_CLASSES_MAX, PROBABILITY_BINS
from modelstream.messages import Column

# What a probability of 0 counts as in the logarithmic loss: as in scikit-learn.
_EPSILON = float(np.finfo(np.float64).eps)
_CALIBRATION_BINS = 10

Label = str | int | float | bool


@dataclass(slots=True)
class Classified:
    """Counts of a classifier's answers.

    `pairs` are (truth, answer) as text. Of the probabilities that were given for the true class
    `loss` is the sum of logarithms; `hits` (2, bins) counts answers by the probability of what was
    answered, wrong ones first; `ranks` (2, bins) counts records of two classes by the probability of
    the second one, in the order of the classes' names, those of the first class first.
    """

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: int = 0  # beyond the classes that are kept apart
    loss: float = 0.0
    losses: int = 0
    hits: Column = field(default_factory=lambda: np.zeros((2, PROBABILITY_BINS)))
    ranks: Column = field(default_factory=lambda: np.zeros((2, PROBABILITY_BINS)))

    def add(self, truth: str, answer: str, probabilities: dict[str, float]) -> None:
        """Count one answer; `probabilities` are by class, as far as they were given."""
        known = (truth, answer) in self.pairs or len(self.pairs) < LABEL_CLASSES_MAX**2
        if known:
            self.pairs[truth, answer] += 1
        else:
            self.others += 1
        if truth in probabilities:
            self.loss -= math.log(min(max(probabilities[truth], _EPSILON), 1 - _EPSILON))
            self.losses += 1
        if answer in probabilities:
            self.hits[int(truth == answer), _bin(probabilities[answer])] += 1
        if len(probabilities) == 2 and truth in probabilities:
            second = max(probabilities)
            self.ranks[int(truth == second), _bin(probabilities[second])] += 1

    def merge(self, other: "Classified") -> None:
        """Add up."""
        self.pairs.update(other.pairs)
        self.others += other.others
        self.loss += other.loss
        self.losses += other.losses
        self.hits = self.hits + other.hits
        self.ranks = self.ranks + other.ranks

    def metrics(self) -> dict[str, float]:
        """Return what can be told."""
        total = self.pairs.total() + self.others
        if not total:
            return {}
        right = sum(count for (truth, answer), count in self.pairs.items() if truth == answer)
        found = {"accuracy": right / total, "f1": self._f1()}
        if self.losses:
            found["log_loss"] = self.loss / self.losses
        if self.ranks.any(axis=1).all():
            found["auc"] = self._auc()
        if self.hits.any():
            found["calibration"] = self._calibration()
        return found

    def _f1(self) -> float:
        """Return the mean of the classes' F1, each of the same weight."""
        classes = {each for pair in self.pairs for each in pair}
        scores = []
        for each in classes:
            hit = self.pairs[each, each]
            truths = sum(count for (truth, _), count in self.pairs.items() if truth == each)
            answers = sum(count for (_, answer), count in self.pairs.items() if answer == each)
            scores.append(2 * hit / (truths + answers))
        return sum(scores) / len(scores)

    def _auc(self) -> float:
        """Return the share of pairs of records that are ranked right; ties count half."""
        first, second = self.ranks
        below = np.concatenate([[0.0], np.cumsum(first)[:-1]])
        pairs = float((second * (below + first / 2)).sum())
        return pairs / float(first.sum() * second.sum())

    def _calibration(self) -> float:
        """Return the expected calibration error over ten bins (Naeini et al., 2015)."""
        width = PROBABILITY_BINS // _CALIBRATION_BINS
        wrong, right = self.hits.reshape(2, _CALIBRATION_BINS, width).sum(axis=2)
        middles = (np.arange(PROBABILITY_BINS) + 0.5) / PROBABILITY_BINS
        sums = (self.hits.sum(axis=0) * middles).reshape(_CALIBRATION_BINS, width).sum(axis=1)
        return float(np.abs(right - sums).sum() / (wrong + right).sum())


@dataclass(slots=True)
class Regressed:
    """Sums of a regression's errors."""

    count: int = 0
    absolute: float = 0.0
    squared: float = 0.0

    def add(self, truth: float, answer: float) -> None:
        """Count one answer."""
        self.count += 1
        self.absolute += abs(answer - truth)
        self.squared += (answer - truth) ** 2

    def merge(self, other: "Regressed") -> None:
        """Add up."""
        self.count += other.count
        self.absolute += other.absolute
        self.squared += other.squared

    def metrics(self) -> dict[str, float]:
        """Return what can be told."""
        if not self.count:
            return {}
        return {
            "mae": self.absolute / self.count,
            "rmse": math.sqrt(self.squared / self.count),
        }


@dataclass(slots=True)
class Quality:
    """What is counted of one version; its answers are numbers, or classes."""

    labels: int = 0
    classified: Classified = field(default_factory=Classified)
    regressed: Regressed = field(default_factory=Regressed)

    def add(self, truth: Label, outputs: dict[str, Any]) -> None:
        """Count one answer; the first output is what the model says, as `truth` is what is so.

        A number is compared as one where the answer is no whole number by its type.
        """
        answer = next(iter(outputs.values()), None)
        if isinstance(answer, list):
            answer = int(np.argmax(answer)) if _numbers(answer) else None
        if answer is None:
            return
        self.labels += 1
        if isinstance(answer, float) and isinstance(truth, int | float):
            self.regressed.add(float(truth), answer)
        else:
            self.classified.add(class_name(truth), class_name(answer), probabilities(outputs))

    def merge(self, other: "Quality") -> None:
        """Add up."""
        self.labels += other.labels
        self.classified.merge(other.classified)
        self.regressed.merge(other.regressed)

    def metrics(self) -> dict[str, float]:
        """Return every metric that can be told, by name."""
        return self.classified.metrics() | self.regressed.metrics()


def class_name(label: Any) -> str:
    """Return a class as text, so that 5, 5.0 and "5" are one."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)


def probabilities(outputs: dict[str, Any]) -> dict[str, float]:
    """Return the probabilities among outputs by their class: those called `probability(<class>)`."""
    return {
        name[len("probability(") : -1]: float(value)
        for name, value in outputs.items()
        if name.startswith("probability(") and name.endswith(")") and isinstance(value, int | float)
    }


def _numbers(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(each, int | float) for each in values)


def _bin(probability: float) -> int:
    return min(max(int(probability * PROBABILITY_BINS), 0), PROBABILITY_BINS - 1)
