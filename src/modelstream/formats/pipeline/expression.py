"""The step that computes columns by expressions over others."""

from itertools import pairwise

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.formats.pipeline.arithmetic import run_program
from modelstream.formats.pipeline.columns import numbers
from modelstream.formats.pipeline.document import Name
from modelstream.formats.pipeline.grammar import Call, Load, Program, parse_expression
from modelstream.formats.pipeline.scope import Scope
from modelstream.formats.pipeline.step import Faults, Options, Run
from modelstream.messages import Columns


class Expression(Options, frozen=True, tag="expression"):
    """Make columns of float64: name to text. All read what was there before the step."""

    expression: dict[Name, str]

    def bind(self, scope: Scope) -> Run:
        """Read the columns; one may be missing where `isnan` asks for it."""
        if not 1 <= len(self.expression) <= limits.FIELDS_MAX:
            raise InvalidModel(f"1 to {limits.FIELDS_MAX} expressions make a step")
        programs = {name: parse_expression(text) for name, text in self.expression.items()}
        read = list(dict.fromkeys(name for each in programs.values() for name in _loads(each)))
        asked = {name for each in programs.values() for name in _asked(each)}
        optional = {
            name: scope.read(
                Field(name, "float64", optional=name in asked), kinds=("truth",), passes=True
            ).optional
            for name in read
        }
        for name, program in programs.items():
            passes = any(optional[each] and each not in asked for each in _loads(program))
            scope.make(Field(name, "float64", optional=passes), reads=_loads(program))

        def run(columns: Columns, faults: Faults) -> Columns:  # noqa: ARG001 - none can fail
            rows = len(next(iter(columns.values())))
            values = {name: numbers(columns[name]) for name in read}
            made = {name: run_program(each, values, rows) for name, each in programs.items()}
            return columns | made

        return run


def _loads(program: Program) -> list[str]:
    return [each.column for each in program if isinstance(each, Load)]


def _asked(program: Program) -> list[str]:
    """Return the columns that `isnan` is asked of."""
    return [
        first.column
        for first, then in pairwise(program)
        if isinstance(first, Load) and then == Call("isnan", 1)
    ]
