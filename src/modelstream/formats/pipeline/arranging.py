"""Steps that put columns in another order: rename, select, combine, split."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.formats.pipeline.columns import numbers
from modelstream.formats.pipeline.document import Name
from modelstream.formats.pipeline.scope import Scope
from modelstream.formats.pipeline.step import Faults, Names, Options, Run, check_different
from modelstream.messages import Columns


class Rename(Options, frozen=True, tag="rename"):
    """Give columns other names: old to new."""

    rename: dict[Name, Name]

    def bind(self, scope: Scope) -> Run:
        """Move the columns, all at once, so that two may change places."""
        renamed = self.rename
        if not renamed:
            raise InvalidModel("no column is renamed")
        fields = {old: scope.known(old) for old in renamed}
        for old in fields:
            scope.drop(old)
        for old, new in renamed.items():
            scope.make(replace(fields[old], name=new))

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            kept = {name: column for name, column in columns.items() if name not in renamed}
            return kept | {new: columns[old] for old, new in renamed.items()}

        return run


class Select(Options, frozen=True, tag="select"):
    """Keep some columns alone, in this order."""

    select: Names

    def bind(self, scope: Scope) -> Run:
        """Take all other columns away."""
        check_different(self.select, "columns")
        for name in self.select:
            scope.known(name)
        scope.keep(self.select)

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            return {name: columns[name] for name in self.select}

        return run


class Combine(Options, frozen=True, tag="combine"):
    """Make vectors of numbers: the new column to its parts."""

    combine: dict[Name, Names]

    def bind(self, scope: Scope) -> Run:
        """Read the parts, and make the vectors of float64."""
        _check_some(self.combine)
        for parts in self.combine.values():
            for name in parts:
                scope.read(Field(name, "float64"))
        for made, parts in self.combine.items():
            scope.grow(len(parts))
            scope.make(Field(made, "float64", (len(parts),)))

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            made = {
                name: np.stack([numbers(columns[part]) for part in parts], axis=1)
                for name, parts in self.combine.items()
            }
            return columns | made

        return run


class Split(Options, frozen=True, tag="split"):
    """Make columns of the parts of a vector, which stays."""

    split: dict[Name, Names]

    def bind(self, scope: Scope) -> Run:
        """Read the vectors, and make a column of each of their parts."""
        _check_some(self.split)
        fields = {
            name: scope.read(Field(name, "float64", (len(parts),)), kinds=("text", "truth"))
            for name, parts in self.split.items()
        }
        for name, parts in self.split.items():
            for part in parts:
                scope.make(Field(part, fields[name].type))

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            made = {
                part: columns[name][:, at]
                for name, parts in self.split.items()
                for at, part in enumerate(parts)
            }
            return columns | made

        return run


def _check_some(given: Mapping[str, tuple[str, ...]]) -> None:
    if not given:
        raise InvalidModel("no column is named")
