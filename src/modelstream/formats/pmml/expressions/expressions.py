"""Compile PMML expressions to functions of a batch (DMG 4.4, Transformations and Functions).

Each gives a column of a type that is known when the model is loaded. A missing value of a field
gives a missing result unless the expression says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.base import DataType, OpType
from modelstream.formats.pmml.elements.expressions import (
    Apply,
    Constant,
    DefineFunction,
    DerivedField,
    Discretize,
    Expression,
    FieldRef,
    MapValues,
    NormContinuous,
    NormDiscrete,
    TextIndex,
)
from modelstream.formats.pmml.expressions.calls import call_builtin
from modelstream.formats.pmml.expressions.textindex import compile_text_index
from modelstream.formats.pmml.fields import tables
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import applied, of_cell
from modelstream.formats.pmml.fields.scope import Compiled, Field, Scope, check_depth, constant
from modelstream.formats.pmml.fields.values import (
    cast,
    cast_row,
    cast_scalar,
    guess_type,
    is_missing,
    missing,
    parse_declared,
    replace,
)
from modelstream.messages import Column


@dataclass(frozen=True, slots=True)
class _Site:
    """Where an expression stands: its scope, how deep it is, and the type it is wanted in."""

    scope: Scope
    level: int = 0
    wanted: DataType = "string"

    def inside(self) -> "_Site":
        """Return the site of an argument."""
        return _Site(self.scope, self.level + 1)


def compile_expression(
    expression: Expression, scope: Scope, wanted: DataType = "string"
) -> Compiled:
    """Return an expression ready to run. Raises InvalidModel or UnsupportedModel.

    A table that declares no type of its own has the one that is wanted.
    """
    return _compile(expression, _Site(scope, wanted=wanted))


def _compile(expression: Expression, site: _Site) -> Compiled:
    check_depth(site.level)
    return _COMPILERS[type(expression)](expression, site)


def fields_read(expression: Expression) -> list[str]:
    """Return the names of the fields that an expression refers to."""
    names: list[str] = []
    stack: list[Expression] = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, Apply):
            stack.extend(part.arguments)
        elif isinstance(part, TextIndex):
            names.append(part.text_field)
            stack.append(part.term)
        elif isinstance(part, MapValues):
            names.extend(pair.field for pair in part.pairs)
        elif not isinstance(part, Constant):
            names.append(part.field)
    return names


def derive_field(derived: DerivedField, name: str, scope: Scope) -> Field:
    """Return the field that a DerivedField computes."""
    wanted = derived.data_type
    compiled = cast_compiled(compile_expression(derived.expression, scope, wanted=wanted), wanted)
    values = tuple(v.value for v in derived.values if v.property == "valid")
    return make_field(name, compiled, derived.optype, scope, values)


def make_field(
    name: str, compiled: Compiled, optype: OpType, scope: Scope, values: tuple[str, ...] = ()
) -> Field:
    """Return a field that holds what an expression gives, computed at most once a batch."""
    cell = compiled.cell or scope.context.cells.make(compiled.evaluate, compiled.row)
    depth = compiled.depth + 1
    known = compiled.constant
    data_type, invalid, by_value = compiled.data_type, compiled.invalid, compiled.by_value
    return Field(name, data_type, optype, cell, depth, values, known, invalid, by_value=by_value)


def cast_compiled(compiled: Compiled, data_type: DataType) -> Compiled:
    """Return the expression with its result as another type."""
    source = compiled.data_type
    if source == data_type:
        return compiled
    if compiled.constant is not None:
        return constant(cast_scalar(compiled.constant[0], source, data_type), data_type)
    evaluate = compiled.evaluate
    return Compiled(
        data_type,
        lambda b: cast(evaluate(b), source, data_type),
        compiled.depth,
        row=cast_row(compiled.row, source, data_type),
    )


def read_field(name: str, scope: Scope) -> Compiled:
    """Return the expression that is a field's value."""
    field = scope.find(name)
    cell = field.cell
    return Compiled(
        field.data_type,
        lambda batch: batch.read(cell),
        field.depth,
        field.constant,
        cell,
        field.order,
        field.invalid,
        of_cell(cell),
        field.by_value,
    )


def _constant(expression: Constant, _: _Site) -> Compiled:
    data_type = expression.data_type
    if data_type is None:
        data_type = guess_type(expression.text)
    if expression.missing:
        return constant(None if data_type == "string" else np.nan, data_type)
    return constant(parse_declared(expression.text, data_type, "Constant"), data_type)


def _field_ref(expression: FieldRef, site: _Site) -> Compiled:
    compiled = read_field(expression.field, site.scope)
    return substitute_missing(compiled, expression.map_missing_to, f"FieldRef {expression.field!r}")


