"""Which items each row has: in a basket, that is a list in one field, or as values of fields.

DMG 4.4, Association rules: Item. A list stands in a column of strings as JSON; any other string
is a basket of one item.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.associations import AssociationModel, Item
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import is_text, parse_declared
from modelstream.messages import Column

_Present = Callable[[Batch], Column]
# What a list of items can hold.
Entry = str | int | float | bool | None


def compile_items(model: AssociationModel, scope: Scope) -> _Present:
    """Return what tells which items (rows) each row of a batch (columns) has.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with the items.
    """
    named = [item for item in model.items if item.field is not None]
    if not named:
        return _in_basket(model, scope)
    if len(named) < len(model.items):
        raise UnsupportedModel("an AssociationModel of items with and without field is mixed")
    tests = [_of_field(item, item.field, scope) for item in named if item.field is not None]
    return lambda batch: np.stack([test(batch) for test in tests])


def _of_field(item: Item, name: str, scope: Scope) -> _Present:
    """Return where a field has the item's category; a truth field has it where it is true."""
    field = scope.find(name)
    wanted = item.value if item.category is None else item.category
    if item.category is None and field.data_type == "boolean":
        wanted = "true"
    value = parse_declared(wanted, field.data_type, f"Item {item.id!r}")
    return lambda batch: np.asarray(batch.read(field.cell) == value, dtype=np.bool_)


def _in_basket(model: AssociationModel, scope: Scope) -> _Present:
    active = [f.name for f in model.mining_schema.fields if f.usage_type == "active"]
    if len(active) != 1:
        raise UnsupportedModel(
            "Items without field are looked for in the one active field; there are "
            f"{len(active)} ({', '.join(active)})"
        )
    field = scope.find(active[0])
    if not is_text(field.data_type):
        raise UnsupportedModel(f"field {field.name!r} holds items and is not of type string")
    numbers: dict[str, int] = {}
    for number, item in enumerate(model.items):
        if numbers.setdefault(item.value, number) != number:
            raise InvalidModel(f"two Items have the value {item.value!r}")

    def present(batch: Batch) -> Column:
        found = np.zeros((len(model.items), batch.rows), dtype=np.bool_)
        for row, text in enumerate(batch.read(field.cell).tolist()):
            for item in _basket(text):
                if item in numbers:
                    found[numbers[item], row] = True
        return found

    return present


def _basket(text: str | None) -> list[str]:
    if text is None:
        return []
    if text.startswith("["):
        try:
            return [item_text(item) for item in msgspec.json.decode(text, type=list[Entry])]
        except msgspec.DecodeError:
            return [text]
    return [text]


def item_text(item: Entry) -> str:
    """Return an entry of a list as an item: a text as it is, anything else as JSON writes it."""
    return item if isinstance(item, str) else msgspec.json.encode(item).decode()
