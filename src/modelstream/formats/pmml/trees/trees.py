"""Lower decision trees to a forest of binary tests (DMG 4.4, Trees).

Each tree becomes binary tests that lead to leaves; a leaf stands for the answer of one node, or
for none. Where an inner node would be reached over several tests, its parent's choice among its
children is made outside the forest, in a column: so no subtree is ever copied.
"""

from collections.abc import Sequence
from typing import NamedTuple

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.forests import Forest
from modelstream.formats.pmml.elements.models import Node, TreeModel
from modelstream.formats.pmml.elements.predicates import (
    CompoundPredicate,
    Predicate,
    SimpleSetPredicate,
)
from modelstream.formats.pmml.expressions.predicates import declared_set
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.trees.decisions import Decisions
from modelstream.formats.pmml.trees.leaves import Leaves
from modelstream.formats.pmml.trees.questions import Questions
from modelstream.formats.pmml.trees.vocabulary import Values
from modelstream.formats.pmml.trees.writer import ForestWriter, Place

# Predicates of one node's children that are turned into tests; more are decided in a column.
_PREDICATES_MAX = 64
_NESTING_MAX = 3
_TESTS_PER_PREDICATE_MAX = 4


def lower_trees(models: Sequence[TreeModel], scope: Scope, labels: tuple[str, ...]) -> Forest:
    """Return the forest of some trees over the fields of one scope.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with a tree.
    """
    leaves = Leaves(labels, models)
    questions = Questions(scope, _sets(models, scope))
    writer = ForestWriter()
    for model in models:
        _Tree(model, questions, leaves, writer).write()
    return writer.forest(questions.inputs(), leaves)


def _sets(models: Sequence[TreeModel], scope: Scope) -> dict[str, set[Values]]:
    """Return the sets of values that some trees look their fields up in, by field."""
    sets: dict[str, set[Values]] = {}
    nodes = [model.node for model in models if model.node is not None]
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children)
        predicates = [node.predicate]
        while predicates:
            predicate = predicates.pop()
            if isinstance(predicate, CompoundPredicate):
                predicates.extend(predicate.predicates)
            elif isinstance(predicate, SimpleSetPredicate):
                values = frozenset(declared_set(predicate, scope.find(predicate.field)))
                sets.setdefault(predicate.field, set()).add(values)
    return sets


class _End(NamedTuple):
    """Where a choice can lead: into a node, to a node's own answer, or to none (no node)."""

    node: Node | None
    inner: bool = False
    assured: bool = False  # the node's predicate is true, not merely unknown


class _Choice(NamedTuple):
    """What can come of the choice among a node's children; ends are numbered from -1 down.

    An `unknown` of None goes on to the next child.
    """

    ends: tuple[_End, ...]
    predicates: tuple[Predicate, ...]
    none_true: int
    unknown: int | None


class _Visit(NamedTuple):
    """A node that is still to be written, where to, and the inputs known to be there."""

    node: Node
    place: Place
    present: frozenset[int]


