"""One turn of the join: record batches as the core sees them, and its effects as results.

Rows are numbered through all batches of the turn; a turn's outcome is one list by row number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise, repeat
from operator import itemgetter
from typing import Any

import msgspec

from modelstream.core.effects import Answer, Batch, Group, Refusal
from modelstream.engines.taken import Taken
from modelstream.errors import SchemasUnavailable
from modelstream.limits import RECORD_BYTES_MAX, RECORD_DEPTH_MAX
from modelstream.messages import Failure, Position, RecordBatch, Reject, Result, Rows
from modelstream.wire.asides import fields_of, keys_of
from modelstream.wire.depth import SUSPECT_BYTES, too_deep
from modelstream.wire.json import failure_of
from modelstream.wire.reading import RecordReader
from modelstream.wire.results import ResultWriter, make_reject

# Tells the data type of each record of a batch: one for all, or one a record (which may raise).
DataTypeOf = Callable[[str], "str | Callable[[bytes], str]"]


@dataclass(slots=True)
class Turn:
    """The records of one turn and what became of them.

    `values` are the records as they stand on the log, `records` as JSON or objects; why one cannot
    be read is in `unread`. `outcomes` has, for each row, its Result or Reject; None while there is
    none. `held` are the batches that are put back. `decided` tells, for rows that several candidates
    were asked about, how that came out, as JSON. A turn is `done` when nothing of it is waited for.
    """

    id: int
    batches: Sequence[RecordBatch]
    slices: tuple[range, ...]
    values: Sequence[Any]
    records: Sequence[Any]
    outcomes: list[Any]
    held: frozenset[int] = frozenset()
    unread: dict[int, Failure] = field(default_factory=dict)
    decided: Sequence[Any] = ()
    rejected: bool = False
    done: bool = False
    groups: tuple[Group, ...] = ()
    _positions: list[tuple[str, int, int]] = field(default_factory=list)
    _taken: list[tuple[Rows, Taken]] = field(default_factory=list)

    def take(self, rows: Rows) -> Sequence[Any]:
        """Return the records of some rows."""
        return _pick(self.records, rows)

    def take_shared(self, rows: Rows) -> Taken:
        """Return the records of some rows that several versions are asked about."""
        for known, taken in self._taken:
            if known == rows:
                return taken
        taken = Taken(self.take(rows))
        self._taken.append((rows, taken))
        return taken

    def answer(self, answer: Answer, writer: ResultWriter, *, echo: bool) -> None:
        """Put results where an answer says."""
        rows = answer.rows
        records: Any = repeat(None, len(rows))
        if echo:
            taken = self.take(rows)
            as_json = isinstance(taken[0], bytes)
            records = map(msgspec.Raw, taken) if as_json else taken
        timestamps = _pick(self._timestamps(), rows)
        decided = _pick(self.decided, rows) if self.decided else repeat(msgspec.UNSET, len(rows))
        results = writer.results(answer, self._places(rows), timestamps, records, decided)
        self._place(rows, results)

    def refuse(self, row: int, refusal: Refusal) -> None:
        """Put a reject in the place of one row."""
        value = self.values[row]
        kept = value if isinstance(value, bytes) else _encoded(value)
        position = Position(*self.positions()[row])
        reject = make_reject(refusal, position, self._timestamps()[row], kept)
        reject.decided = self.decided[row] if self.decided else msgspec.UNSET
        self.outcomes[row] = reject
        self.rejected = True

    def positions(self) -> Sequence[tuple[str, int, int]]:
        """Return (topic, partition, offset) of every row."""
        if not self._positions:
            self._positions = [
                each
                for batch in self.batches
                for each in zip(repeat(batch.topic), repeat(batch.partition), batch.offsets)
            ]
        return self._positions

    def _places(self, rows: Rows) -> tuple[Iterable[str], Iterable[int], Iterable[int]]:
        """Return topics, partitions and offsets of some rows."""
        if len(self.batches) > 1:
            topics, partitions, offsets = zip(*_pick(self.positions(), rows), strict=True)
            return topics, partitions, offsets
        (batch,) = self.batches
        return repeat(batch.topic), repeat(batch.partition), _pick(batch.offsets, rows)

    def _timestamps(self) -> Sequence[int]:
        if len(self.batches) == 1:
            return self.batches[0].timestamps
        return list(chain.from_iterable(batch.timestamps for batch in self.batches))

    def _place(self, rows: Rows, results: list[Result]) -> None:
        if rows == range(len(self.values)):
            self.outcomes = results
            return
        for row, result in zip(rows, results, strict=True):
            self.outcomes[row] = result


def begin(turn_id: int, batches: Sequence[RecordBatch]) -> Turn:
    """Lay the batches of one read end to end."""
    slices: list[range] = []
    start = 0
    for batch in batches:
        slices.append(range(start, start + len(batch)))
        start += len(batch)
    one = len(batches) == 1
    values = batches[0].values if one else list(chain.from_iterable(b.values for b in batches))
    return Turn(turn_id, batches, tuple(slices), values, values, [None] * start)


def read(turn: Turn, reader: RecordReader) -> list[SchemasUnavailable]:
    """Make JSON of the records of a turn; batches whose schemas are away are held.

    Return why they are.
    """
    away: list[SchemasUnavailable] = []
    records: list[bytes] = []
    for index, (batch, rows) in enumerate(zip(turn.batches, turn.slices, strict=True)):
        try:
            found = reader.read(batch.values)
        except SchemasUnavailable as error:
            away.append(error)
            turn.held |= {index}
            records.extend([b""] * len(rows))
        else:
            records.extend(found.records)
            turn.unread.update({rows[row]: each for row, each in found.failures.items()})
    turn.records = records
    return away


def as_core_batch(turn: Turn, data_type_of: DataTypeOf, reads: Mapping[str, str]) -> Batch:
    """Return the turn as the core sees it: rows by data type, and those that have none.

    `reads` are what policies look at in a record: fields and their types, "" for the key.
    """
    failures = dict(turn.unread)
    groups: dict[str, list[Rows]] = {}
    for index, (batch, rows) in enumerate(zip(turn.batches, turn.slices, strict=True)):
        if index in turn.held:
            continue
        data_type = data_type_of(batch.topic)
        readable: Rows = rows if not failures else [row for row in rows if row not in failures]
        if not len(readable):
            continue
        if isinstance(data_type, str):
            groups.setdefault(data_type, []).append(readable)
        else:
            _group_by_field(data_type, turn.take(readable), readable, groups, failures)
    _refuse_unwieldy(turn, groups, failures)
    return Batch(
        turn.id,
        turn.slices,
        tuple(Group(data_type, _joined(parts)) for data_type, parts in groups.items()),
        failures,
        keys_of(turn.batches) if "" in reads else (),
        fields_of(turn.records, reads) if reads else {},
    )


def _group_by_field(
    read: Callable[[bytes], str],
    values: Sequence[bytes],
    rows: Rows,
    groups: dict[str, list[Rows]],
    failures: dict[int, Failure],
) -> None:
    """Sort rows by the data type that each record names."""
    found: dict[str, list[int]] = {}
    for row, value in zip(rows, values, strict=True):
        try:
            found.setdefault(read(value), []).append(row)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            failure = failure_of(value, error)
            reason = (
                failure.reason if failure.reason in {"not_json", "too_large"} else "no_data_type"
            )
            failures[row] = Failure(reason, f"the record's data type: {failure.detail}")
    for data_type, members in found.items():
        groups.setdefault(data_type, []).append(members)


def _refuse_unwieldy(
    turn: Turn, groups: dict[str, list[Rows]], failures: dict[int, Failure]
) -> None:
    """Take out records that are too large, or nested too deep, for anyone to read safely."""
    if not isinstance(turn.records[0], bytes) or max(map(len, turn.records)) <= SUSPECT_BYTES:
        return
    unwieldy = {
        row: failure
        for row, value in enumerate(turn.records)
        if len(value) > SUSPECT_BYTES and (failure := _unwieldy(value)) is not None
    }
    if unwieldy:
        failures.update(unwieldy)
        for data_type, parts in groups.items():
            groups[data_type] = [[row for row in part if row not in failures] for part in parts]


def _unwieldy(value: bytes) -> Failure | None:
    if len(value) > RECORD_BYTES_MAX:
        detail = f"{len(value)} bytes; a record has at most {RECORD_BYTES_MAX}"
        return Failure("too_large", detail)
    if too_deep(value):
        return Failure("not_json", f"nested more than {RECORD_DEPTH_MAX} deep")
    return None


def _joined(parts: list[Rows]) -> Rows:
    """Join the rows of one data type; neighbouring ranges stay a range."""
    if all(isinstance(part, range) for part in parts) and all(
        left[-1] + 1 == right[0] for left, right in pairwise(parts)
    ):
        return range(parts[0][0], parts[-1][-1] + 1)
    return list(chain.from_iterable(parts))


def _pick(values: Sequence[Any], rows: Rows) -> Sequence[Any]:
    """Return the values of some rows, as they are where that is all of them."""
    if isinstance(rows, range):
        whole = len(rows) == len(values)
        return values if whole else values[rows.start : rows.stop]
    if len(rows) == 1:
        return [values[rows[0]]]
    return itemgetter(*rows)(values)  # type: ignore[no-any-return]


def _encoded(value: Any) -> bytes:
    """Write a record that came as an object, for its reject."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):
        return repr(value).encode()


def messages_of(turn: Turn, rows: range) -> tuple[list[Result], list[Reject]]:
    """Return the results and the rejects of one partition's rows, each in order."""
    if not turn.rejected:
        return turn.outcomes[rows.start : rows.stop], []
    mine = turn.outcomes[rows.start : rows.stop]
    return (
        [each for each in mine if isinstance(each, Result)],
        [each for each in mine if isinstance(each, Reject)],
    )
