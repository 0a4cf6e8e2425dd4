"""Outputs about rules: which of those that apply to a row is asked for, and what it says.

DMG 4.4, Output: algorithm, rank, rankBasis, rankOrder, isMultiValued. Every output names its own
ranking. Of rules with one rank the first in the document comes first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import OwnFeature
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.formats.pmml.fields.values import texts
from modelstream.messages import Column

NUMBERS = ("support", "confidence", "lift", "leverage", "affinity")
ALGORITHMS = ("exclusiveRecommendation", "recommendation", "ruleAssociation")
_WORDS = ("antecedent", "consequent", "rule", "ruleId")
_Select = Callable[[Batch], Column]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Rules as outputs ask for them.

    `measures` are numbers, NaN where a rule declares none; `words` are texts: both one a rule, by
    feature. Cells tell which rules (rows) the rows of a batch (columns) have a side of.
    """

    measures: Mapping[str, Column]
    words: Mapping[str, list[str]]
    has_antecedent: Cell[Column]
    has_consequent: Cell[Column]


def rule_features(rules: Rules, scope: Scope) -> dict[str, OwnFeature]:
    """Return the outputs about rules."""

    def build(output: OutputField) -> Compiled:
        feature: str = "ruleId" if output.feature == "entityId" else output.feature
        if feature == "ruleValue":
            allowed = (*_WORDS[1:], *_WORDS[:1], *NUMBERS)
            feature = _checked(output, "ruleFeature", output.rule_feature, allowed)
        ranked = scope.context.cells.make(_ranked(output, rules))
        order = _order(output, rules)
        if output.is_multi_valued:
            return _several(output, _values(rules, feature)[order].tolist(), ranked)
        table = _padded(_values(rules, feature)[order])
        select = _place(output, ranked)
        data_type: DataType = "double" if feature in NUMBERS else "string"
        return Compiled(data_type, lambda batch: table[select(batch)])

    return dict.fromkeys((*NUMBERS, *_WORDS, "entityId", "ruleValue"), build)


def _values(rules: Rules, feature: str) -> Column:
    return rules.measures[feature] if feature in NUMBERS else texts([*rules.words[feature]])


def _padded(values: Column) -> Column:
    """Return the values and in the end what there is of no rule."""
    if values.dtype == object:
        return texts([*values.tolist(), None])
    return np.append(values, np.nan)


def _order(output: OutputField, rules: Rules) -> Column:
    """Return the positions of the rules from the best to the worst."""
    basis = _checked(output, "rankBasis", output.rank_basis or "confidence", NUMBERS)
    order_by = _checked(output, "rankOrder", output.rank_order, ("descending", "ascending"))
    measures = rules.measures[basis]
    if np.isnan(measures).any():
        raise InvalidModel(
            f"OutputField {output.name!r}: rankBasis={basis!r} needs the {basis} of every rule"
        )
    return np.argsort(-measures if order_by == "descending" else measures, kind="stable")


def _ranked(output: OutputField, rules: Rules) -> _Select:
    """Return what tells which rules apply to each row of a batch, the best of them first."""
    algorithm = _checked(output, "algorithm", output.algorithm, ALGORITHMS)
    order = _order(output, rules)

    def select(batch: Batch) -> Column:
        applies = batch.read(rules.has_antecedent)
        if algorithm == "ruleAssociation":
            applies = applies & batch.read(rules.has_consequent)
        elif algorithm == "exclusiveRecommendation":
            applies = applies & ~batch.read(rules.has_consequent)
        ranked: Column = applies[order]
        return ranked

    return select


def _place(output: OutputField, ranked: Cell[Column]) -> _Select:
    """Return what gives the place of the rule of a rank, -1 where there is none."""
    rank = 1 if output.rank is None else output.rank
    if rank < 1:
        raise UnsupportedModel(
            f"OutputField {output.name!r}: rank {rank}, all rules at once, needs isMultiValued"
        )

    def select(batch: Batch) -> Column:
        applies = batch.read(ranked)
        wanted = applies & (np.cumsum(applies, axis=0) == rank)
        chosen: Column = np.where(wanted.any(axis=0), wanted.argmax(axis=0), -1)
        return chosen

    return select


def _several(output: OutputField, values: list[object], ranked: Cell[Column]) -> Compiled:
    """Return the output of as many rules as its rank says, of all where it is zero: a JSON list."""
    rank = 1 if output.rank is None else output.rank
    if rank < 0:
        raise InvalidModel(f"OutputField {output.name!r}: rank={rank} is no number of rules")
    most = rank or len(values)

    def evaluate(batch: Batch) -> Column:
        # Few rows differ in what applies to them.
        kinds, kind = np.unique(batch.read(ranked), axis=1, return_inverse=True)
        lists = [
            msgspec.json.encode([values[place] for place in np.flatnonzero(applies)[:most]])
            for applies in kinds.T
        ]
        found: Column = texts([text.decode() for text in lists])[kind.reshape(-1)]
        return found

    return Compiled("string", evaluate)


def _checked(
    output: OutputField, attribute: str, value: str | None, allowed: tuple[str, ...]
) -> str:
    """Return an attribute of an output, by default the first that is allowed."""
    chosen = allowed[0] if value is None else value
    if chosen not in allowed:
        raise UnsupportedModel(
            f"OutputField {output.name!r}: {attribute}={value!r} is not evaluated; supported: "
            f"{', '.join(allowed)}"
        )
    return chosen
