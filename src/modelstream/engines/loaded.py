"""One version in memory: values in, an outcome out.

Here a record that cannot be read, or that a model fails at, is separated from those that can.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from modelstream.core.effects import Outcome
from modelstream.engines.taken import Taken
from modelstream.errors import InvalidModel, ModelFailed, ModelTimedOut, ModelUnavailable
from modelstream.formats import format_named
from modelstream.formats.base import NO_FUNCTIONS, Device, Functions, Model, Remote
from modelstream.formats.synthetic import synthetic_columns
from modelstream.messages import Column, Columns, Failure, Rows, Scores
from modelstream.schemas import NOT_BOUND, Bind
from modelstream.wire.columns import MixedShapes
from modelstream.wire.json import Decoded, Decoder
from modelstream.wire.results import ResultWriter


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to score, with what reads its inputs and writes its outputs."""

    model: Model
    decoder: Decoder
    writer: ResultWriter


def load(
    format_name: str,
    lowered: bytes,
    warm_rows: Sequence[int],
    remote: Remote | None = None,
    device: Device = "cpu",
    *,
    bind: Bind = NOT_BOUND,
    functions: Functions = NO_FUNCTIONS,
) -> Loaded:
    """Build a version from its lowered form and run it once for each size in `warm_rows`.

    The first run of a size allocates; after this, no record waits for that. `bind` tells what
    records call the inputs, `functions` are those that pipelines may call. Raises InvalidModel,
    and ModelUnavailable where it is to be asked at a server, of those in `remote`, that is away.
    """
    chosen = format_named(format_name, remote, device, functions)
    return ready(chosen.load(lowered), warm_rows, bind)


def ready(model: Model, warm_rows: Sequence[int], bind: Bind = NOT_BOUND) -> Loaded:
    """Warm a model up and put its reader and writer beside it.

    A model may refuse the made-up values, an unknown category say; it is warm all the same.
    """
    for rows in warm_rows:
        with suppress(ModelFailed):
            model.score(synthetic_columns(model.inputs, rows))
    return Loaded(
        model, Decoder(model.inputs, bind), ResultWriter([each.name for each in model.outputs])
    )


def score(loaded: Loaded, values: Sequence[object], rows: Rows, *, null_is_answer: bool) -> Outcome:
    """Read and score `values`, the records of the batch rows `rows`; JSON bytes or dicts.

    The duration told is that of the model alone, in microseconds. Raises ModelUnavailable.
    """
    try:
        decoded = _read(loaded.decoder, values)
    except MixedShapes:
        return _score_apart(loaded, values, rows, null_is_answer=null_is_answer)
    started = time.perf_counter_ns()
    kept, scores, failures = _score_all(loaded.model, decoded.columns, len(decoded.rows))
    took_us = (time.perf_counter_ns() - started) / 1000
    served_version = scores.served_version
    if not null_is_answer:
        failures |= _without_answer(kept, scores, failures)
    if failures:
        answered = [index for index, row in enumerate(kept) if row not in failures]
        scores = Scores({name: column[answered] for name, column in scores.items()})
        kept = [kept[index] for index in answered]
    if kept == range(len(rows)) and not decoded.failures:
        return Outcome(rows, scores, {}, took_us, served_version)
    told = {decoded.rows[index]: failure for index, failure in failures.items()} | decoded.failures
    return Outcome(
        [rows[decoded.rows[index]] for index in kept],
        scores,
        {rows[index]: failure for index, failure in told.items()},
        took_us,
        served_version,
    )


def _read(decoder: Decoder, values: Sequence[object]) -> Decoded:
    if isinstance(values, Taken):
        return values.read_by(decoder)
    as_json = not values or isinstance(values[0], bytes)
    read: Callable[..., Decoded] = decoder.decode if as_json else decoder.convert
    return read(values)


