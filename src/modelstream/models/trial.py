"""Real records put to a model before it is admitted: rehearsal and golden records.

A model may fail at some records; it is refused when it can answer none, or when an answer that
its publisher vouched for is not the one it gives.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from modelstream.errors import ModelTimedOut, ModelUnavailable
from modelstream.formats.base import Model
from modelstream.messages import Columns, Failure, Scores
from modelstream.models.refusal import Refused, listed
from modelstream.wire.descriptor import GoldenRecord
from modelstream.wire.json import Decoder

_UNREADABLE = frozenset({"not_json", "too_large"})

Answers = dict[int, dict[str, Any]]  # row to output name to value
Failures = dict[int, Failure]


def score_rows(model: Model, columns: Columns, rows: int) -> Scores:
    """Score, and check that every output column has one value a row. Raises Refused."""
    scores = model.score(columns)
    for field in model.outputs:
        column = scores.get(field.name)
        if column is None or len(column) != rows:
            got = "is missing" if column is None else f"has {len(column)} values"
            raise Refused(
                "wrong_rows",
                f"output {field.name!r} {got} for {rows} records; a model gives one answer a "
                f"record, whatever the number of records",
            )
    return scores


def rehearse(model: Model, decoder: Decoder, records: Sequence[bytes]) -> None:
    """Score recent records. Raises Refused when some can be read and none gets an answer."""
    answers, failures = _ask(model, decoder, records)
    # A record that is no JSON says nothing of this model, and must not keep a model out.
    failures = {row: each for row, each in failures.items() if each.reason not in _UNREADABLE}
    if failures and not answers:
        raise _every_record_failed(decoder.needed, records, failures)
    if answers and all(
        _is_missing(value) for answer in answers.values() for value in answer.values()
    ):
        raise Refused(
            "no_answer",
            f"every output is missing or not finite for each of the {len(answers)} recent records "
            f"that the model could read",
        )


def verify_golden(model: Model, decoder: Decoder, golden: Sequence[GoldenRecord]) -> None:
    """Compare the answers to golden records with those expected. Raises Refused at a mismatch."""
    records = [each.record_json.encode() for each in golden]
    answers, failures = _ask(model, decoder, records)
    for row, each in enumerate(golden):
        if row in failures:
            raise Refused("golden_mismatch", f"golden record {row}: {failures[row].detail}")
        for name, expected in _expected(row, each).items():
            if name not in answers[row]:
                raise Refused(
                    "golden_mismatch",
                    f"golden record {row}: the model has no output {name!r}; it has "
                    f"{listed(answers[row])}",
                )
            got = answers[row][name]
            if not _agree(expected, got, each.tolerance):
                raise Refused(
                    "golden_mismatch",
                    f"golden record {row}, output {name!r}: expected {expected!r} within "
                    f"{each.tolerance:g}, got {got!r}",
                )


def _ask(model: Model, decoder: Decoder, records: Sequence[bytes]) -> tuple[Answers, Failures]:
    """Score all records at once, or one by one where the model raises over them together."""
    decoded = decoder.decode(records)
    answers: Answers = {}
    failures = dict(decoded.failures)
    rows, columns = list(decoded.rows), decoded.columns
    try:
        if rows:
            _collect(score_rows(model, columns, len(rows)), rows, answers, failures)
    except (Refused, ModelTimedOut, ModelUnavailable, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - a model may raise anything; each record is then tried alone
        for index, row in enumerate(rows):
            alone = {name: column[index : index + 1] for name, column in columns.items()}
            _ask_alone(model, alone, row, answers, failures)
    return answers, failures


def _ask_alone(
    model: Model, columns: Columns, row: int, answers: Answers, failures: Failures
) -> None:
    try:
        _collect(score_rows(model, columns, 1), [row], answers, failures)
    except (Refused, ModelUnavailable, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a model may raise anything
        failures[row] = Failure("model_error", f"{type(error).__name__}: {error}")


def _collect(scores: Scores, rows: list[int], answers: Answers, failures: Failures) -> None:
    """Sort the rows of a score call into answers and failures."""
    columns = {name: column.tolist() for name, column in scores.items()}
    for index, row in enumerate(rows):
        if index in scores.errors:
            failures[row] = Failure("invalid_value", scores.errors[index])
        else:
            answers[row] = {name: values[index] for name, values in columns.items()}


def _every_record_failed(
    needed: Sequence[str], records: Sequence[bytes], failures: Failures
) -> Refused:
    """Say which fields the records lack or, where that is not it, how the last one failed."""
    count, last = len(failures), max(failures)
    if all(failure.reason == "missing_field" for failure in failures.values()):
        present = _object(records[last])
        lacking = [name for name in needed if not _has(present, name)]
        return Refused(
            "fields_missing",
            f"none of the {count} most recent records has all the fields that the model reads; "
            f"the last one lacks {listed(lacking)} and has {listed(present)}",
        )
    return Refused(
        "records_failed",
        f"the model answers none of the {count} most recent records; the last one: "
        f"{failures[last].detail}",
    )


def _object(text: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Read the keys of a JSON object, one level deep; anything else has none."""
    try:
        keys: dict[str, msgspec.Raw] = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return {}
    return keys


def _has(record: dict[str, msgspec.Raw], name: str) -> bool:
    """Look a field up as the decoder does: the literal key first, then the nested one."""
    head, _, rest = name.partition(".")
    return name in record or (head in record and bool(rest) and _has(_object(record[head]), rest))


def _expected(row: int, golden: GoldenRecord) -> dict[str, Any]:
    try:
        outputs: dict[str, Any] = msgspec.json.decode(golden.outputs_json, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Refused(
            "golden_mismatch",
            f"golden record {row}: the expected outputs are no JSON object ({error})",
        ) from error
    return outputs


def _agree(expected: Any, got: Any, tolerance: float) -> bool:
    """Compare two values as JSON would show them; null is a missing answer."""
    if isinstance(expected, list):
        return (
            isinstance(got, list)
            and len(got) == len(expected)
            and all(_agree(*pair, tolerance) for pair in zip(expected, got, strict=True))
        )
    if expected is None:
        return _is_missing(got)
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return (
            isinstance(got, (int, float))
            and not isinstance(got, bool)
            and abs(got - expected) <= tolerance
        )
    return type(got) is type(expected) and bool(got == expected)


def _is_missing(value: Any) -> bool:
    """Tell whether a value is no answer: None, NaN, infinite, or a tensor of such alone."""
    if isinstance(value, list):
        return all(map(_is_missing, value))
    return value is None or (isinstance(value, float) and not math.isfinite(value))
