"""Compile SequenceModel: which rules apply to the sequence of a row, and what the best of them say.

DMG 4.4, Sequence rules, describes rules and leaves scoring open. Here a rule applies to a row that
has its antecedent sequence, in the order and with the delimiters of the document; the answer is
the id of the most confident rule that applies. Outputs are those of association rules: see
rankings.
"""

from collections.abc import Sequence as Several
from dataclasses import dataclass
from functools import partial

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.answers.rankings import NUMBERS, Rules, rule_features
from modelstream.formats.pmml.elements.sequences import (
    Constraints,
    Delimiter,
    Sequence,
    SequenceModel,
    SequenceRule,
)
from modelstream.formats.pmml.fields.arrays import array_items
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.stacks import refuse_single_precision
from modelstream.formats.pmml.fields.values import is_text
from modelstream.formats.pmml.models.transactions import (
    Transactions,
    check_delimiter,
    find_sets,
    read_transactions,
    rows_with,
)
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """A rule as one sequence of sets; the first `before` of them are its antecedent."""

    sets: tuple[tuple[int, ...], ...]
    delimiters: tuple[Delimiter, ...]
    before: int


def compile_sequences(model: SequenceModel, scope: Scope) -> Body:
    """Return a SequenceModel's rule. Raises InvalidModel or UnsupportedModel, naming why."""
    refuse_single_precision(model)
    _refuse_times(model.constraints)
    ids = tuple(rule.id for rule in model.rules)
    if not ids or len(set(ids)) < len(ids):
        raise InvalidModel("a SequenceModel needs SequenceRules, each with an id of its own")
    field = _field(model, scope)
    items = _sets(model, field)
    numbers: dict[str, int] = {}
    for members in items.values():
        for item in members:
            numbers.setdefault(item, len(numbers))
    sequences = {sequence.id: _checked(sequence, items) for sequence in model.sequences}
    paths = [_path(rule, sequences, items, numbers) for rule in model.rules]
    make = scope.context.cells.make
    found = make(partial(_find, paths, make(read_transactions(field, numbers))))
    antecedents = make(lambda batch: batch.read(found)[0])
    confidences = np.array([rule.confidence for rule in model.rules])

    def answer(batch: Batch) -> Prediction:
        applying = np.where(batch.read(antecedents), confidences[:, None], -np.inf)
        best = applying.argmax(axis=0).astype(np.float64)
        return Prediction(np.where(np.isneginf(applying).all(axis=0), np.nan, best))

    rules = Rules(
        {name: _measures(model, name) for name in NUMBERS},
        _words(model, sequences, items),
        antecedents,
        make(lambda batch: batch.read(found)[1]),
    )
    features = rule_features(rules, scope)
    return Body(ids, make(answer), features=features, probable=False, lists=True)


def _find(paths: list[_Path], read: Cell[Transactions], batch: Batch) -> tuple[Column, Column]:
    """Return which rules (rows) have their antecedent, and all of them, in each row (columns)."""
    transactions = batch.read(read)
    has = np.zeros((2, len(paths), batch.rows), dtype=np.bool_)
    for number, path in enumerate(paths):
        found = find_sets(path.sets, path.delimiters, transactions)
        has[0, number] = rows_with(found[path.before - 1], transactions, batch.rows)
        has[1, number] = rows_with(found[-1], transactions, batch.rows)
    return has[0], has[1]


def _refuse_times(constraints: Constraints | None) -> None:
    """Refuse limits of time: a record's transactions have an order, no times."""
    if constraints is None:
        return
    plain = Constraints()
    for name in Constraints.__struct_fields__:
        if name.endswith("_time") and getattr(constraints, name) != getattr(plain, name):
            raise UnsupportedModel(f"Constraints: {name} of a SequenceModel is not evaluated")


def _field(model: SequenceModel, scope: Scope) -> Field:
    """Return the field that holds the sequence of a record."""
    active = [f.name for f in model.mining_schema.fields if f.usage_type == "active"]
    if len(active) != 1:
        raise UnsupportedModel(
            "the sequence of a record is looked for in the one active field; there are "
            f"{len(active)} ({', '.join(active)})"
        )
    field = scope.find(active[0])
    if not is_text(field.data_type):
        raise UnsupportedModel(f"field {field.name!r} holds a sequence and is not of type string")
    return field