class _Tree:
    """One tree on its way into the forest."""

    def __init__(
        self, model: TreeModel, questions: Questions, leaves: Leaves, writer: ForestWriter
    ) -> None:
        self._model = model
        self._questions = questions
        self._leaves = leaves
        self._writer = writer
        self._numbers: dict[int, int] = {id(None): leaves.add(None)}
        self._pending: list[_Visit] = []

    def write(self) -> None:
        """Write the tree, each node before its children; depth costs no recursion."""
        root = self._model.node
        if root is None:
            raise InvalidModel("a TreeModel has no Node")
        entry = _Choice((_enter(root), _End(None)), (root.predicate,), -2, -2)
        self._write_choice(entry, self._writer.root(), frozenset())
        while self._pending:
            visit = self._pending.pop()
            self._write_choice(self._choice(visit.node), visit.place, visit.present)

    def _choice(self, node: Node) -> _Choice:
        """Return what can come of the choice among a node's children."""
        model = self._model
        last = model.no_true_child_strategy == "returnLastPrediction"
        ends = [_enter(child) for child in node.children]
        ends.append(_End(node if last else None))
        none_true, unknown = -len(ends), None
        if model.missing_value_strategy == "defaultChild":
            default = _default_child(node)
            ends[default] = _End(ends[default].node, ends[default].inner)
            unknown = -1 - default
        elif model.missing_value_strategy != "none":
            ends.append(_End(node if model.missing_value_strategy == "lastPrediction" else None))
            unknown = none_true if ends[-1] == ends[-2] else -len(ends)
        predicates = tuple(child.predicate for child in node.children)
        return _Choice(tuple(ends), predicates, none_true, unknown)

    def _write_choice(self, choice: _Choice, place: Place, present: frozenset[int]) -> None:
        """Write a choice as tests; nodes that it leads into are left pending."""
        decisions = self._decisions(present)
        size, nesting = _extent(choice.predicates)
        small = size <= _PREDICATES_MAX and nesting <= _NESTING_MAX
        graph = _graph(choice, decisions) if small else None
        if graph is None or not _is_plain(choice, decisions, graph, size):
            decisions = self._decisions(present)
            unknown = None if choice.unknown is None else -1 - choice.unknown
            graph = self._questions.choice(decisions, choice.predicates, unknown)
        stack = [(graph, place)]
        while stack:
            at, where = stack.pop()
            if at >= 0:
                stack.extend(self._writer.test(decisions.tests[at], where))
                continue
            end = choice.ends[-1 - at]
            if end.node is None or not end.inner:
                self._writer.leaf(self._leaf(end.node), where)
                continue
            known = present
            if end.assured:
                known |= self._questions.present_if_true(end.node.predicate)
            self._pending.append(_Visit(end.node, where, known))

    def _decisions(self, present: frozenset[int]) -> Decisions:
        return Decisions(self._questions.ask, present, self._questions.certain)

    def _leaf(self, node: Node | None) -> int:
        """Return the leaf that answers as a node does."""
        number = self._numbers.get(id(node))
        if number is None:
            number = self._numbers[id(node)] = self._leaves.add(node)
        return number


def _enter(node: Node) -> _End:
    return _End(node, bool(node.children), assured=True)


def _default_child(node: Node) -> int:
    ids = [child.id for child in node.children]
    if node.default_child is None or node.default_child not in ids:
        raise InvalidModel(
            f"Node {node.id!r} has no defaultChild among its children, "
            "which missingValueStrategy='defaultChild' needs"
        )
    return ids.index(node.default_child)


def _graph(choice: _Choice, decisions: Decisions) -> int:
    """Return the graph to the first true child."""
    following = choice.none_true
    for number in range(len(choice.predicates) - 1, -1, -1):
        unknown = following if choice.unknown is None else choice.unknown
        following = decisions.decide(choice.predicates[number], -1 - number, following, unknown)
    return following


def _is_plain(choice: _Choice, decisions: Decisions, graph: int, size: int) -> bool:
    """Tell whether a graph of some predicates stays small as a tree, and copies no subtree."""
    budget = _TESTS_PER_PREDICATE_MAX * (size + 1)
    entered: set[int] = set()
    stack = [graph]
    while stack:
        at = stack.pop()
        if at >= 0:
            budget -= 1
            test = decisions.tests[at]
            stack.extend((test.true, test.false))
            if test.unknown not in {test.true, test.false}:
                stack.append(test.unknown)
        elif choice.ends[-1 - at].inner:
            if at in entered:
                return False
            entered.add(at)
        if budget < 0:
            return False
    return True


def _extent(predicates: Sequence[Predicate]) -> tuple[int, int]:
    """Return how many predicates there are, those inside others included, and how deep."""
    count, deepest = 0, 0
    stack = [(predicate, 0) for predicate in predicates]
    while stack:
        predicate, depth = stack.pop()
        count, deepest = count + 1, max(deepest, depth)
        if isinstance(predicate, CompoundPredicate):
            stack.extend((part, depth + 1) for part in predicate.predicates)
    return count, deepest
