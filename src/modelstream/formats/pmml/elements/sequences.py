"""The element types of SequenceModel (DMG 4.4, Sequence rules)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.associations import Item, Itemset
from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.predicates import Array


class Constraints(Element, kw_only=True, frozen=True):
    """What sequences and rules were looked for."""

    minimum_number_of_items: int = 1
    maximum_number_of_items: int | None = None
    minimum_number_of_antecedent_items: int = 1
    maximum_number_of_antecedent_items: int | None = None
    minimum_number_of_consequent_items: int = 1
    maximum_number_of_consequent_items: int | None = None
    minimum_support: float = 0.0
    minimum_confidence: float = 0.0
    minimum_lift: float = 0.0
    minimum_total_sequence_time: float = 0.0
    maximum_total_sequence_time: float | None = None
    minimum_itemset_separation_time: float = 0.0
    maximum_itemset_separation_time: float | None = None
    minimum_ant_cons_separation_time: float = 0.0
    maximum_ant_cons_separation_time: float | None = None


class SetPredicate(Element, kw_only=True, frozen=True):
    """The values that a field has all of: an itemset without Items."""

    id: str
    field: str
    operator: Literal["supersetOf"] = "supersetOf"
    array: Array = msgspec.field(name="Array")


class SetReference(Element, kw_only=True, frozen=True):
    """A set, by the id of an Itemset or SetPredicate."""

    set_id: str


class Delimiter(Element, kw_only=True, frozen=True):
    """What lies between one set and the next."""

    delimiter: Literal["sameTimeWindow", "acrossTimeWindows"]
    gap: Literal["true", "false", "unknown"]


class Time(Element, kw_only=True, frozen=True):
    """How much time went by in the training data: a statistic."""

    min: float | None = None
    max: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None


class Sequence(Element, kw_only=True, frozen=True):
    """Sets, one after the other, with a delimiter between each two."""

    id: str
    number_of_sets: int | None = None
    occurrence: int | None = None
    support: float | None = None
    sets: tuple[SetReference, ...] = msgspec.field(name="SetReference", default=())
    delimiters: tuple[Delimiter, ...] = msgspec.field(name="Delimiter", default=())
    times: tuple[Time, ...] = msgspec.field(name="Time", default=())


class SequenceReference(Element, kw_only=True, frozen=True):
    """A sequence by its id."""

    seq_id: str


class AntecedentSequence(Element, kw_only=True, frozen=True):
    """What comes first in a rule."""

    sequence: SequenceReference = msgspec.field(name="SequenceReference")
    time: Time | None = msgspec.field(name="Time", default=None)


class ConsequentSequence(Element, kw_only=True, frozen=True):
    """What tends to follow."""

    sequence: SequenceReference = msgspec.field(name="SequenceReference")
    time: Time | None = msgspec.field(name="Time", default=None)


class SequenceRule(Element, kw_only=True, frozen=True):
    """In whom the antecedent is found, the consequent tends to follow."""

    id: str
    number_of_sets: int | None = None
    occurrence: int | None = None
    support: float
    confidence: float
    lift: float | None = None
    antecedent: AntecedentSequence = msgspec.field(name="AntecedentSequence")
    delimiter: Delimiter = msgspec.field(name="Delimiter")
    consequent: ConsequentSequence = msgspec.field(name="ConsequentSequence")
    times: tuple[Time, ...] = msgspec.field(name="Time", default=())


class SequenceModel(Model, kw_only=True, frozen=True):
    """Rules on what follows what; the numbers tell of the training."""

    function_name: Literal["sequences"]
    number_of_transactions: int | None = None
    max_number_of_items_per_transaction: int | None = None
    avg_number_of_items_per_transaction: float | None = None
    number_of_transaction_groups: int | None = None
    max_number_of_tas_per_ta_group: int | None = msgspec.field(
        name="maxNumberOfTAsPerTAGroup", default=None
    )
    avg_number_of_tas_per_ta_group: float | None = msgspec.field(
        name="avgNumberOfTAsPerTAGroup", default=None
    )
    constraints: Constraints | None = msgspec.field(name="Constraints", default=None)
    items: tuple[Item, ...] = msgspec.field(name="Item", default=())
    itemsets: tuple[Itemset, ...] = msgspec.field(name="Itemset", default=())
    predicates: tuple[SetPredicate, ...] = msgspec.field(name="SetPredicate", default=())
    sequences: tuple[Sequence, ...] = msgspec.field(name="Sequence", default=())
    rules: tuple[SequenceRule, ...] = msgspec.field(name="SequenceRule", default=())


PARTS: tuple[type[Element], ...] = (
    Constraints,
    SetPredicate,
    SetReference,
    Delimiter,
    Time,
    Sequence,
    SequenceReference,
    AntecedentSequence,
    ConsequentSequence,
    SequenceRule,
)
