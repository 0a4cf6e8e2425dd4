"""Run trees that follow several branches at once where a value is missing (DMG 4.4, Trees).

missingValueStrategy weightedConfidence and aggregateNodes: nodes are visited parents first, each
with the weight that every row arrives with. Answers are linear in these weights, so that one
table of sums holds them. Exact, and slower than a forest: every predicate costs a column.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.models import Node, TreeModel
from modelstream.formats.pmml.expressions.predicates import Truth, compile_predicate
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import texts
from modelstream.formats.pmml.trees.leaves import Leaves
from modelstream.messages import Column

_STRATEGIES = frozenset({"weightedConfidence", "aggregateNodes"})


@dataclass(frozen=True, slots=True, eq=False)
class _Stop:
    """One node: its predicate, its number, its children, and its share of its parent's records."""

    node: Node
    test: Truth
    share: float
    children: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Arrivals:
    """Where the rows are: sums over the nodes they ended at, the last of these, and who split."""

    sums: Column
    node: Column
    split: Column


def is_walked(model: TreeModel) -> bool:
    """Tell whether a tree may follow several branches at once."""
    return model.missing_value_strategy in _STRATEGIES


def compile_walk(model: TreeModel, scope: Scope, labels: tuple[str, ...]) -> Body:
    """Return the rule of a tree that may follow several branches at once.

    Raises InvalidModel when a node lacks the counts that this needs, UnsupportedModel for a
    regression, which the strategies are not defined for.
    """
    strategy = model.missing_value_strategy
    if model.function_name != "classification":
        raise UnsupportedModel(
            f"missingValueStrategy={strategy!r} is defined for classifications only"
        )
    stops = _stops(model, scope)
    leaves = Leaves(labels, [model])
    for stop in stops:
        leaves.add(stop.node)
    nothing = leaves.add(None)
    weighted = strategy == "weightedConfidence"
    walk = _walk(model, stops, _tables(model, stops, leaves.labels), nothing)
    cells = scope.context.cells
    arrivals = cells.make(walk)
    scores, shares = leaves.scores(), leaves.distributions()
    ids = texts(list(leaves.ids))

    def answer(batch: Batch) -> Prediction:
        at = batch.read(arrivals)
        total = at.sums.sum(axis=1, keepdims=True)
        sums = np.where(total > 0, at.sums, np.nan)
        best = np.where(np.isnan(sums).any(axis=1), np.nan, at.sums.argmax(axis=1))
        values = np.where(at.split, best, scores[at.node])
        if weighted:
            return Prediction(values, None, sums)
        counted = sums / total
        split = at.split[:, None]
        return Prediction(values, np.where(split, counted, shares[at.node]), counted)

    def entities(batch: Batch) -> Column:
        at = batch.read(arrivals)
        column: Column = ids[np.where(at.split, nothing, at.node)]
        return column

    return Body(leaves.labels, cells.make(answer), cells.make(entities), probable=not weighted)


def _stops(model: TreeModel, scope: Scope) -> list[_Stop]:
    """Return the nodes, parents before their children; depth costs no recursion."""
    if model.node is None:
        raise InvalidModel("a TreeModel has no Node")
    weighted = model.missing_value_strategy == "weightedConfidence"
    stops: list[_Stop] = []
    pending: list[tuple[Node, int]] = [(model.node, -1)]
    while pending:
        node, parent = pending.pop()
        share = _share(node, stops[parent].node) if weighted and parent >= 0 else 1.0
        if parent >= 0:
            stops[parent].children.append(len(stops))
        pending.extend((child, len(stops)) for child in reversed(node.children))
        stops.append(_Stop(node, compile_predicate(node.predicate, scope), share))
    return stops


def _share(node: Node, parent: Node) -> float:
    if node.record_count is None or not parent.record_count:
        raise InvalidModel(
            f"missingValueStrategy='weightedConfidence' needs the recordCount of Node {node.id!r} "
            f"and of its parent {parent.id!r}"
        )
    return node.record_count / parent.record_count


def _tables(model: TreeModel, stops: list[_Stop], labels: tuple[str, ...]) -> Column:
    """Return what each node adds for each label: its confidences, or its counts."""
    weighted = model.missing_value_strategy == "weightedConfidence"
    inner = model.no_true_child_strategy == "returnLastPrediction"
    table = np.zeros((len(stops), len(labels)))
    for row, stop in zip(table, stops, strict=True):
        if stop.children and not inner:
            continue
        parts = stop.node.distribution
        counts = [part.record_count for part in parts]
        if weighted and all(part.confidence is not None for part in parts):
            added = [part.confidence for part in parts]
        elif None in counts:
            added = []
        else:
            whole = sum(count or 0.0 for count in counts) if weighted else 1.0
            added = [(count or 0.0) / (whole or 1.0) for count in counts]
        if not added:
            raise InvalidModel(
                f"missingValueStrategy={model.missing_value_strategy!r} needs a recordCount in "
                f"each ScoreDistribution of Node {stop.node.id!r}"
            )
        for part, addend in zip(parts, added, strict=True):
            row[labels.index(part.value)] += addend or 0.0
    return table


def _walk(
    model: TreeModel, stops: list[_Stop], table: Column, nothing: int
) -> Callable[[Batch], _Arrivals]:
    step = _aggregate if model.missing_value_strategy == "aggregateNodes" else _weigh
    last = model.no_true_child_strategy == "returnLastPrediction"

    def walk(batch: Batch) -> _Arrivals:
        root = stops[0].test(batch)
        split = np.isnan(root)
        sums = np.zeros((batch.rows, table.shape[1]))
        at = _Arrivals(sums, np.full(batch.rows, nothing), split)
        weights: dict[int, Column] = {0: np.where(root == 0.0, 0.0, 1.0)}
        for number, stop in enumerate(stops):
            weight = weights.pop(number, None)
            if weight is None or not weight.any():
                continue
            if stop.children:
                truths = np.stack([stops[child].test(batch) for child in stop.children])
                shares = np.array([stops[child].share for child in stop.children])
                passed, unknown = step(truths, shares[:, None], weight)
                weights.update(zip(stop.children, passed, strict=True))
                at.split |= unknown
                unmatched = ~(truths != 0.0).any(axis=0)
                weight = np.where(unmatched & last, weight, 0.0)
            at.sums += weight[:, None] * table[number]
            at.node[weight > 0] = number
        return at

    return walk


def _weigh(truths: Column, shares: Column, weight: Column) -> tuple[Column, Column]:
    """Return the weights of children, and where a child is unknown before any is true.

    There each child that is not false has its share of the records; else the first true one has
    all the weight.
    """
    known = np.cumsum(truths != 0.0, axis=0)
    first = (truths != 0.0) & (known == 1)
    unknown = (first & np.isnan(truths)).any(axis=0) & (weight > 0)
    several = np.where(truths == 0.0, 0.0, shares)
    return np.where(unknown, several, first) * weight, unknown


def _aggregate(truths: Column, _: Column, weight: Column) -> tuple[Column, Column]:
    """Return the weights of children, and where one that is followed is unknown.

    Followed are all unknown ones up to the first true one, and that one.
    """
    earlier = np.cumsum(truths == 1.0, axis=0) - (truths == 1.0)
    followed = (truths != 0.0) & (earlier == 0)
    unknown = (followed & np.isnan(truths)).any(axis=0) & (weight > 0)
    return followed * weight, unknown
