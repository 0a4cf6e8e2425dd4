"""Read the nodes of a Bayesian network into variables (DMG 4.4, Bayesian Network Models)."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.elements.bayesiannetwork import (
    BayesianNetworkNodes,
    ContinuousNode,
    DiscreteNode,
    ParentValue,
    ValueProbability,
)
from modelstream.formats.pmml.elements.expressions import Expression
from modelstream.formats.pmml.expressions.expressions import derive_field, fields_read
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.codes import code_cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import Scalar, parse_declared
from modelstream.formats.pmml.models.conditionals import (
    Conditions,
    ContinuousVariable,
    DiscreteVariable,
    Variable,
    parents_of,
)
from modelstream.formats.pmml.models.design import numeric_field
from modelstream.formats.pmml.models.parametrics import (
    Parametric,
    compile_distribution,
    parameters_of,
)
from modelstream.messages import Column

# Probabilities are often written with two digits; further from one than this they are not meant.
_SUM_TOLERANCE = 0.05


def read_network(nodes: BayesianNetworkNodes, target: str, scope: Scope) -> dict[str, Variable]:
    """Return the variables by name; the fields of the scope, but the target, are given.

    Raises InvalidModel where the nodes contradict each other, and UnsupportedModel.
    """
    names = [*(node.name for node in nodes.discrete), *(node.name for node in nodes.continuous)]
    if len(set(names)) < len(names):
        raise InvalidModel("two nodes of a BayesianNetworkModel have one name")
    if len(names) > limits.PMML_NETWORK_NODES_MAX:
        raise UnsupportedModel(
            f"a network of {len(names)} nodes; up to {limits.PMML_NETWORK_NODES_MAX} are evaluated"
        )
    reader = _Reader(nodes, target, scope)
    variables: dict[str, Variable] = {node.name: reader.discrete(node) for node in nodes.discrete}
    variables.update((node.name, reader.continuous(node)) for node in nodes.continuous)
    graph = {name: parents_of(variable) for name, variable in variables.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise InvalidModel(f"nodes are parents of themselves: {error.args[1]}") from None
    return variables


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of a discrete node or of a field that is compared, and their positions."""

    data_type: DataType
    labels: tuple[str, ...]
    positions: Mapping[Scalar, int]

    def position(self, text: str, where: str) -> int:
        """Return the position of a value. Raises InvalidModel when it is none."""
        found = self.positions.get(parse_declared(text, self.data_type, where))
        if found is None:
            raise InvalidModel(f"{where}: {text!r} is not one of {', '.join(self.labels)}")
        return found


class _Reader:
    """What the nodes of one network have in common."""

    def __init__(self, nodes: BayesianNetworkNodes, target: str, scope: Scope) -> None:
        self._scope = scope
        self._continuous = frozenset(node.name for node in nodes.continuous)
        names = (*(node.name for node in nodes.discrete), *self._continuous)
        self._given = {
            name: scope.find(name) for name in names if name != target and scope.knows(name)
        }
        self._discrete = {node.name: self._values_of(node) for node in nodes.discrete}

    def discrete(self, node: DiscreteNode) -> DiscreteVariable:
        """Return a discrete node."""
        where = f"DiscreteNode {node.name!r}"
        _check_form(bool(node.probabilities), len(node.conditionals), where)
        values = self._discrete[node.name]
        conditions = self._conditions(node, (), where)
        rows = [c.probabilities for c in node.conditionals] or [node.probabilities]
        table = np.zeros((len(rows) + 1, len(values.labels) + 1))
        for number, row in enumerate(rows):
            table[number, :-1] = _probabilities(row, values, where)
        field = self._given.get(node.name)
        given = None if field is None else code_cell(field, values.positions, self._scope)
        return DiscreteVariable(node.name, values.labels, conditions, table, given)

    def continuous(self, node: ContinuousNode) -> ContinuousVariable:
        """Return a continuous node."""
        where = f"ContinuousNode {node.name!r}"
        _check_form(node.distribution is not None, len(node.conditionals), where)
        if len(node.conditionals) > limits.PMML_NETWORK_DENSITIES_MAX:
            raise UnsupportedModel(f"{where} has {len(node.conditionals)} distributions")
        alone = () if node.distribution is None else (node.distribution,)
        distributions = [c.distribution for c in node.conditionals] or list(alone)
        expressions = [e for one in distributions for e in parameters_of(one)]
        conditions = self._conditions(node, expressions, where)
        given = numeric_field(node.name, self._scope).cell if node.name in self._given else None
        if not self._are_given(conditions.sources):
            return ContinuousVariable(node.name, conditions, given, None, None)
        inner = _inner(node, self._scope)
        compiled = [compile_distribution(one, inner) for one in distributions]
        cells = self._scope.context.cells
        densities = None if given is None else cells.make(partial(_log_densities, compiled, given))
        moments = cells.make(partial(_moments, compiled))
        return ContinuousVariable(node.name, conditions, given, densities, moments)

    def _values_of(self, node: DiscreteNode) -> _Values:
        field, data = self._given.get(node.name), self._scope.context.data.get(node.name)
        data_type: DataType = "string" if data is None else data.data_type
        rows = [c.probabilities for c in node.conditionals] or [node.probabilities]
        texts = (entry.value for row in rows for entry in row)
        known = data_type if field is None else field.data_type
        return _values(texts, known, f"DiscreteNode {node.name!r}")

    def _conditions(
        self, node: DiscreteNode | ContinuousNode, read: Iterable[Expression], where: str
    ) -> Conditions:
        """Return which conditional of a node holds when; `read` are its parameters."""
        conditionals = [conditional.conditions for conditional in node.conditionals]
        names = _names(conditionals, where)
        parents = tuple(name for name in names if name in self._discrete)
        compared = [name for name in names if name not in self._discrete]
        continuous = [name for name in compared if name in self._continuous]
        if continuous:
            raise InvalidModel(
                f"{where} compares its continuous parent {continuous[0]!r} with a value; make it "
                "discrete in a DerivedField"
            )
        sources = self._sources(node, [*compared, *_all_read(read)], where)
        if not self._are_given(sources):  # then inference never comes to ask for this node
            return Conditions((), parents, sources, np.zeros(0, dtype=np.intp))
        inner = _inner(node, self._scope)
        axes: dict[str, _Values] = {}
        selectors = []
        for name in compared:
            field = inner.find(name)
            texts = (c.value for one in conditionals for c in one if c.parent == name)
            axes[name] = _values(texts, field.data_type, where)
            selectors.append(code_cell(field, axes[name].positions, self._scope))
        axes.update((name, self._discrete[name]) for name in parents)
        return Conditions(tuple(selectors), parents, sources, _index(axes, conditionals, where))

    def _sources(
        self, node: DiscreteNode | ContinuousNode, names: Iterable[str], where: str
    ) -> tuple[str, ...]:
        """Return the continuous parents: what is read, directly or by the node's own fields."""
        own = {field.name: field.expression for field in node.derived}
        met: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in met and name in own:
                stack.extend(fields_read(own[name]))
            met.add(name)
        if not met.isdisjoint(self._discrete):
            raise UnsupportedModel(
                f"{where} is computed from the value of a discrete node; conditions on discrete "
                "nodes are evaluated as ParentValues"
            )
        return tuple(sorted(met & self._continuous))

    def _are_given(self, names: Iterable[str]) -> bool:
        return all(name in self._given for name in names)


