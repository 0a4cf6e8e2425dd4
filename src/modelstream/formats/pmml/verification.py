"""Score the records that a document brings along, and compare with the answers it has for them.

DMG 4.4, Model Verification. The producer's own numbers are the best test of an evaluator: a model
that does not reproduce them here is not served.
"""

import math

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.expressions import Row
from modelstream.formats.pmml.elements.model import ModelVerification, VerificationField
from modelstream.formats.pmml.fields.values import texts
from modelstream.formats.pmml.model import PmmlModel
from modelstream.messages import Column

# Sums in another order differ by some last digits, which declared precisions can be beyond.
_PRECISION_LEAST = 1e-6
_ZERO_LEAST = 1e-9


def verify(verification: ModelVerification, model: PmmlModel) -> None:
    """Raise InvalidModel when the model gives other answers than its document declares."""
    rows = verification.table.rows
    if not rows:
        return
    fields = {field.field: field for field in verification.fields.fields}
    inputs = {field.name for field in model.inputs}
    answers = {field.name for field in model.outputs}
    columns = {name: _column(field, rows) for name, field in fields.items() if name in inputs}
    if not columns:
        columns = {name: texts([None] * len(rows)) for name in inputs}
    scores = model.score(columns)
    if scores.errors:
        row, reason = next(iter(scores.errors.items()))
        raise InvalidModel(f"ModelVerification, row {row}: {reason}")
    for name, field in fields.items():
        if name in answers and name not in inputs:
            _compare(field, _column(field, rows), scores[name])


def _column(field: VerificationField, rows: tuple[Row, ...]) -> Column:
    """Return the column of a field in the table; None where a row has no cell."""
    name = (field.column or field.field).rpartition(":")[2]
    return texts([dict(row.cells).get(name) for row in rows])


def _compare(field: VerificationField, expected: Column, found: Column) -> None:
    for row, (wanted, given) in enumerate(zip(expected.tolist(), found.tolist(), strict=True)):
        if wanted is not None and not _agrees(field, wanted, given):
            raise InvalidModel(
                f"ModelVerification, row {row}: the document's {field.field!r} is {wanted}, "
                f"this evaluator's {given}"
            )


def _agrees(field: VerificationField, wanted: str, given: object) -> bool:
    if isinstance(given, str) or given is None:
        return wanted == given
    try:
        number = float(wanted)
    except ValueError:
        return wanted.lower() == str(given).lower()
    answer = float(np.float64(str(given)) if not isinstance(given, (int, float)) else given)
    if math.isnan(number) or math.isnan(answer):
        return math.isnan(number) and math.isnan(answer)
    if abs(number) <= max(field.zero_threshold, _ZERO_LEAST):
        return abs(answer) <= max(field.zero_threshold, _ZERO_LEAST)
    return abs(answer - number) <= max(field.precision, _PRECISION_LEAST) * abs(number)
