"""Read expressions from JSON: each is checked, gets its type, and becomes code at once.

The special forms are in `forms`, the functions of the library in `functions`; this module knows
literals and names, and hands everything else on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.limits import PFA_EXPRESSION_DEPTH_MAX
from modelstream.formats.pfa import types
from modelstream.formats.pfa.code import Code, constant, sequence
from modelstream.formats.pfa.data import INT_RANGE, LONG_RANGE, Data
from modelstream.formats.pfa.library import Library
from modelstream.formats.pfa.order import Orders
from modelstream.formats.pfa.schema import Schemas
from modelstream.formats.pfa.scope import Cell, Scope, Use, UserFunction
from modelstream.formats.pfa.types import Function, Type

# What reads a call of a function, whose name is the only key; `*` is one of these names.
CALL = frozenset({"*"})
_COUNTERS = frozenset({"actionsStarted", "actionsFinished"})
Form = Callable[["Checker", dict[str, Any], Scope, str], Code]


class Checker:
    """What is known of a document while its expressions are read."""

    def __init__(
        self,
        schemas: Schemas,
        forms: Mapping[frozenset[str], Form],
        library: Library,
    ) -> None:
        self.schemas = schemas
        self.library = library
        self.data = Data()
        self.orders = Orders()
        self.cells: dict[str, Cell] = {}
        self.pools: dict[str, Cell] = {}
        self.functions: dict[str, UserFunction] = {}
        self.emits: Type | None = None
        self.assignments = 0
        self.called: set[str] = set()
        self.use = Use()
        self._forms = forms
        self._words = frozenset(word for keys in forms for word in keys) - CALL
        self._depth = 0

    def expression(self, node: Any, scope: Scope, where: str) -> Code:
        """Return the code of an expression that has a value. Raises InvalidModel."""
        code = self.argument(node, scope, where)
        if isinstance(code.type, Function):
            raise InvalidModel(f"{where}: a function stands where a value is due")
        return code

    def argument(self, node: Any, scope: Scope, where: str) -> Code:
        """Return the code of an expression or a function. Raises InvalidModel."""
        self._depth += 1
        if self._depth > PFA_EXPRESSION_DEPTH_MAX:
            raise InvalidModel(f"{where}: expressions are nested too deeply")
        try:
            return self._argument(node, scope, where)
        finally:
            self._depth -= 1

    def block(self, node: Any, scope: Scope, where: str) -> Code:
        """Return the code of one expression or a list of them. Raises InvalidModel."""
        # A list with one string is a literal only where a list could not be a block.
        nodes = node if isinstance(node, list) else [node]
        if not nodes:
            raise InvalidModel(f"{where}: there is no expression")
        return sequence(
            [
                self.expression(each, scope, f"{where}.{index}" if nodes is node else where)
                for index, each in enumerate(nodes)
            ]
        )

    def type(self, node: Any, where: str) -> Type:
        """Return the type that a JSON value describes. Raises InvalidModel."""
        return self.schemas.read(node, where)

    def _argument(self, node: Any, scope: Scope, where: str) -> Code:  # noqa: PLR0911 - one a kind
        if isinstance(node, dict):
            return self._form(node, scope, where)
        if isinstance(node, str):
            return self._reference(node, scope, where)
        if node is None:
            return constant(types.NULL, None)
        if isinstance(node, bool):
            return constant(types.BOOLEAN, node)
        if isinstance(node, float):
            return constant(types.DOUBLE, node)
        if isinstance(node, int):
            if node not in LONG_RANGE:
                raise InvalidModel(f"{where}: {node} does not fit a long")
            return constant(types.INT if node in INT_RANGE else types.LONG, node)
        if isinstance(node, list) and len(node) == 1 and isinstance(node[0], str):
            return string(node[0])
        raise InvalidModel(f'{where}: a list is no expression, except ["a string"]')

    def _form(self, node: dict[str, Any], scope: Scope, where: str) -> Code:
        keys = frozenset(node) - {"@"}
        form = self._forms.get(keys)
        if form is not None:
            return form(self, node, scope, where)
        if len(keys) == 1:
            (name,) = keys
            if name not in self._words:
                return self._forms[CALL](self, node, scope, where)
        raise InvalidModel(
            f"{where}: there is no special form of {', '.join(map(repr, sorted(keys)))}"
        )

    def _reference(self, node: str, scope: Scope, where: str) -> Code:
        name, *path = node.split(".")
        known = scope.find(name)
        if known is None and name in _COUNTERS:
            raise UnsupportedModel(
                f"{where}: {name!r} counts the records before, and a score has to be the same when a "
                "record is replayed"
            )
        if known is None:
            raise InvalidModel(f"{where}: unknown symbol {name!r}")
        slot = known.slot
        code = Code(
            known.type, lambda frame: frame[slot], lambda batch: batch.slots[slot], slot=slot
        )
        if not path:
            return code
        steps = [int(step) if _is_whole(step) else [step] for step in path]
        attribute = {"attr": code, "path": steps}
        return self._forms[frozenset({"attr", "path"})](self, attribute, scope, where)


def string(text: str) -> Code:
    """Return the code of a literal string, which a path may name a field with."""
    return Code(types.STRING, lambda _frame: text, lambda _batch: text, literal=text)


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
