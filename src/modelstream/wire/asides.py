"""What policies look at beside a model's inputs: the keys of records, and some of their fields."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from modelstream.formats.base import Field, FieldType
from modelstream.messages import Column, Columns, RecordBatch
from modelstream.wire.columns import MixedShapes
from modelstream.wire.json import Decoder


def keys_of(batches: Sequence[RecordBatch]) -> list[bytes]:
    """Return every record's key; one without a key has its position for one."""
    keys: list[bytes] = []
    for batch in batches:
        given = repeat(None, len(batch)) if batch.keys is None else batch.keys
        keys.extend(
            f"{batch.topic}/{batch.partition}/{offset}".encode() if key is None else key
            for key, offset in zip(given, batch.offsets, strict=True)
        )
    return keys


def fields_of(records: Sequence[Any], reads: Mapping[str, str]) -> Columns:
    """Return fields of records, by name, as columns with a missing value where one cannot be read.

    `reads` are their types; the name "" is no field. Records are JSON texts or objects.
    """
    return {name: _column(records, name, kind) for name, kind in reads.items() if name}


def _column(records: Sequence[Any], name: str, kind: str) -> Column:
    types: dict[str, FieldType] = {"float64": "float64", "string": "string", "bool": "bool"}
    decoder = Decoder([Field(name, types[kind], optional=True)])
    missing: Any = np.nan if kind == "float64" else None
    column = np.full(len(records), missing, np.float64 if kind == "float64" else object)
    if not records:
        return column
    read = decoder.decode if isinstance(records[0], bytes) else decoder.convert
    try:
        decoded = read(records)
    except MixedShapes:  # of tensors, which no field here is
        return column
    column[list(decoded.rows)] = decoded.columns[name]
    return column
