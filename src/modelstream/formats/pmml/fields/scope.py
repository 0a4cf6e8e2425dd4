"""Which field a name means, decided once when a model is loaded.

Scopes are nested as the standard nests them (DMG 4.4, Scope of fields): the data, the global
transformations, a model's own, its segments'. Fields are built when they are first asked for, so
their order in a document is free; a field that asks for its own name gets the one further out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import DataType, OpType
from modelstream.formats.pmml.elements.expressions import DefineFunction
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.fields.batch import Batch, Cell, Cells
from modelstream.formats.pmml.fields.rows import Twin
from modelstream.formats.pmml.fields.values import Scalar, full, is_text, parse_declared
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class ByValue:
    """What a function gives for each value of a cell."""

    source: Cell[Column]
    function: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A column that can be referred to.

    `values` are the categories declared for it; `depth` is how many computations it stands on;
    `constant` is a one-tuple of its value when it has but one; `invalid` holds where its values
    are invalid, when such values may stand in it. Save in rows that are rejected, a `closed` field
    has no value but `values` or none, and a `certain` one is never missing. `by_value` says how
    to compute it where it depends on one other cell's values alone.
    """

    name: str
    data_type: DataType
    optype: OpType
    cell: Cell[Column]
    depth: int = 0
    values: tuple[str, ...] = ()
    constant: tuple[Scalar] | None = None
    invalid: Cell[Column] | None = None
    closed: bool = False
    certain: bool = False
    by_value: ByValue | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The values of an ordinal field, the least first, where their order is one of its own.

        Numbers that are declared in their natural order are compared as numbers.
        """
        if self.optype != "ordinal":
            return ()
        if not is_text(self.data_type):
            read = (parse_declared(v, self.data_type, self.name) for v in self.values)
            numbers = [float(number or 0.0) for number in read]
            return () if numbers == sorted(numbers) else self.values
        return self.values


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """An expression ready to run.

    `constant` is a one-tuple of its value when it has but one; `cell` is the field's that it is
    when it is nothing but a field; `order`, `invalid` and `by_value` are those of a field, too.
    `row` is the same for one row: another `evaluate` needs another one.
    """

    data_type: DataType
    evaluate: Callable[[Batch], Column]
    depth: int = 0
    constant: tuple[Scalar] | None = None
    cell: Cell[Column] | None = None
    order: tuple[str, ...] = ()
    invalid: Cell[Column] | None = None
    row: Twin | None = None
    by_value: ByValue | None = None


def constant(value: Scalar, data_type: DataType) -> Compiled:
    """Return the expression with one value for all rows."""
    return Compiled(
        data_type,
        lambda batch: full(value, batch.rows, data_type),
        constant=(value,),
        row=lambda plan: plan.constant(value),
    )


@dataclass(slots=True)
class Context:
    """What all scopes of one document share; `version` is that of PMML."""

    version: str = "4.4.1"
    data: dict[str, DataField] = field(default_factory=dict)
    functions: dict[str, DefineFunction] = field(default_factory=dict)
    cells: Cells = field(default_factory=Cells)
    word_cells: dict[tuple[Any, ...], Cell[Any]] = field(default_factory=dict)
    calls: int = 0
    kernels: int = 0
    predicates: int = 0
    models: int = 0

    def count_kernel(self) -> None:
        """Count one forest of the document. Raises UnsupportedModel past the limit."""
        self.kernels += 1
        if self.kernels > limits.PMML_KERNELS_MAX:
            raise UnsupportedModel(
                f"more than {limits.PMML_KERNELS_MAX} trees or ensembles that cannot be made one"
            )

    def count_model(self) -> None:
        """Count one model inside another. Raises UnsupportedModel past the limit."""
        self.models += 1
        if self.models > limits.PMML_MODELS_MAX:
            raise UnsupportedModel(
                f"more than {limits.PMML_MODELS_MAX} models inside others that are no plain trees"
            )

    def count_predicate(self) -> None:
        """Count one predicate that is a column. Raises UnsupportedModel past the limit."""
        self.predicates += 1
        if self.predicates > limits.PMML_PREDICATES_MAX:
            raise UnsupportedModel(
                f"more than {limits.PMML_PREDICATES_MAX} predicates outside of trees with binary "
                "splits; split nodes with many children"
            )

    def count_call(self) -> None:
        """Count one function call of the expanded document. Raises InvalidModel past the limit."""
        self.calls += 1
        if self.calls > limits.PMML_CALLS_MAX:
            raise InvalidModel(
                f"more than {limits.PMML_CALLS_MAX} function calls once functions are expanded"
            )


class Scope:
    """Fields by name; a name that is not here is looked up in the scope around it."""

    def __init__(
        self, context: Context, outer: "Scope | None" = None, calling: tuple[str, ...] = ()
    ) -> None:
        self.context = context
        self.depth: int = 0 if outer is None else outer.depth + 1
        if self.depth > limits.PMML_SCOPES_MAX:
            raise InvalidModel(f"models are nested deeper than {limits.PMML_SCOPES_MAX} scopes")
        self._outer = outer
        self._calling = calling
        self._fields: dict[str, Field] = {}
        self._pending: dict[str, tuple[Callable[[], Field], Callable[[], Iterable[str]]]] = {}
        self._building: list[str] = []

    def add(self, known: Field) -> None:
        """Put a field here; a later one of the same name takes its place."""
        self._fields[known.name] = known

    def declare(
        self, name: str, build: Callable[[], Field], reads: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Put a field here that is built when it is first asked for.

        What it `reads` is built before it, so that long chains of fields cost no recursion.
        """
        self._fields.pop(name, None)
        self._pending[name] = (build, reads)

    def knows(self, name: str) -> bool:
        """Tell whether a name means a field here."""
        if name in self._fields or name in self._pending:
            return True
        return self._outer is not None and self._outer.knows(name)

    def find(self, name: str, *, cyclic: bool = False) -> Field:
        """Return what a name means here. Raises InvalidModel when it means nothing.

        `cyclic` says that the field is being built further in, so that it needs itself.
        """
        known = self._fields.get(name)
        if known is not None:
            return known
        building = name in self._building
        if name in self._pending and not building:
            return self._build(name)
        if self._outer is not None:
            return self._outer.find(name, cyclic=cyclic or building)
        if cyclic or building:
            raise InvalidModel(f"field {name!r} is computed from itself")
        raise InvalidModel(
            f"field {name!r} is used but neither in the MiningSchema nor computed; declare it"
        )

    def enter(self, function: str) -> "Scope":
        """Return the scope of a function's body: its parameters come before the fields here."""
        if function in self._calling:
            raise InvalidModel(f"function {function!r} calls itself; PMML functions must not")
        outer = self._outer if self._calling else self
        return Scope(self.context, outer, (*self._calling, function))

    def _build(self, name: str) -> Field:
        """Build a field, those of this scope that it reads before it."""
        opened: set[str] = set()
        stack = [name]
        while stack:
            current = stack[-1]
            if current in self._fields:
                stack.pop()
            elif current not in opened:
                opened.add(current)
                stack.extend(n for n in self._pending[current][1]() if self._waits(n, opened))
            else:
                self._build_one(stack.pop())
        return self._fields[name]

    def _waits(self, name: str, opened: set[str]) -> bool:
        waits = name in self._pending and name not in self._fields
        return waits and name not in opened and name not in self._building

    def _build_one(self, name: str) -> None:
        self._building.append(name)
        try:
            built = self._pending[name][0]()
        finally:
            self._building.pop()
        check_depth(built.depth)
        self._fields[name] = built


def check_depth(depth: int) -> None:
    """Raise InvalidModel when computations stand on each other too deeply to run."""
    if depth > limits.PMML_EXPRESSION_DEPTH_MAX:
        raise InvalidModel(
            f"expressions are nested deeper than {limits.PMML_EXPRESSION_DEPTH_MAX} "
            "through fields and functions"
        )
