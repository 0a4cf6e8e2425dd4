"""What a function of PFA's library is here, and how one is found by its name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from modelstream.formats.pfa.code import Code
from modelstream.formats.pfa.fitting import Fit, fit
from modelstream.formats.pfa.order import Orders
from modelstream.formats.pfa.patterns import Signature, parse_signature
from modelstream.formats.pfa.types import Type

# What computes a function's value of one record's arguments.
Rule = Callable[..., Any]
# What computes a function's values of all rows of a batch at once; NotImplemented where it cannot.
ColumnRule = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the types that its arguments are of once they are changed, and of its value."""

    params: tuple[Type, ...]
    result: Type
    orders: Orders
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryFunction:
    """A function: its signatures, of which the first that fits is taken, and what it computes.

    `make` returns the rule for the types of one call. `columns` takes the batch and the arguments,
    of which some are columns; a function among them takes and gives such values.
    """

    name: str
    signatures: tuple[str, ...]
    make: Callable[[Call], Rule]
    columns: Callable[[Call], ColumnRule] | None = None


def plain(
    name: str, *signatures: str, rule: Rule, columns: ColumnRule | None = None
) -> LibraryFunction:
    """Return a function that computes the same whatever the types of a call are."""
    return LibraryFunction(
        name,
        signatures,
        lambda _call: rule,
        None if columns is None else lambda _call: columns,
    )


class Library:
    """All functions, by name. Signatures are read when they are first looked at."""

    def __init__(self, groups: Iterable[Sequence[LibraryFunction]]) -> None:
        self._functions = {each.name: each for group in groups for each in group}
        self._signatures: dict[str, list[Signature]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def names(self) -> tuple[str, ...]:
        """Return the names of all functions."""
        return tuple(sorted(self._functions))

    def find(self, name: str) -> LibraryFunction | None:
        """Return a function."""
        return self._functions.get(name)

    def signatures(self, name: str) -> list[Signature]:
        """Return a function's signatures."""
        known = self._signatures.get(name)
        if known is None:
            texts = self._functions[name].signatures
            known = self._signatures[name] = [parse_signature(text) for text in texts]
        return known

    def fit(self, name: str, arguments: Sequence[Type]) -> Fit | None:
        """Return the types that a function has for arguments of these types, if it takes them."""
        for signature in self.signatures(name):
            found = fit(signature, arguments)
            if found is not None:
                return found
        return None
