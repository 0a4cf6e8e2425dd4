"""Ensembles as the standard's text has them: one row, plain Python, no arrays."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Answer:
    """What one segment answered: a number or a label, and the probabilities of the labels."""

    weight: float
    value: float | str | None
    probabilities: dict[str, float] | None = None


def counted(answers: list[Answer], treatment: str, threshold: float) -> list[Answer] | None:
    """Return the answers that count, or None when the row has none."""
    present = [answer for answer in answers if answer.value is not None]
    if not present:
        return None
    if treatment != "skipSegment":
        return present if len(present) == len(answers) else None
    missing = sum(answer.weight for answer in answers if answer.value is None)
    return None if missing > threshold * sum(a.weight for a in answers) else present


def combine_numbers(method: str, answers: list[Answer]) -> float:
    """Return one number of many."""
    values = [float(answer.value or 0.0) for answer in answers]
    weighted = [(float(a.value or 0.0), a.weight) for a in answers]
    if method == "sum":
        return sum(values)
    if method == "average":
        return sum(values) / len(values)
    if method == "median":
        return median(values)
    if method == "max":
        return max(values)
    if method == "weightedMedian":
        total, reached = sum(weight for _, weight in weighted), 0.0
        for value, weight in sorted(weighted, key=lambda pair: pair[0]):
            reached += weight
            if reached >= 0.5 * total:
                return value
    total = sum(value * weight for value, weight in weighted)
    return total if method == "weightedSum" else total / sum(w for _, w in weighted)


def combine_labels(method: str, answers: list[Answer], labels: list[str]) -> dict[str, float]:
    """Return the probability of each label."""
    weights = [answer.weight if method.startswith("weighted") else 1.0 for answer in answers]
    tables = [answer.probabilities or {} for answer in answers]
    if method.endswith("ajorityVote"):
        votes = dict.fromkeys(labels, 0.0)
        for answer, weight in zip(answers, weights, strict=True):
            votes[str(answer.value)] += weight
        return {label: votes[label] / sum(weights) for label in labels}
    if method.endswith("verage"):
        pairs = list(zip(tables, weights, strict=True))
        return {la: sum(t[la] * w for t, w in pairs) / sum(weights) for la in labels}
    if method == "max":
        best = max(labels, key=lambda la: max(table[la] for table in tables))
        top = max(table[best] for table in tables)
        picked = [table for table in tables if table[best] == top]
    else:
        best = max(labels, key=lambda la: median(table[la] for table in tables))
        order = sorted(tables, key=lambda table: table[best])
        picked = [order[(len(order) - 1) // 2], order[len(order) // 2]]
    return {la: sum(table[la] for table in picked) / len(picked) for la in labels}
