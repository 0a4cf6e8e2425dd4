"""What the leaves of trees answer: a number, or a category with its probabilities.

DMG 4.4, Trees: score, ScoreDistribution.
"""

from collections.abc import Sequence

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.distributions import ScoreDistribution
from modelstream.formats.pmml.elements.models import Node, TreeModel
from modelstream.messages import Column


class Leaves:
    """The answers of nodes, numbered in the order they are asked for.

    A classification's labels are `labels`, then others in the order they are met.
    """

    def __init__(self, labels: tuple[str, ...], models: Sequence[TreeModel]) -> None:
        self._nodes: list[Node | None] = []
        self._scores: list[float] = []
        self._labels = {label: position for position, label in enumerate(labels)}
        self._classification = models[0].function_name == "classification"
        self._single = any(model.math_context == "float" for model in models)

    def add(self, node: Node | None) -> int:
        """Return the number of a leaf that answers as a node does; None answers nothing."""
        score = np.nan if node is None else self._score(node)
        self._nodes.append(node)
        self._scores.append(score)
        return len(self._nodes) - 1

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories; none for a regression."""
        return tuple(self._labels) if self._classification else ()

    @property
    def ids(self) -> tuple[str | None, ...]:
        """The id of each leaf's node."""
        return tuple(None if node is None else node.id for node in self._nodes)

    def scores(self) -> Column:
        """Return the number or the label's position of each leaf; NaN: it answers nothing."""
        scores = np.array(self._scores, dtype=np.float64)
        if self._single and not self._classification:
            scores = scores.astype(np.float32).astype(np.float64)
        return scores

    def distributions(self) -> Column:
        """Return the probability of each label at each leaf; NaN where it answers nothing."""
        if len(self._nodes) * len(self._labels) > limits.PMML_TABLE_CELLS_MAX:
            raise UnsupportedModel(
                f"trees with {len(self._nodes)} leaves and {len(self._labels)} categories; their "
                f"product is at most {limits.PMML_TABLE_CELLS_MAX}"
            )
        table = np.full((len(self._nodes), len(self._labels)), np.nan)
        for row, node, score in zip(table, self._nodes, self._scores, strict=True):
            if node is not None and score == score:  # noqa: PLR0124  # NaN is not itself
                row[:] = 0.0
                if node.distribution:
                    for part, share in zip(
                        node.distribution, _shares(node.distribution), strict=True
                    ):
                        row[self._labels[part.value]] = share
                else:
                    row[int(score)] = 1.0
        return table

    def confidences(self) -> Column | None:
        """Return the confidence of each label at each leaf, or None when a node declares none."""
        parts = [part for node in self._nodes if node is not None for part in node.distribution]
        if all(part.confidence is None for part in parts):
            return None
        table = np.full((len(self._nodes), len(self._labels)), np.nan)
        for row, node in zip(table, self._nodes, strict=True):
            for part in node.distribution if node is not None else ():
                if part.confidence is not None:
                    row[self._labels[part.value]] = part.confidence
        return table

    def _score(self, node: Node) -> float:
        if self._classification:
            return self._category(node)
        if node.score is None:
            return np.nan
        try:
            return float(node.score)
        except ValueError:
            raise InvalidModel(
                f"Node {node.id!r} of a regression has the score {node.score!r}, not a number"
            ) from None

    def _category(self, node: Node) -> float:
        """Return the position of the score, or else of the most frequent category."""
        for part in node.distribution:
            self._labels.setdefault(part.value, len(self._labels))
        if node.score is not None:
            return float(self._labels.setdefault(node.score, len(self._labels)))
        if not node.distribution:
            return np.nan
        best = int(np.argmax(_shares(node.distribution)))
        return float(self._labels[node.distribution[best].value])


def _shares(distribution: tuple[ScoreDistribution, ...]) -> list[float]:
    """Return the probabilities that a distribution declares, or else the shares of its counts."""
    declared = [part.probability for part in distribution if part.probability is not None]
    if len(declared) == len(distribution):
        return declared
    counts = [part.record_count for part in distribution if part.record_count is not None]
    if len(counts) != len(distribution):
        raise InvalidModel(
            "a ScoreDistribution has neither a probability nor a recordCount; give one to all"
        )
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]