def _sets(model: SequenceModel, field: Field) -> dict[str, tuple[str, ...]]:
    """Return the items of each Itemset and SetPredicate."""
    values: dict[str, str] = {}
    for item in model.items:
        if item.field not in {None, field.name}:
            raise UnsupportedModel(f"Item {item.id!r} is of field {item.field!r}, not of the one")
        values[item.id] = item.value if item.category is None else item.category
    sets: dict[str, tuple[str, ...]] = {}
    for itemset in model.itemsets:
        unknown = [ref.item_ref for ref in itemset.items if ref.item_ref not in values]
        if unknown:
            raise InvalidModel(f"Itemset {itemset.id!r} refers to Item {unknown[0]!r}, not there")
        sets[itemset.id] = tuple(values[ref.item_ref] for ref in itemset.items)
    for predicate in model.predicates:
        if predicate.field != field.name:
            raise UnsupportedModel(
                f"SetPredicate {predicate.id!r} is about field {predicate.field!r}; sequences are "
                f"read from {field.name!r} alone"
            )
        sets[predicate.id] = tuple(array_items(predicate.array))
    if len(sets) < len(model.itemsets) + len(model.predicates):
        raise InvalidModel("two sets of a SequenceModel have the same id")
    return sets


def _checked(sequence: Sequence, sets: dict[str, tuple[str, ...]]) -> Sequence:
    """Return a sequence that can be looked for."""
    where = f"Sequence {sequence.id!r}"
    if not sequence.sets or len(sequence.delimiters) != len(sequence.sets) - 1:
        raise InvalidModel(
            f"{where} has {len(sequence.sets)} sets and {len(sequence.delimiters)} Delimiters; "
            "there is one between each two sets"
        )
    for reference in sequence.sets:
        if reference.set_id not in sets:
            raise InvalidModel(f"{where} refers to set {reference.set_id!r}, not there")
    for delimiter in sequence.delimiters:
        check_delimiter(delimiter, where)
    return sequence


def _path(
    rule: SequenceRule,
    sequences: dict[str, Sequence],
    sets: dict[str, tuple[str, ...]],
    numbers: dict[str, int],
) -> _Path:
    """Return a rule as one sequence."""
    check_delimiter(rule.delimiter, f"SequenceRule {rule.id!r}")
    for side in (rule.antecedent, rule.consequent):
        if side.sequence.seq_id not in sequences:
            raise InvalidModel(
                f"SequenceRule {rule.id!r} refers to Sequence {side.sequence.seq_id!r}, not there"
            )
    before = sequences[rule.antecedent.sequence.seq_id]
    after = sequences[rule.consequent.sequence.seq_id]
    members = [sets[reference.set_id] for reference in (*before.sets, *after.sets)]
    return _Path(
        tuple(tuple(numbers[item] for item in items) for items in members),
        (*before.delimiters, rule.delimiter, *after.delimiters),
        len(before.sets),
    )


def _words(
    model: SequenceModel, sequences: dict[str, Sequence], sets: dict[str, tuple[str, ...]]
) -> dict[str, list[str]]:
    """Return what each rule says in words."""

    def written(sequence_id: str) -> str:
        members: Several[tuple[str, ...]] = [sets[r.set_id] for r in sequences[sequence_id].sets]
        return ", ".join("{" + ", ".join(items) + "}" for items in members)

    before = [written(rule.antecedent.sequence.seq_id) for rule in model.rules]
    after = [written(rule.consequent.sequence.seq_id) for rule in model.rules]
    return {
        "antecedent": before,
        "consequent": after,
        "rule": [f"{left}->{right}" for left, right in zip(before, after, strict=True)],
        "ruleId": [rule.id for rule in model.rules],
    }


def _measures(model: SequenceModel, name: str) -> Column:
    """Return a number of each rule; the standard has no leverage and no affinity of them."""
    declared = [getattr(rule, name, None) for rule in model.rules]
    return np.array([np.nan if value is None else value for value in declared], np.float64)
