"""Fields of the records as a model sees them: cast, checked and treated as its MiningSchema says.

DMG 4.4, Data Dictionary and Mining Schema. A value is missing, invalid or valid; missing values
may be replaced, invalid ones reject their row unless declared otherwise, outliers may be capped.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.batch import Batch
from modelstream.formats.pmml.elements.base import DataType, OpType
from modelstream.formats.pmml.elements.fields import DataField, MiningField
from modelstream.formats.pmml.inputs import read_input
from modelstream.formats.pmml.intervals import interval_test
from modelstream.formats.pmml.scope import Context, Field
from modelstream.formats.pmml.values import (
    Scalar,
    full,
    is_text,
    missing,
    missing_value,
    parse_declared,
    replace,
    write,
)
from modelstream.messages import Column

Treatment = Callable[[Batch, Column], Column]
Mask = Callable[[Column], Column]

# Up to so many declared numbers are compared one by one, which is faster than a search.
_COMPARED_MAX = 16


def input_field(context: Context, data: DataField, mining: MiningField) -> Field:
    """Return a field of the records as the outermost model sees it."""
    name, data_type = data.name, data.data_type
    optype = mining.optype or data.optype
    declared_missing = _member_mask(data, "missing")
    missing_texts = {value.value for value in data.values if value.property == "missing"}
    treat = [*_invalid(data, mining, optype), *_treatments(mining, data_type)]

    def compute(batch: Batch) -> Column:
        raw = batch.input(name)
        if raw is None:
            raw = full(missing_value(data_type), batch.rows, data_type)
        column, uncast = read_input(raw, data_type)
        uncast = {row: value for row, value in uncast.items() if str(value) not in missing_texts}
        if declared_missing is not None:
            column = replace(column, declared_missing(column), missing_value(data_type))
        if uncast:
            column = _treat_uncast(batch, column, uncast, mining, data_type)
        for treatment in treat:
            column = treatment(batch, column)
        return column

    return Field(name, data_type, optype, context.cells.make(compute), 1, valid_values(data))


def inner_field(context: Context, outer: Field, mining: MiningField) -> Field:
    """Return an outer model's field as an inner model sees it.

    The outermost model is the gate keeper; an inner one repeats no check, but its own missing
    and outlier treatment apply.
    """
    if mining.invalid_value_treatment in {"asMissing", "asValue"}:
        raise UnsupportedModel(
            f"invalidValueTreatment={mining.invalid_value_treatment!r} of MiningField "
            f"{mining.name!r} in an inner model is not evaluated; put it into the outermost model"
        )
    treat = _treatments(mining, outer.data_type)
    optype = mining.optype or outer.optype
    if not treat and optype == outer.optype:
        return outer

    def compute(batch: Batch) -> Column:
        column = batch.read(outer.cell)
        for treatment in treat:
            column = treatment(batch, column)
        return column

    cell = context.cells.make(compute)
    return Field(mining.name, outer.data_type, optype, cell, outer.depth + 1, outer.values)


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
    invalid = _invalid_mask(data, optype)
    if invalid is None or treatment == "asIs":
        return []
    if treatment != "returnInvalid":
        value = _replacement(mining, data_type) if treatment == "asValue" else None
        value = missing_value(data_type) if treatment == "asMissing" else value
        return [lambda _, column: replace(column, invalid(column), value)]

    def reject(batch: Batch, column: Column) -> Column:
        for row in np.nonzero(invalid(column))[0]:
            text = write(column[row], data_type)
            batch.reject(int(row), f"field {data.name!r}: {text!r:.80} is not a valid value")
        return column

    return [reject]


def _invalid_mask(data: DataField, optype: OpType) -> Mask | None:
    """Return the test for values that the dictionary declares invalid, if it declares any."""
    excluded = _member_mask(data, "invalid")
    allowed = _member_mask(data, "valid")
    within = _interval_mask(data)
    if is_text(data.data_type) or optype != "continuous":
        within = None
    elif within is None:
        allowed = None  # values of a continuous field without intervals explain, not restrict
    if excluded is None and allowed is None and within is None:
        return None

    def invalid(column: Column) -> Column:
        bad = np.zeros(len(column), dtype=np.bool_)
        good = [mask(column) for mask in (allowed, within) if mask is not None]
        if good:
            bad = ~np.logical_or.reduce(good) & ~missing(column)
        return bad if excluded is None else bad | excluded(column)

    return invalid


def _interval_mask(data: DataField) -> Mask | None:
    if not data.intervals:
        return None
    tests = [interval_test(i, single=data.data_type == "float") for i in data.intervals]
    return lambda column: np.logical_or.reduce([test(column) for test in tests])


def _member_mask(data: DataField, kind: str) -> Mask | None:
    """Return the test whether values are among those declared with a property."""
    where = f"Value of field {data.name!r}"
    members: set[Scalar] = set()
    for value in data.values:
        if value.property == kind:
            members.add(_declared(value.value, data.data_type, kind, where))
    if not members:
        return None
    if is_text(data.data_type):
        return lambda column: np.fromiter(
            map(members.__contains__, column.tolist()), np.bool_, len(column)
        )
    numbers = [number for number in members if number == number]  # noqa: PLR0124  # not NaN
    if not numbers:
        return None
    if len(numbers) > _COMPARED_MAX:
        sought = np.array(numbers, dtype=np.float64)
        return lambda column: np.isin(column, sought)
    return lambda column: np.logical_or.reduce([column == number for number in numbers])


def _declared(text: str, data_type: DataType, kind: str, where: str) -> Scalar:
    """Return a declared value; a missing or invalid one need not be of the field's type."""
    try:
        return parse_declared(text, data_type, where)
    except InvalidModel:
        if kind == "valid":
            raise
        return np.nan


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
        return [lambda _, column: np.clip(column, low, high)]
    return [lambda _, column: replace(column, (column < low) | (column > high), np.nan)]


def _missing(mining: MiningField, data_type: DataType) -> list[Treatment]:
    if mining.missing_value_treatment == "returnInvalid":

        def reject(batch: Batch, column: Column) -> Column:
            for row in np.nonzero(missing(column))[0]:
                batch.reject(int(row), f"field {mining.name!r} is missing")
            return column

        return [reject]
    text = mining.missing_value_replacement
    if text is None:
        return []
    value = parse_declared(text, data_type, f"MiningField {mining.name!r}")
    return [lambda _, column: replace(column, missing(column), value)]
