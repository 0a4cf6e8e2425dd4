"""Fields of the records as a model sees them: cast, checked and treated as its MiningSchema says.

DMG 4.4, Data Dictionary and Mining Schema. A value is missing, invalid or valid; missing values
may be replaced, invalid ones reject their row unless declared otherwise, outliers may be capped.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.base import DataType, OpType
from modelstream.formats.pmml.elements.fields import DataField, MiningField
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.inputs import read_input, record_check, value_reader
from modelstream.formats.pmml.fields.rows import Declined, Plan, Twin, Values
from modelstream.formats.pmml.fields.scope import Context, Field
from modelstream.formats.pmml.fields.textfields import text_cell
from modelstream.formats.pmml.fields.validity import Mask, invalid_mask, member_mask
from modelstream.formats.pmml.fields.values import (
    Scalar,
    full,
    is_missing,
    is_text,
    missing,
    missing_value,
    parse_declared,
    replace,
    write,
)
from modelstream.messages import Column


class Treatment(NamedTuple):
    """What is done to the values of a field: to a column, and to one value."""

    column: Callable[[Batch, Column], Column]
    value: Callable[[Any], Scalar]


def input_field(context: Context, data: DataField, mining: MiningField) -> Field:
    """Return a field of the records as the outermost model sees it."""
    name, data_type = data.name, data.data_type
    optype = mining.optype or data.optype
    declared_missing = member_mask(data, "missing")
    missing_texts = {value.value for value in data.values if value.property == "missing"}
    treat = [*_invalid(data, mining, optype), *_treatments(mining, data_type)]

    def compute(batch: Batch) -> Column:
        raw = batch.input(name)
        if raw is None:
            raw = full(missing_value(data_type), batch.rows, data_type)
        column, uncast = read_input(raw, data_type)
        uncast = {row: value for row, value in uncast.items() if str(value) not in missing_texts}
        if declared_missing is not None:
            column = replace(column, declared_missing.column(column), missing_value(data_type))
        if uncast:
            column = _treat_uncast(batch, column, uncast, mining, data_type)
        for treatment in treat:
            column = treatment.column(batch, column)
        return column

    steps = [value_reader(data_type), *(treatment.value for treatment in treat)]
    if declared_missing is not None:
        steps.insert(1, _where(declared_missing, missing_value(data_type)))
    row = _input_row(data, steps, 1 + len(_missing(mining, data_type)))
    if is_text(data_type):
        cell = text_cell(context.cells, name, valid_values(data), steps, by_rows=compute, row=row)
    else:
        cell = context.cells.make(compute, row)
    invalid = _standing_invalid(context, data, mining, optype, cell)
    return Field(
        name,
        data_type,
        optype,
        cell,
        1,
        valid_values(data),
        invalid=invalid,
        closed=_is_closed(data, mining),
        certain=_is_certain(mining, data_type),
    )


def _input_row(data: DataField, steps: Sequence[Callable[[Any], Any]], idle: int) -> Twin:
    """Return the twin of an input; `idle` steps do nothing to a number that is there.

    To a string that is declared valid nothing is ever done.
    """
    others = {value.value for value in data.values if value.property != "valid"}
    valid = frozenset(valid_values(data)) - others if is_text(data.data_type) else frozenset()
    plain = float if data.data_type == "double" and len(steps) == idle else valid
    check = record_check(data.data_type)
    return lambda plan: plan.input(data.name, plain, check, steps)


def _standing_invalid(
    context: Context, data: DataField, mining: MiningField, optype: OpType, cell: Cell[Column]
) -> Cell[Column] | None:
    """Return where a field's values are invalid, when they are left as they are."""
    mask = invalid_mask(data, optype) if mining.invalid_value_treatment == "asIs" else None
    if mask is None:
        return None
    return context.cells.make(
        lambda batch: mask.column(batch.read(cell)),
        lambda plan: _apply([mask.value], plan.place(cell), plan),
    )


def inner_field(context: Context, outer: Field, mining: MiningField) -> Field:
    """Return an outer model's field as an inner model sees it.

    The outermost model is the gate keeper; an inner one repeats no check, but replaces invalid
    values that were let through, and its own missing and outlier treatment apply.
    """
    treat = _treatments(mining, outer.data_type)
    optype = mining.optype or outer.optype
    replaces = mining.invalid_value_treatment in {"asMissing", "asValue"}
    data = context.data.get(mining.name)
    if replaces and data is not None and outer.invalid is not None:
        treat = [*_invalid(data, mining, optype), *treat]
    if not treat and optype == outer.optype:
        return outer
    invalid = None if replaces else outer.invalid

    def compute(batch: Batch) -> Column:
        column = batch.read(outer.cell)
        for treatment in treat:
            column = treatment.column(batch, column)
        return column

    steps = [treatment.value for treatment in treat]
    cell = context.cells.make(compute, lambda plan: _apply(steps, plan.place(outer.cell), plan))
    depth = outer.depth + 1
    return Field(mining.name, outer.data_type, optype, cell, depth, outer.values, invalid=invalid)


def _is_closed(data: DataField, mining: MiningField) -> bool:
    """Tell whether a field of strings can only have the values that are declared valid."""
    values = valid_values(data)
    if not is_text(data.data_type) or not values or mining.invalid_value_treatment == "asIs":
        return False
    put = {mining.missing_value_replacement}
    if mining.invalid_value_treatment == "asValue":
        put.add(mining.invalid_value_replacement)
    return put - {None} <= set(values)


