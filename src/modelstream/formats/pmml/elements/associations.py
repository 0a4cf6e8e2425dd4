"""The element types of AssociationModel (DMG 4.4, Association rules)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.model import Model


class Item(Element, kw_only=True, frozen=True):
    """One item: a value in a basket, or a field that has a category."""

    id: str
    value: str
    field: str | None = None
    category: str | None = None
    mapped_value: str | None = None
    weight: float | None = None


class ItemRef(Element, kw_only=True, frozen=True):
    """An item by its id."""

    item_ref: str


class Itemset(Element, kw_only=True, frozen=True):
    """Items that stand together."""

    id: str
    support: float | None = None
    number_of_items: int | None = None
    items: tuple[ItemRef, ...] = msgspec.field(name="ItemRef", default=())


class AssociationRule(Element, kw_only=True, frozen=True):
    """Who has the antecedent tends to have the consequent; both are ids of itemsets."""

    antecedent: str
    consequent: str
    support: float
    confidence: float
    lift: float | None = None
    leverage: float | None = None
    affinity: float | None = None
    id: str | None = None


class AssociationModel(Model, kw_only=True, frozen=True):
    """Rules on what goes with what; the numbers tell of the training."""

    function_name: Literal["associationRules"]
    number_of_transactions: int | None = None
    max_number_of_items_per_ta: int | None = msgspec.field(
        name="maxNumberOfItemsPerTA", default=None
    )
    avg_number_of_items_per_ta: float | None = msgspec.field(
        name="avgNumberOfItemsPerTA", default=None
    )
    minimum_support: float | None = None
    minimum_confidence: float | None = None
    length_limit: int | None = None
    number_of_items: int | None = None
    number_of_itemsets: int | None = None
    number_of_rules: int | None = None
    items: tuple[Item, ...] = msgspec.field(name="Item", default=())
    itemsets: tuple[Itemset, ...] = msgspec.field(name="Itemset", default=())
    rules: tuple[AssociationRule, ...] = msgspec.field(name="AssociationRule", default=())


PARTS = (Item, ItemRef, Itemset, AssociationRule)
