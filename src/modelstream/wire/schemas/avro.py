"""Avro to plain values, one record after the other: fastavro has no other way."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

import fastavro
import msgspec
from fastavro.read import LOGICAL_READERS

from modelstream.wire.depth import too_deep
from modelstream.wire.schemas.avro_bounds import check_avro
from modelstream.wire.schemas.framing import UnusableSchema, malformed
from modelstream.wire.schemas.limits import AVRO_DECIMAL_BYTES_MAX

# Our word for Avro's decimal: fastavro's own reader takes minutes for one of a million digits.
_DECIMAL = "modelstream-decimal"


class AvroReader:
    """Reads what one schema writes. Raises UnusableSchema for one that nothing can be read by."""

    def __init__(self, text: str, references: Sequence[str] = ()) -> None:
        named: dict[str, Any] = {}
        for each in references:
            _parsed(each, named)
        self._schema = _parsed(text, named)
        check_avro(self._schema, named)
        for kind in ("bytes", "fixed"):
            LOGICAL_READERS.setdefault(f"{kind}-{_DECIMAL}", _decimal)

    def read(self, data: bytes) -> Any:
        """Return one record: objects as dicts, dates and decimals as Python has them.

        Raises Unreadable.
        """
        stream = BytesIO(data)
        try:
            value = fastavro.schemaless_reader(stream, self._schema, None)
        except Exception as error:
            # Whatever bytes make the library raise, other records go on.
            raise malformed(f"not Avro of its schema: {type(error).__name__}: {error}") from error
        if stream.tell() != len(data):
            raise malformed(f"{len(data) - stream.tell()} bytes are left after the record")
        return value


def _parsed(text: str, named: dict[str, Any]) -> Any:
    """Parse a schema; what it names is added to `named`."""
    if too_deep(text.encode()):
        raise UnusableSchema("the schema is nested too deep")
    try:
        plain = _with_our_decimals(msgspec.json.decode(text))
        return fastavro.parse_schema(plain, named_schemas=named)
    except Exception as error:
        # The library raises what comes to hand for JSON that is no schema.
        raise UnusableSchema(f"no schema of Avro: {type(error).__name__}: {error}") from error


def _with_our_decimals(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_our_decimals(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _with_our_decimals(value) for key, value in schema.items() if key != "default"}
    if plain.get("logicalType") == "decimal":
        plain["logicalType"] = _DECIMAL
    return plain


def _decimal(data: bytes, schema: Mapping[str, Any] | None, _reader: object = None) -> Decimal:
    """Read a decimal: its unscaled digits, big-endian (Avro 1.12, Decimal)."""
    if len(data) > AVRO_DECIMAL_BYTES_MAX:
        raise ValueError(f"a decimal of {len(data)} bytes; at most {AVRO_DECIMAL_BYTES_MAX}")
    unscaled = int.from_bytes(data, "big", signed=True)
    return Decimal(f"{unscaled}E-{int((schema or {}).get('scale', 0))}")