def _is_certain(mining: MiningField, data_type: DataType) -> bool:
    """Tell whether a missing value rejects its row, or is replaced by one that is none."""
    text = mining.missing_value_replacement
    if text is None or mining.missing_value_treatment == "returnInvalid":
        return mining.missing_value_treatment == "returnInvalid"
    return not is_missing(parse_declared(text, data_type, f"MiningField {mining.name!r}"))


def valid_values(data: DataField) -> tuple[str, ...]:
    """Return the values that are declared valid, in their order."""
    return tuple(value.value for value in data.values if value.property == "valid")


def _treat_uncast(
    batch: Batch,
    column: Column,
    uncast: dict[int, object],
    mining: MiningField,
    data_type: DataType,
) -> Column:
    """Treat values that are not of the field's type; they stand as missing in the column."""
    if mining.invalid_value_treatment == "asMissing":
        return column
    if mining.invalid_value_treatment == "asValue":
        rows = np.zeros(len(column), dtype=np.bool_)
        rows[list(uncast)] = True
        return replace(column, rows, _replacement(mining, data_type))
    for row, value in uncast.items():
        batch.reject(row, f"field {mining.name!r}: {value!r:.80} is not of type {data_type}")
    return column


def _invalid(data: DataField, mining: MiningField, optype: OpType) -> list[Treatment]:
    """Return what is done about values that are not among the declared ones."""
    treatment, data_type = mining.invalid_value_treatment, data.data_type
    invalid = invalid_mask(data, optype)
    if invalid is None or treatment == "asIs":
        return []
    if treatment != "returnInvalid":
        value = _replacement(mining, data_type) if treatment == "asValue" else None
        value = missing_value(data_type) if treatment == "asMissing" else value
        return [_replacing(invalid, value)]

    def reject(batch: Batch, column: Column) -> Column:
        for row in np.nonzero(invalid.column(column))[0]:
            text = write(column[row], data_type)
            batch.reject(int(row), f"field {data.name!r}: {text!r:.80} is not a valid value")
        return column

    return [Treatment(reject, _declining(invalid))]


def _replacing(mask: Mask, other: Scalar) -> Treatment:
    """Return the replacement of the values that pass a test."""
    return Treatment(
        lambda _, column: replace(column, mask.column(column), other), _where(mask, other)
    )


def _where(mask: Mask, other: Scalar) -> Callable[[Any], Scalar]:
    """Return the replacement of one value if it passes a test."""
    test = mask.value
    return lambda value: other if test(value) else value


def _declining(mask: Mask) -> Callable[[Any], Scalar]:
    """Return what leaves a row to the column path, which rejects it, if a value passes a test."""
    test = mask.value

    def check(value: Scalar) -> Scalar:
        if test(value):
            raise Declined
        return value

    return check


def _apply(steps: Sequence[Callable[[Any], Any]], at: int, plan: Plan) -> int:
    """Put what is done to one value, one after the other, into a plan."""
    if len(steps) == 1:
        only = steps[0]
        return plan.step(lambda values: only(values[at]))

    def treated(values: Values) -> Any:
        value = values[at]
        for step in steps:
            value = step(value)
        return value

    return plan.step(treated)


def _replacement(mining: MiningField, data_type: DataType) -> Scalar:
    text = mining.invalid_value_replacement
    if text is None:
        raise InvalidModel(
            f"MiningField {mining.name!r} treats invalid values asValue "
            "but has no invalidValueReplacement"
        )
    return parse_declared(text, data_type, f"MiningField {mining.name!r}")


def _treatments(mining: MiningField, data_type: DataType) -> list[Treatment]:
    return [*_outliers(mining, data_type), *_missing(mining, data_type)]


def _outliers(mining: MiningField, data_type: DataType) -> list[Treatment]:
    if mining.outliers == "asIs":
        return []
    low, high = mining.low_value, mining.high_value
    if low is None or high is None or is_text(data_type):
        raise InvalidModel(
            f"MiningField {mining.name!r} treats outliers {mining.outliers}: "
            "this needs a numeric field, lowValue and highValue"
        )
    if mining.outliers == "asExtremeValues":
        return [
            Treatment(
                lambda _, column: np.clip(column, low, high),
                lambda value: high if value > high else max(value, low),
            )
        ]
    outside = Mask(
        lambda column: (column < low) | (column > high),
        lambda value: value < low or value > high,  # type: ignore[operator]  # a number
    )
    return [_replacing(outside, np.nan)]


def _missing(mining: MiningField, data_type: DataType) -> list[Treatment]:
    if mining.missing_value_treatment == "returnInvalid":

        def reject(batch: Batch, column: Column) -> Column:
            for row in np.nonzero(missing(column))[0]:
                batch.reject(int(row), f"field {mining.name!r} is missing")
            return column

        return [Treatment(reject, _declining(_MISSING))]
    text = mining.missing_value_replacement
    if text is None:
        return []
    value = parse_declared(text, data_type, f"MiningField {mining.name!r}")
    return [_replacing(_MISSING, value)]


_MISSING = Mask(missing, is_missing)
