"""The names that an expression can see, and what is known of the whole document around it."""

from dataclasses import dataclass, field
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.pfa.code import Code
from modelstream.formats.pfa.types import Type


@dataclass(slots=True)
class Layout:
    """The slots of one frame; the first holds the record's `Run`."""

    size: int = 1

    def take(self) -> int:
        """Return a slot that nothing else uses."""
        self.size += 1
        return self.size - 1


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a name's value is, and its type."""

    slot: int
    type: Type


class Scope:
    """Names in a block. One that is `sealed` cannot assign to names of the blocks around it.

    One that is `closed` cannot declare names: it is that of an argument.
    """

    def __init__(
        self,
        layout: Layout,
        outer: "Scope | None" = None,
        *,
        sealed: bool = False,
        closed: bool = False,
    ) -> None:
        self.layout = layout
        self.closed = closed
        self._outer = outer
        self._sealed = sealed
        self._names: dict[str, Variable] = {}

    def inner(self) -> "Scope":
        """Return a block inside of this one."""
        return Scope(self.layout, self)

    def sealed(self) -> "Scope":
        """Return a block that may only read what is around it."""
        return Scope(self.layout, self, sealed=True)

    def argument(self) -> "Scope":
        """Return the scope of an argument, which neither declares names nor assigns to any."""
        return Scope(self.layout, self, sealed=True, closed=True)

    def find(self, name: str) -> Variable | None:
        """Return what a name stands for."""
        known = self._names.get(name)
        return known if known or self._outer is None else self._outer.find(name)

    def is_writable(self, name: str) -> bool:
        """Tell whether a name can be assigned to from here."""
        if name in self._names:
            return True
        return not self._sealed and self._outer is not None and self._outer.is_writable(name)

    def declare(self, name: str, kind: Type) -> Variable:
        """Add a name to this block."""
        known = self._names[name] = Variable(self.layout.take(), kind)
        return known

    def declare_new(self, name: str, kind: Type, where: str) -> Variable:
        """Add a name that must not hide another. Raises InvalidModel."""
        check_name(name, where)
        if self.find(name) is not None:
            raise InvalidModel(f"{where}: symbol {name!r} is declared already")
        return self.declare(name, kind)


def check_name(name: object, where: str) -> None:
    """Raise InvalidModel unless this can be the name of a variable."""
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise InvalidModel(f"{where}: {name!r} is not a valid symbol name")


@dataclass(slots=True)
class Cell:
    """A cell, or a pool: its type and its value, which only `begin` changes."""

    type: Type
    value: Any


@dataclass(slots=True, eq=False)
class UserFunction:
    """A function of the document. Its code is known once all of its kind are checked."""

    name: str
    params: tuple[tuple[str, Type], ...]
    result: Type
    slots: tuple[int, ...] = ()
    layout: Layout = field(default_factory=Layout)
    code: Code | None = None


@dataclass(slots=True)
class Use:
    """What a part of the document does, apart from its value: see `document`."""

    writes: dict[str, str] = field(default_factory=dict)  # what is written, and where
    calls: set[str] = field(default_factory=set)  # functions of the document
    emitted: int = 0  # calls of `emit`
    emits_freely: bool = False  # `emit` is handed on as a function
