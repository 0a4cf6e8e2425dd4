"""Which columns there are before each step of a pipeline, and of which type.

What a step reads before any step makes it is a field of the records: an input of the pipeline.
Between steps every number is a number, whatever its precision: int64 fits float64.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field, FieldType

_Shape = tuple[int | None, ...]
_KINDS: dict[FieldType, str] = {"string": "text", "bool": "truth"}


def kind_of(field_type: FieldType) -> str:
    """Return what a type is to a step: number, text or truth."""
    return _KINDS.get(field_type, "number")


class Scope:
    """The columns at one step after the other.

    `inputs` are the fields read from records, `made` the columns that the last step made. A field
    that may be missing is `optional`.
    """

    def __init__(self, declared: Mapping[str, Field]) -> None:
        self.inputs: dict[str, Field] = {}
        self.made: list[str] = []
        self._declared = declared
        self._columns: dict[str, Field] = {}
        self._raw: set[str] = set()  # columns that are still as the record has them
        self._gone: dict[str, str] = {}  # columns that a step took away, and which one
        self._selected = ""  # the step after which there are no other columns
        self._step = ""
        self._values = 0

    def enter(self, step: str) -> None:
        """Begin a step."""
        self._step = step
        self.made = []

    def present(self, name: str) -> bool:
        """Tell whether there is such a column now."""
        return name in self._columns

    def holds(self, name: str) -> bool:
        """Tell whether the type of a column is known before it is read."""
        return name in self._columns or name in self._declared

    def known(self, name: str) -> Field:
        """Return a column that a step passes on as it is. Raises InvalidModel."""
        if name not in self._columns:
            self._declare(name, None)
        return self._columns[name]

    def read(self, wanted: Field, *, kinds: Iterable[str] = (), passes: bool = False) -> Field:
        """Return the column that a step reads, as it is. Raises InvalidModel if it does not fit.

        `kinds` are allowed beside that of the wanted type. A step that `passes` a missing value
        on takes it where the document says that there may be one.
        """
        name = wanted.name
        if name not in self._columns:
            self._declare(name, wanted)
        elif name in self._raw and name not in self._declared:
            self._narrow(name, wanted)
        known = self._columns[name]
        allowed = {kind_of(wanted.type), *kinds}
        if kind_of(known.type) not in allowed:
            raise InvalidModel(
                f"column {name!r} is a {kind_of(known.type)} ({known.type}) where a "
                f"{' or '.join(sorted(allowed))} is read; cast it before"
            )
        if not _fits(known.shape, wanted.shape):
            raise InvalidModel(
                f"column {name!r} has the shape {list(known.shape)} where "
                f"{list(wanted.shape)} is read"
            )
        if known.optional and not wanted.optional and not passes:
            raise InvalidModel(f"column {name!r} may be missing; impute it before")
        return known

    def make(self, field: Field, *, reads: Iterable[str] = ()) -> None:
        """Add a column; one that is there may only be replaced, once, by a step that reads it."""
        name = field.name
        if name in self._columns and (name not in reads or name in self.made):
            raise InvalidModel(f"column {name!r} is there already; give this one another name")
        self._columns[name] = field
        self._raw.discard(name)
        self.made.append(name)
        if len(self._columns) > limits.FIELDS_MAX:
            raise InvalidModel(f"the pipeline has more than {limits.FIELDS_MAX} columns")

    def grow(self, values: int) -> None:
        """Count the values of a row that are there a second time, in a vector."""
        self._values += values
        if self._values > limits.FIELDS_MAX:
            raise InvalidModel(
                f"vectors are combined of more than {limits.FIELDS_MAX} columns in all"
            )

    def drop(self, name: str) -> None:
        """Take a column away."""
        del self._columns[name]
        self._raw.discard(name)
        self._gone[name] = self._step

    def keep(self, names: Iterable[str]) -> None:
        """Take all columns away but some, and let nothing more be read from records."""
        self._columns = {name: self._columns[name] for name in names}
        self.made = list(self._columns)
        self._raw &= self._columns.keys()
        self._selected = self._step

    def _declare(self, name: str, wanted: Field | None) -> None:
        """Take a column from the records."""
        if name in self._gone:
            raise InvalidModel(f"column {name!r} is no longer there after {self._gone[name]}")
        if self._selected:
            raise InvalidModel(f"column {name!r} is not among those that {self._selected} left")
        field = self._declared.get(name, wanted)
        if field is None:
            raise InvalidModel(
                f"column {name!r} is read, and nothing tells of which type it is; declare it in "
                f'the pipeline\'s "inputs"'
            )
        self._hold(field)

    def _narrow(self, name: str, wanted: Field) -> None:
        """Let a field of the records be what all of its readers take."""
        known = self.inputs[name]
        if kind_of(known.type) == kind_of(wanted.type) and known.type != wanted.type:
            known = replace(known, type="float64")
        if _fits(known.shape, wanted.shape):
            sizes = zip(known.shape, wanted.shape, strict=True)
            known = replace(known, shape=tuple(a if b is None else b for a, b in sizes))
        if not wanted.optional:
            known = replace(known, optional=False)
        self._hold(known)

    def _hold(self, field: Field) -> None:
        self.inputs[field.name] = field
        # A record's numbers are laid out as float64, whatever is read of them.
        number = kind_of(field.type) == "number"
        self._columns[field.name] = replace(field, type="float64") if number else field
        self._raw.add(field.name)


def _fits(known: _Shape, wanted: _Shape) -> bool:
    return len(known) == len(wanted) and all(
        None in {a, b} or a == b for a, b in zip(known, wanted, strict=True)
    )
