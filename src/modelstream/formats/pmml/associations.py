"""Compile AssociationModel: which rules apply to a row, and what the best of them say.

DMG 4.4, Association rules, and Output: algorithm, rank, rankBasis, rankOrder. There is no
predicted value; every output names its own ranking. Of rules with one rank the first in the
document comes first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.baskets import compile_items
from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.elements.associations import AssociationModel, AssociationRule
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.prediction import Body, OwnFeature, Prediction
from modelstream.formats.pmml.scope import Compiled, Scope
from modelstream.formats.pmml.values import texts
from modelstream.messages import Column

NUMBERS = ("support", "confidence", "lift", "leverage", "affinity")
ALGORITHMS = ("exclusiveRecommendation", "recommendation", "ruleAssociation")
_WORDS = ("antecedent", "consequent", "rule", "ruleId")


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """The rules, the positions of their items, and where each row has these (rules first)."""

    rules: tuple[AssociationRule, ...]
    antecedents: list[list[int]]
    consequents: list[list[int]]
    has_antecedent: Cell[Column]
    has_consequent: Cell[Column]


def compile_associations(model: AssociationModel, scope: Scope) -> Body:
    """Return an AssociationModel's rule. Raises InvalidModel or UnsupportedModel, naming why."""
    rules = _rules(model, scope)
    columns = _columns(model, rules)
    cells = scope.context.cells

    def build(output: OutputField) -> Compiled:
        feature: str = "ruleId" if output.feature == "entityId" else output.feature
        if feature == "ruleValue":
            feature = _checked(
                output, "ruleFeature", output.rule_feature, (*_WORDS[1:], *_WORDS[:1], *NUMBERS)
            )
        table = columns[feature]
        select = cells.make(_selection(output, rules))
        data_type: DataType = "double" if feature in NUMBERS else "string"
        return Compiled(data_type, lambda batch: table[batch.read(select)])

    features: dict[str, OwnFeature] = dict.fromkeys(
        (*NUMBERS, *_WORDS, "entityId", "ruleValue"), build
    )
    features["predictedValue"] = _refuse
    nothing = cells.make(lambda batch: Prediction(np.full(batch.rows, np.nan)))
    return Body((), nothing, features=features, predicts=False)


def _refuse(output: OutputField) -> Compiled:
    raise UnsupportedModel(
        f"OutputField {output.name!r}: the standard defines no predictedValue of association "
        "rules; ask for consequent, rule or ruleId"
    )


def _rules(model: AssociationModel, scope: Scope) -> _Rules:
    """Return the rules ready to be asked for."""
    numbers = {item.id: number for number, item in enumerate(model.items)}
    sets: dict[str, list[int]] = {}
    for itemset in model.itemsets:
        unknown = [ref.item_ref for ref in itemset.items if ref.item_ref not in numbers]
        if unknown:
            raise InvalidModel(f"Itemset {itemset.id!r} refers to Item {unknown[0]!r}, not there")
        sets[itemset.id] = [numbers[ref.item_ref] for ref in itemset.items]
    for rule in model.rules:
        for side in (rule.antecedent, rule.consequent):
            if side not in sets:
                raise InvalidModel(f"an AssociationRule refers to Itemset {side!r}, not there")
    if not model.rules:
        raise InvalidModel("an AssociationModel holds no AssociationRule")
    cells = scope.context.cells
    present = cells.make(compile_items(model, scope))
    antecedents = [sets[rule.antecedent] for rule in model.rules]
    consequents = [sets[rule.consequent] for rule in model.rules]

    def having(sides: list[list[int]]) -> Callable[[Batch], Column]:
        return lambda batch: np.stack([batch.read(present)[side].all(axis=0) for side in sides])

    return _Rules(
        model.rules,
        antecedents,
        consequents,
        cells.make(having(antecedents)),
        cells.make(having(consequents)),
    )


def _columns(model: AssociationModel, rules: _Rules) -> dict[str, Column]:
    """Return what each feature says of each rule, and in the end of none."""
    names = [item.value for item in model.items]
    before, after = (
        ["{" + ", ".join(names[number] for number in side) + "}" for side in sides]
        for sides in (rules.antecedents, rules.consequents)
    )
    words = {
        "antecedent": before,
        "consequent": after,
        "rule": [f"{left}->{right}" for left, right in zip(before, after, strict=True)],
        "ruleId": [rule.id or str(n) for n, rule in enumerate(rules.rules, start=1)],
    }
    columns = {name: texts([*items, None]) for name, items in words.items()}
    columns.update((name, np.append(_measures(rules, name), np.nan)) for name in NUMBERS)
    return columns


def _measures(rules: _Rules, name: str) -> Column:
    declared = [getattr(rule, name) for rule in rules.rules]
    return np.array([np.nan if value is None else value for value in declared], np.float64)


def _selection(output: OutputField, rules: _Rules) -> Callable[[Batch], Column]:
    """Return what gives the position of the rule that an output is about, -1 where there is none."""
    where = f"OutputField {output.name!r}"
    algorithm = _checked(output, "algorithm", output.algorithm, ALGORITHMS)
    basis = _checked(output, "rankBasis", output.rank_basis or "confidence", NUMBERS)
    order_by = _checked(output, "rankOrder", output.rank_order, ("descending", "ascending"))
    rank = 1 if output.rank is None else output.rank
    if rank < 1:
        raise UnsupportedModel(f"{where}: rank {rank}, all rules at once, is not evaluated")
    measures = _measures(rules, basis)
    if np.isnan(measures).any():
        raise InvalidModel(f"{where}: rankBasis={basis!r} needs the {basis} of every rule")
    order = np.argsort(-measures if order_by == "descending" else measures, kind="stable")

    def select(batch: Batch) -> Column:
        applies = batch.read(rules.has_antecedent)
        if algorithm == "ruleAssociation":
            applies = applies & batch.read(rules.has_consequent)
        elif algorithm == "exclusiveRecommendation":
            applies = applies & ~batch.read(rules.has_consequent)
        ranked = applies[order]
        wanted = ranked & (np.cumsum(ranked, axis=0) == rank)
        chosen: Column = np.where(wanted.any(axis=0), order[wanted.argmax(axis=0)], -1)
        return chosen

    return select


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
