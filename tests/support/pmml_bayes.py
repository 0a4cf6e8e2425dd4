"""Bayesian networks in few words, and their joint distribution summed literally."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.pmml import document, plain, schema, score

VALUES = "uvw"


def field(name: str, values: str = VALUES) -> str:
    if name.startswith("x"):
        return f'<DataField name="{name}" optype="continuous" dataType="double"/>'
    listed = "".join(f'<Value value="{value}"/>' for value in values)
    return f'<DataField name="{name}" optype="categorical" dataType="string">{listed}</DataField>'


def probabilities(shares: Sequence[float]) -> str:
    return "".join(
        f'<ValueProbability value="{value}" probability="{share!r}"/>'
        for value, share in zip(VALUES, shares, strict=False)
    )


def conditions(parents: Sequence[str], values: Sequence[str]) -> str:
    return "".join(
        f'<ParentValue parent="{parent}" value="{value}"/>'
        for parent, value in zip(parents, values, strict=True)
    )


def constant(tag: str, value: float) -> str:
    return f"<{tag}><Constant>{value!r}</Constant></{tag}>"


def normal(mean: float | str, variance: float) -> str:
    first = constant("Mean", mean) if isinstance(mean, float) else f"<Mean>{mean}</Mean>"
    return (
        "<ContinuousDistribution><NormalDistributionForBN>"
        f"{first}{constant('Variance', variance)}</NormalDistributionForBN></ContinuousDistribution>"
    )


def discrete(name: str, parents: Sequence[str], table: Mapping[Any, Sequence[float]]) -> str:
    if not parents:
        return f'<DiscreteNode name="{name}">{probabilities(table[()])}</DiscreteNode>'
    cells = "".join(
        f"<DiscreteConditionalProbability>{conditions(parents, values)}{probabilities(shares)}"
        "</DiscreteConditionalProbability>"
        for values, shares in table.items()
    )
    return f'<DiscreteNode name="{name}">{cells}</DiscreteNode>'


def continuous(name: str, parents: Sequence[str], table: Mapping[Any, str]) -> str:
    if not parents:
        return f'<ContinuousNode name="{name}">{table[()]}</ContinuousNode>'
    cells = "".join(
        f"<ContinuousConditionalProbability>{conditions(parents, values)}{distribution}"
        "</ContinuousConditionalProbability>"
        for values, distribution in table.items()
    )
    return f'<ContinuousNode name="{name}">{cells}</ContinuousNode>'


def network(
    nodes: str,
    target: str,
    inputs: Sequence[str],
    names: Sequence[str] = (),
    local: str = "",
) -> bytes:
    labels = VALUES if not target.startswith("x") else ""
    outputs = "".join(
        f'<OutputField name="p_{label}" feature="probability" value="{label}" dataType="double"/>'
        for label in labels
    )
    if not labels:
        outputs = '<OutputField name="deviation" feature="standardDeviation" dataType="double"/>'
    body = (
        '<BayesianNetworkModel functionName="mixed">'
        f"{schema(*inputs, target=target)}<Output>{outputs}</Output>{local}"
        f"<BayesianNetworkNodes>{nodes}</BayesianNetworkNodes></BayesianNetworkModel>"
    )
    return document(body, "".join(map(field, dict.fromkeys([*names, *inputs, target]))))


def shares_of(artifact: bytes, **columns: list[Any]) -> list[list[float | None]]:
    answers = score(artifact, **columns)
    found = [plain(answers[f"p_{label}"]) for label in VALUES]
    return [list(row) for row in zip(*found, strict=True)]


@dataclass(frozen=True)
class Node:
    """A discrete node, or a continuous one whose conditionals are means of normal distributions."""

    name: str
    parents: tuple[str, ...]
    table: dict[tuple[str, ...], tuple[float, ...]]

    def xml(self) -> str:
        if self.name.startswith("x"):
            densities = {values: normal(mean, 2.0) for values, (mean,) in self.table.items()}
            return continuous(self.name, self.parents, densities)
        return discrete(self.name, self.parents, self.table)

    def term(self, row: dict[str, Any]) -> float:
        """Return how probable its own value is where the values of all nodes are these."""
        cells = self.table[tuple(row[parent] for parent in self.parents)]
        if self.name.startswith("x"):
            if row[self.name] is None:
                return 1.0  # whatever it is: the density integrates to one
            return math.exp(-((row[self.name] - cells[0]) ** 2) / 4.0) / math.sqrt(4.0 * math.pi)
        return cells[VALUES.index(row[self.name])]


def posterior(nodes: list[Node], asked: str, row: dict[str, Any]) -> list[float]:
    """Return the distribution of a discrete node: the joint distribution, summed literally."""
    hidden = [n.name for n in nodes if not n.name.startswith("x") and row.get(n.name) is None]
    weights = dict.fromkeys(VALUES, 0.0)
    for values in itertools.product(VALUES, repeat=len(hidden)):
        full: dict[str, Any] = {n.name: row.get(n.name) for n in nodes}
        full |= zip(hidden, values, strict=True)
        weights[full[asked]] += math.prod(node.term(full) for node in nodes)
    total = sum(weights.values())
    return [weight / total for weight in weights.values()]


@st.composite
def networks(draw: st.DrawFn, continuous_nodes: int = 2) -> list[Node]:
    """Return some discrete nodes, each below some of those before it, and continuous ones."""
    nodes: list[Node] = []
    names = [f"d{number}" for number in range(draw(st.integers(1, 5)))]
    numbers = [f"x{number}" for number in range(continuous_nodes)]
    for name in (*names, *numbers):
        above = names[: names.index(name)] if name in names else names
        parents = tuple(
            draw(st.lists(st.sampled_from(above), max_size=2, unique=True)) if above else []
        )
        table: dict[tuple[str, ...], tuple[float, ...]] = {}
        for values in itertools.product(VALUES, repeat=len(parents)):
            if name in numbers:
                table[values] = (draw(st.floats(-2.0, 2.0)),)
                continue
            parts = [draw(st.integers(1, 9)) for _ in VALUES]
            table[values] = tuple(part / sum(parts) for part in parts)
        nodes.append(Node(name, parents, table))
    return nodes


def evidence(names: Sequence[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    values = {
        name: st.none() | (st.floats(-4, 4) if name.startswith("x") else st.sampled_from(VALUES))
        for name in names
    }
    return st.lists(st.fixed_dictionaries(values), min_size=1, max_size=6)


def uniform(lower: float, upper: float) -> str:
    return (
        "<ContinuousDistribution><UniformDistributionForBN>"
        f"{constant('Lower', lower)}{constant('Upper', upper)}</UniformDistributionForBN>"
        "</ContinuousDistribution>"
    )


def triangular(mean: float, lower: float, upper: float) -> str:
    return (
        "<ContinuousDistribution><TriangularDistributionForBN>"
        f"{constant('Mean', mean)}{constant('Lower', lower)}{constant('Upper', upper)}"
        "</TriangularDistributionForBN></ContinuousDistribution>"
    )


ROOT = Node("d0", (), {(): (0.5, 0.3, 0.2)})