def _values(texts: Iterable[str], data_type: DataType, where: str) -> _Values:
    """Return values in the order in which they are first met."""
    positions: dict[Scalar, int] = {}
    labels: list[str] = []
    for text in texts:
        value = parse_declared(text, data_type, where)
        if value not in positions:
            positions[value] = len(labels)
            labels.append(text)
    return _Values(data_type, tuple(labels), positions)


def _names(conditionals: Sequence[tuple[ParentValue, ...]], where: str) -> tuple[str, ...]:
    """Return the parents that the conditionals of a node name: each the same."""
    named = {frozenset(condition.parent for condition in one) for one in conditionals}
    if len(named) > 1 or any(len(one) != len(next(iter(named))) for one in conditionals):
        raise InvalidModel(f"the conditionals of {where} are not of the same parents")
    return tuple(condition.parent for condition in conditionals[0]) if conditionals else ()


def _all_read(expressions: Iterable[Expression]) -> Iterable[str]:
    return itertools.chain.from_iterable(map(fields_read, expressions))


def _inner(node: DiscreteNode | ContinuousNode, scope: Scope) -> Scope:
    """Return the scope of a node, in which it can refer to fields of its own."""
    inner = Scope(scope.context, scope)
    for field in node.derived:
        if field.name is None:
            raise InvalidModel("a DerivedField of a node has no name")
        reads = partial(fields_read, field.expression)
        inner.declare(field.name, partial(derive_field, field, field.name, inner), reads)
    return inner


def _check_form(alone: bool, conditionals: int, where: str) -> None:
    if alone == bool(conditionals):
        raise InvalidModel(f"{where} needs either a distribution or conditional ones")


def _probabilities(row: Iterable[ValueProbability], values: _Values, where: str) -> Column:
    """Return the probability of each value, zero of those that are not here."""
    cells = np.full(len(values.labels), np.nan)
    for entry in row:
        position = values.position(entry.value, where)
        if not np.isnan(cells[position]) or not 0.0 <= entry.probability <= 1.0:
            raise InvalidModel(f"{where}: one value has two probabilities, or none from 0 to 1")
        cells[position] = entry.probability
    cells = np.nan_to_num(cells)
    if abs(cells.sum() - 1.0) > _SUM_TOLERANCE:
        raise InvalidModel(f"{where}: the probabilities add up to {cells.sum():.3g}, not to 1")
    shares: Column = cells / cells.sum()
    return shares


def _index(
    axes: Mapping[str, _Values], conditionals: Sequence[tuple[ParentValue, ...]], where: str
) -> Column:
    """Return the number of the conditional for each combination of values; each needs one."""
    if len(axes) > limits.PMML_NETWORK_PARENTS_MAX:
        raise UnsupportedModel(f"{where} has {len(axes)} parents that are compared with values")
    lengths = [len(values.labels) for values in axes.values()]
    if math.prod(lengths) != max(len(conditionals), 1):
        raise InvalidModel(
            f"{where} has {len(conditionals)} conditionals for {math.prod(lengths)} combinations "
            "of its parents' values"
        )
    index = np.full(lengths, -1 if conditionals else 0, dtype=np.intp)
    for number, conditional in enumerate(conditionals):
        given = {condition.parent: condition.value for condition in conditional}
        at = tuple(values.position(given[name], where) for name, values in axes.items())
        if index[at] >= 0:
            raise InvalidModel(f"{where} has two conditionals for the same values of its parents")
        index[at] = number
    return index


def _log_densities(
    distributions: Sequence[Parametric], given: Cell[Column], batch: Batch
) -> Column:
    """Return the log density of the given numbers: a row a row, a column a conditional."""
    values = batch.read(given)
    return np.stack([one.log_density(batch, values) for one in distributions], axis=1)


def _moments(distributions: Sequence[Parametric], batch: Batch) -> Column:
    """Return means and variances: a row a row, a column a conditional."""
    return np.stack([np.stack(one.moments(batch), axis=1) for one in distributions], axis=1)
