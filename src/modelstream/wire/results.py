"""Answers to results and rejects, as objects and as JSON: what stands on the outgoing topics."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import msgspec

from modelstream.core.effects import Answer, Refusal
from modelstream.errors import InvalidMessage
from modelstream.limits import REJECT_VALUE_BYTES_MAX
from modelstream.messages import Columns, ModelNamed, Outputs, Position, Reject, Result, stamp_json

_DECODE_REJECT = msgspec.json.Decoder(Reject).decode


class ResultWriter:
    """Makes the results of one model version: its outputs become one struct type."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        fields = [(f"o{index}", Any) for index in range(len(self._names))]
        rename = {f"o{index}": name for index, name in enumerate(self._names)}
        self._struct = msgspec.defstruct(
            "Outputs", fields, bases=(Outputs,), rename=rename, gc=False
        )

    def results(
        self,
        answer: Answer,
        places: tuple[Iterable[str], Iterable[int], Iterable[int]],
        timestamps: Iterable[int],
        records: Iterable[Any],
        decided: Iterable[msgspec.Raw | msgspec.UnsetType],
    ) -> list[Result]:
        """Return one result for each row of an answer; all arguments are in its rows' order.

        `places` are the rows' topics, partitions and offsets.
        """
        return list(
            map(
                Result,
                self.objects(answer.columns),
                repeat(stamp_json(answer.stamp)),
                repeat(answer.data_type),
                *places,
                timestamps,
                records,
                decided,
            )
        )

    def objects(self, columns: Columns) -> list[Outputs]:
        """Return one object a row, which is written with the outputs' names."""
        values = (columns[name].tolist() for name in self._names)
        made: list[Outputs] = list(map(self._struct, *values))  # type: ignore[arg-type]
        return made


def encode_all(messages: Iterable[Result | Reject]) -> list[bytes]:
    """Write results or rejects as JSON."""
    encode = msgspec.json.Encoder().encode
    return list(map(encode, messages))


def make_reject(refusal: Refusal, position: Position, timestamp: int, value: bytes) -> Reject:
    """Return the reject of one record."""
    return Reject(
        reason=refusal.failure.reason,
        detail=refusal.failure.detail,
        data_type=refusal.data_type,
        as_of=refusal.as_of,
        topic=position.topic,
        partition=position.partition,
        offset=position.offset,
        timestamp=timestamp,
        value=value[:REJECT_VALUE_BYTES_MAX],
        value_bytes=len(value),
        model=msgspec.UNSET if refusal.by is None else ModelNamed(*refusal.by),
    )


class _StoredResult(Result):
    """A result whose record is left as it stands, because nobody may want it."""

    record: msgspec.Raw = msgspec.Raw(b"null")


_DECODE_STORED_RESULT = msgspec.json.Decoder(_StoredResult).decode


def decode_result(data: bytes) -> Result:
    """Read a result from JSON; its record stays raw JSON. Raises InvalidMessage."""
    try:
        result: Result = _DECODE_STORED_RESULT(data)
        _ = result.model  # which is JSON inside JSON, and has to be right too
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidMessage(f"this is no result ({error}); is the topic right?") from error
    return result


def decode_reject(data: bytes) -> Reject:
    """Read a reject from JSON. Raises InvalidMessage."""
    try:
        reject: Reject = _DECODE_REJECT(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidMessage(f"this is no reject ({error}); is the topic right?") from error
    return reject
