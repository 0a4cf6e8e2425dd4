"""JSON Schema: whether a record says what the flow's owner wants it to.

https://json-schema.org: the draft is what the schema's `$schema` says. References to other
documents are not followed, so nothing is fetched.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs
import msgspec

from modelstream.errors import InvalidFlow
from modelstream.limits import SHOWN_CHARS_MAX
from modelstream.messages import Failure


class Conformity:
    """Checks records by the JSON Schema of a file. Raises InvalidFlow for one that is none."""

    def __init__(self, path: str) -> None:
        try:
            schema = msgspec.json.decode(Path(path).read_bytes())
            self._validator = jsonschema_rs.validator_for(schema, retriever=_refuse)
        except (OSError, ValueError, jsonschema_rs.ReferencingError) as error:
            raise InvalidFlow(f"schemas.json_schema {path} is no JSON Schema: {error}") from error
        self._decode = msgspec.json.Decoder().decode

    def failures(self, records: Sequence[bytes]) -> dict[int, Failure]:
        """Return why records fail, by row. One that is no JSON is left for others to tell of."""
        failures: dict[int, Failure] = {}
        decode, is_valid = self._decode, self._validator.is_valid
        for row, record in enumerate(records):
            try:
                value = decode(record)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            if not is_valid(value):
                failures[row] = Failure("schema_violation", self._why(value))
        return failures

    def _why(self, value: Any) -> str:
        """Tell the place of the first violation and what is wrong there."""
        error = next(self._validator.iter_errors(value))
        place = "/".join(map(str, error.instance_path))
        return f"at /{place}: {error.message[: 5 * SHOWN_CHARS_MAX]}"


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is another document; write what it says into the schema itself")