def _score_apart(
    loaded: Loaded, values: Sequence[object], rows: Rows, *, null_is_answer: bool
) -> Outcome:
    """Score the two halves of a batch by themselves, because its records differ in shape."""
    middle = len(rows) // 2
    first, second = (
        score(loaded, values[part], rows[part], null_is_answer=null_is_answer)
        for part in (slice(middle), slice(middle, None))
    )
    columns = {
        field.name: concatenated(first.columns[field.name], second.columns[field.name])
        for field in loaded.model.outputs
    }
    failures = {**first.failures, **second.failures}
    took_us = first.took_us + second.took_us
    versions = dict.fromkeys(each.served_version for each in (first, second) if each.served_version)
    return Outcome([*first.rows, *second.rows], columns, failures, took_us, ",".join(versions))


def concatenated(first: Column, second: Column) -> Column:
    """Join two columns; values of several shapes become a column of objects."""
    if not len(first) or not len(second):
        return second if len(second) else first
    if first.shape[1:] == second.shape[1:]:
        return np.concatenate([first, second])
    column = np.empty(len(first) + len(second), dtype=object)
    column[:] = [*first.tolist(), *second.tolist()]
    return column


def _score_all(
    model: Model, columns: Columns, count: int
) -> tuple[Rows, Scores, dict[int, Failure]]:
    """Score `count` rows; return the rows that the model did not raise at, and their scores."""
    failures: dict[int, Failure] = {}
    pieces = _score_pieces(model, columns, range(count), failures)
    for part, given in pieces:
        told = {part[at]: Failure("invalid_value", why) for at, why in given.errors.items()}
        failures.update(told)
    if len(pieces) == 1:
        return *pieces[0], failures
    rows = [row for part, _ in pieces for row in part]
    joined = {
        field.name: np.concatenate([given[field.name] for _, given in pieces] or [np.empty(0)])
        for field in model.outputs
    }
    return rows, Scores(joined), failures


def _score_pieces(
    model: Model, columns: Columns, rows: range, failures: dict[int, Failure]
) -> list[tuple[range, Scores]]:
    """Score rows at once; where the model raises, halve them until the culprits are alone."""
    part = columns
    if rows != range(len(next(iter(columns.values()), rows))):
        part = {name: column[rows.start : rows.stop] for name, column in columns.items()}
    try:
        scores = model.score(part)
        _check_rows(model, scores, len(rows))
    except ModelUnavailable:
        raise
    except ModelTimedOut as error:
        # Asking again, for parts of it, could take as long for each.
        failures.update(dict.fromkeys(rows, Failure("model_error", f"ModelTimedOut: {error}")))
        return []
    except Exception as error:  # noqa: BLE001 - whatever a model does, other records go on
        if len(rows) <= 1:
            failure = Failure("model_error", f"{type(error).__name__}: {error}")
            failures.update(dict.fromkeys(rows, failure))
            return []
        middle = rows.start + len(rows) // 2
        first = _score_pieces(model, columns, range(rows.start, middle), failures)
        return first + _score_pieces(model, columns, range(middle, rows.stop), failures)
    return [(rows, scores)]


def _check_rows(model: Model, scores: Scores, count: int) -> None:
    """Check that every output is there with one value a row."""
    for field in model.outputs:
        column = scores.get(field.name)
        if column is None or len(column) != count:
            got = "no column" if column is None else f"{len(column)} rows"
            raise InvalidModel(f"output {field.name!r} has {got} for {count} records")


def _without_answer(
    rows: Rows, scores: Scores, failed: Mapping[int, Failure]
) -> dict[int, Failure]:
    """Find the rows where a number is NaN or infinite, or the first output is missing."""
    failures: dict[int, Failure] = {}
    if not len(rows):
        return failures
    for index, (name, column) in enumerate(scores.items()):
        if column.dtype.kind == "f":
            if np.isfinite(column).all():
                continue
            bad = ~np.isfinite(column.reshape(len(column), -1)).all(axis=1)
        elif column.dtype == object and index == 0:
            bad = _is_none(column).reshape(len(column), -1).any(axis=1)
        else:
            continue
        if bad.any():
            failure = Failure("not_finite", f"output {name!r} is missing or not a finite number")
            found = (rows[at] for at in np.flatnonzero(bad).tolist())
            failures.update({row: failure for row in found if row not in failed})
    return failures


def _is_none(column: Column) -> Column:
    """Return where an object column holds None."""
    return np.array([value is None for value in column.flat], dtype=np.bool_)
