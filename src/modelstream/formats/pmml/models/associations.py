"""Compile AssociationModel: which rules apply to a row, and what the best of them say.

DMG 4.4, Association rules. There is no predicted value, there are outputs: see rankings.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.answers.rankings import NUMBERS, Rules, rule_features
from modelstream.formats.pmml.elements.associations import AssociationModel
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.formats.pmml.models.baskets import compile_items
from modelstream.messages import Column


def compile_associations(model: AssociationModel, scope: Scope) -> Body:
    """Return an AssociationModel's rule. Raises InvalidModel or UnsupportedModel, naming why."""
    features = rule_features(_rules(model, scope), scope)
    features["predictedValue"] = _refuse
    nothing = scope.context.cells.make(lambda batch: Prediction(np.full(batch.rows, np.nan)))
    return Body((), nothing, features=features, predicts=False, lists=True)


def _refuse(output: OutputField) -> Compiled:
    raise UnsupportedModel(
        f"OutputField {output.name!r}: the standard defines no predictedValue of association "
        "rules; ask for consequent, rule or ruleId"
    )


def _rules(model: AssociationModel, scope: Scope) -> Rules:
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
    _check_size(model, sets)
    cells = scope.context.cells
    present = cells.make(compile_items(model, scope))
    antecedents = [sets[rule.antecedent] for rule in model.rules]
    consequents = [sets[rule.consequent] for rule in model.rules]

    def having(sides: list[list[int]]) -> Callable[[Batch], Column]:
        return lambda batch: np.stack([batch.read(present)[side].all(axis=0) for side in sides])

    return Rules(
        {name: _measures(model, name) for name in NUMBERS},
        _words(model, antecedents, consequents),
        cells.make(having(antecedents)),
        cells.make(having(consequents)),
    )


def _check_size(model: AssociationModel, sets: dict[str, list[int]]) -> None:
    """Raise UnsupportedModel when there are too many rules, or they are too long in words."""
    chars = {name: sum(len(model.items[n].value) + 2 for n in s) for name, s in sets.items()}
    total = sum(chars[rule.antecedent] + chars[rule.consequent] for rule in model.rules)
    if len(model.rules) > limits.PMML_RULES_MAX or total > limits.PMML_RULE_CHARS_MAX:
        raise UnsupportedModel(
            f"{len(model.rules)} association rules of {total} characters; evaluated are up to "
            f"{limits.PMML_RULES_MAX} of {limits.PMML_RULE_CHARS_MAX}"
        )


def _words(
    model: AssociationModel, antecedents: list[list[int]], consequents: list[list[int]]
) -> dict[str, list[str]]:
    """Return what each rule says in words."""
    names = [item.value for item in model.items]
    before, after = (
        ["{" + ", ".join(names[number] for number in side) + "}" for side in sides]
        for sides in (antecedents, consequents)
    )
    return {
        "antecedent": before,
        "consequent": after,
        "rule": [f"{left}->{right}" for left, right in zip(before, after, strict=True)],
        "ruleId": [rule.id or str(n) for n, rule in enumerate(model.rules, start=1)],
    }


def _measures(model: AssociationModel, name: str) -> Column:
    declared = [getattr(rule, name) for rule in model.rules]
    return np.array([np.nan if value is None else value for value in declared], np.float64)