def substitute_missing(compiled: Compiled, text: str | None, where: str) -> Compiled:
    """Return the expression with a declared value in place of missing results."""
    if text is None:
        return compiled
    value = parse_declared(text, compiled.data_type, where)
    evaluate = compiled.evaluate

    def substituted(batch: Batch) -> Column:
        column = evaluate(batch)
        return replace(column, missing(column), value)

    def present(given: Any) -> Any:
        return value if is_missing(given) else given

    return Compiled(
        compiled.data_type,
        substituted,
        compiled.depth,
        order=compiled.order,
        invalid=compiled.invalid,
        row=applied([compiled.row], present),
    )


def _apply(expression: Apply, site: _Site) -> Compiled:
    site.scope.context.count_call()
    arguments = [_compile(argument, site.inside()) for argument in expression.arguments]
    if expression.map_missing_to is not None:  # they are then asked for twice
        arguments = [_remembered(argument, site.scope) for argument in arguments]
    definition = site.scope.context.functions.get(expression.function)
    if definition is None:
        result = call_builtin(expression, arguments)
    else:
        result = _call_defined(definition, arguments, site)
    where = f"Apply {expression.function!r}"
    result = substitute_missing(result, expression.default_value, where)
    if expression.map_missing_to is not None:
        result = _where_any_missing(result, arguments, expression.map_missing_to, where)
    deepest = max([result.depth, *(a.depth for a in arguments)]) + 1
    check_depth(deepest)
    return Compiled(result.data_type, result.evaluate, deepest, result.constant, row=result.row)


def _remembered(compiled: Compiled, scope: Scope) -> Compiled:
    """Return the expression, computed at most once a batch however often it is asked for."""
    if compiled.constant is not None or compiled.cell is not None:
        return compiled
    cell = scope.context.cells.make(compiled.evaluate, compiled.row)
    return Compiled(
        compiled.data_type,
        lambda batch: batch.read(cell),
        compiled.depth,
        cell=cell,
        row=of_cell(cell),
    )


def _where_any_missing(
    result: Compiled, arguments: list[Compiled], text: str, where: str
) -> Compiled:
    """Return the result with a declared value in the rows where an argument is missing."""
    value = parse_declared(text, result.data_type, where)

    def mapped(batch: Batch) -> Column:
        absent = np.logical_or.reduce([missing(a.evaluate(batch)) for a in arguments])
        return replace(result.evaluate(batch), absent, value)

    def mapped_one(*given: Any) -> Any:
        return value if any(map(is_missing, given[:-1])) else given[-1]

    row = applied([*(argument.row for argument in arguments), result.row], mapped_one)
    return Compiled(result.data_type, mapped, result.depth, row=row)


def _call_defined(definition: DefineFunction, arguments: list[Compiled], site: _Site) -> Compiled:
    """Return a call of a function that the document defines, its body put in its place."""
    name = definition.name
    if len(arguments) != len(definition.parameters):
        raise InvalidModel(
            f"function {name!r} takes {len(definition.parameters)} arguments, "
            f"it is called with {len(arguments)}"
        )
    body = site.scope.enter(name)
    for parameter, argument in zip(definition.parameters, arguments, strict=True):
        given = argument
        if parameter.data_type is not None:
            given = cast_compiled(argument, parameter.data_type)
        body.add(make_field(parameter.name, given, parameter.optype or "continuous", body))
    wanted = definition.data_type or "string"
    result = _compile(definition.expression, _Site(body, site.level + 1, wanted))
    if definition.data_type is not None:
        result = cast_compiled(result, definition.data_type)
    return result


def _text_index(expression: TextIndex, site: _Site) -> Compiled:
    term = _compile(expression.term, site.inside())
    text = read_field(expression.text_field, site.scope)
    return compile_text_index(expression, text, term, site.scope.context)


def _norm_continuous(expression: NormContinuous, site: _Site) -> Compiled:
    return tables.norm_continuous(expression, read_field(expression.field, site.scope))


def _norm_discrete(expression: NormDiscrete, site: _Site) -> Compiled:
    return tables.norm_discrete(expression, read_field(expression.field, site.scope))


def _discretize(expression: Discretize, site: _Site) -> Compiled:
    return tables.discretize(expression, read_field(expression.field, site.scope), site.wanted)


def _map_values(expression: MapValues, site: _Site) -> Compiled:
    keys = [read_field(pair.field, site.scope) for pair in expression.pairs]
    return tables.map_values(expression, keys, site.wanted)


_COMPILERS: dict[type[Expression], Callable[[Any, _Site], Compiled]] = {
    Constant: _constant,
    FieldRef: _field_ref,
    Apply: _apply,
    NormContinuous: _norm_continuous,
    NormDiscrete: _norm_discrete,
    Discretize: _discretize,
    MapValues: _map_values,
    TextIndex: _text_index,
}
